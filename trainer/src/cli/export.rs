//! `edgemix export`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::data::{Cut, record};
use super::output::show;
use super::progress::during;
use super::{CliError, evaluate, module, settings, train};
use crate::data::{DataRecord, split::Split};
use crate::run::RunDir;

#[derive(Args)]
#[command(after_help = "Example:
  edgemix export runs/demo -o digits.emx
  edgemix export runs/demo --rust firmware/src/model")]
pub(super) struct Export {
    /// A run's directory.
    run: PathBuf,
    /// The samples to calibrate with, if they have moved: those the run was trained on.
    #[arg(long)]
    data: Option<String>,
    #[command(flatten)]
    cut: Cut,
    /// The file to write.
    #[arg(short, long, value_name = "FILE", required_unless_present = "rust")]
    out: Option<PathBuf>,
    /// Writes the model even if its integers are not the f32 model's, and says so.
    #[arg(long)]
    allow_disagreement: bool,
    /// A cluster has a novelty table of its own where so small a false-alarm rate can be asked of it [default: the run's].
    #[arg(long, value_name = "RATE")]
    finest_rate: Option<f64>,
    /// A folder for a module of a firmware: model.emx and model.rs, with the sizes as constants.
    #[arg(long, value_name = "DIR")]
    rust: Option<PathBuf>,
    /// Besides, so many samples in raw counts as samples.rs, with the clusters that a firmware must find.
    #[arg(long, value_name = "N", requires = "rust")]
    samples: Option<usize>,
    /// The clusters' names for model.rs, as in walk,sit,stand.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "rust")]
    names: Vec<String>,
}

impl Export {
    pub(super) fn run(self) -> Result<(), CliError> {
        let run = RunDir::open(&self.run);
        let trained = evaluate::trained(&run)?;
        let mut config = settings::read(&run.file("config.toml"))?;
        config.finest_rate = self.finest_rate.unwrap_or(config.finest_rate);
        if !(config.finest_rate > 0.0 && config.finest_rate < 1.0) {
            return Err(CliError::Use(
                "--finest-rate: must be a false-alarm rate between 0 and 1; 0.01 is usual".into(),
            ));
        }
        let before = record(&run)?;
        let source = self.cut.source(self.data.as_deref(), before.as_ref())?;
        let dataset = self.cut.read(&source)?;
        let now = DataRecord::new(&source, &dataset.samples);
        if let Some(before) = before.filter(|before| before.fingerprint != now.fingerprint) {
            return Err(CliError::Use(format!(
                "{}: not the samples that the run was trained on (their fingerprint is {:.16}, the run's {:.16}, of {} x {} \
                 from {}): give those, the integers are calibrated with them",
                source.path, now.fingerprint, before.fingerprint, before.samples, before.features, before.source.path
            )));
        }
        module::check_names(&self.names, trained.head.n_clusters())?;
        let parts = Split::draw(&dataset, config.holdout, config.seed).parts(&dataset.samples)?;
        let write = |path: &Path| {
            during("quantising", || train::export(&run, &trained, &parts, &config, self.allow_disagreement, path))?;
            show(&format!("{} {}\n", path.display(), evaluate::sizes(path, dataset.samples.n_samples())?))
        };
        self.out.as_deref().map_or(Ok(()), write)?;
        let Some(folder) = &self.rust else { return Ok(()) };
        module::folder(folder)?;
        write(&folder.join("model.emx"))?;
        module::write(folder, &self.names)?;
        show(&format!("{} embeds it\n", folder.join("model.rs").display()))?;
        let Some(n) = self.samples else { return Ok(()) };
        let n = module::write_samples(folder, &dataset.samples, n)?;
        show(&format!("{} {n} samples and their clusters\n", folder.join("samples.rs").display()))
    }
}
