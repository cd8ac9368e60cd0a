//! Why a fit fails.

use std::borrow::Cow;
use std::io;

use thiserror::Error;

use super::mismatch::CheckpointMismatch;
use crate::data::DataError;
use crate::mixture::NotPositiveDefinite;
use crate::nn::RecordError;
use crate::trained::AssignError;

/// Why a fit fails.
///
/// ```
/// use edgemix::{data::Samples, device::Device, methods::FitConfig};
///
/// let samples = Samples::new("three", vec![1.0, 2.0, 3.0], 1);
/// let error = Device::Cpu.fit(&samples, &FitConfig::default(), &mut (), &mut ()).unwrap_err();
/// assert!(error.to_string().starts_with("3 samples are too few: at least 20 are needed"));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FitError {
    /// A loss term is infinite or not a number.
    #[error("the {term} loss became {value} in epoch {epoch} of the phase {phase:?}")]
    Diverged {
        /// Which term.
        term: &'static str,
        /// Its value.
        value: f64,
        /// The phase's name.
        phase: &'static str,
        /// The epoch in the phase, from 1.
        epoch: usize,
    },
    /// There are too few samples to find clusters in.
    #[error("{found} samples are too few: at least {needed} are needed to learn an encoder and its clusters")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// A setting has a value that is never allowed, or that these samples do not allow.
    #[error("{setting}: {problem}")]
    Setting {
        /// The setting's path in the configuration, as in `clustering.batch-size`.
        setting: Cow<'static, str>,
        /// What is wrong, and which value is usual.
        problem: String,
    },
    /// A mixture degenerated.
    #[error(transparent)]
    Mixture(#[from] NotPositiveDefinite),
    /// The samples can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The weights of a network can't be written to a checkpoint or read from one.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A checkpoint can't be read or written. The previous one is unchanged.
    #[error("the checkpoint cannot be {doing}: {source}")]
    Checkpoint {
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A GPU failed while it worked. The last checkpoint is kept.
    #[error("{device} failed: {problem}")]
    Gpu {
        /// The device's name.
        device: String,
        /// What its driver or burn said.
        problem: String,
    },
    /// A GPU has no memory for what is to be computed. The last checkpoint is kept.
    #[error("{device} has too little memory")]
    GpuMemory {
        /// The device's name.
        device: String,
    },
    /// The observer asked to stop. The last checkpoint is kept.
    #[error("training stopped: {0}")]
    Stopped(io::Error),
    /// A checkpoint was written by another run.
    #[error("the checkpoint cannot be used: {0}")]
    Mismatch(#[from] CheckpointMismatch),
    /// A method that exports a softmax has a network that does not end with one.
    #[error("the network of the {method} method does not end with a fully connected layer, which a softmax head needs")]
    NoSoftmaxLayer {
        /// The method's name.
        method: &'static str,
    },
}

impl FitError {
    pub(crate) fn setting(setting: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self::Setting { setting: setting.into(), problem: problem.into() }
    }
}

impl From<AssignError> for FitError {
    fn from(error: AssignError) -> Self {
        match error {
            AssignError::Covariance(error) => error.into(),
            AssignError::Data(error) => error.into(),
        }
    }
}
