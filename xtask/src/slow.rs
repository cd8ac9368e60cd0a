//! How long models may take that were made to be slow, in executed instructions for each multiply-accumulate that they state
//! and for each of their bytes.

use anyhow::{Context, Result, ensure};

use crate::cores::{self, Core};
use crate::process::output;
use crate::setup;

/// What docs/chip.md promises: a firmware that limits multiply-accumulates limits its time.
const A_MAC: f64 = 400.0;
const A_BYTE: f64 = 100.0;
/// What each assignment and each load may take besides: an encoder has up to 16 layers, whose multiply-accumulates may be few.
const FREE: f64 = 30_000.0;

/// `cargo xtask slow`: counts the cores whose name contains `filter`.
///
/// # Errors
/// If a model takes longer than the page promises.
pub(crate) fn run(filter: &str) -> Result<()> {
    setup::install_missing()?;
    println!("| core | model | bytes | instructions to load | a byte | multiply-accumulates | to assign | each |");
    println!("|---|---|---|---|---|---|---|---|");
    for core in cores::named(filter)?.into_iter().filter(|core| core.is_counted) {
        measure(core)?;
    }
    Ok(())
}

fn measure(core: &Core) -> Result<()> {
    let path = core.build("slow", "release")?;
    for line in output(&mut core.emulator(&path))?.lines() {
        let (load, bytes, assign, macs, name) =
            parse(line).with_context(|| format!("`{line}` is not a measurement"))?;
        let each = |total: f64, of: f64| total / of.max(1.0);
        println!(
            "| {} | {name} | {bytes} | {load} | {:.1} | {macs} | {assign} | {:.1} |",
            core.name,
            each(load, bytes),
            each(assign, macs)
        );
        let is_bounded = load <= FREE + A_BYTE * bytes && assign <= FREE + A_MAC * macs;
        ensure!(is_bounded, "more than {FREE} instructions, {A_BYTE} a byte and {A_MAC} a multiply-accumulate");
    }
    Ok(())
}

fn parse(line: &str) -> Option<(f64, f64, f64, f64, &str)> {
    let mut fields = line.splitn(5, ' ');
    let mut number = || fields.next()?.parse().ok();
    let numbers = (number()?, number()?, number()?, number()?);
    Some((numbers.0, numbers.1, numbers.2, numbers.3, fields.next()?))
}
