//! `edgemix assign`.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use edgemix_runtime::Model;
use rayon::prelude::*;

use super::data::{Cut, input_files};
use super::decimals::{push_decimals, push_whole};
use super::error::CliError;
use super::output::{output_error, show_by};
use super::progress::during;
use crate::assessment::inference::{self, Assigned};
use crate::assessment::smoothing::smooth;
use crate::data::{Samples, WindowStart};
use crate::run::{ModelFile, RunDir, check_output, write_whole_by};
use crate::workflow::check_features;

/// Number of lines that a core writes at a time.
const LINES: usize = 1024;

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
        CliError::check_model(&self.model)?;
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
        // Writing numbers takes longer than finding them, so that each core writes some lines.
        let blocks = found.par_chunks(LINES).enumerate();
        let texts: Vec<String> =
            blocks.map(|(block, found)| lines(found, index + block * LINES, starts, smoothed)).collect();
        index += found.len();
        texts.iter().try_for_each(|text| out.write_all(text.as_bytes())).map_err(&refused)
    })
}

/// The lines of samples, the first of which is `first`.
fn lines(found: &[Assigned], first: usize, starts: &[WindowStart], smoothed: Option<&[u16]>) -> String {
    let mut text = String::with_capacity(64 * found.len());
    for (index, &Assigned { cluster, component, log_density, novelty, posterior }) in (first..).zip(found) {
        for whole in [index as u64, cluster.into(), component.into()] {
            push_whole(&mut text, whole);
            text.push(',');
        }
        push_decimals(&mut text, log_density.nats());
        for share in [novelty.p_value(), posterior] {
            text.push(',');
            push_decimals(&mut text, share);
        }
        // Writing to a String can't fail.
        let _ = match starts.get(index) {
            None => Ok(()),
            Some(WindowStart { row, time: None }) => write!(text, ",{row}"),
            Some(WindowStart { row, time: Some(time) }) => write!(text, ",{row},{time}"),
        };
        if let Some(&cluster) = smoothed.and_then(|smoothed| smoothed.get(index)) {
            text.push(',');
            push_whole(&mut text, cluster.into());
        }
        text.push('\n');
    }
    text
}
