//! `edgemix assign`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::data::{Cut, record, run_of};
use super::output::show;
use super::progress::during;
use super::{CliError, evaluate};
use crate::inference;
use crate::run::write_whole;

#[derive(Args)]
#[command(after_help = "Example:
  edgemix assign runs/demo/model.emx digits -o clusters.csv")]
pub(super) struct Assign {
    /// An .emx file, or a run's directory.
    model: PathBuf,
    /// `digits`, or a CSV, Parquet, NPY, NPZ or IDX file or a folder of images, cut as the run's were [default: the run's].
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
        let path = if self.model.is_dir() { run.file("model.emx") } else { self.model };
        let bytes = evaluate::model_bytes(&path)?;
        let model = evaluate::model(&path, &bytes)?;
        let source = self.cut.source(self.data.as_deref(), record(&run)?.as_ref())?;
        let samples = during("reading", || source.read())?.samples;
        if samples.n_features != model.input_len() {
            let (takes, has) = (model.input_len(), samples.n_features);
            return Err(CliError::Use(format!("the model takes {takes} features, {} has {has}", source.path)));
        }
        let mut csv = String::from("index,cluster,component,log_density,novelty,posterior\n");
        let found = during("assigning", || inference::assign(&model, &samples.values));
        for (index, found) in found.iter().enumerate() {
            let (nats, p) = (found.log_density.nats(), found.novelty.p_value());
            // Writing to a String can't fail.
            let _ =
                writeln!(csv, "{index},{},{},{nats:.4},{p:.4},{:.4}", found.cluster, found.component, found.posterior);
        }
        match &self.out {
            Some(path) => write_whole(path, csv.as_bytes()).map_err(CliError::io(path)),
            None => show(&csv),
        }
    }
}
