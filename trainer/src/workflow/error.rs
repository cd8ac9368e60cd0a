//! Why a step of the workflow fails.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::assessment::chips::Misfit;
use crate::base::text::counted;
use crate::data::{DataError, DataRecord};
use crate::front_end::FrontEndError;
use crate::import::ImportError;
use crate::quantize::QuantizeError;
use crate::run::{RunError, RunFile};
use crate::trained::{AssignError, DrawError, NoLevel};
use crate::training::{CheckpointMismatch, FitError};

/// Why a step of the workflow fails.
///
/// ```
/// use edgemix::data::{self, Source};
/// use edgemix::methods::FitConfig;
/// use edgemix::workflow::{ExistingRun, Plan, WorkflowError, start};
///
/// let folder = tempfile::tempdir()?;
/// // A page that is not the report of a run.
/// std::fs::write(folder.path().join("report.html"), "<p>Annual report</p>")?;
/// let dataset = data::digits();
/// let plan = Plan::new(&Source::new("digits"), &dataset, FitConfig::default())?;
/// let refused = start(folder.path(), &plan, ExistingRun::Replace);
/// assert!(matches!(refused, Err(WorkflowError::Foreign { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkflowError {
    /// A file of a run can't be read or written.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The samples can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A model of another program can't be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The samples can't have the front end that the settings ask for.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The training failed or was stopped.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The model can't be quantised.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
    /// The trained model can't assign samples.
    #[error(transparent)]
    Assign(#[from] AssignError),
    /// No samples can be drawn from the clusters of the trained model.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// Samples would be drawn that take more than a gigabyte.
    #[error("{asked} samples of each cluster would take more than a gigabyte: at most {most} can be drawn")]
    TooManyDrawn {
        /// The number of samples of each cluster.
        asked: usize,
        /// The most that can be drawn.
        most: usize,
    },
    /// A new run would replace another one.
    #[error("{}: the directory already contains a run", path.display())]
    AlreadyStarted {
        /// The directory.
        path: PathBuf,
    },
    /// A run that is to be resumed was never trained: its model was imported.
    #[error("{}: the model of this run was imported from {from}: there is no training to resume", path.display())]
    Imported {
        /// The directory.
        path: PathBuf,
        /// The file of the other program.
        from: String,
    },
    /// A run that is to be resumed trains an encoder of another program further.
    #[error("{}: this run trains an encoder further that was imported from {from}", path.display())]
    FineTuned {
        /// The directory.
        path: PathBuf,
        /// The file of the other program.
        from: String,
    },
    /// A run that is to be resumed was started with another model of another program, or reads it in another way.
    #[error("{}: the run was started with {before}", path.display())]
    OtherImport {
        /// The directory.
        path: PathBuf,
        /// The file of the run's model.
        before: String,
    },
    /// There is no run to resume.
    #[error("{}: the directory contains no run", path.display())]
    NoRun {
        /// The directory.
        path: PathBuf,
    },
    /// The run's checkpoint, or the autoencoder that it starts from, can't be used.
    #[error("{}: the checkpoint cannot be used: {source}", path.display())]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// Why.
        source: CheckpointMismatch,
    },
    /// The fit can't start from the autoencoder of another run.
    #[error("{}: a fit can't start from this run: {source}", path.display())]
    StartFrom {
        /// The other run's directory.
        path: PathBuf,
        /// Why.
        source: CheckpointMismatch,
    },
    /// The fit can't start from the autoencoder of another run, which divides the same samples in another way.
    #[error(
        "{}: a fit can't start from this run: it was trained on another part of the samples ({})",
        path.display(), differences.join("; ")
    )]
    StartFromOtherPart {
        /// The other run's directory.
        path: PathBuf,
        /// Such as `seed was 0, is now 3`.
        differences: Vec<String>,
    },
    /// A run of a comparison starts from the autoencoder of an earlier one, which has not learned to reconstruct yet.
    #[error("{}: this run has not learned to reconstruct yet, and another one starts from its autoencoder", path.display())]
    NoReconstruction {
        /// The earlier run's directory.
        path: PathBuf,
    },
    /// A new run would overwrite a file that is not part of a run.
    #[error("{}: the file {file} is not part of a run and would be overwritten", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// The file.
        file: RunFile,
    },
    /// The directory of several runs already contains a single one.
    #[error("{}: the directory already contains a run with a single seed", path.display())]
    SingleRun {
        /// The directory.
        path: PathBuf,
    },
    /// The run was started with other settings.
    #[error("{}: the run was started with other settings ({})", path.display(), differences.join("; "))]
    OtherSettings {
        /// The directory.
        path: PathBuf,
        /// Such as `seed was 0, is now 3`.
        differences: Vec<String>,
    },
    /// The run was started with samples from another source, or with samples that were cut in another way.
    #[error("{}: the run was started with other samples, {before}", path.display())]
    OtherSource {
        /// The directory.
        path: PathBuf,
        /// Where the run's samples come from.
        before: String,
    },
    /// The samples have changed since the run was started.
    #[error(
        "{samples}: these are not the samples that the run was trained on (their fingerprint is {found:.16}, the run's is \
         {expected:.16}: {} of {} from {before})",
        counted(*n_samples, "sample"), counted(*n_features, "feature")
    )]
    OtherSamples {
        /// Where the samples come from.
        samples: String,
        /// Their fingerprint.
        found: String,
        /// The fingerprint of the run's samples.
        expected: String,
        /// Number of the run's samples.
        n_samples: usize,
        /// Number of their features.
        n_features: usize,
        /// Where the run's samples came from.
        before: String,
    },
    /// The number of features of the samples is not the one that the model takes.
    #[error("the model takes {}, {samples} has {found}", counted(*expected, "feature"))]
    Features {
        /// Number of features that the model takes.
        expected: usize,
        /// The name of the samples.
        samples: String,
        /// Number of features of the samples.
        found: usize,
    },
    /// The trained and the quantised model of a run are not the same model.
    #[error("{} has {in_trained}, but {} has {in_model}: the files are not of the same run", trained.display(), model.display())]
    Mismatch {
        /// The file of the trained model.
        trained: PathBuf,
        /// The sizes of the trained model.
        in_trained: String,
        /// The file of the quantised model.
        model: PathBuf,
        /// The sizes of the quantised model.
        in_model: String,
    },
    /// There are names for the clusters, but not one for each.
    #[error("{} for {}: each cluster needs one name", counted(*names, "name"), counted(*clusters, "cluster"))]
    ClusterNames {
        /// Number of names.
        names: usize,
        /// Number of clusters.
        clusters: usize,
    },
    /// Two clusters have the same name.
    #[error("clusters {} and {} are both named `{name}`: each cluster needs a name of its own", clusters[0], clusters[1])]
    RepeatedName {
        /// The name.
        name: String,
        /// The indices of the two clusters.
        clusters: [usize; 2],
    },
    /// The prefix of a module in C is no beginning of an identifier.
    #[error("`{prefix}` can't begin names in C: a prefix has up to 31 of a-z, 0-9 and _, and begins with a letter")]
    Prefix {
        /// The prefix.
        prefix: String,
    },
    /// There are fewer different samples than clusters are asked for.
    #[error(
        "there can't be {} in {}",
        counted(*clusters, "cluster"), counted(*different, "different sample")
    )]
    TooFewDifferent {
        /// Number of different samples.
        different: usize,
        /// Number of clusters.
        clusters: usize,
    },
    /// The model has a head that is not written as ONNX.
    #[error("a model with an autoencoder for each cluster can't be written as ONNX: mixtures and softmax heads can")]
    NoGraph,
    /// The model does not fit the chip that it is for.
    #[error(transparent)]
    Chip(#[from] Misfit),
    /// The model has no such level.
    #[error(transparent)]
    NoLevel(#[from] NoLevel),
    /// A rate is not between 0 and 1.
    #[error("the false-alarm rate must be between 0 and 1, such as 0.01, not {0}")]
    Rate(f64),
    /// The samples are not raw counts that fit the model's input.
    #[error("{samples}: {source}")]
    Raw {
        /// The name of the samples.
        samples: String,
        /// The runtime's error.
        source: edgemix_runtime::AssignError,
    },
}

impl WorkflowError {
    /// Whether what was given is wrong: a setting, a file, samples, a directory. Otherwise the work failed.
    ///
    /// ```
    /// use edgemix::data::{self, Source};
    /// use edgemix::methods::FitConfig;
    /// use edgemix::workflow::Plan;
    ///
    /// let (digits, config) = (data::digits(), FitConfig { holdout: 2.0, ..FitConfig::default() });
    /// assert!(Plan::new(&Source::new("digits"), &digits, config).unwrap_err().is_of_input());
    /// ```
    pub fn is_of_input(&self) -> bool {
        match self {
            Self::Data(error)
            | Self::Fit(FitError::Data(error))
            | Self::Quantize(QuantizeError::Data(error))
            | Self::Assign(AssignError::Data(error)) => match error {
                DataError::Io { source, .. } => is_named_wrongly(source),
                DataError::Scratch { .. } => false,
                _ => true,
            },
            Self::Run(RunError::Io { source, .. }) => is_named_wrongly(source),
            Self::Run(RunError::Lock { .. }) => false,
            Self::Fit(
                FitError::Setting { .. } | FitError::TooFew { .. } | FitError::Mismatch(_) | FitError::Record(_),
            ) => true,
            Self::Quantize(error) => error.is_of_settings(),
            Self::Fit(_) | Self::Assign(_) | Self::Draw(DrawError::Covariance(_)) => false,
            _ => true,
        }
    }

    pub(super) fn other_samples(expected: &DataRecord, found: &DataRecord) -> Self {
        Self::OtherSamples {
            samples: found.source.path.clone(),
            found: found.fingerprint.clone(),
            expected: expected.fingerprint.clone(),
            n_samples: expected.samples,
            n_features: expected.features,
            before: expected.source.path.clone(),
        }
    }
}

/// What is not there, or is of another kind, was named wrongly. Other errors are the system's.
fn is_named_wrongly(error: &io::Error) -> bool {
    use io::ErrorKind::{
        AlreadyExists, InvalidData, InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, UnexpectedEof,
    };
    matches!(
        error.kind(),
        NotFound | NotADirectory | IsADirectory | AlreadyExists | InvalidFilename
        // The file is damaged, or its name has characters that no file can have.
        | InvalidData | UnexpectedEof | InvalidInput
    )
}
