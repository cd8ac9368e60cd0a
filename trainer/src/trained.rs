//! What a method gives back: plain numbers, no backend. Evaluation and export read it.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{Samples, Scaling};
use crate::mixture::{Mixture, NotPositiveDefinite};

/// A trained model in f32.
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
}

/// One layer of an encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Layer {
    /// A fully connected layer.
    Dense(Dense),
}

/// `activation(weights x + bias)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// `outputs x inputs`, row-major.
    pub weights: Vec<f32>,
    /// One per output.
    pub bias: Vec<f32>,
    /// What follows.
    pub activation: Activation,
}

/// What follows a layer's sum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `x` where positive, else this slope times `x`.
    LeakyRelu(f32),
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function.
    Sigmoid,
    /// `x` where positive, else `exp(x) - 1`.
    Elu,
}

/// What turns a latent into clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Head {
    /// The cluster of the component with the best score.
    Mixture(Mixture),
    /// The class with the greatest logit.
    Softmax(Dense),
}

impl Trained {
    /// The latents of samples, `n_samples x D`, in f32: what the integers are compared with.
    pub fn encode(&self, samples: &Samples) -> Vec<f32> {
        let mut values = self.scaling.apply(samples);
        for layer in &self.encoder {
            values = layer.linear(&values);
            layer.activation().apply(&mut values);
        }
        values
    }

    /// The cluster of each sample, in f32.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if the head is a mixture and not one.
    pub fn assign(&self, samples: &Samples) -> Result<Vec<u16>, NotPositiveDefinite> {
        self.head.assign(&self.encode(samples))
    }
}

impl Layer {
    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.inputs,
        }
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.outputs,
        }
    }

    /// What follows the sum.
    pub fn activation(&self) -> Activation {
        match self {
            Self::Dense(dense) => dense.activation,
        }
    }

    /// The sums before the activation, for `N x inputs` values; `N x outputs`.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows.
    pub fn linear(&self, values: &[f32]) -> Vec<f32> {
        match self {
            Self::Dense(dense) => dense.linear(values),
        }
    }
}

impl Dense {
    /// `weights x + bias` for `N x inputs` values; `N x outputs`.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows, or the layer's lengths contradict each other.
    pub fn linear(&self, values: &[f32]) -> Vec<f32> {
        let rows = values.len() / self.inputs;
        let values = ArrayView2::from_shape((rows, self.inputs), values).expect("whole rows");
        let weights = ArrayView2::from_shape((self.outputs, self.inputs), &self.weights).expect("outputs x inputs");
        let mut sums = values.dot(&weights.t());
        sums += &ndarray::ArrayView1::from(&self.bias).insert_axis(Axis(0));
        sums.into_raw_vec_and_offset().0
    }
}

impl Activation {
    /// Applies it in place.
    pub fn apply(self, values: &mut [f32]) {
        let each = |f: &dyn Fn(f32) -> f32, values: &mut [f32]| values.iter_mut().for_each(|x| *x = f(*x));
        match self {
            Self::Identity => {}
            Self::Relu => each(&|x| x.max(0.0), values),
            Self::LeakyRelu(slope) => each(&|x| if x < 0.0 { slope * x } else { x }, values),
            Self::Tanh => each(&f32::tanh, values),
            Self::Sigmoid => each(&|x| (1.0 + (-x).exp()).recip(), values),
            Self::Elu => each(&|x| if x < 0.0 { x.exp_m1() } else { x }, values),
        }
    }
}

impl Head {
    /// Latent dimensions, D.
    pub fn n_dims(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.n_dims(),
            Self::Softmax(dense) => dense.inputs,
        }
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.n_clusters(),
            Self::Softmax(dense) => dense.outputs,
        }
    }

    /// The cluster of each of `N x D` latents.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if the mixture is not one.
    pub fn assign(&self, latents: &[f32]) -> Result<Vec<u16>, NotPositiveDefinite> {
        match self {
            Self::Mixture(mixture) => {
                let whitened = mixture.whiten()?;
                let best = latents.par_chunks_exact(mixture.n_dims()).map(|z| {
                    let z: Vec<f64> = z.iter().map(|&x| x.into()).collect();
                    first_greatest(&whitened.scores(&z))
                });
                Ok(best.map(|component| mixture.clusters[component]).collect())
            }
            Self::Softmax(dense) => {
                let logits = dense.linear(latents);
                Ok(logits.chunks_exact(dense.outputs).map(|row| first_greatest(row) as u16).collect())
            }
        }
    }
}

/// The index of the greatest; the first of equals.
fn first_greatest<T: PartialOrd>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}
