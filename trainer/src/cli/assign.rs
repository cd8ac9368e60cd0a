//! `edgemix assign`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use edgemix_runtime::Model;

use super::data::{Cut, input_files};
use super::error::CliError;
use super::output::{output_error, show_by};
use super::progress::during;
use crate::assessment::inference::{self, Assigned};
use crate::assessment::smoothing::smooth;
use crate::data::{Samples, WindowStart};
use crate::run::{ModelFile, RunDir, check_output, write_whole_by};
use crate::workflow::check_features;

#[derive(Args)]
#[command(after_help = "Example:
  edgemix assign runs/demo/model.emx digits -o clusters.csv")]
pub(super) struct Assign {
    /// An .emx file, or the directory of a run.
    model: PathBuf,
    /// `digits`, a CSV (also .csv.gz), Parquet, NPY, NPZ or IDX file, or a folder of images, cut like the samples of the run [default: the samples of the run].
    data: Option<String>,
    #[command(flatten)]
    cut: Cut,
    /// Adds a column with the clusters smoothed by the windows before, as the chip's smoother gives them. It forgets what it knows
    /// at gaps and between groups.
    #[arg(long)]
    smooth: bool,
    /// The CSV file to write [default: standard output].
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Assign {
    pub(super) fn run(self) -> Result<(), CliError> {
        CliError::check_exists(&self.model)?;
        let run = RunDir::containing(&self.model);
        let file = ModelFile::read(&self.model)?;
        let model = file.model()?;
        let record = run.record()?;
        let source = self.cut.source(self.data.as_deref(), record.as_ref())?;
        if let Some(out) = &self.out {
            let inputs = [input_files(&source), vec![file.path()]].concat();
            check_output(out, &inputs, None)?;
        }
        let samples = self.cut.read_for(source, &run, record.as_ref())?.1.samples;
        check_features(&model, &samples)?;
        let smoothed = match self.smooth {
            true => Some(smooth(&model, &samples)?.map_err(|error| CliError::Usage(format!("--smooth: {error}")))?),
            false => None,
        };
        let smoothed = smoothed.as_deref();
        match &self.out {
            Some(path) => {
                let refused = |error| CliError::io(path)(error);
                during("assigning", || {
                    write_whole_by(path, refused, |out| write_table(&model, &samples, smoothed, out, refused))
                })
            }
            None => show_by(|out| write_table(&model, &samples, smoothed, out, output_error)),
        }
    }
}

/// Writes a line for each sample. Windows of a recording have the row and, if it is known, the time at which they begin, since
/// none spans a gap.
fn write_table(
    model: &Model,
    samples: &Samples,
    smoothed: Option<&[u16]>,
    out: &mut dyn Write,
    refused: impl Fn(io::Error) -> CliError,
) -> Result<(), CliError> {
    let starts = samples.starts().unwrap_or_default();
    let more = match starts.first() {
        None => "",
        Some(WindowStart { time: None, .. }) => ",row",
        Some(WindowStart { time: Some(_), .. }) => ",row,time",
    };
    let last = if smoothed.is_some() { ",smoothed" } else { "" };
    writeln!(out, "index,cluster,component,log_density,novelty,posterior{more}{last}").map_err(&refused)?;
    let mut index = 0;
    inference::assign_chunks(model, samples, |found| {
        for Assigned { cluster, component, log_density, novelty, posterior } in found {
            let (nats, p) = (log_density.nats(), novelty.p_value());
            let start = match starts.get(index) {
                None => String::new(),
                Some(WindowStart { row, time: None }) => format!(",{row}"),
                Some(WindowStart { row, time: Some(time) }) => format!(",{row},{time}"),
            };
            let last = smoothed.and_then(|smoothed| smoothed.get(index));
            let last = last.map_or_else(String::new, |cluster| format!(",{cluster}"));
            writeln!(out, "{index},{cluster},{component},{nats:.4},{p:.4},{posterior:.4}{start}{last}")
                .map_err(&refused)?;
            index += 1;
        }
        Ok(())
    })
}
