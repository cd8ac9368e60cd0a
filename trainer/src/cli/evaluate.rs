//! `edgemix evaluate`.

use std::path::PathBuf;

use clap::Args;

use super::data::Cut;
use super::describe;
use super::error::CliError;
use super::output::show;
use super::progress::during;
use crate::run::{ModelFile, RunDir};
use crate::workflow::{evaluate_model, evaluate_run};

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix evaluate runs/demo
  edgemix evaluate runs/mnist --data mnist/t10k-images-idx3-ubyte --labels mnist/t10k-labels-idx1-ubyte --json")]
pub(super) struct Evaluate {
    /// The directory of a run, or an .emx file.
    model: PathBuf,
    /// `digits`, a CSV (also .csv.gz), Parquet, NPY, NPZ or IDX file, or a folder of images, cut like the samples of the run [default: the samples of the run].
    #[arg(long)]
    data: Option<String>,
    #[command(flatten)]
    cut: Cut,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub(super) fn run(self) -> Result<(), CliError> {
        CliError::check_model(&self.model)?;
        let run = RunDir::containing(&self.model);
        let record = run.record()?;
        let source = self.cut.source(self.data.as_deref(), record.as_ref())?;
        let (source, dataset) = self.cut.read_for(source, &run, record.as_ref())?;
        let evaluation = if self.model.is_dir() {
            during("assigning", || evaluate_run(&run, &source, &dataset))?
        } else {
            let file = ModelFile::read(&self.model)?;
            let model = file.model()?;
            during("assigning", || evaluate_model(&model, &dataset))?
        };
        if self.json {
            let json = serde_json::to_string_pretty(&evaluation).map_err(|error| CliError::Usage(error.to_string()))?;
            show(&format!("{json}\n"))
        } else {
            show(&(describe::evaluation(&evaluation) + &describe::by_size(&evaluation.sizes)))
        }
    }
}
