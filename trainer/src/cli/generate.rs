//! `edgemix generate`.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::output::show;
use super::progress::during;
use crate::run::{RunDir, RunFile, check_output};
use crate::workflow::Generated;

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix generate runs/vade
  edgemix generate runs/vade --per-cluster 1000 --seed 1 -o drawn.npz")]
pub(super) struct Generate {
    /// The directory of a run of vade, vae-kmeans or k-dvae, or of alpha-jsd or kld with --set method.vae=true.
    run: PathBuf,
    /// How many samples of each cluster are drawn.
    #[arg(long, value_name = "SAMPLES", default_value_t = 8)]
    per_cluster: usize,
    /// The seed of the draws.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The NPZ file to write: the samples as `x`, in the unit of the data, and their clusters as `cluster`. If they are images, a
    /// sheet of them is written beside it as PNG [default: generated.npz in the run's directory].
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Generate {
    pub(super) fn run(self) -> Result<(), CliError> {
        CliError::check_directory(&self.run)?;
        if self.per_cluster == 0 {
            return Err(CliError::Usage("--per-cluster: draw at least 1 sample of each cluster".into()));
        }
        let run = RunDir::open(&self.run);
        let out = self.out.unwrap_or_else(|| run.file(RunFile::Generated));
        if out.extension().is_none_or(|ending| ending != "npz") {
            let problem = "samples are written as NPZ: choose a name that ends in .npz";
            return Err(CliError::Usage(format!("{}: {problem}", out.display())));
        }
        let sheet = out.with_extension("png");
        let (trained, model) = (run.file(RunFile::Trained), run.file(RunFile::Model));
        for (file, own) in [(&out, RunFile::Generated), (&sheet, RunFile::GeneratedSheet)] {
            check_output(file, &[&trained, &model], Some((&run, own)))?;
            if file.is_dir() {
                let problem = "a file is to be written here, but there is a directory: choose another name with --out";
                return Err(CliError::Usage(format!("{}: {problem}", file.display())));
            }
        }
        let _lock = run.lock_if_within(&out)?;
        let has_sheet =
            during("drawing samples", || Generated::draw(&run, self.per_cluster, self.seed)?.write(&out, &sheet))?;
        let sheet = if has_sheet { format!("{}\n", sheet.display()) } else { String::new() };
        show(&format!("{}\n{sheet}", out.display()))
    }
}
