//! Who watches a fit, and what there is to see.

use std::io;

use serde::{Deserialize, Serialize};

use crate::mixture::ClusterCountReport;

/// Who watches a fit.
///
/// ```
/// use edgemix::device::Device;
/// use edgemix::methods::MethodConfig;
/// use edgemix::training::{EpochReport, FitConfig, FitError, Observer};
///
/// /// Stops a fit once it is good enough.
/// struct Enough(f64, usize);
///
/// impl Observer for Enough {
///     fn stage(&mut self, name: &str, _epoch: usize, epochs: usize) {
///         println!("{name}, {epochs} epochs");
///     }
///
///     fn epoch(&mut self, report: &EpochReport) {
///         self.1 += usize::from(report.losses.iter().all(|(_, loss)| *loss < self.0));
///     }
///
///     fn is_asked_to_stop(&mut self) -> bool {
///         self.1 > 0
///     }
/// }
///
/// let digits = edgemix::data::digits().samples;
/// let config = FitConfig { encoder: "16-4".parse().unwrap(), ..FitConfig::default() };
/// let stopped = Device::Cpu.fit(&digits, &config, &mut (), &mut Enough(1e9, 0));
/// assert!(matches!(stopped, Err(FitError::Stopped(_))));
/// ```
pub trait Observer {
    /// A stage begins at an epoch, counted from 0; after a resume it may be a later one.
    fn stage(&mut self, name: &str, epoch: usize, epochs: usize);
    /// An epoch is over.
    fn epoch(&mut self, report: &EpochReport);
    /// Something without batches begins that may take long, such as refitting the clusters; it lasts until a batch, an
    /// epoch, a stage or another phase.
    fn phase(&mut self, _name: &str) {}
    /// So many of an epoch's batches are done.
    fn batch(&mut self, _done: usize, _batches: usize) {}
    /// The clusters and their number were found, at the start of an epoch.
    fn number(&mut self, _number: &ClusterCountReport) {}
    /// Why the fit is to stop at once, if it is; asked after every batch and every epoch.
    fn failure(&mut self) -> Option<io::Error> {
        None
    }
    /// Whether the fit is to stop with a checkpoint of the epoch that is over; asked after every epoch.
    fn is_asked_to_stop(&mut self) -> bool {
        false
    }
}

/// Nobody watches.
impl Observer for () {
    fn stage(&mut self, _: &str, _: usize, _: usize) {}
    fn epoch(&mut self, _: &EpochReport) {}
}

/// What an epoch gave. See [`Observer`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// The stage's name.
    pub stage: String,
    /// The epoch in the stage, from 1.
    pub epoch: usize,
    /// The stage's number of epochs.
    pub epochs: usize,
    /// Each loss term's mean over the epoch's batches.
    pub losses: Vec<(String, f64)>,
    /// Clusters at the epoch's start, once there are any.
    pub clusters: Option<usize>,
}
