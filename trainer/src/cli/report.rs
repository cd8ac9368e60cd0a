//! `edgemix report`: a run as one HTML page.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;

use super::data::{Cut, record};
use super::output::show;
use super::progress::during;
use super::{CliError, evaluate};
use crate::data::{Dataset, Source};
use crate::report;
use crate::run::{RunDir, write_whole};
use crate::training::EpochReport;

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix report runs/demo
  edgemix report runs/imu --data other-day.csv -o other-day.html")]
pub(super) struct Report {
    /// A run's directory.
    run: PathBuf,
    /// `digits`, a CSV (also .csv.gz), Parquet, NPY, NPZ or IDX file, or a folder of images, cut as the run's were [default: the run's].
    #[arg(long)]
    data: Option<String>,
    #[command(flatten)]
    cut: Cut,
    /// The page [default: report.html in the run's directory].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Report {
    pub(super) fn run(self) -> Result<(), CliError> {
        let run = RunDir::open(&self.run);
        let source = self.cut.source(self.data.as_deref(), record(&run)?.as_ref())?;
        let out = self.output.unwrap_or_else(|| run.file("report.html"));
        let dataset = self.cut.read(&source)?;
        during("writing the report", || write(&run, &self.run, &source, &dataset, &out))?;
        show(&format!("{}\n", out.display()))
    }
}

/// Writes a run's page about such samples.
pub(super) fn write(
    run: &RunDir,
    directory: &Path,
    source: &Source,
    dataset: &Dataset,
    out: &Path,
) -> Result<(), CliError> {
    let path = run.file("model.emx");
    let bytes = evaluate::model_bytes(&path)?;
    let model = evaluate::model(&path, &bytes)?;
    let trained = evaluate::trained(run)?;
    evaluate::check_pair(run, &trained, &model)?;
    evaluate::check_features(&model, &dataset.samples)?;
    let config = run.file("config.toml");
    let text = fs::read_to_string(&config).map_err(CliError::io(&config))?;
    let (number, sticks, interval) = (run.number(), run.sticks(), super::seeds::interval(run));
    let page = report::Run {
        dataset,
        trained: &trained,
        model: &model,
        flash: bytes.len(),
        metrics: &metrics(run)?,
        config: &text,
        commands: &commands(directory, source),
        number: number.as_ref(),
        sticks: &sticks,
        interval: interval.as_ref(),
    };
    let page = page.page().map_err(|error| CliError::Use(error.to_string()))?;
    write_whole(out, page.as_bytes()).map_err(CliError::io(out))
}

/// What was kept of each epoch; nothing where nothing was.
pub(super) fn metrics(run: &RunDir) -> Result<Vec<EpochReport>, CliError> {
    let path = run.file("metrics.jsonl");
    let file = match fs::File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        file => file.map_err(CliError::io(&path))?,
    };
    let reports = BufReader::new(file).lines().enumerate().map(|(index, line)| {
        let line = line.map_err(CliError::io(&path))?;
        serde_json::from_str(&line).map_err(|error| {
            CliError::Use(format!("{}:{}: not an epoch's report ({error}): train again", path.display(), index + 1))
        })
    });
    reports.collect()
}

/// What to type to train the same again and to use it.
fn commands(directory: &Path, source: &Source) -> String {
    let run = directory.display();
    let mut flags = String::new();
    let mut flag = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            flags += &format!(" --{name} {value}");
        }
    };
    flag("labels", source.labels.as_ref().map(|path| path.display().to_string()));
    flag("label-column", source.label_column.clone());
    flag("group-column", source.group_column.clone());
    source.drop_columns.iter().for_each(|name| flag("drop-column", Some(name.clone())));
    flag("window", source.window.map(|window| window.length.to_string()));
    flag("step", source.window.map(|window| window.step.to_string()));
    format!(
        "edgemix train {}{flags} --config {run}/config.toml --out {run}-again\nedgemix evaluate {run}\n\
         edgemix assign {run} -o clusters.csv\nedgemix export {run} --rust firmware/src/model\n",
        source.path
    )
}
