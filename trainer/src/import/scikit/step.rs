//! A step of a pipeline: its parameters, and its fitted arrays with checks.

use std::path::Path;

use ndarray::{Array1, Array2, Array3, ArrayD, Dimension, Ix1, Ix2, Ix3};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::data::ModelArrays;
use crate::import::error::{ImportError, ModelProblem};

/// The array that describes the steps.
const STEPS: &str = "steps";

/// What a number of an array must be, and how that is said.
type Requirement = (fn(f64) -> bool, &'static str);

pub(super) const FINITE: Requirement = (f64::is_finite, "finite numbers");
pub(super) const POSITIVE: Requirement = (|x| x > 0.0 && x.is_finite(), "positive numbers");
pub(super) const NOT_NEGATIVE: Requirement = (|x| x >= 0.0 && x.is_finite(), "numbers that are not negative");
const BYTES: Requirement = (|x| x.fract() == 0.0 && (0.0..256.0).contains(&x), "bytes");

/// The file.
pub(super) struct Archive<'a> {
    pub(super) arrays: ModelArrays,
    pub(super) path: &'a Path,
}

/// The class of an estimator, and those of its parameters that are texts, numbers or truth values.
#[derive(Deserialize)]
pub(super) struct Description {
    pub(super) class: String,
    #[serde(flatten)]
    parameters: Map<String, Value>,
}

/// One step.
pub(super) struct Step<'a, 'b> {
    pub(super) archive: &'a mut Archive<'b>,
    pub(super) index: usize,
    pub(super) description: &'a Description,
}

/// The descriptions of all steps.
pub(super) fn descriptions(archive: &mut Archive) -> Result<Vec<Description>, ImportError> {
    let refused = ImportError::of(archive.path);
    if !archive.arrays.contains(STEPS) {
        return Err(refused(ModelProblem::NoSteps));
    }
    let bytes = archive.read(STEPS, BYTES)?;
    let bytes: Vec<u8> = bytes.iter().map(|&byte| byte as u8).collect();
    serde_json::from_slice(&bytes).map_err(|error| refused(ModelProblem::Steps(error.to_string())))
}

impl Archive<'_> {
    /// Reads an array whose numbers must all be as required.
    fn read(&mut self, name: &str, (holds, expected): Requirement) -> Result<ArrayD<f64>, ImportError> {
        let array = self.arrays.read(name)?;
        match array.iter().find(|&&x| !holds(x)) {
            Some(&value) => {
                Err(ImportError::of(self.path)(ModelProblem::Number { name: name.into(), value, expected }))
            }
            None => Ok(array),
        }
    }
}

impl Step<'_, '_> {
    /// An error about the model.
    pub(super) fn error(&self, problem: ModelProblem) -> ImportError {
        ImportError::of(self.archive.path)(problem)
    }

    /// The class is not one of those that are possible here.
    pub(super) fn wrong_class(&self, expected: &'static [&'static str]) -> ImportError {
        self.error(ModelProblem::Class { step: self.index, class: self.description.class.clone(), expected })
    }

    /// A parameter's value is not supported.
    pub(super) fn wrong_parameter(&self, name: &'static str, expected: &'static str) -> ImportError {
        let value = self.description.parameters.get(name).map_or_else(|| "nothing".into(), Value::to_string);
        self.error(ModelProblem::Parameter {
            step: self.index,
            class: self.description.class.clone(),
            name,
            value,
            expected,
        })
    }

    /// A parameter that is true or false; false if it is not described.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, ImportError> {
        match self.description.parameters.get(name) {
            Some(Value::Bool(flag)) => Ok(*flag),
            None => Ok(false),
            Some(_) => Err(self.wrong_parameter(name, "true or false")),
        }
    }

    /// A parameter that is a text; empty if it is not described.
    pub(super) fn text(&self, name: &'static str) -> &str {
        self.description.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn name_of(&self, attribute: &str) -> String {
        format!("{}.{attribute}", self.index)
    }

    /// Whether the step has an array.
    pub(super) fn contains(&self, attribute: &str) -> bool {
        self.archive.arrays.contains(&self.name_of(attribute))
    }

    /// An array of any shape.
    pub(super) fn array(&mut self, attribute: &str, requirement: Requirement) -> Result<ArrayD<f64>, ImportError> {
        let name = self.name_of(attribute);
        if self.contains(attribute) {
            self.archive.read(&name, requirement)
        } else {
            Err(self.error(ModelProblem::MissingArray(name)))
        }
    }

    /// An array with so many axes; `sizes` has the lengths that are known.
    fn shaped<D: Dimension, const N: usize>(
        &mut self,
        attribute: &str,
        sizes: [Option<usize>; N],
        requirement: Requirement,
    ) -> Result<ndarray::Array<f64, D>, ImportError> {
        let array = self.array(attribute, requirement)?;
        let found = array.shape().to_vec();
        let fits = found.len() == N && found.iter().zip(&sizes).all(|(found, size)| size.is_none_or(|n| n == *found));
        let is_empty = found.contains(&0);
        match array.into_dimensionality::<D>() {
            Ok(array) if fits && !is_empty => Ok(array),
            _ => {
                let sizes = sizes.map(|size| size.map_or_else(|| "any number".into(), |n| n.to_string()));
                let expected = sizes.join(" x ");
                Err(self.error(ModelProblem::Shape { name: self.name_of(attribute), found, expected }))
            }
        }
    }

    /// An array with one axis.
    pub(super) fn vector(
        &mut self,
        attribute: &str,
        length: Option<usize>,
        requirement: Requirement,
    ) -> Result<Array1<f64>, ImportError> {
        self.shaped::<Ix1, 1>(attribute, [length], requirement)
    }

    /// An array with two axes.
    pub(super) fn matrix(
        &mut self,
        attribute: &str,
        sizes: [Option<usize>; 2],
        requirement: Requirement,
    ) -> Result<Array2<f64>, ImportError> {
        self.shaped::<Ix2, 2>(attribute, sizes, requirement)
    }

    /// An array with three axes.
    pub(super) fn cube(
        &mut self,
        attribute: &str,
        sizes: [usize; 3],
        requirement: Requirement,
    ) -> Result<Array3<f64>, ImportError> {
        self.shaped::<Ix3, 3>(attribute, sizes.map(Some), requirement)
    }
}
