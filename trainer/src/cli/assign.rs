//! `edgemix assign`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;

use super::{CliError, evaluate};
use crate::run::write_whole;
use crate::{data, inference};

#[derive(Args)]
#[command(after_help = "Example:
  edgemix assign runs/demo/model.emx digits -o clusters.csv")]
pub(super) struct Assign {
    /// An .emx file.
    model: PathBuf,
    /// `digits`, or an NPY, NPZ or IDX file of samples.
    data: String,
    /// A CSV file to write; standard output if not given.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Assign {
    pub(super) fn run(self) -> Result<(), CliError> {
        let bytes = evaluate::model_bytes(&self.model)?;
        let model = evaluate::model(&self.model, &bytes)?;
        let samples = data::read(&self.data)?.samples;
        if samples.n_features != model.input_len() {
            let (takes, has) = (model.input_len(), samples.n_features);
            return Err(CliError::Use(format!("the model takes {takes} features, {} has {has}", self.data)));
        }
        let mut csv = String::from("index,cluster,component,log_density,novelty,posterior\n");
        for (index, found) in inference::assign(&model, &samples.values).iter().enumerate() {
            let (nats, p) = (found.log_density.nats(), found.novelty.p_value());
            // Writing to a String can't fail.
            let _ =
                writeln!(csv, "{index},{},{},{nats:.4},{p:.4},{:.4}", found.cluster, found.component, found.posterior);
        }
        match &self.out {
            Some(path) => write_whole(path, csv.as_bytes()).map_err(CliError::io(path)),
            None => match io::stdout().write_all(csv.as_bytes()) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::io("-".as_ref())(error)),
                _ => Ok(()),
            },
        }
    }
}
