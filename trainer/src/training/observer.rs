//! Observers of a fit, and what they are told.

use std::io;

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use crate::stop::StopFlag;

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
    /// A phase begins at the given epoch, counted from 0. After a resume, this may be a later epoch. A phase without
    /// epochs is not reported.
    fn phase(&mut self, name: &str, epoch: usize, epochs: usize);
    /// An epoch has ended.
    fn epoch(&mut self, report: &EpochReport);
    /// Work begins that has no batches and may take long, such as refitting the clusters. It lasts until the next
    /// batch, epoch, phase or activity is reported.
    fn activity(&mut self, _name: &str) {}
    /// The first `done` of an epoch's `batches` have been trained on.
    fn batch(&mut self, _done: usize, _batches: usize) {}
    /// The method reports a finding, which replaces an earlier one of the same kind.
    fn finding(&mut self, _finding: &Finding) {}
    /// An error that stops the fit at once. It is asked for after every batch and every epoch.
    fn failure(&mut self) -> Option<io::Error> {
        None
    }
    /// Whether the fit should write a checkpoint and stop. This is asked after every epoch.
    fn is_asked_to_stop(&mut self) -> bool {
        false
    }
    /// A flag that is raised when the fit should stop. A search for clusters, which may take long, looks at it between its
    /// steps; the fit then ends with the checkpoint before the search.
    fn stop_flag(&self) -> StopFlag {
        StopFlag::default()
    }
}

/// Observes nothing.
impl Observer for () {
    fn phase(&mut self, _: &str, _: usize, _: usize) {}
    fn epoch(&mut self, _: &EpochReport) {}
}

/// The results of an epoch.
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
    /// The number of clusters at the start of the epoch; `None` before there are any.
    pub clusters: Option<usize>,
}
