//! Shows the progress of a fit, and stops it when the user asks for that.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::display::{Display, Wish, plain};
use super::error::CliError;
use super::signals::{self, FitSignals};
use super::status::Status;
use super::tui;
use crate::run::RunDir;
use crate::stop::StopFlag;
use crate::training::{EpochReport, Observer};

/// Time between two updates of the display.
const TICK: Duration = Duration::from_millis(100);

/// How a fit is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// A bar on a terminal, or lines in a log.
    Plain,
    /// The whole terminal.
    Full,
}

impl View {
    /// [`View::Full`] if that is asked for, else [`View::Plain`].
    ///
    /// # Errors
    /// If the whole terminal is asked for and standard output is not a terminal.
    pub(super) fn wanted(is_full: bool) -> Result<Self, CliError> {
        if !is_full {
            return Ok(Self::Plain);
        }
        tui::check()?;
        Ok(Self::Full)
    }
}

/// What the thread of the display shares with the work.
struct Shared {
    status: Mutex<Status>,
    is_over: AtomicBool,
    /// A [`Wish`] plus 1, or 0 for none.
    wish: AtomicU8,
    /// Raised with the first wish.
    stop: StopFlag,
    /// The signal that asked the program to end; 0 for none.
    signal: AtomicI32,
}

/// A display in a thread of its own, since the work may report nothing for a long time.
struct Screen {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Screen {
    /// `signals` are those that end a fit, if there is one.
    fn new(title: &str, mut display: Box<dyn Display>, signals: Option<FitSignals>) -> Self {
        let status = Mutex::new(Status::new(title, Instant::now()));
        let shared = Arc::new(Shared {
            status,
            is_over: AtomicBool::new(false),
            wish: AtomicU8::new(0),
            stop: StopFlag::default(),
            signal: AtomicI32::new(0),
        });
        let own = shared.clone();
        let run = move || {
            loop {
                let is_over = own.is_over.load(Ordering::Acquire);
                display.show(&own.status(), Instant::now());
                if let Some(wish) = display.wish() {
                    own.wish(wish);
                }
                if let Some(signal) = signals.as_ref().and_then(FitSignals::take) {
                    if own.signal.swap(signal, Ordering::AcqRel) != 0 {
                        // The second signal ends the program at once, with the terminal as it was before.
                        drop(display);
                        return signals::die(signal);
                    }
                    display.stopping();
                    own.wish(Wish::StopAfterEpoch);
                }
                if is_over {
                    break;
                }
                thread::park_timeout(TICK);
            }
        };
        // If the system refuses another thread, nothing is shown.
        Self { shared, thread: thread::Builder::new().spawn(run).ok() }
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.shared.status()
    }

    fn wishes(&self, wish: Wish) -> bool {
        self.shared.wish.load(Ordering::Acquire) > wish as u8
    }
}

impl Shared {
    fn wish(&self, wish: Wish) {
        self.wish.fetch_max(wish as u8 + 1, Ordering::AcqRel);
        self.stop.raise();
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Screen {
    /// Ends the display, no matter how the work ended.
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // If the display panicked, the work goes on.
            let _ = thread.join();
        }
    }
}

/// Does work that may take a long time, and shows its name meanwhile.
pub(super) fn during<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let screen = Screen::new("", plain(), None);
    screen.status().activity(what, Instant::now());
    work()
}

/// Does work that includes a fit, and shows the fit. `title` says what is fitted. A signal that asks the program to end lets
/// the fit write a checkpoint first.
///
/// # Errors
/// If the whole terminal is asked for and standard output is not a terminal, and [`CliError::Interrupted`] after a signal.
pub(super) fn during_fit<T>(
    run: &RunDir,
    title: &str,
    view: View,
    work: impl FnOnce(&mut dyn Observer) -> T,
) -> Result<T, CliError> {
    let display = match view {
        View::Plain => plain(),
        View::Full => Box::new(tui::Tui::new()?),
    };
    let screen = Screen::new(title, display, Some(FitSignals::new()));
    let shared = screen.shared.clone();
    let result = work(&mut Progress { screen, run: run.clone() });
    match shared.signal.load(Ordering::Acquire) {
        0 => Ok(result),
        signal => Err(CliError::Interrupted(signal)),
    }
}

/// Shows a fit.
struct Progress {
    screen: Screen,
    run: RunDir,
}

impl Observer for Progress {
    fn phase(&mut self, name: &str, epoch: usize, epochs: usize) {
        let mut status = self.screen.status();
        if status.reports.is_empty() {
            // A run that is resumed already has reports; if they can't be read, they are not shown.
            status.reports = self.run.metrics().unwrap_or_default();
        }
        status.phase(name, epoch, epochs, Instant::now());
    }

    fn epoch(&mut self, report: &EpochReport) {
        self.screen.status().epoch(report.clone(), Instant::now());
    }

    fn activity(&mut self, name: &str) {
        self.screen.status().activity(name, Instant::now());
    }

    fn batch(&mut self, done: usize, batches: usize) {
        self.screen.status().batch(done, batches);
    }

    fn failure(&mut self) -> Option<io::Error> {
        let asked = || io::Error::new(io::ErrorKind::Interrupted, "on request");
        self.screen.wishes(Wish::StopNow).then(asked)
    }

    fn is_asked_to_stop(&mut self) -> bool {
        self.screen.wishes(Wish::StopAfterEpoch)
    }

    fn stop_flag(&self) -> StopFlag {
        self.screen.shared.stop.clone()
    }
}
