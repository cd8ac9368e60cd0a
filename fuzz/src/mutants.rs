//! Writes mutated models to standard output, each after its length as a little-endian u32, for programs in other languages:
//! `cargo run --release --bin mutants -- COUNT`.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use edgemix_format::testing::SplitMix64;
use edgemix_fuzz::{MOST_BYTES, base, mutate};

/// Mutations of one base.
const A_BASE: u64 = 16;

fn main() -> ExitCode {
    let Some(Ok(count)) = std::env::args().nth(1).map(|count| count.parse()) else {
        eprintln!("usage: mutants COUNT");
        return ExitCode::from(2);
    };
    match write(count, &mut BufWriter::new(io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Each base is followed by its mutations.
fn write(count: u64, out: &mut impl Write) -> io::Result<()> {
    let mut n_written = 0;
    for number in 0.. {
        let mut random = SplitMix64::new(number);
        let model = base(&mut random, MOST_BYTES);
        for mutation in 0..=A_BASE {
            if n_written == count {
                return out.flush();
            }
            let mutant = (mutation > 0).then(|| mutate(&model, &mut random, MOST_BYTES));
            let bytes = mutant.as_ref().unwrap_or(&model);
            out.write_all(&(bytes.len() as u32).to_le_bytes())?;
            out.write_all(bytes)?;
            n_written += 1;
        }
    }
    Ok(())
}
