//! `cargo xtask bench`: counts the instructions that the runtime executes on emulated cores, and compares them with
//! committed budgets.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use toml::{Table, Value};

use crate::cores::{self, Core};
use crate::process::{output, root};
use crate::{setup, size};

/// A count may exceed its budget by this much.
const TOLERANCE_PERCENT: u64 = 1;
/// Programs whose code is measured: their names in the budgets, and cargo's arguments for their features.
const PROGRAMS: [(&str, &[&str]); 6] = [
    ("code", &["--no-default-features"]),
    ("code-convolution", &["--no-default-features", "--features", "convolution"]),
    ("code-spectrum", &["--no-default-features", "--features", "spectrum"]),
    ("code-spectrum-with-shape", &["--no-default-features", "--features", "signal-shape"]),
    ("code-spectrum-with-filter", &["--no-default-features", "--features", "filter"]),
    ("code-all", &[]),
];

/// What to do with the counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Print them.
    Print,
    /// Fail if one exceeds its budget.
    Check,
    /// Write them to the budgets.
    Bless,
}

/// A line of the firmware's output: a workload, and its instructions with the model in RAM and in flash.
struct Workload {
    name: String,
    ram: u64,
    flash: u64,
    macs: u64,
    model: u64,
    arena: u64,
}

/// Measures the cores whose name contains `filter`.
pub(crate) fn run(mode: Mode, filter: &str) -> Result<()> {
    setup::install_missing()?;
    let mut budgets: Table = fs::read_to_string(budgets_path()).unwrap_or_default().parse()?;
    let mut excesses = vec![];
    let cores: Vec<&Core> = cores::named(filter)?.into_iter().filter(|core| core.is_counted).collect();
    cores::build_together(&cores, "bench-firmware", "release", &[])?;
    for (_, arguments) in PROGRAMS {
        cores::build_together(&cores, "code", "small", arguments)?;
    }
    for core in cores {
        let (workloads, codes) = measure(core)?;
        print_table(core, &workloads, codes);
        let mut counts: Table = workloads
            .iter()
            .map(|workload| (workload.name.clone(), number(workload.ram.max(workload.flash))))
            .collect();
        counts.extend(PROGRAMS.iter().zip(codes).map(|((name, _), bytes)| (name.to_string(), number(bytes))));
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
    ensure!(excesses.is_empty(), "more than {TOLERANCE_PERCENT} % above the budget:\n{}", excesses.join("\n"));
    Ok(())
}

fn budgets_path() -> PathBuf {
    root().join("bench/budgets.toml")
}

fn number(count: u64) -> Value {
    Value::Integer(count as i64)
}

/// A line for each count above its budget. A count without a budget, or a budget without a count, is an error.
fn excess(core: &str, counts: &Table, budgets: Option<&Value>) -> Result<Vec<String>> {
    let budgets = budgets
        .and_then(Value::as_table)
        .with_context(|| format!("{core} has no budgets: `cargo xtask bench --bless {core}` writes them"))?;
    ensure!(
        budgets.keys().eq(counts.keys()),
        "{core}: the budgets are for other workloads; `cargo xtask bench --bless {core}` writes new ones"
    );
    let pairs = counts.iter().zip(budgets.values());
    let above = pairs.filter_map(|((name, count), budget)| {
        let (count, budget) = (count.as_integer()? as u64, budget.as_integer()? as u64);
        let limit = budget + budget * TOLERANCE_PERCENT / 100;
        (count > limit).then(|| format!("  {core} {name}: {count}, budget {budget}"))
    });
    Ok(above.collect())
}

fn measure(core: &Core) -> Result<(Vec<Workload>, [u64; PROGRAMS.len()])> {
    let lines = output(&mut core.emulator(&core.build("bench-firmware", "release")?))?;
    let lines = lines.lines().map(parse).collect::<Result<Vec<Workload>>>()?;
    let mut codes = [0; PROGRAMS.len()];
    for (bytes, (_, arguments)) in codes.iter_mut().zip(PROGRAMS) {
        *bytes = code(&core.build_with("code", "small", arguments)?)?;
    }
    Ok((lines, codes))
}

/// Bytes of code with the start-up code, without vectors, constants and the model.
fn code(path: &Path) -> Result<u64> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let file = object::File::parse(&*bytes)?;
    Ok(size::section_bytes(&file, &[".init", ".text"]))
}

fn parse(line: &str) -> Result<Workload> {
    let words: Vec<&str> = line.split(' ').collect();
    let [name, ram, flash, macs, model, arena] = words[..] else {
        bail!("the firmware printed `{line}`, not a name and five numbers")
    };
    Ok(Workload {
        name: name.into(),
        ram: ram.parse()?,
        flash: flash.parse()?,
        macs: macs.parse()?,
        model: model.parse()?,
        arena: arena.parse()?,
    })
}

fn print_table(core: &Core, workloads: &[Workload], codes: [u64; PROGRAMS.len()]) {
    let [least, convolution, spectrum, shape, filter, all] = codes;
    let code = format!(
        "code {least} bytes, with convolution {convolution}, with a spectrum {spectrum}, the shape of signals as well \
         {shape}, a filter before it {filter}, with all features {all}"
    );
    println!("## {} ({}), {code}\n", core.name, core.target);
    println!("| workload | instructions, model in RAM | in flash | multiply-accumulates | each | model | arena |");
    println!("|---|---|---|---|---|---|---|");
    for Workload { name, ram, flash, macs, model, arena } in workloads {
        let each = *ram as f64 / *macs as f64;
        println!("| {name} | {ram} | {flash} | {macs} | {each:.3} | {model} | {arena} |");
    }
    println!();
}
