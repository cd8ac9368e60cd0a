//! A model file, which runs with the chip's arithmetic.

use std::path::PathBuf;
use std::sync::Arc;

use edgemix::assessment::inference::{self, Assigned};
use edgemix::data::{ArrayBytes, DataRecord, Samples, Source, TrainedColumns, check_values};
use edgemix::run::{ModelFile, RunDir, RunError, write_whole};
use edgemix::workflow::{WorkflowError, check_features};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::array::{Given, in_place};
use crate::errors::Failure;

/// Number of samples that are assigned before Python looks at its signals.
const CHUNK: usize = 8192;
/// What messages call samples that a model is to assign.
const SAMPLES: &str = "X";

/// A model file, checked.
#[derive(Clone)]
#[pyclass(frozen, module = "edgemix._edgemix")]
pub(crate) struct Model {
    file: Arc<ModelFile>,
    columns: TrainedColumns,
}

impl Model {
    pub(crate) fn new(file: ModelFile, columns: TrainedColumns) -> Self {
        Self { file: Arc::new(file), columns }
    }

    /// What the model file is, which was checked when it was read.
    fn model(&self) -> PyResult<edgemix_runtime::Model<'_>> {
        self.file.model().map_err(|error| Failure::from(error).into())
    }

    /// Applies `run` to samples, a chunk at a time, without Python's lock.
    fn each<T: Send>(
        &self,
        py: Python<'_>,
        array: &Given<'_>,
        run: impl Fn(&edgemix_runtime::Model, &[f32]) -> Vec<T> + Sync,
    ) -> PyResult<Vec<T>> {
        let (array, model) = (array.bytes()?, self.model()?);
        let mut all = vec![];
        if let Some(values) = in_place(&array).filter(|_| self.columns.origins.is_empty()) {
            let n_features = array.shape.get(1..).unwrap_or_default().iter().product();
            self.check(&model, n_features, values)?;
            for values in values.chunks(CHUNK * n_features) {
                all.extend(py.detach(|| run(&model, values)));
                py.check_signals()?;
            }
            return Ok(all);
        }
        let samples = py.detach(|| self.samples(&model, array))?;
        for values in samples.chunks(CHUNK) {
            all.extend(py.detach(|| Ok::<_, Failure>(run(&model, &values?)))?);
            py.check_signals()?;
        }
        Ok(all)
    }

    /// The samples of an array that is converted, as `edgemix assign` reads them.
    fn samples(&self, model: &edgemix_runtime::Model, array: ArrayBytes) -> Result<Samples, Failure> {
        let source = Source { trained: Some(self.columns.clone()), ..Source::new(SAMPLES) };
        let samples = source.read_array(array, &[], None)?.samples;
        check_features(model, &samples)?;
        Ok(samples)
    }

    fn check(&self, model: &edgemix_runtime::Model, found: usize, values: &[f32]) -> Result<(), Failure> {
        let expected = model.input_len();
        if expected != found {
            return Err(WorkflowError::Features { expected, samples: SAMPLES.into(), found }.into());
        }
        Ok(check_values(SAMPLES, values, found)?)
    }
}

/// Cluster, component, log-density in nats, p-value and posterior of each sample.
type Assignments<'py> = (
    Bound<'py, PyArray1<u16>>,
    Bound<'py, PyArray1<u16>>,
    Bound<'py, PyArray1<f32>>,
    Bound<'py, PyArray1<f32>>,
    Bound<'py, PyArray1<f32>>,
);

#[pymethods]
impl Model {
    /// The model of bytes that `to_bytes` gave, and what its samples were brought to before they were rounded.
    #[new]
    #[pyo3(signature = (data, n_columns=0, origins=vec![]))]
    fn from_bytes(data: &[u8], n_columns: usize, origins: Vec<f64>) -> PyResult<Self> {
        let file = ModelFile::new("the model", data).map_err(Failure::from)?;
        Ok(Self::new(file, TrainedColumns { n_columns, names: vec![], origins }))
    }

    /// Reads an .emx file, or that of a run's directory.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        let file = ModelFile::read(&path).map_err(Failure::from)?;
        let record = RunDir::containing(&path).record().map_err(Failure::from)?;
        let columns = record.as_ref().map(DataRecord::trained_columns).unwrap_or_default();
        Ok(Self::new(file, TrainedColumns { names: vec![], ..columns }))
    }

    /// Writes the .emx file, which appears whole or not at all.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        let named = |source| Failure::from(RunError::Io { path: path.clone(), source });
        Ok(write_whole(&path, self.file.bytes()).map_err(named)?)
    }

    /// The bytes of the .emx file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.file.bytes())
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyBytes>, usize, Vec<f64>) {
        (self.to_bytes(py), self.columns.n_columns, self.columns.origins.clone())
    }

    /// Assigns each sample.
    fn assign<'py>(&self, py: Python<'py>, array: Given<'py>) -> PyResult<Assignments<'py>> {
        let found = self.each(py, &array, inference::assign)?;
        let numbers = |of: fn(&Assigned) -> f32| PyArray1::from_vec(py, found.iter().map(of).collect());
        let indices = |of: fn(&Assigned) -> u16| PyArray1::from_vec(py, found.iter().map(of).collect());
        Ok((
            indices(|found| found.cluster),
            indices(|found| found.component),
            numbers(|found| found.log_density.nats()),
            numbers(|found| found.novelty.p_value()),
            numbers(|found| found.posterior),
        ))
    }

    /// The posterior probability of each cluster, `N x n_clusters`.
    fn posteriors<'py>(&self, py: Python<'py>, array: Given<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let found = self.each(py, &array, inference::posteriors)?;
        matrix(py, found, self.n_clusters()?)
    }

    /// The latents, dequantised, `N x n_dims`. Empty where each cluster has latents of its own.
    fn latents<'py>(&self, py: Python<'py>, array: Given<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let found = self.each(py, &array, inference::encode)?;
        matrix(py, found, self.model()?.latent_len())
    }

    /// Number of clusters.
    #[getter]
    fn n_clusters(&self) -> PyResult<usize> {
        Ok(self.model()?.n_clusters())
    }

    /// Number of features of a sample.
    #[getter]
    fn n_features(&self) -> PyResult<usize> {
        Ok(self.model()?.input_len())
    }

    /// Number of dimensions of a latent; 0 where each cluster has latents of its own.
    #[getter]
    fn n_dims(&self) -> PyResult<usize> {
        let model = self.model()?;
        Ok(if matches!(model.file().head, edgemix_runtime::view::Head::Autoencoders(_)) {
            0
        } else {
            model.latent_len()
        })
    }

    /// What the samples are called that it was trained on.
    #[getter]
    fn name(&self) -> PyResult<String> {
        Ok(self.model()?.name().to_owned())
    }

    /// The method that trained it.
    #[getter]
    fn method(&self) -> PyResult<String> {
        Ok(self.model()?.method().to_owned())
    }

    /// Bytes of flash: the size of the file.
    #[getter]
    fn flash(&self) -> usize {
        self.file.flash()
    }

    /// Bytes of RAM that an assignment needs.
    #[getter]
    fn ram(&self) -> PyResult<usize> {
        Ok(self.model()?.arena_len())
    }

    /// Multiply-accumulates of an assignment.
    #[getter]
    fn macs(&self) -> PyResult<u64> {
        Ok(self.model()?.macs())
    }
}

fn matrix(py: Python<'_>, values: Vec<f32>, n_columns: usize) -> PyResult<Bound<'_, PyArray2<f32>>> {
    let n_rows = values.len().checked_div(n_columns).unwrap_or(0);
    PyArray1::from_vec(py, values).reshape([n_rows, n_columns])
}
