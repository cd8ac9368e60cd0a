//! Writes the metrics of a fit to the run's directory.

use std::io;

use crate::run::{RunDir, RunError};
use crate::stop::StopFlag;
use crate::training::{EpochReport, Finding, Observer};

/// An observer that writes what it sees to the run's directory, and passes it on to another observer.
///
/// ```
/// use edgemix::run::RunDir;
/// use edgemix::training::{EpochReport, Observer};
/// use edgemix::workflow::Recorder;
///
/// let folder = tempfile::tempdir()?;
/// let run = RunDir::create(folder.path())?;
/// let (mut nobody, report) = ((), EpochReport { phase: "cluster".into(), epoch: 1, epochs: 9, losses: vec![], clusters: None });
/// Recorder::new(&run, &mut nobody).epoch(&report);
/// assert_eq!(run.metrics()?, [report]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Recorder<'a> {
    run: &'a RunDir,
    observer: &'a mut dyn Observer,
    failure: Option<io::Error>,
}

impl<'a> Recorder<'a> {
    /// Records in `run`, and passes everything on to `observer`.
    pub fn new(run: &'a RunDir, observer: &'a mut dyn Observer) -> Self {
        Self { run, observer, failure: None }
    }

    /// Keeps the first failure, which stops the fit.
    fn check(&mut self, written: Result<(), RunError>) {
        let error = written.err().map(|error| match &error {
            RunError::Io { source, .. } => io::Error::new(source.kind(), error.to_string()),
            _ => io::Error::other(error),
        });
        self.failure = self.failure.take().or(error);
    }
}

impl Observer for Recorder<'_> {
    fn phase(&mut self, name: &str, epoch: usize, epochs: usize) {
        let written = self.run.truncate_metrics(name, epoch);
        self.check(written);
        self.observer.phase(name, epoch, epochs);
    }

    fn epoch(&mut self, report: &EpochReport) {
        let written = self.run.append_metrics(report);
        self.check(written);
        self.observer.epoch(report);
    }

    fn activity(&mut self, name: &str) {
        self.observer.activity(name);
    }

    fn batch(&mut self, done: usize, batches: usize) {
        self.observer.batch(done, batches);
    }

    fn finding(&mut self, finding: &Finding) {
        let written = self.run.write_finding(finding);
        self.check(written);
        self.observer.finding(finding);
    }

    fn failure(&mut self) -> Option<io::Error> {
        self.failure.take().or_else(|| self.observer.failure())
    }

    fn is_asked_to_stop(&mut self) -> bool {
        self.observer.is_asked_to_stop()
    }

    fn stop_flag(&self) -> StopFlag {
        self.observer.stop_flag()
    }
}
