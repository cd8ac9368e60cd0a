//! The trainer's errors as exceptions of Python.

use std::io;

use edgemix::data::DataError;
use edgemix::quantize::QuantizeError;
use edgemix::run::{ChoiceError, RunError};
use edgemix::training::FitError;
use edgemix::workflow::WorkflowError;
use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

create_exception!(
    edgemix,
    InputError,
    PyValueError,
    "What was given is wrong: samples, a parameter, a file. The message says what was expected."
);
create_exception!(
    edgemix,
    TrainingError,
    PyRuntimeError,
    "The training failed, or what it learned can't become a model file. The message says why."
);

/// Why something fails, before it becomes an exception.
pub(crate) enum Failure {
    Workflow(WorkflowError),
    /// A parameter is wrong; the sentence says which, and what to do.
    Parameter(String),
}

impl<E: Into<WorkflowError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Workflow(error.into())
    }
}

impl Failure {
    /// Choices are made by parameters, which the sentences name.
    pub(crate) fn of_choice(error: ChoiceError) -> Self {
        match error {
            ChoiceError::Method { .. } => Self::Parameter(format!("method: {error}")),
            ChoiceError::SingleVariant { .. } => Self::Parameter(format!("variant: {error}; omit it")),
            ChoiceError::Clusters(error) => Self::Parameter(format!("n_clusters: {error}")),
            ChoiceError::Encoder(error) => Self::Parameter(format!("encoder: {error}")),
            ChoiceError::FrontEnd(error) => Self::Parameter(format!("front_end: {error}")),
            ChoiceError::Run(error) => Self::Parameter(format!("preset: {error}")),
            // The path of the setting is a key of the dictionary.
            _ => Self::Parameter(format!("settings: {error}")),
        }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        let error = match failure {
            Failure::Parameter(sentence) => return InputError::new_err(sentence),
            Failure::Workflow(error) => error,
        };
        let sentence = match advice(&error) {
            Some(advice) => format!("{error}: {advice}"),
            None => error.to_string(),
        };
        match &error {
            WorkflowError::Run(RunError::Io { source, .. }) | WorkflowError::Data(DataError::Io { source, .. }) => {
                io::Error::new(source.kind(), sentence).into()
            }
            _ if error.is_of_input() => InputError::new_err(sentence),
            _ => TrainingError::new_err(sentence),
        }
    }
}

/// What can be done about an error, with the names of parameters.
fn advice(error: &WorkflowError) -> Option<&'static str> {
    Some(match error {
        WorkflowError::AlreadyStarted { .. } => {
            "continue it with existing=\"resume\", replace it with existing=\"replace\", or choose another run_dir"
        }
        WorkflowError::OtherSettings { .. } | WorkflowError::OtherSamples { .. } => "choose another run_dir",
        WorkflowError::TooFewDifferent { .. } => "ask for fewer clusters, or check which columns are given",
        WorkflowError::Quantize(QuantizeError::Disagreement { .. }) => {
            "train longer, or with another seed or encoder; allow_disagreement=True takes the model anyway"
        }
        WorkflowError::Quantize(QuantizeError::NarrowComponent { .. }) => {
            "remove duplicate samples, or try fewer clusters or another seed"
        }
        WorkflowError::Fit(FitError::Diverged { .. }) => "lower learning_rate, or check the scale of the data",
        WorkflowError::Fit(FitError::Gpu { .. }) => {
            "with a run_dir, existing=\"resume\" continues from the last checkpoint; device=\"cpu\" does without the GPU"
        }
        WorkflowError::Fit(FitError::GpuMemory { .. }) => {
            "lower batch-size in settings, or give encoder narrower layers; device=\"cpu\" does without the GPU"
        }
        _ => return None,
    })
}
