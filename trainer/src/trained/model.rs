//! A whole model: scaling, encoder and head.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::decoder::Decoder;
use super::head::Head;
use super::layers::{CHUNK, Layer, forward_all};
use crate::data::{DataError, Samples, Scaling};
use crate::front_end::FrontEnd;
use crate::mixture::{Hierarchy, NotPositiveDefinite};

/// A trained model in f32.
///
/// ```
/// use edgemix::data::{Samples, Scaling};
/// use edgemix::mixture::{Covariance, Mixture};
/// use edgemix::trained::{Activation, Dense, Head, Layer, Trained};
///
/// // The latent is the mean of two features. One cluster lies about 0, the other about 10.
/// let mean = Dense { inputs: 2, outputs: 1, weights: vec![0.5, 0.5], bias: vec![0.0], activation: Activation::Identity };
/// let mixture = Mixture {
///     log_weights: vec![0.0; 2],
///     means: ndarray::array![[0.0], [10.0]],
///     covariance: Covariance::Spherical(vec![1.0; 2]),
///     clusters: vec![0, 1],
/// };
/// let trained = Trained {
///     method: "by hand".into(),
///     front_end: None,
///     scaling: Scaling { gain: vec![1.0], offset: vec![0.0], limits: None },
///     encoder: vec![Layer::Dense(mean)],
///     head: Head::Mixture(mixture),
///     hierarchy: None,
///     decoder: None,
/// };
/// let samples = Samples::new("two", vec![1.0, -1.0, 12.0, 9.0], 2);
/// assert_eq!(trained.encode(&samples)?, [0.0, 10.5]);
/// assert_eq!(trained.assign(&samples)?, [0, 1]);
/// // The same for inputs that are scaled already.
/// assert_eq!(trained.encode_inputs(vec![2.0, 4.0]), [3.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// The method's name on the command line.
    pub method: String,
    /// Computes features of raw windows; the samples themselves are scaled if there is none.
    pub front_end: Option<FrontEnd>,
    /// Maps features, or values in the unit of the data, to the input of the encoder.
    pub scaling: Scaling,
    /// The encoder's layers; empty when the scaled features are themselves the latents.
    pub encoder: Vec<Layer>,
    /// What turns a latent into a cluster.
    pub head: Head,
    /// How the components of a mixture become fewer and fewer clusters; `None` for other heads.
    pub hierarchy: Option<Hierarchy>,
    /// What turns latents back into samples; `None` if the method keeps no decoder that fits its encoder.
    pub decoder: Option<Decoder>,
}

/// Why samples can't be assigned.
///
/// ```
/// # use edgemix::data::{Samples, Scaling};
/// # use edgemix::mixture::{Covariance, Mixture};
/// # use edgemix::trained::{AssignError, Head, Trained};
/// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0], limits: None };
/// // A component whose variance is 0.
/// let covariance = Covariance::Spherical(vec![0.0]);
/// let mixture = Mixture { log_weights: vec![0.0], means: ndarray::array![[0.0]], covariance, clusters: vec![0] };
/// let (method, head) = ("by hand".into(), Head::Mixture(mixture));
/// let trained = Trained { method, front_end: None, scaling, encoder: vec![], head, hierarchy: None, decoder: None };
/// let error = trained.assign(&Samples::new("one", vec![1.0], 1)).unwrap_err();
/// assert!(matches!(error, AssignError::Covariance(_)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AssignError {
    /// A covariance of the head's mixture is not positive definite.
    #[error(transparent)]
    Covariance(#[from] NotPositiveDefinite),
    /// The samples can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl Trained {
    /// The latents of samples, `n_samples x D`, in f32.
    ///
    /// # Errors
    /// [`DataError`] if the samples are in a file that can't be read.
    pub fn encode(&self, samples: &Samples) -> Result<Vec<f32>, DataError> {
        let mut latents = vec![];
        for values in samples.chunks(32 * CHUNK) {
            latents.extend(self.encode_inputs(self.inputs(&values?)));
        }
        Ok(latents)
    }

    /// The number of values of a sample in the unit of the data.
    pub fn n_values(&self) -> usize {
        self.front_end.as_ref().map_or(self.n_inputs(), FrontEnd::inputs)
    }

    /// The number of values that the encoder takes, or the head if there is no encoder.
    pub fn n_inputs(&self) -> usize {
        self.encoder.first().map_or(self.head.n_dims(), Layer::inputs)
    }

    /// What the encoder takes, `n_samples x inputs`, of whole samples in the unit of the data: their features if there is a
    /// front end, scaled.
    pub fn inputs(&self, values: &[f32]) -> Vec<f32> {
        self.scaling.apply(&self.features(values))
    }

    /// The features of whole samples in the unit of the data; the samples themselves if there is no front end.
    pub(crate) fn features<'v>(&self, values: &'v [f32]) -> Cow<'v, [f32]> {
        match &self.front_end {
            Some(front_end) => Cow::Owned(front_end.features(values)),
            None => Cow::Borrowed(values),
        }
    }

    /// The latents, `n_samples x D`, of samples that are scaled already, `n_samples x inputs`.
    pub fn encode_inputs(&self, inputs: Vec<f32>) -> Vec<f32> {
        let Some(first) = self.encoder.first() else { return inputs };
        let encode = |inputs: &[f32]| forward_all(&self.encoder, inputs);
        inputs.par_chunks(CHUNK * first.inputs().max(1)).flat_map_iter(encode).collect()
    }

    /// The cluster of each sample, in f32.
    ///
    /// # Errors
    /// [`AssignError::Covariance`] if a covariance of the head's mixture is not positive definite, and [`AssignError::Data`]
    /// if the samples can't be read.
    pub fn assign(&self, samples: &Samples) -> Result<Vec<u16>, AssignError> {
        Ok(self.head.assign(&self.encode(samples)?)?)
    }
}

#[cfg(test)]
impl Trained {
    /// A mixture over a single feature as it is, without an encoder.
    pub(crate) fn on_a_line(mixture: crate::mixture::Mixture) -> Self {
        Self {
            method: "test".into(),
            front_end: None,
            scaling: Scaling { gain: vec![1.0], offset: vec![0.0], limits: None },
            encoder: vec![],
            head: Head::Mixture(mixture),
            hierarchy: None,
            decoder: None,
        }
    }
}
