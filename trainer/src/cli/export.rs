//! `edgemix export`.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::{CliError, evaluate, train};
use crate::data;
use crate::run::RunDir;

#[derive(Args)]
#[command(after_help = "Example:
  edgemix export runs/demo -o digits.emx")]
pub(super) struct Export {
    /// A run's directory.
    run: PathBuf,
    /// The samples to calibrate with: those the run was trained on.
    #[arg(long, default_value = "digits")]
    data: String,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub(super) fn run(self) -> Result<(), CliError> {
        let run = RunDir::open(&self.run);
        let trained = evaluate::trained(&run)?;
        let path = run.file("config.toml");
        let text = fs::read_to_string(&path).map_err(CliError::io(&path))?;
        let config = toml::from_str(&text).map_err(|error| CliError::Use(format!("{}: {error}", path.display())))?;
        let dataset = data::read(&self.data)?;
        train::export(&run, &trained, &dataset.samples, &config, &self.out)
    }
}
