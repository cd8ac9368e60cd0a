//! Simulates a machine's vibration and judges what a chip says about it: `docs/vibration.md` shows how.
//!
//! - `simulate FOLDER` writes `machine.csv`, a recording of 2,000 windows without a fault, and `later.i16`, raw counts of 800
//!   windows, during which a bearing's fault begins.
//! - `judge FILE` reads what the chip printed about `later.i16`.

mod judgement;
mod machine;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use judgement::{judge, lines};
use machine::record;

/// Windows of the recording, and of what comes later without and with the fault.
const WINDOWS: (usize, usize, usize) = (2000, 400, 400);
/// Seeds of the two.
const SEEDS: (u64, u64) = (0, 1);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["simulate", folder] => simulate(folder.as_ref()),
        ["judge", file] => print_judgement(file.as_ref()),
        _ => Err("usage: vibration simulate FOLDER, or vibration judge FILE".into()),
    }
}

fn simulate(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut table = String::from("radial,axial,state\n");
    for window in record(SEEDS.0, WINDOWS.0, 0) {
        for instant in window.counts.chunks_exact(machine::AXES) {
            writeln!(table, "{},{},{}", instant[0], instant[1], window.state.name())?;
        }
    }
    fs::write(folder.join("machine.csv"), table)?;
    let later = record(SEEDS.1, WINDOWS.1, WINDOWS.2);
    let counts: Vec<u8> = later.iter().flat_map(|window| &window.counts).flat_map(|x| x.to_le_bytes()).collect();
    fs::write(folder.join("later.i16"), counts)?;
    println!(
        "machine.csv: {} windows of {} instants, recorded at {} in a second",
        WINDOWS.0,
        machine::WINDOW,
        machine::RATE
    );
    println!("later.i16: {} windows; the fault begins after {}", later.len(), WINDOWS.1);
    Ok(())
}

fn print_judgement(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let said = lines(&fs::read_to_string(file)?).ok_or("the file does not hold what the chip prints")?;
    let windows = record(SEEDS.1, WINDOWS.1, WINDOWS.2);
    if said.len() != windows.len() {
        return Err(format!("the file has {} lines for {} windows", said.len(), windows.len()).into());
    }
    let found = judge(&windows, &said);
    println!("windows before the fault, in each cluster");
    for (state, counts) in &found.table {
        println!("  {:<5}{}", state.name(), counts.iter().map(|n| format!("{n:>6}")).collect::<String>());
    }
    println!("novel at 5 %: {:.1} % before the fault, {:.1} % with it", 100.0 * found.alarms.0, 100.0 * found.alarms.1);
    println!("area under the curve: {:.3}", found.area);
    match found.drift {
        Some(windows) if windows > 0 => println!("drift alarm: {windows} windows after the fault began"),
        Some(windows) => println!("drift alarm: {} windows before the fault, a false one", 1 - windows),
        None => println!("no drift alarm"),
    }
    Ok(())
}
