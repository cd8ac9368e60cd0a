//! How the state of a piece of work is shown: a bar on a terminal, lines in a log.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::status::Status;

/// How often a log gets a line while nothing ends.
const EVERY: Duration = Duration::from_secs(30);
/// What is over by then is not shown: it would flicker.
const GRACE: Duration = Duration::from_millis(500);
/// Positions of a bar.
const LENGTH: u64 = 1000;

/// What the user wants of a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wish {
    /// That it stops after this epoch.
    StopAfterEpoch,
    /// That it stops after this batch.
    StopNow,
}

/// Shows where things stand.
pub(super) trait Display: Send {
    /// Called ten times a second, and a last time when all is over.
    fn show(&mut self, status: &Status, now: Instant);

    /// What the user has asked for since.
    fn wish(&mut self) -> Option<Wish> {
        None
    }
}

/// A bar where standard error is a terminal, else lines.
pub(super) fn plain() -> Box<dyn Display> {
    if io::stderr().is_terminal() { Box::new(Bar::new()) } else { Box::new(Lines::new(io::stderr())) }
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
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Lines for a log: one where a phase ends, and one now and then.
struct Lines<W> {
    out: W,
    shown: usize,
    last: Option<Instant>,
}

impl<W: Write> Lines<W> {
    fn new(out: W) -> Self {
        Self { out, shown: 0, last: None }
    }
}

impl<W: Write + Send> Display for Lines<W> {
    fn show(&mut self, status: &Status, now: Instant) {
        // A log that can't be written to is no reason to stop the work.
        for line in &status.over[self.shown..] {
            let _ = writeln!(self.out, "{line}");
            self.last = Some(now);
        }
        self.shown = status.over.len();
        if now - *self.last.get_or_insert(status.begin) >= EVERY && !status.name().is_empty() {
            let _ = writeln!(self.out, "{} {}", status.name(), status.line(now));
            self.last = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::report;
    use super::*;

    #[test]
    fn a_log_gets_a_line_where_a_phase_ends_and_every_half_minute() {
        let begin = Instant::now();
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let mut status = Status::new("", begin);
        let mut lines = Lines::new(vec![]);
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
        let text = String::from_utf8(lines.out).unwrap();
        let expected = "reconstruct 0/2  batch 3/4  50 s left\n\
                        reconstruct: 2 epochs in 49 s  reconstruction 2.5000\n\
                        last fit of the clusters 31 s so far\n";
        assert_eq!(text, expected);
    }
}
