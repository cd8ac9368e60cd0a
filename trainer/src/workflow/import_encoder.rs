//! A run whose encoder another program trained, and whose clusters are found in its latents.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::WorkflowError;
use super::fit::{FitOptions, FitSummary, complete, fit};
use super::import::sha256;
use super::plan::Plan;
use super::recorder::Recorder;
use super::start::{ExistingRun, start_run};
use crate::data::split::Split;
use crate::data::{Dataset, Samples, Source};
use crate::front_end::{FrontEndKind, FrontEndSettings};
use crate::import::{ImportedEncoder, StateDictLayers, read_onnx, read_state_dict};
use crate::methods::{FitConfig, MethodConfig};
use crate::nn::{Architecture, ArchitectureError};
use crate::quantize::check_sizes;
use crate::run::{EncoderRecord, ImportRecord, RunDir};
use crate::trained::Activation;
use crate::training::{FitError, Observer};

/// The file of an encoder, and how it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncoderFile {
    /// The file.
    pub path: PathBuf,
    /// How it is read.
    pub reading: EncoderRecord,
}

impl EncoderFile {
    fn read(&self, samples: &Samples) -> Result<ImportedEncoder, WorkflowError> {
        let encoder = match self.state_dict()? {
            Some(layers) => read_state_dict(&self.path, samples, &layers)?,
            None => read_onnx(&self.path, samples, self.reading.latent.as_deref())?,
        };
        check_sizes(encoder.n_features(), &encoder.shapes())?;
        Ok(encoder)
    }

    fn record(&self, encoder: &ImportedEncoder, fine_tuned: bool) -> Result<ImportRecord, WorkflowError> {
        Ok(ImportRecord {
            path: self.path.to_string_lossy().into_owned(),
            sha256: sha256(&self.path)?,
            model: encoder.name.clone(),
            least_weight: None,
            numbers: vec![],
            encoder: Some(self.reading.clone()),
            fine_tuned,
        })
    }

    /// The layers of a state dict; `None` for an ONNX file, which has its own.
    fn state_dict(&self) -> Result<Option<StateDictLayers>, WorkflowError> {
        let EncoderRecord { layers, activation, prefix, .. } = &self.reading;
        let Some(layers) = layers else { return Ok(None) };
        let refused = |error: String| FitError::setting("encoder", error);
        let architecture = layers.parse().map_err(|error: ArchitectureError| refused(error.to_string()))?;
        let activation = activation.as_ref().map_or(Ok(Activation::Relu), |spelling| spelling.parse());
        let activation = activation.map_err(|error| FitError::setting("activation", error))?;
        Ok(Some(StateDictLayers { architecture, activation, prefix: prefix.clone().unwrap_or_default() }))
    }
}

/// An encoder of another program and samples for it, which were checked against each other.
#[derive(Clone, Debug)]
pub struct EncoderPlan<'a> {
    plan: Plan<'a>,
    encoder: Arc<ImportedEncoder>,
    record: ImportRecord,
}

impl<'a> EncoderPlan<'a> {
    /// Reads an encoder and computes the latents of the samples. The settings say how clusters are found in them; their
    /// encoder and front end are none, whatever they say.
    ///
    /// # Errors
    /// [`WorkflowError::Import`] if the encoder can't be imported, [`WorkflowError::Quantize`] if a model file can't hold it,
    /// [`WorkflowError::Fit`] if the method must train its encoder itself, and the errors of [`Plan::new`].
    pub fn new(
        file: &EncoderFile,
        source: &Source,
        dataset: &'a Dataset,
        config: FitConfig,
    ) -> Result<Self, WorkflowError> {
        check_method(&config.method)?;
        let encoder = file.read(&dataset.samples)?;
        let config = FitConfig { encoder: Architecture::none(), imported: None, ..of_samples(config) };
        let record = file.record(&encoder, false)?;
        let plan = Plan::of_latents(source, dataset, config, encoder.latents(&dataset.samples)?)?;
        Ok(Self { plan, encoder: Arc::new(encoder), record })
    }

    /// Reads an encoder that is trained further, together with the clusters, as the settings say. The layers and the front end are
    /// those of the encoder, whatever they say.
    ///
    /// # Errors
    /// [`WorkflowError::Import`] if the encoder can't be imported, [`WorkflowError::Quantize`] if a model file can't hold it,
    /// [`WorkflowError::Fit`] if the method does not train an encoder with its clusters, and the errors of [`Plan::new`].
    pub fn fine_tuned(
        file: &EncoderFile,
        source: &Source,
        dataset: &'a Dataset,
        config: FitConfig,
    ) -> Result<Self, WorkflowError> {
        config.method.check_fine_tuning()?;
        let encoder = Arc::new(file.read(&dataset.samples)?);
        let config =
            FitConfig { encoder: encoder.architecture(), imported: Some(encoder.clone()), ..of_samples(config) };
        let record = file.record(&encoder, true)?;
        Ok(Self { plan: Plan::new(source, dataset, config)?, encoder, record })
    }

    /// Whether the encoder is trained further.
    pub fn is_fine_tuned(&self) -> bool {
        self.record.fine_tuned
    }

    /// The encoder, in f32.
    pub fn encoder(&self) -> &ImportedEncoder {
        &self.encoder
    }

    /// The samples and settings of the run.
    pub fn plan(&self) -> &Plan<'a> {
        &self.plan
    }
}

/// Starts a run of an imported encoder in the directory `out`, or resumes one whose encoder is trained further. A run that
/// replaces another one takes its place at the end.
///
/// # Errors
/// The errors of [`start`](super::start()), and [`WorkflowError::OtherImport`] if the run to resume has another encoder.
pub fn start_import(out: &Path, plan: &EncoderPlan, existing: ExistingRun) -> Result<RunDir, WorkflowError> {
    start_run(out, &plan.plan, Some(&plan.record), existing)
}

/// Finds clusters in the latents of the encoder, which stays as it is or is trained further with them, quantises both, and writes
/// them to the run's directory. The run is like one that was trained.
///
/// # Errors
/// The errors of [`fit`](super::fit()), and [`WorkflowError::Import`] if the latents can't be scaled as the clusters need them.
pub fn fit_import(
    run: &RunDir,
    plan: &EncoderPlan,
    options: &FitOptions,
    observer: &mut dyn Observer,
) -> Result<FitSummary, WorkflowError> {
    if plan.is_fine_tuned() {
        return fit(run, &plan.plan, options, observer);
    }
    let EncoderPlan { plan, encoder, .. } = plan;
    let (dataset, config) = (plan.dataset(), plan.config());
    let split = Split::draw(dataset, config.holdout, config.seed);
    let parts = split.parts(&dataset.samples)?;
    let mut recorder = Recorder::new(run, observer);
    let mut latents = split.parts(plan.inputs())?.training.into_owned();
    if let Some(groups) = &dataset.groups {
        latents = latents.with_groups(split.training.iter().map(|&row| groups[row]).collect());
    }
    let clusters = options.device.fit(&latents, config, &mut run.clone(), &mut recorder)?.trained;
    dataset.samples.check_unchanged()?;
    let trained = encoder.with_clusters(clusters, &parts.training)?;
    recorder.activity("quantising");
    complete(run, plan, trained, parts, options)
}

/// Refuses methods that train their encoder themselves.
fn check_method(method: &MethodConfig) -> Result<(), FitError> {
    if method.works_without_encoder() {
        return Ok(());
    }
    let is_possible = |name: &&&str| MethodConfig::named(name).is_some_and(|method| method.works_without_encoder());
    let possible: Vec<&str> = MethodConfig::NAMES.iter().filter(is_possible).copied().collect();
    let problem = format!(
        "{} trains its encoder itself; an imported encoder takes one of {}, unless it is trained further",
        method.name(),
        possible.join(", ")
    );
    Err(FitError::setting("method", problem))
}

/// Settings of a fit whose inputs are the samples themselves.
fn of_samples(config: FitConfig) -> FitConfig {
    let front_end = FrontEndSettings { kind: FrontEndKind::None, ..FrontEndSettings::default() };
    FitConfig { front_end, start_from: None, ..config }
}
