//! What an observer of a fit is told.

use std::io;

use serde::{Deserialize, Serialize};

use super::finding::Finding;

/// Observes a fit, and can stop it.
///
/// ```
/// use edgemix::device::Device;
/// use edgemix::methods::FitConfig;
/// use edgemix::training::{EpochReport, FitError, Observer};
///
/// /// Stops a fit once it is good enough.
/// struct Enough(f64, usize);
///
/// impl Observer for Enough {
///     fn phase(&mut self, name: &str, _epoch: usize, epochs: usize) {
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
    /// A phase begins at an epoch, counted from 0; after a resume it may be a later one. A phase without epochs does not.
    fn phase(&mut self, name: &str, epoch: usize, epochs: usize);
    /// An epoch is over.
    fn epoch(&mut self, report: &EpochReport);
    /// Something without batches begins that may take long, such as refitting the clusters; it lasts until a batch, an
    /// epoch, a phase or another activity.
    fn activity(&mut self, _name: &str) {}
    /// So many of an epoch's batches are done.
    fn batch(&mut self, _done: usize, _batches: usize) {}
    /// The method found something out; it replaces an earlier finding of the same sort.
    fn finding(&mut self, _finding: &Finding) {}
    /// Why the fit is to stop at once, if it is; asked after every batch and every epoch.
    fn failure(&mut self) -> Option<io::Error> {
        None
    }
    /// Whether the fit is to stop with a checkpoint of the epoch that is over; asked after every epoch.
    fn is_asked_to_stop(&mut self) -> bool {
        false
    }
}

/// Observes nothing.
impl Observer for () {
    fn phase(&mut self, _: &str, _: usize, _: usize) {}
    fn epoch(&mut self, _: &EpochReport) {}
}

/// What an epoch gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// The phase's name.
    pub phase: String,
    /// The epoch in the phase, from 1.
    pub epoch: usize,
    /// The phase's number of epochs.
    pub epochs: usize,
    /// Each loss term's mean over the epoch's batches.
    pub losses: Vec<(String, f64)>,
    /// Clusters at the epoch's start, once there are any.
    pub clusters: Option<usize>,
}
