//! Dirichlet process mixture on the features themselves: the baseline "DPM" of the alpha-JSD paper.
//!
//! **Objective**: the mixture's variational bound. **Update**: [`DirichletProcess`]. **Schedule**: none; there is no
//! encoder, the standardised features are the latents.

use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use crate::data::Scaling;
use crate::mixture::dirichlet::DirichletProcess;
use crate::mixture::elements;
use crate::random::stream;
use crate::trained::{Head, Trained};
use crate::training::{Batch, Data, FitError, Method, Position, Stage, Terms};

/// Settings of the Dirichlet process mixture on features.
///
/// ```
/// use edgemix::methods::Dpm;
/// use edgemix::mixture::dirichlet::Assignment;
///
/// let dpm: Dpm = toml::from_str("[mixture]\ntruncation = 50\nassignment = \"soft\"")?;
/// assert_eq!((dpm.mixture.truncation, dpm.mixture.assignment), (50, Assignment::Soft));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dpm {
    /// The mixture.
    pub mixture: DirichletProcess,
}

/// A mixture without an encoder.
pub(crate) struct FeatureMethod {
    settings: Dpm,
    seed: u64,
}

impl FeatureMethod {
    pub(crate) fn new(settings: Dpm, seed: u64) -> Self {
        Self { settings, seed }
    }
}

impl<B: AutodiffBackend> Method<B> for FeatureMethod {
    fn stages(&self) -> Vec<Stage> {
        vec![]
    }

    fn begin_epoch(&mut self, _: Position, _: &Data<B::InnerBackend>) -> Result<Option<usize>, FitError> {
        Ok(None)
    }

    fn step(&mut self, _: Position, _: Batch<B>) -> Terms {
        vec![]
    }

    fn save(&self) -> Result<Vec<u8>, FitError> {
        Ok(vec![])
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), FitError> {
        Ok(())
    }

    fn finish(self: Box<Self>, data: &Data<B::InnerBackend>) -> Result<Trained, FitError> {
        // The features are the latents, so that all of them are held in memory.
        let inputs = data.all()?;
        let mean = inputs.clone().mean_dim(0);
        // Standardised by the deviation of all features together: pixels that never change must not be blown up.
        let centered = inputs - mean.clone();
        let deviation = elements(centered.clone().square().mean())[0].sqrt().max(1e-6);
        let z = centered / deviation;
        let (mixture, sticks) = self.settings.mixture.fit_with_sticks(&z, &mut stream(self.seed, "cluster", 0))?;
        Ok(Trained {
            method: "dpm".into(),
            scaling: standardised(&data.scaling, &elements(mean), deviation),
            encoder: vec![],
            head: Head::Mixture(mixture),
            sticks,
        })
    }
}

/// The scaling followed by `(x - mean) / deviation`.
fn standardised(scaling: &Scaling, mean: &[f64], deviation: f64) -> Scaling {
    let gain = scaling.gain.iter().cycle().take(mean.len()).map(|&g| (f64::from(g) / deviation) as f32).collect();
    let offset = scaling.offset.iter().cycle().zip(mean);
    let offset = offset.map(|(&o, m)| ((f64::from(o) - m) / deviation) as f32).collect();
    Scaling { gain, offset }
}
