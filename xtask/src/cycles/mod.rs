//! `cargo xtask cycles`: an estimate of cycles from the instructions that the emulator executes and from the timings in
//! the reference manuals, for memory without wait states. `timing.rs` beside this folder lists what it assumes.

mod trace;

use anyhow::{Result, ensure};

pub(crate) use trace::{Count, calls};

use crate::cores::CORES;
use crate::setup;

/// The measured functions of the firmware, and their multiply-accumulates.
const MEASURED: [(&str, u32); 4] = [
    ("measured_layers", 264_192),
    ("measured_diagonal", 2 * 8 * 16),
    ("measured_full", 8 * (16 * 17 / 2 + 16)),
    ("measured_spectrum", 6 * (128 + 128 + 128 * 6)),
];

/// Prints instructions and cycles.
pub(crate) fn estimate() -> Result<()> {
    setup::install_missing()?;
    println!("| core | what | instructions | cycles | each multiply-accumulate |\n|---|---|---|---|---|");
    for core in CORES.iter().filter(|core| ["cortex-m4", "cortex-m3"].contains(&core.name)) {
        let (_, counts) = calls(core, &core.build("cycles", "release")?, &MEASURED.map(|(name, _)| name))?;
        ensure!(counts.len() == MEASURED.len(), "the trace does not contain every measured function once");
        for Count { function, instructions, cycles } in counts {
            let (name, macs) = MEASURED[function];
            let each = cycles as f64 / f64::from(macs);
            println!("| {} | {name} | {instructions} | {cycles} | {each:.3} |", core.name);
        }
    }
    Ok(())
}
