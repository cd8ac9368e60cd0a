//! What a method gives back: plain numbers, no backend. Evaluation and export read it.

mod autoencoders;
mod convolution;
mod layer;

pub use autoencoders::{Autoencoders, LOG_VARIANCES, Pair};
pub use convolution::{Convolution, Geometry};
pub use layer::{Activation, Dense, Layer};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::base::arrays::argmax;
use crate::data::{DataError, Samples, Scaling};
use crate::mixture::{Mixture, NotPositiveDefinite};

/// Samples that are encoded at once: what is between the layers stays small.
pub(crate) const CHUNK: usize = 256;

/// A trained model in f32.
///
/// ```
/// use edgemix::data::{Samples, Scaling};
/// use edgemix::mixture::{Covariance, Mixture};
/// use edgemix::trained::{Activation, Dense, Head, Layer, Trained};
///
/// // The mean of two features is the latent; one cluster lies about 0, one about 10.
/// let mean = Dense { inputs: 2, outputs: 1, weights: vec![0.5, 0.5], bias: vec![0.0], activation: Activation::Identity };
/// let mixture = Mixture {
///     log_weights: vec![0.0; 2],
///     means: vec![0.0, 10.0],
///     covariance: Covariance::Spherical(vec![1.0; 2]),
///     clusters: vec![0, 1],
/// };
/// let trained = Trained {
///     method: "by hand".into(),
///     scaling: Scaling { gain: vec![1.0], offset: vec![0.0] },
///     encoder: vec![Layer::Dense(mean)],
///     head: Head::Mixture(mixture),
///     sticks: vec![],
/// };
/// let samples = Samples::new("two", vec![1.0, -1.0, 12.0, 9.0], 2);
/// assert_eq!(trained.encode(&samples)?, [0.0, 10.5]);
/// assert_eq!(trained.assign(&samples)?, [0, 1]);
/// // Of inputs that are scaled already.
/// assert_eq!(trained.encode_inputs(vec![2.0, 4.0]), [3.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// The method's name on the command line.
    pub method: String,
    /// From the data's unit to the network's input.
    pub scaling: Scaling,
    /// The encoder; empty when the scaled features are themselves the latents.
    pub encoder: Vec<Layer>,
    /// What turns a latent into clusters.
    pub head: Head,
    /// The weights of a Dirichlet process' sticks as they were first fitted, largest first, before any was pruned; empty
    /// for methods without one.
    pub sticks: Vec<f64>,
}

/// Why samples can't be assigned.
///
/// ```
/// # use edgemix::data::{Samples, Scaling};
/// # use edgemix::mixture::{Covariance, Mixture};
/// # use edgemix::trained::{AssignError, Head, Trained};
/// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0] };
/// // A component without any extent.
/// let covariance = Covariance::Spherical(vec![0.0]);
/// let mixture = Mixture { log_weights: vec![0.0], means: vec![0.0], covariance, clusters: vec![0] };
/// let (method, head) = ("by hand".into(), Head::Mixture(mixture));
/// let trained = Trained { method, scaling, encoder: vec![], head, sticks: vec![] };
/// let error = trained.assign(&Samples::new("one", vec![1.0], 1)).unwrap_err();
/// assert!(matches!(error, AssignError::Mixture(_)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AssignError {
    /// The head is a mixture and not one.
    #[error(transparent)]
    Mixture(#[from] NotPositiveDefinite),
    /// The samples can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// What turns a latent into clusters.
///
/// ```
/// use edgemix::trained::{Activation, Dense, Head};
///
/// // The class of the greater element.
/// let (weights, bias) = (vec![1.0, 0.0, 0.0, 1.0], vec![0.0; 2]);
/// let head = Head::Softmax(Dense { inputs: 2, outputs: 2, weights, bias, activation: Activation::Identity });
/// assert_eq!((head.n_dims(), head.n_components(), head.n_clusters()), (2, 2, 2));
/// assert_eq!(head.assign(&[3.0, 1.0, -1.0, 0.0])?, [0, 1]);
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Head {
    /// The cluster of the component with the best score.
    Mixture(Mixture),
    /// The class with the greatest logit.
    Softmax(Dense),
    /// The autoencoder with the greatest evidence bound of the scaled sample; the encoder before it is empty.
    Autoencoders(Autoencoders),
}

impl Trained {
    /// The latents of samples, `n_samples x D`, in f32: what the integers are compared with.
    /// See [`Trained`] for an example.
    ///
    /// # Errors
    /// If the file that the samples are in can't be read.
    pub fn encode(&self, samples: &Samples) -> Result<Vec<f32>, DataError> {
        let mut latents = vec![];
        for values in samples.chunks(32 * CHUNK) {
            latents.extend(self.encode_inputs(self.scaling.apply(&values?)));
        }
        Ok(latents)
    }

    /// The same of samples that are scaled already, `n_samples x inputs`. See [`Trained`] for an example.
    pub fn encode_inputs(&self, inputs: Vec<f32>) -> Vec<f32> {
        let Some(first) = self.encoder.first() else { return inputs };
        let encode = |inputs: &[f32]| layer::run(&self.encoder, inputs);
        inputs.par_chunks(CHUNK * first.inputs().max(1)).flat_map_iter(encode).collect()
    }

    /// The cluster of each sample, in f32. See [`Trained`] for an example.
    ///
    /// # Errors
    /// See [`AssignError`].
    pub fn assign(&self, samples: &Samples) -> Result<Vec<u16>, AssignError> {
        Ok(self.head.assign(&self.encode(samples)?)?)
    }
}

impl Head {
    /// Latent dimensions, D. See [`Head`] for an example.
    pub fn n_dims(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.n_dims(),
            Self::Softmax(dense) => dense.inputs,
            Self::Autoencoders(autoencoders) => autoencoders.n_inputs(),
        }
    }

    /// Number of scores: components of a mixture, classes of a softmax, pairs of autoencoders.
    /// See [`Head`] for an example.
    pub fn n_components(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.n_components(),
            Self::Softmax(dense) => dense.outputs,
            Self::Autoencoders(autoencoders) => autoencoders.pairs.len(),
        }
    }

    /// Number of clusters. See [`Head`] for an example.
    pub fn n_clusters(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.n_clusters(),
            Self::Softmax(dense) => dense.outputs,
            Self::Autoencoders(autoencoders) => autoencoders.pairs.len(),
        }
    }

    /// The cluster of each of `N x D` latents. See [`Head`] for an example.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if the mixture is not one.
    pub fn assign(&self, latents: &[f32]) -> Result<Vec<u16>, NotPositiveDefinite> {
        match self {
            Self::Mixture(mixture) => {
                let whitened = mixture.whiten()?;
                let best = latents.par_chunks_exact(mixture.n_dims()).map(|z| {
                    let z: Vec<f64> = z.iter().map(|&x| x.into()).collect();
                    argmax(&whitened.scores(&z))
                });
                Ok(best.map(|component| mixture.clusters[component]).collect())
            }
            Self::Softmax(dense) => {
                let logits = dense.linear(latents);
                Ok(logits.chunks_exact(dense.outputs).map(|row| argmax(row) as u16).collect())
            }
            Self::Autoencoders(autoencoders) => {
                let scores = autoencoders.scores(latents);
                Ok(scores.chunks_exact(autoencoders.pairs.len()).map(|row| argmax(row) as u16).collect())
            }
        }
    }
}
