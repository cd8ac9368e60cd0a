//! Progress bars with losses and the number of clusters so far; silent when not on a terminal.

use std::io;

use indicatif::{ProgressBar, ProgressStyle};

use crate::mixture::consensus::Number;
use crate::run::RunDir;
use crate::training::{EpochReport, Observer};

/// Shows a fit and keeps its metrics.
pub(super) struct Progress {
    bar: ProgressBar,
    run: RunDir,
    quiet: bool,
    failure: Option<io::Error>,
}

impl Progress {
    /// Nothing is shown if `quiet`.
    pub(super) fn new(run: RunDir, quiet: bool) -> Self {
        Self { bar: ProgressBar::hidden(), run, quiet, failure: None }
    }

    /// Takes the bar away.
    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }

    fn keep(&mut self, written: io::Result<()>) {
        let path = self.run.file("metrics.jsonl");
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        self.failure = self.failure.take().or(written.err().map(named));
    }
}

impl Observer for Progress {
    fn stage(&mut self, name: &str, epoch: usize, epochs: usize) {
        self.bar.finish_and_clear();
        let written = self.run.truncate_metrics(name, epoch);
        self.keep(written);
        if self.quiet {
            return;
        }
        let style = ProgressStyle::with_template("{prefix:>12} {bar:30} {pos}/{len} {eta} left  {msg}");
        // On standard error, where indicatif draws nothing unless it is a terminal.
        self.bar = ProgressBar::new(epochs as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_prefix(name.to_owned());
        self.bar.set_position(epoch as u64);
    }

    fn epoch(&mut self, report: &EpochReport) {
        let losses = report.losses.iter().map(|(name, value)| format!("{name} {value:.4}"));
        let clusters = report.clusters.map(|k| format!("{k} clusters"));
        self.bar.set_message(losses.chain(clusters).collect::<Vec<_>>().join("  "));
        self.bar.set_position(report.epoch as u64);
        let written = self.run.append_metrics(report);
        self.keep(written);
    }

    fn number(&mut self, number: &Number) {
        let written = self.run.keep_number(number);
        self.keep(written);
    }

    fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }
}
