//! `edgemix export`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use super::chips::ForChip;
use super::data::{Cut, input_files};
use super::describe;
use super::error::CliError;
use super::output::{show, tell};
use super::progress::during;
use crate::base::text::counted;
use crate::data::Source;
use crate::run::{ModelFile, RunDir, RunFile, check_output};
use crate::trained::LevelChoice;
use crate::workflow::{CModule, Export as Exporter, RustModule, WorkflowError, check_cluster_names};

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix export runs/demo -o digits.emx
  edgemix export runs/demo --rust firmware/src/model
  edgemix export runs/demo --c firmware/model
  edgemix export runs/demo --level coarse -o coarse.emx
  edgemix export runs/demo --onnx digits.onnx")]
#[command(group = ArgGroup::new("module").multiple(true))]
#[command(group = ArgGroup::new("output").multiple(true).required(true).args(["out", "rust", "c", "onnx"]))]
pub(super) struct Export {
    /// The directory of a run.
    run: PathBuf,
    /// The samples that the run was trained on, if they have been moved; the integers are calibrated with them.
    #[arg(long)]
    data: Option<String>,
    #[command(flatten)]
    cut: Cut,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Writes the quantised model even if it disagrees with the trained model, and warns.
    #[arg(long)]
    allow_disagreement: bool,
    /// The smallest false-alarm rate for which a cluster gets a novelty table of its own [default: that of the run].
    #[arg(long, value_name = "RATE")]
    finest_rate: Option<f64>,
    /// The level to export, without training anew: coarse or fine for the one with the fewest or most clusters, or its number of
    /// clusters; `edgemix inspect` lists them [default: the clusters that were trained].
    #[arg(long, value_name = "LEVEL")]
    level: Option<LevelChoice>,
    /// The folder in which to write a Rust module for a firmware: model.emx, and model.rs with the sizes as constants.
    #[arg(long, value_name = "DIR", group = "module")]
    rust: Option<PathBuf>,
    /// The folder in which to write a module in C for a firmware: model.emx, model.c with the model as an array, and model.h
    /// with the sizes as constants.
    #[arg(long, value_name = "DIR", group = "module")]
    c: Option<PathBuf>,
    /// The ONNX file in which to write the trained model in floating point, for other programs: its latent, the score of each
    /// component or class, and the cluster.
    #[arg(long, value_name = "FILE")]
    onnx: Option<PathBuf>,
    /// How the names in the C module begin. A firmware with several models needs a prefix for each.
    #[arg(long, value_name = "NAME", default_value = "edgemix", requires = "c")]
    prefix: String,
    /// Adds samples.rs, or samples.c and samples.h, to the module: this many samples as raw counts, with the clusters that the
    /// firmware must find.
    #[arg(long, value_name = "N", requires = "module")]
    samples: Option<NonZeroUsize>,
    /// The names of the clusters for the module, such as walk,sit,stand.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "module")]
    names: Vec<String>,
    #[command(flatten)]
    for_chip: ForChip,
}

impl Export {
    pub(super) fn run(mut self) -> Result<(), CliError> {
        self.names.iter_mut().for_each(|name| *name = name.trim().to_owned());
        CliError::check_directory(&self.run)?;
        let run = RunDir::open(&self.run);
        // A run without a model, or without the level, is refused before its samples are read.
        let level = self.level.unwrap_or_default();
        run.trained()?.at_level(level).map_err(WorkflowError::from)?;
        let record = run.record()?;
        let source = self.cut.source(self.data.as_deref(), record.as_ref())?;
        let c_module = self.c.as_deref().map(|folder| CModule::open(folder, &self.prefix)).transpose()?;
        let _lock = self.check_outputs(&run, &source, c_module.as_ref())?;
        let (source, dataset) = self.cut.read_for(source, &run, record.as_ref())?;
        let exporter = Exporter::new(&run, &source, &dataset, self.finest_rate)?.at_level(level)?;
        let exporter = match self.for_chip.chip {
            Some(chip) => exporter.for_chip(chip, self.for_chip.max_ms),
            None => exporter,
        };
        check_cluster_names(&self.names, exporter.trained().head.n_clusters())?;
        let write = |path: &Path| -> Result<(), CliError> {
            let written = during("quantising", || exporter.write(path, self.allow_disagreement))?;
            if let Some(disagreement) = written {
                tell(&format!("warning: {disagreement}"));
            }
            let file = ModelFile::read(path)?;
            let sizes = describe::sizes(&file, dataset.samples.n_samples())?;
            let chip = self.for_chip.check(file.model()?.file()).map_err(WorkflowError::from)?;
            let chip = chip.map_or_else(String::new, |chip| format!("{chip}\n"));
            show(&format!("{}: {sizes}\n{chip}", path.display()))
        };
        self.out.as_deref().map_or(Ok(()), write)?;
        if let Some(path) = &self.onnx {
            exporter.write_onnx(path)?;
            show(&format!("{}: the model in f32\n", path.display()))?;
        }
        if let Some(folder) = &self.rust {
            let module = RustModule::create(folder)?;
            write(&module.model_path())?;
            module.write(&self.names)?;
            show(&format!("{}: embeds the model\n", module.source_path().display()))?;
            if let Some(n) = self.samples {
                let n = module.write_samples(&dataset.samples, n.get())?;
                show(&format!("{}: {} with clusters\n", module.samples_path().display(), counted(n, "sample")))?;
            }
        }
        let Some(folder) = &self.c else { return Ok(()) };
        let module = CModule::create(folder, &self.prefix)?;
        write(&module.model_path())?;
        module.write(&self.names, dataset.samples.layout())?;
        show(&format!("{}: the model as an array\n", module.source_path().display()))?;
        let Some(n) = self.samples else { return Ok(()) };
        let n = module.write_samples(&dataset.samples, n.get())?;
        let [_, source] = module.samples_paths();
        show(&format!("{}: {} with clusters\n", source.display(), counted(n, "sample")))
    }

    /// Checks that no output overwrites what is read or another file of a run, and locks the run if it is written to.
    fn check_outputs(&self, run: &RunDir, source: &Source, c: Option<&CModule>) -> Result<Vec<RunDir>, CliError> {
        let rust = self.rust.as_deref().map(RustModule::open);
        let of_rust = rust.map(|module| [module.model_path(), module.source_path(), module.samples_path()]);
        let of_c = c.map(|module| {
            let [header, source] = module.samples_paths();
            [module.model_path(), module.header_path(), module.source_path(), header, source]
        });
        let mut locks = vec![];
        for out in self.out.iter().chain(&self.onnx).chain(of_rust.iter().flatten()).chain(of_c.iter().flatten()) {
            check_output(out, &input_files(source), Some((run, RunFile::Model)))?;
            if locks.is_empty() {
                locks.extend(run.lock_if_within(out)?);
            }
        }
        Ok(locks)
    }
}
