//! `edgemix compare`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::clusters::Clusters;
use super::data::Cut;
use super::evaluate::{Evaluation, model, model_bytes};
use super::output::show;
use super::{CliError, settings, train};
use crate::data::{DataRecord, Dataset};
use crate::device::Device;
use crate::methods::{FitConfig, MethodConfig};
use crate::run::{RunDir, write_whole};
use crate::training::FitError;

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix compare digits --out runs/digits-all
  edgemix compare mnist.npz --methods idec,depict --seeds 3 --out runs/mnist --format markdown
What is done is not done again: the same command takes a comparison up where it was stopped.")]
pub(super) struct Compare {
    /// `digits`, or a file of samples and labels.
    data: String,
    #[command(flatten)]
    cut: Cut,
    /// The comparison's directory: a run in each METHOD-SEED below it, and the table as compare.txt, .csv and .md.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(long, value_delimiter = ',', help = format!("Some of {} [default: all]", MethodConfig::NAMES.join(", ")))]
    methods: Vec<String>,
    /// Runs of each method, with seeds from 0 on.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// How many clusters there are to be; for dpm the number of components to start from [default: the method's].
    #[arg(long, value_name = "N")]
    clusters: Option<usize>,
    /// A TOML file of settings for all methods; its method's own are passed over.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// cpu, ndarray, cuda or cuda:1.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// How the table is shown.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How a table is shown.
#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// Aligned columns.
    #[default]
    Text,
    /// Comma-separated values, means and deviations in columns of their own.
    Csv,
    /// Markdown.
    Markdown,
}

/// What a run gave; kept in its directory as `result.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Outcome {
    /// Why there is nothing else.
    failure: Option<String>,
    /// In the columns' order; none where there are no labels.
    values: [Option<f64>; COLUMNS.len()],
}

/// A column's heading and its decimals.
const COLUMNS: [(&str, usize); 8] = [
    ("ACC", 3),
    ("NMI", 3),
    ("ARI", 3),
    ("clusters", 1),
    ("seconds", 0),
    ("flash", 0),
    ("RAM", 0),
    ("int8 agreement", 4),
];

/// A method's outcomes.
struct Row {
    method: &'static str,
    outcomes: Vec<Outcome>,
}

impl Compare {
    pub(super) fn run(self) -> Result<(), CliError> {
        let methods = self.methods()?;
        let device: Device = self.device.parse()?;
        device.check()?;
        let source = self.cut.source(Some(&self.data), None)?;
        let dataset = self.cut.read(&source)?;
        if let Some(n) = self.clusters {
            Clusters::Within(n, n).check(dataset.samples.n_samples())?;
        }
        let record = DataRecord::new(&source, &dataset.samples);
        let base = self.config.as_deref().map_or(Ok(FitConfig::default()), settings::read)?;
        let total = methods.len() as u64 * self.seeds;
        let mut rows: Vec<Row> = vec![];
        for (index, method) in methods.into_iter().enumerate() {
            let mut row = Row { method: method.name(), outcomes: vec![] };
            for seed in 0..self.seeds {
                let done = index as u64 * self.seeds + seed;
                eprintln!("{}/{total} {} seed {seed}", done + 1, row.method);
                let config = FitConfig { seed, method: method.clone(), ..base.clone() };
                let out = self.out.join(format!("{}-{seed}", row.method));
                row.outcomes.push(outcome(&out, &dataset, &record, &config, device)?);
            }
            rows.push(row);
            self.write(&rows)?;
        }
        show(&table(&rows, self.format))?;
        for (row, failure) in rows.iter().flat_map(|row| row.outcomes.iter().map(move |o| (row, &o.failure))) {
            if let Some(failure) = failure {
                eprintln!("{}: {failure}", row.method);
            }
        }
        Ok(())
    }

    fn methods(&self) -> Result<Vec<MethodConfig>, CliError> {
        let all = || MethodConfig::NAMES.iter().map(|&name| name.to_owned()).collect();
        let names: Vec<String> = if self.methods.is_empty() { all() } else { self.methods.clone() };
        let named = |name: &String| {
            let mut method = settings::method(name)?;
            if let Some(n) = self.clusters {
                method.set_n_clusters(n);
            }
            Ok(method)
        };
        names.iter().map(named).collect()
    }

    /// The table so far, in every format.
    fn write(&self, rows: &[Row]) -> Result<(), CliError> {
        for (name, format) in
            [("compare.txt", Format::Text), ("compare.csv", Format::Csv), ("compare.md", Format::Markdown)]
        {
            let path = self.out.join(name);
            write_whole(&path, table(rows, format).as_bytes()).map_err(CliError::io(&path))?;
        }
        Ok(())
    }
}

/// What a run gave before, or gives now. A model that can't be exported is an outcome too; a full disk is not.
fn outcome(
    out: &Path,
    dataset: &Dataset,
    record: &DataRecord,
    config: &FitConfig,
    device: Device,
) -> Result<Outcome, CliError> {
    let started = RunDir::open(out).is_started();
    let run = train::start(out, config, record, started, false)?;
    let path = run.file("result.json");
    if let Ok(text) = fs::read(&path)
        && started
        && let Ok(outcome) = serde_json::from_slice(&text)
    {
        return Ok(outcome);
    }
    let begin = Instant::now();
    let outcome = match train::fit(&run, dataset, config, train::FitOptions::on(device)) {
        Ok(trained) => {
            // A run that was taken up has lost the seconds before.
            let seconds = (!started).then(|| begin.elapsed().as_secs_f64());
            let bytes = model_bytes(&run.file("model.emx"))?;
            let model = model(&run.file("model.emx"), &bytes)?;
            let evaluation = Evaluation::of(dataset, Some(&trained), &model)?;
            let scores = evaluation.int8.scores;
            Outcome {
                failure: None,
                values: [
                    scores.map(|s| s.acc),
                    scores.map(|s| s.nmi),
                    scores.map(|s| s.ari),
                    Some(evaluation.int8.clusters_of_a_percent as f64),
                    seconds,
                    Some(bytes.len() as f64),
                    Some(model.arena_len() as f64),
                    evaluation.agreement,
                ],
            }
        }
        Err(error @ CliError::Fit(FitError::Stopped(_) | FitError::Checkpoint { .. })) => return Err(error),
        Err(error @ (CliError::Fit(_) | CliError::Quantize(_))) => {
            Outcome { failure: Some(format!("seed {}: {error}", config.seed)), values: [None; COLUMNS.len()] }
        }
        Err(error) => return Err(error),
    };
    let text = serde_json::to_vec_pretty(&outcome).map_err(|error| CliError::Use(error.to_string()))?;
    write_whole(&path, &text).map_err(CliError::io(&path))?;
    Ok(outcome)
}

impl Row {
    /// Mean and sample deviation of a column, of the runs that have it.
    fn moments(&self, column: usize) -> Option<(f64, f64)> {
        let values: Vec<f64> = self.outcomes.iter().filter_map(|outcome| outcome.values[column]).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        (n > 0.0).then(|| (mean, (squares / (n - 1.0).max(1.0)).sqrt()))
    }

    fn runs(&self) -> String {
        let failed = self.outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
        let n = self.outcomes.len();
        if failed == 0 { n.to_string() } else { format!("{n} ({failed} failed)") }
    }
}

/// The rows in a format.
fn table(rows: &[Row], format: Format) -> String {
    if let Format::Csv = format {
        return csv(rows);
    }
    let cell = |row: &Row, column: usize| {
        let decimals = COLUMNS[column].1;
        row.moments(column).map_or("-".to_owned(), |(mean, deviation)| {
            if deviation > 0.0 {
                format!("{mean:.decimals$} ± {deviation:.decimals$}")
            } else {
                format!("{mean:.decimals$}")
            }
        })
    };
    let heading = std::iter::once("method").chain(["runs"]).chain(COLUMNS.map(|(name, _)| name)).map(str::to_owned);
    let mut lines: Vec<Vec<String>> = vec![heading.collect()];
    for row in rows {
        let cells = (0..COLUMNS.len()).map(|column| cell(row, column));
        lines.push([row.method.to_owned(), row.runs()].into_iter().chain(cells).collect());
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let (start, between, end) = if let Format::Markdown = format { ("| ", " | ", " |") } else { ("", "  ", "") };
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", format!("{start}{}{end}", cells.join(between)).trim_end());
        if index == 0 && matches!(format, Format::Markdown) {
            let _ = writeln!(text, "|{}", "---|".repeat(widths.len()));
        }
    }
    text
}

fn csv(rows: &[Row]) -> String {
    let names = COLUMNS.map(|(name, _)| format!("{name},{name} deviation"));
    let mut text = format!("method,runs,failed,{}\n", names.join(","));
    for row in rows {
        let failed = row.outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
        let cells = (0..COLUMNS.len()).map(|column| {
            row.moments(column).map_or(",".to_owned(), |(mean, deviation)| format!("{mean},{deviation}"))
        });
        let cells: Vec<String> = cells.collect();
        let _ = writeln!(text, "{},{},{failed},{}", row.method, row.outcomes.len(), cells.join(","));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let of = |acc: f64| Outcome {
            failure: None,
            values: [Some(acc), None, None, Some(10.0), Some(3.0), Some(2048.0), Some(96.0), Some(1.0)],
        };
        let failed = Outcome { failure: Some("seed 2: no".into()), values: [None; COLUMNS.len()] };
        Row { method: "idec", outcomes: vec![of(0.8), of(0.9), failed] }
    }

    #[test]
    fn a_table_has_mean_and_deviation_of_the_runs_that_ended() {
        assert_eq!(
            row().moments(0).map(|(mean, d)| ((mean - 0.85).abs() < 1e-12, (d - 0.1 / 2f64.sqrt()).abs() < 1e-12)),
            Some((true, true))
        );
        assert_eq!(row().moments(1), None);
        let text = table(&[row()], Format::Text);
        assert!(text.contains("idec    3 (1 failed)  0.850 ± 0.071  -    -    10.0"), "{text}");
        let markdown = table(&[row()], Format::Markdown);
        assert_eq!(markdown.lines().nth(1), Some("|---|---|---|---|---|---|---|---|---|---|"));
        assert!(markdown.lines().all(|line| line.starts_with('|') && line.matches('|').count() == 11), "{markdown}");
    }

    #[test]
    fn comma_separated_values_have_as_many_fields_as_headings() {
        let text = table(&[row()], Format::Csv);
        let fields: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(fields, [3 + 2 * COLUMNS.len(); 2]);
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("idec,3,1,0.85")), "{text}");
    }
}
