//! Progress bars with losses and the number of clusters so far; silent when not on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use crate::run::RunDir;
use crate::training::{EpochReport, Observer};

/// Shows a fit and keeps its metrics.
pub(super) struct Progress {
    bar: ProgressBar,
    run: RunDir,
    reports: Vec<EpochReport>,
}

impl Progress {
    /// `reports` are those of the epochs before a resume.
    pub(super) fn new(run: RunDir, reports: Vec<EpochReport>) -> Self {
        Self { bar: ProgressBar::hidden(), run, reports }
    }

    /// Writes all metrics.
    pub(super) fn finish(&self) -> std::io::Result<()> {
        self.bar.finish_and_clear();
        self.run.write_metrics(&self.reports)
    }
}

impl Observer for Progress {
    fn stage(&mut self, name: &str, epoch: usize, epochs: usize) {
        self.bar.finish_and_clear();
        // What was reported after the checkpoint that is taken up will be reported again.
        self.reports.retain(|r| r.stage != name || r.epoch <= epoch);
        let style = ProgressStyle::with_template("{prefix:>12} {bar:30} {pos}/{len} {eta} left  {msg}");
        // On standard error, where indicatif draws nothing unless it is a terminal.
        self.bar = ProgressBar::new(epochs as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_prefix(name.to_owned());
        self.bar.set_position(epoch as u64);
    }

    fn epoch(&mut self, report: &EpochReport) {
        let losses = report.losses.iter().map(|(name, value)| format!("{name} {value:.4}"));
        let clusters = report.clusters.map(|k| format!("{k} components"));
        self.bar.set_message(losses.chain(clusters).collect::<Vec<_>>().join("  "));
        self.bar.set_position(report.epoch as u64);
        self.reports.push(report.clone());
        // Metrics are a convenience: a full disk shows when the checkpoint is written.
        let _ = self.run.write_metrics(&self.reports);
    }
}
