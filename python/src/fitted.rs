//! The result of a fit.

use edgemix::training::EpochReport;
use pyo3::prelude::*;

use crate::model::Model;
use crate::progress::{Report, report_fields};

/// What was learned, and what people should know of it.
pub(crate) struct Outcome {
    pub(crate) model: Model,
    pub(crate) warnings: Vec<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) history: Vec<EpochReport>,
}

/// The result of a fit: the model, and what people should know of it.
#[pyclass(frozen, module = "edgemix._edgemix")]
pub(crate) struct Fitted(pub(crate) Outcome);

#[pymethods]
impl Fitted {
    /// The model file.
    #[getter]
    fn model(&self) -> Model {
        self.0.model.clone()
    }

    /// Why the result may be of no use.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.0.warnings.clone()
    }

    /// What is good to know of the samples and the result.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.notes.clone()
    }

    /// Phase, epoch, epochs, losses and clusters of each epoch.
    #[getter]
    fn history<'py>(&self, py: Python<'py>) -> PyResult<Vec<Report<'py>>> {
        self.0.history.iter().map(|report| report_fields(py, report.clone())).collect()
    }
}
