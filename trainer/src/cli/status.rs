//! The state of the work, which every display shows in its own way.

use std::time::{Duration, Instant};

use crate::base::text::counted;
use crate::training::EpochReport;

/// Shorter epochs are shown without their batches.
const SHORT: Duration = Duration::from_secs(2);

/// The state of the work.
pub(super) struct Status {
    /// A heading that says what the work is.
    pub(super) title: String,
    pub(super) begin: Instant,
    /// The current phase, if there is one.
    pub(super) phase: Option<RunningPhase>,
    /// The current activity, which has no batches, and when it began.
    pub(super) activity: Option<(String, Instant)>,
    /// The reports of all epochs, including those of earlier phases.
    pub(super) reports: Vec<EpochReport>,
    /// A line about each phase that has ended.
    pub(super) ended: Vec<String>,
}

/// The current phase.
pub(super) struct RunningPhase {
    pub(super) name: String,
    pub(super) begin: Instant,
    /// Number of epochs that were done when it began; not 0 if a run was resumed.
    pub(super) first: usize,
    /// Number of epochs that are done.
    pub(super) done: usize,
    pub(super) epochs: usize,
    /// When the current epoch began.
    pub(super) since: Instant,
    /// Number of batches of the current epoch that are done, and number of all its batches.
    pub(super) batch: (usize, usize),
}

impl Status {
    pub(super) fn new(title: &str, now: Instant) -> Self {
        let title = title.to_owned();
        Self { title, begin: now, phase: None, activity: None, reports: vec![], ended: vec![] }
    }

    pub(super) fn phase(&mut self, name: &str, epoch: usize, epochs: usize, now: Instant) {
        self.end_phase(now);
        let (name, batch) = (name.to_owned(), (0, 0));
        self.phase = Some(RunningPhase { name, begin: now, first: epoch, done: epoch, epochs, since: now, batch });
    }

    pub(super) fn batch(&mut self, done: usize, batches: usize) {
        self.activity = None;
        if let Some(phase) = &mut self.phase {
            phase.batch = (done, batches);
        }
    }

    pub(super) fn epoch(&mut self, report: EpochReport, now: Instant) {
        self.activity = None;
        if let Some(phase) = &mut self.phase {
            (phase.done, phase.since, phase.batch.0) = (report.epoch, now, 0);
        }
        self.reports.push(report);
    }

    pub(super) fn activity(&mut self, name: &str, now: Instant) {
        if self.phase.as_ref().is_some_and(|phase| phase.done == phase.epochs) {
            self.end_phase(now);
        }
        self.activity = Some((name.to_owned(), now));
    }

    /// Sums up the phase and ends it.
    pub(super) fn end_phase(&mut self, now: Instant) {
        self.activity = None;
        let Some(phase) = self.phase.take() else { return };
        let epochs = counted(phase.done - phase.first, "epoch");
        let took = clock(now - phase.begin);
        self.ended.push(format!("{}: {epochs} in {took}{}", phase.name, self.losses()));
    }

    /// The losses and clusters of the last epoch, each preceded by two spaces.
    fn losses(&self) -> String {
        let Some(report) = self.reports.last() else { return String::new() };
        let losses = report.losses.iter().map(|(name, value)| format!("  {name} {}", four_digits(*value)));
        losses.chain(report.clusters.map(|k| format!("  {}", counted(k, "cluster")))).collect()
    }

    /// The current phase or activity in a line, without its name.
    pub(super) fn line(&self, now: Instant) -> String {
        if let Some((_, since)) = &self.activity {
            return format!("{} so far", clock(now - *since));
        }
        let Some(phase) = &self.phase else { return String::new() };
        let mut line = format!("{}/{}", phase.done, phase.epochs);
        if now - phase.since > SHORT && phase.batch.1 > 0 {
            line += &format!("  batch {}/{}", phase.batch.0, phase.batch.1);
        }
        if let Some(left) = phase.left(now) {
            line += &format!("  {} left", clock(left));
        }
        line + &self.losses()
    }

    /// The name of the current phase or activity.
    pub(super) fn name(&self) -> &str {
        match (&self.activity, &self.phase) {
            (Some((name, _)), _) => name,
            (None, Some(phase)) => &phase.name,
            (None, None) => "",
        }
    }
}

impl RunningPhase {
    /// The share of the phase that is done.
    pub(super) fn share(&self) -> f64 {
        self.position() / self.epochs.max(1) as f64
    }

    /// Number of epochs that are done, with the part of the current one.
    fn position(&self) -> f64 {
        self.done as f64 + self.batch.0 as f64 / self.batch.1.max(1) as f64
    }

    /// The time that the phase still needs at its speed so far; `None` if nothing is done yet.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let done = self.position() - self.first as f64;
        let rest = self.epochs as f64 - self.position();
        (done > 0.0).then(|| (now - self.begin).mul_f64((rest / done).max(0.0)))
    }
}

/// A number with four decimals, or with four significant digits if it is too small for that.
fn four_digits(value: f64) -> String {
    let small = value != 0.0 && value.abs() < 0.1;
    let decimals = if small { (3.0 - value.abs().log10().floor()).min(12.0) as usize } else { 4 };
    match value.abs() {
        v if v != 0.0 && v < 1e-6 => format!("{value:.3e}"),
        _ => format!("{value:.decimals$}"),
    }
}

/// A duration such as `7 s`, `3:20` or `1:02:03`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m}:{s:02}"),
        (h, m, s) => format!("{h}:{m:02}:{s:02}"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::cli) fn report(phase: &str, epoch: usize, epochs: usize, clusters: Option<usize>) -> EpochReport {
        let at = epoch as f64;
        let mut losses = vec![("reconstruction".to_owned(), 4.0 / (1.0 + 0.3 * at))];
        losses.extend(clusters.map(|k| ("cluster".to_owned(), 0.5 + (k as f64) / (10.0 + at))));
        EpochReport { phase: phase.into(), epoch, epochs, losses, clusters }
    }

    fn after(begin: Instant, seconds: u64) -> Instant {
        begin + Duration::from_secs(seconds)
    }

    #[test]
    fn the_time_left_is_by_what_was_done_since_the_phase_began() {
        let begin = Instant::now();
        let mut status = Status::new("", begin);
        // The run is resumed after 10 of 20 epochs; two and a half epochs take 50 s.
        status.phase("reconstruct", 10, 20, begin);
        assert_eq!(status.line(begin), "10/20");
        status.epoch(report("reconstruct", 11, 20, None), after(begin, 20));
        status.epoch(report("reconstruct", 12, 20, None), after(begin, 40));
        status.batch(5, 10);
        assert_eq!(status.line(after(begin, 50)), "12/20  batch 5/10  2:30 left  reconstruction 0.8696");
        let phase = status.phase.as_ref().unwrap();
        assert!((phase.share() - 0.625).abs() < 1e-12);
        // A short epoch is shown without its batches.
        assert!(!status.line(after(begin, 41)).contains("batch"));
    }

    #[test]
    fn an_activity_is_named_until_a_batch_and_a_phase_is_summed_up_when_it_is_over() {
        let begin = Instant::now();
        let mut status = Status::new("", begin);
        status.phase("cluster", 0, 1, begin);
        status.activity("fitting the clusters", after(begin, 1));
        assert_eq!((status.name(), &*status.line(after(begin, 80))), ("fitting the clusters", "1:19 so far"));
        status.batch(1, 2);
        assert_eq!(status.name(), "cluster");
        status.epoch(report("cluster", 1, 1, Some(12)), after(begin, 4000));
        status.activity("last fit of the clusters", after(begin, 4000));
        assert_eq!(status.ended, ["cluster: 1 epoch in 1:06:40  reconstruction 3.0769  cluster 1.5909  12 clusters"]);
        assert_eq!(status.name(), "last fit of the clusters");
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let times = [0, 59, 60, 3599, 3600, 36061].map(|s| clock(Duration::from_secs(s)));
        assert_eq!(times, ["0 s", "59 s", "1:00", "59:59", "1:00:00", "10:01:01"]);
    }
    #[test]
    fn small_losses_keep_their_digits() {
        let shown = [12.5, 0.25, 0.01234567, 0.00001234567, 1.5e-9, 0.0, -0.02].map(four_digits);
        assert_eq!(shown, ["12.5000", "0.2500", "0.01235", "0.00001235", "1.500e-9", "0.0000", "-0.02000"]);
    }
}
