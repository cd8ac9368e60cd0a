//! `cargo xtask costs`: what each operation of an assignment costs on each core, in instructions and in cycles without wait
//! states. The trainer estimates the time on a chip from these numbers.
//!
//! The parts of many small generated models are run in the emulator, the instructions of each are counted, and costs are
//! fitted to the counts. They are then tried on whole models that had no part in the fit.

mod fit;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use toml::{Table, Value};

use crate::cores::{self, Core};
use crate::cycles::{Count, calls};
use crate::process::root;
use crate::setup;

/// The most by which the estimate of a model may be wrong that had no part in the fit.
const MOST_ERROR_PERCENT: f64 = 15.0;
/// Models that have no part in the fit.
const TRIED: [&str; 4] = ["anomaly/assign", "spectrum/assign", "full-8x16/assign", "digits/assign"];

/// A part of a model: how often each operation happens, and what was counted.
struct Part {
    name: String,
    counts: Vec<f64>,
    count: Count,
}

/// Measures the cores whose name contains `filter`; `bless` writes the costs for the trainer.
pub(crate) fn run(filter: &str, bless: bool) -> Result<()> {
    setup::install_missing()?;
    let mut tables: Table = fs::read_to_string(path()).unwrap_or_default().parse()?;
    for core in cores::named(filter)?.into_iter().filter(|core| core.has_costs) {
        tables.insert(core.name.into(), Value::Table(measure(core)?));
    }
    if bless {
        let head = "# Costs of operations, without wait states: `cargo xtask costs --bless` writes this file.\n\n";
        fs::write(path(), format!("{head}{}", toml::to_string(&tables)?))?;
    }
    Ok(())
}

fn path() -> PathBuf {
    root().join("trainer/src/assessment/chips/costs.toml")
}

fn measure(core: &Core) -> Result<Table> {
    let (printed, counts) = calls(core, &core.build("costs", "release")?, &["measured_part"])?;
    let mut lines = printed.lines();
    let head: Vec<&str> = lines.next().context("the firmware printed nothing")?.split(' ').collect();
    let [rows, inputs, positions, operations @ ..] = &head[..] else {
        anyhow::bail!("the firmware printed no operations")
    };
    let lines: Vec<&str> = lines.collect();
    ensure!(lines.len() == counts.len(), "{} parts were printed, but {} were counted", lines.len(), counts.len());
    let parts = lines
        .iter()
        .zip(counts)
        .map(|(line, count)| part(line, operations.len(), count))
        .collect::<Result<Vec<Part>>>()?;

    let mut table = Table::new();
    let tile = [rows, inputs, positions].map(|number| number.parse().map(Value::Integer));
    table.insert("tile".into(), Value::Array(tile.into_iter().collect::<Result<_, _>>()?));
    for (unit, of) in [("instructions", instructions as fn(&Part) -> f64), ("cycles", cycles)] {
        let (tried, fitted): (Vec<&Part>, Vec<&Part>) =
            parts.iter().partition(|part| TRIED.contains(&part.name.as_str()));
        let pairs: Vec<_> = fitted.iter().map(|part| (part.counts.clone(), of(part))).collect();
        let costs = fit::costs(&pairs);
        let error = |part: &Part| 100.0 * (fit::estimate(&part.counts, &costs) / of(part) - 1.0);
        let errors: Vec<f64> = fitted.iter().map(|part| error(part).abs()).collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let most = errors.iter().copied().fold(0.0, f64::max);
        println!("{}, {unit}: {} parts, mean error {mean:.1} %, at most {most:.1} %", core.name, parts.len());
        for part in fitted.iter().filter(|part| error(part).abs() > MOST_ERROR_PERCENT) {
            println!("  {}: {}, {:+.1} %", part.name, of(part), error(part));
        }
        for part in tried {
            println!("  tried on {}: {}, {:+.1} %", part.name, of(part), error(part));
            ensure!(error(part).abs() <= MOST_ERROR_PERCENT, "the limit is {MOST_ERROR_PERCENT} %");
        }
        let rounded = |cost: &f64| Value::Float((cost * 1000.0).round() / 1000.0);
        let costs = operations.iter().zip(&costs).map(|(name, cost)| (name.to_string(), rounded(cost)));
        table.insert(unit.into(), Value::Table(costs.collect()));
    }
    Ok(table)
}

fn instructions(part: &Part) -> f64 {
    part.count.instructions as f64
}

fn cycles(part: &Part) -> f64 {
    part.count.cycles as f64
}

/// A line with the name of a part, which may consist of several words, and so many counts.
fn part(line: &str, n_counts: usize, count: Count) -> Result<Part> {
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.len().checked_sub(n_counts).with_context(|| format!("the firmware printed `{line}`"))?;
    let (name, counts) = words.split_at(at);
    let counts = counts.iter().map(|word| Ok(word.parse::<u32>()?.into())).collect::<Result<Vec<f64>>>()?;
    Ok(Part { name: name.join(" "), counts, count })
}
