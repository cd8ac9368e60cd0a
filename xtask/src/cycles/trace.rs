//! Instructions and cycles of functions, from the emulator's trace of every instruction.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol};

use crate::cores::Core;
use crate::timing::Timing;

/// What a call of a function took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Which of the functions it was, as the caller of [`calls`] numbers them.
    pub(crate) function: usize,
    pub(crate) instructions: u64,
    /// For memory without wait states.
    pub(crate) cycles: u64,
}

/// Runs a program, and counts each call of the functions whose names contain one of `names`, in the order of the calls. Gives
/// what the program printed, too.
pub(crate) fn calls(core: &Core, path: &Path, names: &[&str]) -> Result<(String, Vec<Count>)> {
    let model = core.timing;
    let bytes = fs::read(path)?;
    let file = object::File::parse(&*bytes)?;
    let code = file.section_by_name(".text").context("the firmware has no section .text")?;
    let (start, code) = (code.address() as u32, code.data()?);
    let half = |address: u32| -> u16 {
        let at = address.wrapping_sub(start) as usize;
        code.get(at..at + 2).map_or(0, |half| u16::from_le_bytes([half[0], half[1]]))
    };
    let symbol = |name: &str| file.symbols().find(|s| s.name().is_ok_and(|n| n.contains(name))).map(|s| s.address());
    let entries: Vec<_> = names.iter().map(|name| symbol(name).map(|address| address as u32 & !1)).collect();
    ensure!(entries.iter().all(Option::is_some), "the firmware lacks one of the functions {}", names.join(", "));

    let mut child = core.tracer(path).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stderr.take().context("the emulator's trace cannot be read")?).split(b'\n');
    let printed = child.stdout.take().context("the emulator's output cannot be read")?;
    let printed = std::thread::spawn(move || std::io::read_to_string(printed));
    let mut counts: Vec<Count> = vec![];
    // Where the function that is being counted returns to.
    let mut back: Option<u32> = None;
    let (mut last, mut timing) = (0, Timing::Plain);
    for line in lines {
        let Some(address) = program_counter(&line?) else { continue };
        if back == Some(address) {
            back = None;
        } else if let (Some(_), Some(count)) = (back, counts.last_mut()) {
            if address != last + model.length(half(last)) {
                count.cycles += u64::from(model.refill());
            }
            let now = model.decode(half(address), half(address + 2));
            count.instructions += 1;
            count.cycles += match now {
                Timing::Plain => 1,
                Timing::Single if timing == Timing::Single => 1,
                Timing::Single => 2,
                Timing::Cycles(n) => u64::from(n),
            };
            timing = now;
        } else if let Some(function) = entries.iter().position(|&entry| entry == Some(address)) {
            back = Some(last + model.length(half(last)));
            counts.push(Count { function, instructions: 1, cycles: 1 });
        }
        last = address;
    }
    let printed = printed.join().ok().context("the emulator's output cannot be read")??;
    ensure!(child.wait()?.success(), "the firmware failed in the emulator");
    ensure!(back.is_none(), "the trace ends within a measured function");
    Ok((printed, counts))
}

/// From `Trace 0: 0x7f... [00800400/00000648/...] symbol`.
fn program_counter(line: &[u8]) -> Option<u32> {
    let line = str::from_utf8(line).ok()?.strip_prefix("Trace")?;
    u32::from_str_radix(line.split('/').nth(1)?, 16).ok()
}
