//! The result of a fit: the model, and the findings of the method.

use std::mem::discriminant;

use serde::{Deserialize, Serialize};

use super::latent_history::LatentHistory;
use crate::mixture::ClusterCountReport;
use crate::trained::Trained;

/// A result of a fit besides the model, shown to the user. Only some methods have findings of their own.
///
/// ```
/// use edgemix::training::Finding;
///
/// let sticks = Finding::StickWeights(vec![0.6, 0.3, 0.05]);
/// let text = serde_json::to_string(&sticks)?;
/// assert_eq!(serde_json::from_str::<Finding>(&text)?, sticks);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Finding {
    /// How the number of clusters was found.
    ClusterCount(ClusterCountReport),
    /// The weights of a Dirichlet process' sticks as they were first fitted, largest first, before any was pruned.
    StickWeights(Vec<f64>),
    /// The latents of some samples at a few moments.
    Latents(LatentHistory),
}

/// The result of a fit.
///
/// ```
/// use edgemix::device::Device;
/// use edgemix::methods::{FitConfig, MethodConfig};
/// use edgemix::random::{normal, stream};
/// use edgemix::data::Samples;
///
/// let noise = normal(400, &mut stream(0, "example", 0));
/// let config = FitConfig { method: MethodConfig::named("dpm").unwrap(), ..FitConfig::default() };
/// let fitted = Device::Cpu.fit(&Samples::new("noise", noise, 4), &config, &mut (), &mut ())?;
/// assert!(fitted.stick_weights().unwrap().len() >= fitted.trained.head.n_components());
/// // A Dirichlet process on features is given no number of clusters and reports none.
/// assert_eq!(fitted.cluster_count(), None);
/// # Ok::<(), edgemix::training::FitError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The model.
    pub trained: Trained,
    /// The method's findings: at most one of each kind, the last one.
    pub findings: Vec<Finding>,
}

impl Fitted {
    /// The weights of the sticks, largest first, if the method has a Dirichlet process.
    pub fn stick_weights(&self) -> Option<&[f64]> {
        self.findings.iter().find_map(|finding| match finding {
            Finding::StickWeights(weights) => Some(&**weights),
            Finding::ClusterCount(_) | Finding::Latents(_) => None,
        })
    }

    /// The latents of some samples at a few moments, if there is an encoder with one latent space for all clusters.
    pub fn latent_history(&self) -> Option<&LatentHistory> {
        self.findings.iter().find_map(|finding| match finding {
            Finding::Latents(history) => Some(history),
            Finding::ClusterCount(_) | Finding::StickWeights(_) => None,
        })
    }

    /// How the number of clusters was found, if the method finds it.
    pub fn cluster_count(&self) -> Option<&ClusterCountReport> {
        self.findings.iter().find_map(|finding| match finding {
            Finding::ClusterCount(report) => Some(report),
            Finding::StickWeights(_) | Finding::Latents(_) => None,
        })
    }
}

/// Adds a finding, which replaces an earlier one of the same kind.
pub(super) fn keep(findings: &mut Vec<Finding>, finding: Finding) {
    findings.retain(|other| discriminant(other) != discriminant(&finding));
    findings.push(finding);
}
