//! `edgemix report`.

use std::path::PathBuf;

use clap::Args;

use super::commands::{commands_of, quoted};
use super::data::{Cut, input_files};
use super::error::CliError;
use super::output::show;
use super::progress::during;
use crate::data::Dataset;
use crate::report::write_report;
use crate::run::{RunDir, RunFile, check_output};

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix report runs/demo
  edgemix report runs/imu --data other-day.csv -o other-day.html")]
pub(super) struct Report {
    /// The directory of a run.
    run: PathBuf,
    /// `digits`, a CSV (also .csv.gz), Parquet, NPY, NPZ or IDX file, or a folder of images, cut like the samples of the run [default: the samples of the run].
    #[arg(long)]
    data: Option<String>,
    #[command(flatten)]
    cut: Cut,
    /// The page to write [default: report.html in the run's directory].
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Report {
    pub(super) fn run(self) -> Result<(), CliError> {
        CliError::check_directory(&self.run)?;
        let run = RunDir::open(&self.run);
        let record = run.record()?;
        let source = self.cut.source(self.data.as_deref(), record.as_ref())?;
        let out = self.out.unwrap_or_else(|| run.file(RunFile::Report));
        check_output(&out, &input_files(&source), Some((&run, RunFile::Report)))?;
        let _lock = run.lock_if_within(&out)?;
        let (source, dataset) = self.cut.read_for(source, &run, record.as_ref())?;
        let commands = commands_of(&run, &source)?;
        during("writing the report", || write_report(&run, &dataset, &commands, &out))?;
        show(&format!("{}\n", out.display()))
    }
}

/// Writes the report of a run that has just been trained, and that is whole without it.
pub(super) fn write_page(run: &RunDir, dataset: &Dataset, commands: &str) -> Result<(), CliError> {
    let page = run.file(RunFile::Report);
    during("writing the report", || write_report(run, dataset, commands, &page)).map_err(|error| CliError::Report {
        source: Box::new(error.into()),
        command: format!("edgemix report {}", quoted(&run.path().to_string_lossy())),
    })
}
