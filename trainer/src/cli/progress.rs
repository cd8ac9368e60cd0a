//! Shows a fit, keeps its metrics, and stops it when the user wants that.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::CliError;
use super::display::{Display, Wish, plain};
use super::status::Status;
use super::{report, tui};
use crate::run::RunDir;
use crate::training::{EpochReport, Finding, Observer};

/// Between two looks at where things stand.
const TICK: Duration = Duration::from_millis(100);

/// How a fit is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// A bar on a terminal, lines in a log.
    Plain,
    /// The whole terminal.
    Full,
}

impl View {
    /// The whole terminal if that is asked for.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn wanted(is_full: bool) -> Result<Self, CliError> {
        if !is_full {
            return Ok(Self::Plain);
        }
        tui::check()?;
        Ok(Self::Full)
    }
}

/// What the display's thread and the work share.
struct Shared {
    status: Mutex<Status>,
    is_over: AtomicBool,
    /// A [`Wish`]; 0: none.
    wish: AtomicU8,
}

/// A display in a thread of its own: work may be silent for long.
struct Screen {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Screen {
    fn new(title: &str, mut display: Box<dyn Display>) -> Self {
        let status = Mutex::new(Status::new(title, Instant::now()));
        let shared = Arc::new(Shared { status, is_over: AtomicBool::new(false), wish: AtomicU8::new(0) });
        let own = shared.clone();
        let thread = thread::spawn(move || {
            loop {
                let is_over = own.is_over.load(Ordering::Acquire);
                display.show(&own.status(), Instant::now());
                if let Some(wish) = display.wish() {
                    own.wish.fetch_max(wish as u8 + 1, Ordering::AcqRel);
                }
                if is_over {
                    break;
                }
                thread::park_timeout(TICK);
            }
        });
        Self { shared, thread: Some(thread) }
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.shared.status()
    }

    fn wishes(&self, wish: Wish) -> bool {
        self.shared.wish.load(Ordering::Acquire) > wish as u8
    }
}

impl Shared {
    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Screen {
    /// Ends the display, whatever ended the work.
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A display that panicked is no reason for the work to do so.
            let _ = thread.join();
        }
    }
}

/// Does what may take long, and says that it is being done.
pub(super) fn during<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let screen = Screen::new("", plain());
    screen.status().activity(what, Instant::now());
    work()
}

/// Shows a fit and keeps its metrics.
pub(super) struct Progress {
    screen: Screen,
    run: RunDir,
    failure: Option<io::Error>,
}

impl Progress {
    /// `title` says what is fitted.
    ///
    /// # Errors
    /// If the whole terminal is asked for and there is none.
    pub(super) fn new(run: RunDir, title: &str, view: View) -> Result<Self, CliError> {
        let display = match view {
            View::Plain => plain(),
            View::Full => Box::new(tui::Tui::new()?),
        };
        Ok(Self { screen: Screen::new(title, display), run, failure: None })
    }

    /// Something else begins that may take long.
    pub(super) fn activity(&self, name: &str) {
        self.screen.status().activity(name, Instant::now());
    }

    fn keep(&mut self, written: io::Result<()>) {
        let path = self.run.file("metrics.jsonl");
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        self.failure = self.failure.take().or(written.err().map(named));
    }
}

impl Observer for Progress {
    fn phase(&mut self, name: &str, epoch: usize, epochs: usize) {
        let written = self.run.truncate_metrics(name, epoch);
        self.keep(written);
        let mut status = self.screen.status();
        if status.reports.is_empty() {
            // Of a run that is taken up; what can't be read is not shown.
            status.reports = report::metrics(&self.run).unwrap_or_default();
        }
        status.phase(name, epoch, epochs, Instant::now());
    }

    fn epoch(&mut self, report: &EpochReport) {
        self.screen.status().epoch(report.clone(), Instant::now());
        let written = self.run.append_metrics(report);
        self.keep(written);
    }

    fn activity(&mut self, name: &str) {
        Progress::activity(self, name);
    }

    fn batch(&mut self, done: usize, batches: usize) {
        self.screen.status().batch(done, batches);
    }

    fn finding(&mut self, finding: &Finding) {
        let written = self.run.keep_finding(finding);
        self.keep(written);
    }

    fn failure(&mut self) -> Option<io::Error> {
        let asked = || io::Error::new(io::ErrorKind::Interrupted, "as you asked");
        self.failure.take().or_else(|| self.screen.wishes(Wish::StopNow).then(asked))
    }

    fn is_asked_to_stop(&mut self) -> bool {
        self.screen.wishes(Wish::StopAfterEpoch)
    }
}
