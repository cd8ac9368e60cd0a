//! `edgemix assign`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use edgemix_runtime::Model;

use super::data::{Cut, record, run_of};
use super::output::{refused, show_by};
use super::progress::during;
use super::{CliError, evaluate};
use crate::assessment::inference::{self, Assigned};
use crate::data::Samples;
use crate::run::write_whole_by;

#[derive(Args)]
#[command(after_help = "Example:
  edgemix assign runs/demo/model.emx digits -o clusters.csv")]
pub(super) struct Assign {
    /// An .emx file, or a run's directory.
    model: PathBuf,
    /// `digits`, a CSV (also .csv.gz), Parquet, NPY, NPZ or IDX file, or a folder of images, cut as the run's were [default: the run's].
    data: Option<String>,
    #[command(flatten)]
    cut: Cut,
    /// A CSV file to write; standard output if not given.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Assign {
    pub(super) fn run(self) -> Result<(), CliError> {
        let run = run_of(&self.model);
        let path = evaluate::model_path(&self.model);
        let bytes = evaluate::model_bytes(&path)?;
        let model = evaluate::model(&path, &bytes)?;
        let source = self.cut.source(self.data.as_deref(), record(&run)?.as_ref())?;
        let samples = self.cut.read(&source)?.samples;
        if samples.n_features() != model.input_len() {
            let (takes, has) = (model.input_len(), samples.n_features());
            return Err(CliError::Use(format!("the model takes {takes} features, {} has {has}", source.path)));
        }
        match &self.out {
            Some(path) => {
                let refused = |error| CliError::io(path)(error);
                during("assigning", || write_whole_by(path, refused, |out| table(&model, &samples, out, refused)))
            }
            None => show_by(|out| table(&model, &samples, out, refused)),
        }
    }
}

/// Writes a line for each sample, as many as there are.
fn table(
    model: &Model,
    samples: &Samples,
    out: &mut dyn Write,
    refused: impl Fn(io::Error) -> CliError,
) -> Result<(), CliError> {
    writeln!(out, "index,cluster,component,log_density,novelty,posterior").map_err(&refused)?;
    let mut index = 0;
    inference::assign_chunks(model, samples, |found| {
        for Assigned { cluster, component, log_density, novelty, posterior } in found {
            let (nats, p) = (log_density.nats(), novelty.p_value());
            writeln!(out, "{index},{cluster},{component},{nats:.4},{p:.4},{posterior:.4}").map_err(&refused)?;
            index += 1;
        }
        Ok(())
    })
}
