//! The head of a model: what turns latents into clusters.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::autoencoders::Autoencoders;
use super::layers::Dense;
use crate::base::arrays::argmax;
use crate::mixture::{Mixture, NotPositiveDefinite};

/// The part of a model that turns a latent into a cluster.
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
    /// A mixture of Gaussians: the cluster of the component with the greatest weighted log-density.
    Mixture(Mixture),
    /// A linear layer: the class with the greatest logit.
    Softmax(Dense),
    /// An autoencoder for each cluster: the cluster whose autoencoder has the greatest score for the scaled sample. The
    /// encoder before this head is empty.
    Autoencoders(Autoencoders),
}

impl Head {
    /// Number of values that the head takes, D: the dimensions of the latent, or the features of a sample if the head
    /// consists of autoencoders.
    pub fn n_dims(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.n_dims(),
            Self::Softmax(dense) => dense.inputs,
            Self::Autoencoders(autoencoders) => autoencoders.n_inputs(),
        }
    }

    /// Number of scores: components of a mixture, classes of a softmax, or autoencoders.
    pub fn n_components(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.n_components(),
            Self::Softmax(dense) => dense.outputs,
            Self::Autoencoders(autoencoders) => autoencoders.pairs.len(),
        }
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.n_clusters(),
            Self::Softmax(dense) => dense.outputs,
            Self::Autoencoders(autoencoders) => autoencoders.pairs.len(),
        }
    }

    /// The cluster of each of `N x D` latents.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if a covariance of the mixture is not positive definite.
    pub fn assign(&self, latents: &[f32]) -> Result<Vec<u16>, NotPositiveDefinite> {
        match self {
            Self::Mixture(mixture) => {
                let whitened = mixture.whiten()?;
                let best = latents.par_chunks_exact(mixture.n_dims()).map(|z| {
                    let z: Vec<f64> = z.iter().map(|&x| x.into()).collect();
                    argmax(whitened.scores(&z))
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
