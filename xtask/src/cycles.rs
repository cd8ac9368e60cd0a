//! `cargo xtask cycles`: an estimate of cycles from the instructions that the emulator executes and from the timings in
//! the reference manuals of Cortex-M3 and Cortex-M4, for memory without wait states.
//!
//! Where a manual gives a range, the estimate takes
//!
//! - 2 cycles for the pipeline refill after a taken branch (1 to 3),
//! - 12 cycles for a division (2 to 12),
//! - the most for a long multiplication on Cortex-M3,
//! - 2 cycles for a load or store of one register, and 1 directly after another one.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol};

use crate::cores::{CORES, Core};
use crate::setup;

/// The measured functions of the firmware, and their multiply-accumulates.
const MEASURED: [(&str, u32); 4] = [
    ("measured_layers", 264_192),
    ("measured_diagonal", 2 * 8 * 16),
    ("measured_full", 8 * (16 * 17 / 2 + 16)),
    ("measured_spectrum", 6 * (128 + 128 + 128 * 6)),
];
const REFILL: u32 = 2;

/// How long an instruction takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Timing {
    /// One cycle, and a refill if the instruction branches.
    Plain,
    /// A load or store of one register.
    Single,
    /// This many cycles, and a refill if the instruction branches.
    Cycles(u32),
}

/// Prints instructions and cycles.
pub(crate) fn estimate() -> Result<()> {
    setup::install_missing()?;
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
    let code = file.section_by_name(".text").context("the firmware has no section .text")?;
    let (start, code) = (code.address() as u32, code.data()?);
    let half = |address: u32| -> u16 {
        let at = address.wrapping_sub(start) as usize;
        code.get(at..at + 2).map_or(0, |half| u16::from_le_bytes([half[0], half[1]]))
    };
    let symbol = |name: &str| file.symbols().find(|s| s.name().is_ok_and(|n| n.contains(name))).map(|s| s.address());
    let entries = MEASURED.map(|(name, _)| symbol(name).map(|address| address as u32 & !1));
    let mut child = core.tracer(&path).stderr(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stderr.take().context("the emulator's trace cannot be read")?).split(b'\n');

    let mut totals = MEASURED.map(|(name, macs)| (name, macs, 0, 0));
    // The function that is being measured, and the address that it returns to.
    let mut inside: Option<(usize, u32)> = None;
    let (mut last, mut timing) = (0, Timing::Plain);
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
                    Timing::Plain => 1,
                    Timing::Single if timing == Timing::Single => 1,
                    Timing::Single => 2,
                    Timing::Cycles(n) => n,
                };
                timing = now;
            }
        } else if let Some(index) = entries.iter().position(|&entry| entry == Some(address)) {
            inside = Some((index, last + length(half(last))));
            totals[index].2 = 1;
            totals[index].3 = 1;
        }
        last = address;
    }
    ensure!(child.wait()?.success(), "the firmware failed in the emulator");
    ensure!(
        totals.iter().all(|total| total.2 > 100) && inside.is_none(),
        "the trace does not contain every measured function"
    );
    Ok(totals.to_vec())
}

/// From `Trace 0: 0x7f... [00800400/00000648/...] symbol`.
fn program_counter(line: &[u8]) -> Option<u32> {
    let line = str::from_utf8(line).ok()?.strip_prefix("Trace")?;
    u32::from_str_radix(line.split('/').nth(1)?, 16).ok()
}

/// Bytes of an instruction whose first half-word this is.
fn length(first: u16) -> u32 {
    if first >> 11 >= 0b11101 { 4 } else { 2 }
}

fn decode(is_m3: bool, first: u16, second: u16) -> Timing {
    if length(first) == 2 { decode_short(first) } else { decode_long(is_m3, first, second) }
}

fn decode_short(first: u16) -> Timing {
    let registers = |mask: u16| Timing::Cycles(1 + (first & mask).count_ones());
    match first >> 12 {
        // Loads and stores with a register, an immediate, or relative to the stack; loads of constants.
        0b0101..=0b1001 => Timing::Single,
        0b0100 if first >> 11 == 0b01001 => Timing::Single,
        0b1011 if first & 0x0600 == 0x0400 => registers(0x01ff),
        0b1100 => registers(0x00ff),
        _ => Timing::Plain,
    }
}

fn decode_long(is_m3: bool, first: u16, second: u16) -> Timing {
    match first {
        _ if first & 0xfe40 == 0xe800 => Timing::Cycles(1 + second.count_ones()),
        _ if first & 0xfe40 == 0xe840 => Timing::Cycles(3),
        _ if first & 0xfe00 == 0xf800 => Timing::Single,
        // Multiplication with an addend.
        _ if first & 0xff80 == 0xfb00 && is_m3 && second >> 12 != 15 => Timing::Cycles(2),
        _ if first & 0xff80 == 0xfb80 => match (first >> 4) & 7 {
            1 | 3 => Timing::Cycles(12),
            0 | 2 if is_m3 => Timing::Cycles(5),
            _ if is_m3 => Timing::Cycles(7),
            _ => Timing::Plain,
        },
        _ => Timing::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_take_what_the_manuals_say() {
        let m4 = |first, second| decode(false, first, second);
        assert!(m4(0xe8b3, 0x0780) == Timing::Cycles(5), "ldm r3!, {{r7-r10}}");
        assert!(m4(0xe8f0, 0xbc02) == Timing::Cycles(3), "ldrd r11, r12, [r0], #8");
        assert!(m4(0xfb2e, 0x4407) == Timing::Plain, "smlad r4, lr, r7, r4");
        assert!(m4(0xf855, 0x3b04) == Timing::Single, "ldr r3, [r5], #4");
        assert!(m4(0xbdf0, 0) == Timing::Cycles(6), "pop {{r4-r7, pc}}");
        assert!(decode(true, 0xfb08, 0x4409) == Timing::Cycles(2), "mla r4, r8, r9, r4");
        assert!(decode(true, 0xfbc7, 0x4507) == Timing::Cycles(7), "smlal r4, r5, r7, r7");
        assert!(m4(0xd1fe, 0) == Timing::Plain, "bne");
    }
}
