//! `cargo xtask bench`: instructions that the runtime executes on emulated cores, held to committed budgets.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use object::{Object, ObjectSection};
use toml::{Table, Value};

use crate::cores::{CORES, Core};
use crate::process::{output, root};
use crate::setup;

/// Above its budget by more than this, a count is refused.
const TOLERANCE_PERCENT: u64 = 1;
/// The entries of the budgets that are no workloads: the least runtime's code, and that with more features.
const CODE: [(&str, &[&str]); 3] = [
    ("code", &["--no-default-features"]),
    ("code-convolution", &["--no-default-features", "--features", "convolution"]),
    ("code-all", &[]),
];

/// What to do with the counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Print them.
    Print,
    /// Refuse those above their budget.
    Check,
    /// Make them the budgets.
    Bless,
}

/// One line of the firmware's output.
struct Line {
    name: String,
    ram: u64,
    flash: u64,
    macs: u64,
    model: u64,
    arena: u64,
}

/// Measures every core, or those whose name contains `filter`.
pub(crate) fn bench(mode: Mode, filter: &str) -> Result<()> {
    setup::run_quietly()?;
    let mut budgets: Table = fs::read_to_string(budgets_path()).unwrap_or_default().parse()?;
    let mut excesses = vec![];
    for core in CORES.iter().filter(|core| core.is_counted && core.name.contains(filter)) {
        let (lines, codes) = measure(core)?;
        print_table(core, &lines, codes);
        let mut counts: Table =
            lines.iter().map(|line| (line.name.clone(), number(line.ram.max(line.flash)))).collect();
        counts.extend(CODE.iter().zip(codes).map(|((name, _), bytes)| (name.to_string(), number(bytes))));
        match mode {
            Mode::Print => {}
            Mode::Check => excesses.extend(excess(core.name, &counts, budgets.get(core.name))?),
            Mode::Bless => {
                budgets.insert(core.name.into(), Value::Table(counts));
            }
        }
    }
    if mode == Mode::Bless {
        let head = "# Instructions per workload and bytes of code: `cargo xtask bench --bless` writes this file.\n\n";
        fs::write(budgets_path(), format!("{head}{}", toml::to_string(&budgets)?))?;
    }
    ensure!(excesses.is_empty(), "above the budget by more than {TOLERANCE_PERCENT} %:\n{}", excesses.join("\n"));
    Ok(())
}

fn budgets_path() -> PathBuf {
    root().join("bench/budgets.toml")
}

fn number(count: u64) -> Value {
    Value::Integer(count as i64)
}

/// Counts above their budgets; a count without a budget, or a budget without a count, is an error.
fn excess(core: &str, counts: &Table, budgets: Option<&Value>) -> Result<Vec<String>> {
    let budgets = budgets.and_then(Value::as_table).with_context(|| format!("{core} has no budgets"))?;
    ensure!(budgets.keys().eq(counts.keys()), "{core}: the budgets are those of other workloads");
    let pairs = counts.iter().zip(budgets.values());
    let above = pairs.filter_map(|((name, count), budget)| {
        let (count, budget) = (count.as_integer()? as u64, budget.as_integer()? as u64);
        let most = budget + budget * TOLERANCE_PERCENT / 100;
        (count > most).then(|| format!("  {core} {name}: {count}, budget {budget}"))
    });
    Ok(above.collect())
}

fn measure(core: &Core) -> Result<(Vec<Line>, [u64; CODE.len()])> {
    let lines = output(&mut core.emulator(&core.build("bench-firmware", "release")?))?;
    let lines = lines.lines().map(parse).collect::<Result<Vec<Line>>>()?;
    let mut codes = [0; CODE.len()];
    for (bytes, (_, arguments)) in codes.iter_mut().zip(CODE) {
        *bytes = code(&core.build_with("code", "small", arguments)?)?;
    }
    Ok((lines, codes))
}

/// Bytes of code: start-up included; vectors, constants and the model not.
fn code(path: &Path) -> Result<u64> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let file = object::File::parse(&*bytes)?;
    let sections = [".init", ".text"];
    Ok(sections.iter().filter_map(|name| file.section_by_name(name)).map(|section| section.size()).sum())
}

fn parse(line: &str) -> Result<Line> {
    let words: Vec<&str> = line.split(' ').collect();
    let [name, ram, flash, macs, model, arena] = words[..] else { bail!("the firmware printed `{line}`") };
    Ok(Line {
        name: name.into(),
        ram: ram.parse()?,
        flash: flash.parse()?,
        macs: macs.parse()?,
        model: model.parse()?,
        arena: arena.parse()?,
    })
}

fn print_table(core: &Core, lines: &[Line], [least, convolution, all]: [u64; CODE.len()]) {
    let code = format!("code {least} bytes, with convolution {convolution}, with all features {all}");
    println!("## {} ({}), {code}\n", core.name, core.target);
    println!("| workload | instructions, model in RAM | in flash | multiply-accumulates | each | model | arena |");
    println!("|---|---|---|---|---|---|---|");
    for Line { name, ram, flash, macs, model, arena } in lines {
        let each = *ram as f64 / *macs as f64;
        println!("| {name} | {ram} | {flash} | {macs} | {each:.3} | {model} | {arena} |");
    }
    println!();
}
