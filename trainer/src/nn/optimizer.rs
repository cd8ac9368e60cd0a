//! Optimisers: the rules that turn gradients into steps.

use burn::module::AutodiffModule;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, Optimizer as _, Sgd, SgdConfig};
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::adam::{AdamOf, adam};
use super::record::{RecordError, read, write};

/// The choice of an optimiser.
///
/// ```
/// use edgemix::nn::Optimizer;
/// use edgemix::training::PhaseSettings;
///
/// let phase: PhaseSettings = toml::from_str("optimizer = { name = \"sgd\", momentum = 0.5 }")?;
/// assert_eq!(phase.optimizer, Optimizer::Sgd { momentum: 0.5 });
/// // The default momentum.
/// let phase: PhaseSettings = toml::from_str("optimizer.name = \"sgd\"")?;
/// assert_eq!(phase.optimizer, Optimizer::Sgd { momentum: 0.9 });
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimizer {
    /// Adam with decays .9 and .999 (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015).
    // With braces, since serde ignores the unknown keys of a unit variant.
    Adam {},
    /// Stochastic gradient descent: `v <- momentum v + g`, then `w <- w - rate v` (Polyak, "Some methods of speeding up
    /// the convergence of iteration methods", 1964).
    Sgd {
        /// The share of the previous velocity `v` that is kept, at least 0 and less than 1.
        #[serde(default = "customary_momentum")]
        momentum: f64,
    },
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adam {}
    }
}

fn customary_momentum() -> f64 {
    0.9
}

/// An optimiser of a module, with its state from earlier gradients.
#[derive(Clone)]
pub(super) enum OptimizerOf<B: AutodiffBackend, M: AutodiffModule<B>> {
    Adam(AdamOf<B, M>),
    Sgd(OptimizerAdaptor<Sgd<B::InnerBackend>, M, B>),
}

impl<B: AutodiffBackend, M: AutodiffModule<B>> OptimizerOf<B, M> {
    /// An optimiser in its initial state.
    pub(super) fn new(optimizer: Optimizer) -> Self {
        match optimizer {
            Optimizer::Adam {} => Self::Adam(adam()),
            Optimizer::Sgd { momentum } => {
                // By default, burn dampens each new gradient by a factor of 0.9.
                let momentum = MomentumConfig::new().with_momentum(momentum).with_dampening(0.0);
                Self::Sgd(SgdConfig::new().with_momentum(Some(momentum)).init())
            }
        }
    }

    pub(super) fn step(&mut self, rate: f64, module: M, gradients: GradientsParams) -> M {
        match self {
            Self::Adam(adam) => adam.step(rate, module, gradients),
            Self::Sgd(sgd) => sgd.step(rate, module, gradients),
        }
    }

    /// The state as bytes.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        match self {
            Self::Adam(adam) => write::<B, _>(adam.to_record()),
            Self::Sgd(sgd) => write::<B, _>(sgd.to_record()),
        }
    }

    /// The same optimiser with the state that [`Self::to_bytes`] returned.
    pub(super) fn with_bytes(self, bytes: Vec<u8>, device: &B::Device) -> Result<Self, RecordError> {
        Ok(match self {
            Self::Adam(adam) => Self::Adam(adam.load_record(read::<B, _>(bytes, device)?)),
            Self::Sgd(sgd) => Self::Sgd(sgd.load_record(read::<B, _>(bytes, device)?)),
        })
    }
}
