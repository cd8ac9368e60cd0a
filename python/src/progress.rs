//! Long work in a thread of its own, while the thread of Python reports its progress and looks for Ctrl-C.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use edgemix::stop::StopFlag;
use edgemix::training::{EpochReport, Observer};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// How long Python may not look at its signals.
const TICK: Duration = Duration::from_millis(100);
/// The main thread of a program usually has so much, and a new one less.
const STACK: usize = 8 << 20;

/// What a callback is told.
enum Event {
    Epoch(EpochReport),
    /// Work that has no epochs.
    Activity(String),
}

/// Passes on what a fit reports, and stops it when the flag is raised.
struct Reporter {
    events: Sender<Event>,
    /// Raised when the fit should stop after the epoch, with a checkpoint.
    stop: StopFlag,
    /// Raised when the fit should stop at once.
    halt: StopFlag,
}

impl Observer for Reporter {
    fn phase(&mut self, _: &str, _: usize, _: usize) {}

    fn epoch(&mut self, report: &EpochReport) {
        // Nobody listens any more after an exception.
        let _ = self.events.send(Event::Epoch(report.clone()));
    }

    fn activity(&mut self, name: &str) {
        let _ = self.events.send(Event::Activity(name.to_owned()));
    }

    fn failure(&mut self) -> Option<io::Error> {
        self.halt.is_raised().then(|| io::Error::new(io::ErrorKind::Interrupted, "on request"))
    }

    fn is_asked_to_stop(&mut self) -> bool {
        self.stop.is_raised()
    }

    fn stop_flag(&self) -> StopFlag {
        self.stop.clone()
    }
}

/// Does work without Python's lock. Meanwhile `callback` is called with each report, in the calling thread. What it raises
/// ends the work, as Ctrl-C does: after the epoch, with a checkpoint, if `ends_epochs` and until Ctrl-C comes again, and else at
/// once.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    callback: Option<Py<PyAny>>,
    ends_epochs: bool,
    work: impl FnOnce(&mut dyn Observer) -> T + Send,
) -> PyResult<T> {
    let (stop, halt) = (StopFlag::default(), StopFlag::default());
    let (events, reports) = channel();
    let mut reporter = Reporter { events, stop: stop.clone(), halt: halt.clone() };
    py.detach(move || {
        thread::scope(|scope| {
            let worker = thread::Builder::new().name("edgemix".into()).stack_size(STACK);
            // The reporter is dropped with the work, which ends the reports.
            let worker = worker.spawn_scoped(scope, move || work(&mut reporter))?;
            let raised = listen(&reports, callback.as_ref());
            if raised.is_err() {
                stop.raise();
                if !ends_epochs || listen(&reports, None).is_err() {
                    halt.raise();
                }
            }
            let result = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            raised.map(|()| result)
        })
    })
}

/// Passes reports on until the work ends, or until Python raises something.
fn listen(reports: &Receiver<Event>, callback: Option<&Py<PyAny>>) -> PyResult<()> {
    loop {
        match reports.recv_timeout(TICK) {
            Ok(event) => Python::attach(|py| {
                py.check_signals()?;
                callback.map_or(Ok(()), |callback| tell(py, callback, event))
            })?,
            Err(RecvTimeoutError::Timeout) => Python::attach(|py| py.check_signals())?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

fn tell(py: Python<'_>, callback: &Py<PyAny>, event: Event) -> PyResult<()> {
    let arguments = match event {
        Event::Epoch(report) => report_fields(py, report)?,
        Event::Activity(name) => (name, 0, 0, PyDict::new(py), None),
    };
    callback.call1(py, arguments).map(drop)
}

/// Phase, epoch from 1, epochs, losses by name, and clusters.
pub(crate) type Report<'py> = (String, usize, usize, Bound<'py, PyDict>, Option<usize>);

pub(crate) fn report_fields(py: Python<'_>, report: EpochReport) -> PyResult<Report<'_>> {
    let losses = PyDict::new(py);
    report.losses.iter().try_for_each(|(name, loss)| losses.set_item(name, loss))?;
    Ok((report.phase, report.epoch, report.epochs, losses, report.clusters))
}
