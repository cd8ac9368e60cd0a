//! `cargo xtask cycles`: cycles, estimated from the instructions that the emulator executes and the timings in the
//! reference manuals of Cortex-M3 and M4, with memory that never waits.
//!
//! Of what the manuals leave open: a taken branch refills the pipeline in 2 cycles (1 to 3); a division takes 12
//! (2 to 12); long multiplications on Cortex-M3 take the most they can. A single load or store takes 2 cycles, and 1
//! right after another.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol};

use crate::cores::{CORES, Core};
use crate::setup;

/// The firmware's functions, and their multiply-accumulates.
const MEASURED: [(&str, u32); 3] =
    [("measured_layers", 264_192), ("measured_diagonal", 2 * 8 * 16), ("measured_full", 8 * (16 * 17 / 2 + 16))];
const REFILL: u32 = 2;

/// What an instruction takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One cycle, and a refill if the next instruction is not the one behind.
    Plain,
    /// A load or store of one register.
    Single,
    /// So many cycles, and a refill as above.
    Cycles(u32),
}

/// Prints instructions and cycles.
pub(crate) fn estimate() -> Result<()> {
    setup::run_quietly()?;
    println!("| core | what | instructions | cycles | each multiply-accumulate |\n|---|---|---|---|---|");
    for core in CORES.iter().filter(|core| ["cortex-m4", "cortex-m3"].contains(&core.name)) {
        for (name, macs, instructions, cycles) in trace(core)? {
            let each = f64::from(cycles) / f64::from(macs);
            println!("| {} | {name} | {instructions} | {cycles} | {each:.3} |", core.name);
        }
    }
    Ok(())
}

fn trace(core: &Core) -> Result<Vec<(&'static str, u32, u32, u32)>> {
    let path = core.build("cycles", "release")?;
    let bytes = fs::read(&path)?;
    let file = object::File::parse(&*bytes)?;
    let code = file.section_by_name(".text").context("no code")?;
    let (start, code) = (code.address() as u32, code.data()?);
    let half = |address: u32| -> u16 {
        let at = address.wrapping_sub(start) as usize;
        code.get(at..at + 2).map_or(0, |half| u16::from_le_bytes([half[0], half[1]]))
    };
    let symbol = |name: &str| file.symbols().find(|s| s.name().is_ok_and(|n| n.contains(name))).map(|s| s.address());
    let entries = MEASURED.map(|(name, _)| symbol(name).map(|address| address as u32 & !1));
    let mut child = core.tracer(&path).stderr(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stderr.take().context("no trace")?).split(b'\n');

    let mut totals = MEASURED.map(|(name, macs)| (name, macs, 0, 0));
    // Which function is being measured, and where it returns to.
    let mut inside: Option<(usize, u32)> = None;
    let (mut last, mut kind) = (0, Kind::Plain);
    for line in lines {
        let line = line?;
        let Some(address) = program_counter(&line) else { continue };
        if let Some((index, back)) = inside {
            let (_, _, instructions, cycles) = &mut totals[index];
            let next = last + length(half(last));
            if address != next {
                *cycles += REFILL;
            }
            if address == back {
                inside = None;
            } else {
                let now = decode(core.name == "cortex-m3", half(address), half(address + 2));
                *instructions += 1;
                *cycles += match now {
                    Kind::Plain => 1,
                    Kind::Single if kind == Kind::Single => 1,
                    Kind::Single => 2,
                    Kind::Cycles(n) => n,
                };
                kind = now;
            }
        } else if let Some(index) = entries.iter().position(|&entry| entry == Some(address)) {
            inside = Some((index, last + length(half(last))));
            totals[index].2 = 1;
            totals[index].3 = 1;
        }
        last = address;
    }
    ensure!(child.wait()?.success(), "the firmware failed");
    ensure!(totals.iter().all(|total| total.2 > 100) && inside.is_none(), "the trace does not show what is measured");
    Ok(totals.to_vec())
}

/// From `Trace 0: 0x7f... [00800400/00000648/...] symbol`.
fn program_counter(line: &[u8]) -> Option<u32> {
    let line = str::from_utf8(line).ok()?.strip_prefix("Trace")?;
    u32::from_str_radix(line.split('/').nth(1)?, 16).ok()
}

/// Bytes of an instruction that begins like this.
fn length(first: u16) -> u32 {
    if first >> 11 >= 0b11101 { 4 } else { 2 }
}

fn decode(is_m3: bool, first: u16, second: u16) -> Kind {
    if length(first) == 2 { decode_short(first) } else { decode_long(is_m3, first, second) }
}

fn decode_short(first: u16) -> Kind {
    let registers = |mask: u16| Kind::Cycles(1 + (first & mask).count_ones());
    match first >> 12 {
        // Loads and stores with a register, an immediate, or relative to the stack; loads of constants.
        0b0101..=0b1001 => Kind::Single,
        0b0100 if first >> 11 == 0b01001 => Kind::Single,
        0b1011 if first & 0x0600 == 0x0400 => registers(0x01ff),
        0b1100 => registers(0x00ff),
        _ => Kind::Plain,
    }
}

fn decode_long(is_m3: bool, first: u16, second: u16) -> Kind {
    match first {
        _ if first & 0xfe40 == 0xe800 => Kind::Cycles(1 + second.count_ones()),
        _ if first & 0xfe40 == 0xe840 => Kind::Cycles(3),
        _ if first & 0xfe00 == 0xf800 => Kind::Single,
        // Multiplication with an addend.
        _ if first & 0xff80 == 0xfb00 && is_m3 && second >> 12 != 15 => Kind::Cycles(2),
        _ if first & 0xff80 == 0xfb80 => match (first >> 4) & 7 {
            1 | 3 => Kind::Cycles(12),
            0 | 2 if is_m3 => Kind::Cycles(5),
            _ if is_m3 => Kind::Cycles(7),
            _ => Kind::Plain,
        },
        _ => Kind::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_take_what_the_manuals_say() {
        let m4 = |first, second| decode(false, first, second);
        assert!(m4(0xe8b3, 0x0780) == Kind::Cycles(5), "ldm r3!, {{r7-r10}}");
        assert!(m4(0xe8f0, 0xbc02) == Kind::Cycles(3), "ldrd r11, r12, [r0], #8");
        assert!(m4(0xfb2e, 0x4407) == Kind::Plain, "smlad r4, lr, r7, r4");
        assert!(m4(0xf855, 0x3b04) == Kind::Single, "ldr r3, [r5], #4");
        assert!(m4(0xbdf0, 0) == Kind::Cycles(6), "pop {{r4-r7, pc}}");
        assert!(decode(true, 0xfb08, 0x4409) == Kind::Cycles(2), "mla r4, r8, r9, r4");
        assert!(decode(true, 0xfbc7, 0x4507) == Kind::Cycles(7), "smlal r4, r5, r7, r7");
        assert!(m4(0xd1fe, 0) == Kind::Plain, "bne");
    }
}
