//! Shows the state of the work: as a bar on a terminal, or as lines in a log.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::{is_labelled, tell};
use super::status::Status;

/// A log gets a line this often while no phase ends.
const EVERY: Duration = Duration::from_secs(30);
/// Work that ends sooner is not shown, since the display would flicker.
const GRACE: Duration = Duration::from_millis(500);
/// Number of positions of a bar.
const LENGTH: u64 = 1000;

/// What the user asks a fit to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wish {
    /// To stop after this epoch.
    StopAfterEpoch,
    /// To stop after this batch.
    StopNow,
}

/// Shows the state of the work.
pub(super) trait Display: Send {
    /// Called ten times a second, and once more when the work has ended.
    fn show(&mut self, status: &Status, now: Instant);

    /// Says that a signal came and that the fit ends soon.
    fn stopping(&mut self);

    /// What the user has asked for since the last call.
    fn wish(&mut self) -> Option<Wish> {
        None
    }
}

/// A bar if standard error is a terminal of this process alone, else lines.
pub(super) fn plain() -> Box<dyn Display> {
    let is_own = io::stderr().is_terminal() && !is_labelled();
    if is_own { Box::new(Bar::new()) } else { Box::new(Lines::new(|line: &str| tell(line))) }
}

/// A bar on standard error.
struct Bar {
    bar: ProgressBar,
    is_activity: Option<bool>,
}

impl Bar {
    fn new() -> Self {
        Self { bar: ProgressBar::new(LENGTH), is_activity: None }
    }
}

impl Display for Bar {
    fn show(&mut self, status: &Status, now: Instant) {
        let is_activity = status.activity.is_some() || status.phase.is_none();
        if self.is_activity.is_none() && is_activity && now - status.begin < GRACE {
            return;
        }
        if self.is_activity.replace(is_activity) != Some(is_activity) {
            let template = if is_activity { "{prefix:>12} {spinner} {msg}" } else { "{prefix:>12} {bar:30} {msg}" };
            let style = ProgressStyle::with_template(template);
            self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        let share = status.phase.as_ref().map_or(0.0, |phase| phase.share());
        self.bar.set_prefix(status.name().to_owned());
        self.bar.set_message(status.line(now));
        self.bar.set_position((share * LENGTH as f64) as u64);
        self.bar.tick();
    }

    fn stopping(&mut self) {
        self.bar.println(STOPPING);
    }
}

/// The answer to a signal.
const STOPPING: &str = "stopping with a checkpoint, after this epoch or the next step of a search; the same signal again ends the program at once";

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Lines for a log: one when a phase ends, and one every half minute.
struct Lines<F> {
    tell: F,
    shown: usize,
    last: Option<Instant>,
}

impl<F: FnMut(&str)> Lines<F> {
    fn new(tell: F) -> Self {
        Self { tell, shown: 0, last: None }
    }
}

impl<F: FnMut(&str) + Send> Display for Lines<F> {
    fn show(&mut self, status: &Status, now: Instant) {
        for line in &status.ended[self.shown..] {
            (self.tell)(line);
            self.last = Some(now);
        }
        self.shown = status.ended.len();
        if now - *self.last.get_or_insert(status.begin) >= EVERY && !status.name().is_empty() {
            (self.tell)(&format!("{} {}", status.name(), status.line(now)));
            self.last = Some(now);
        }
    }

    fn stopping(&mut self) {
        (self.tell)(STOPPING);
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::report;
    use super::*;

    #[test]
    fn a_log_gets_a_line_when_a_phase_ends_and_every_half_minute() {
        let begin = Instant::now();
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let mut status = Status::new("", begin);
        let mut told = String::new();
        let mut lines = Lines::new(|line: &str| told.extend([line, "\n"]));
        status.phase("reconstruct", 0, 2, at(1));
        for tenth in 0..10 {
            lines.show(&status, at(1) + Duration::from_millis(100 * tenth));
        }
        status.batch(3, 4);
        lines.show(&status, at(29));
        lines.show(&status, at(31));
        lines.show(&status, at(40));
        status.epoch(report("reconstruct", 1, 2, None), at(41));
        status.epoch(report("reconstruct", 2, 2, None), at(50));
        status.activity("last fit of the clusters", at(50));
        lines.show(&status, at(51));
        lines.show(&status, at(80));
        lines.show(&status, at(81));
        let expected = "reconstruct 0/2  batch 3/4  50 s left\n\
                        reconstruct: 2 epochs in 49 s  reconstruction 2.5000\n\
                        last fit of the clusters 31 s so far\n";
        assert_eq!(told, expected);
    }
}
