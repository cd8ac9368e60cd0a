//! Trains runs side by side, each in a process of its own: one that crashes costs its run, and no other.

use std::env;
use std::io::{BufRead, BufReader};
use std::num::NonZero;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::messages::{Answer, Order, send};
use super::queue::{Queue, Remaining};
use super::series::{Series, Turn};
use crate::cli::error::CliError;
use crate::cli::output::tell;
use crate::cli::signals::{self, FitSignals};

/// Time between two looks at signals.
const TICK: Duration = Duration::from_millis(100);
/// Time between two looks at runs that wait for others.
const RETRY: Duration = Duration::from_secs(2);
/// The environment variable with the number of threads of a process that trains on the CPU.
const THREADS: &str = "RAYON_NUM_THREADS";
/// The exit code of wrong use, which the next run would not be spared.
const WRONG_USE: i32 = 2;

/// What a worker did.
struct Event {
    worker: usize,
    /// What it says; `None` if it has ended.
    answer: Option<Answer>,
}

/// A process that trains.
struct Worker {
    process: Child,
    orders: ChildStdin,
    device: String,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It reads the samples.
    Starting,
    Idle,
    /// It trains the run of this index.
    Training(usize),
    /// It was told to end.
    Ending,
    /// It has ended.
    Gone,
}

/// The processes that train, and what they are to do.
struct Pool {
    queue: Queue,
    workers: Vec<Worker>,
    sender: Sender<Event>,
    /// Threads of each worker.
    threads: usize,
    /// The signal that asked the program to end.
    stopped: Option<i32>,
    /// Whether a worker refused what it was started with.
    is_refused: bool,
}

/// Trains the runs with a worker on each of the devices. Returns what is left.
///
/// # Errors
/// [`CliError::Interrupted`] after a signal, which the workers get, too, and [`CliError::Usage`] if a worker can't be started or
/// refuses a run.
pub(super) fn train_side_by_side(series: &dyn Series, devices: &[String]) -> Result<Remaining, CliError> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let (sender, events) = channel();
    let mut pool = Pool {
        queue: Queue::new(series.names()),
        workers: vec![],
        sender,
        threads: (cores / devices.len()).max(1),
        stopped: None,
        is_refused: false,
    };
    let signals = FitSignals::new();
    devices.iter().try_for_each(|device| pool.start(device))?;
    pool.run(&events, &signals, series)?;
    match pool {
        Pool { stopped: Some(signal), .. } => Err(CliError::Interrupted(signal)),
        Pool { is_refused: true, queue, .. } => {
            Err(CliError::Lost { lost: queue.remaining("it was not begun").lost, is_wrong_use: true })
        }
        Pool { queue, .. } => Ok(queue.remaining("no process was left to train it")),
    }
}

impl Pool {
    /// Starts a worker.
    fn start(&mut self, device: &str) -> Result<(), CliError> {
        let refused = |error| CliError::Usage(format!("a process for {device} can't be started: {error}"));
        let mut command = Command::new(env::current_exe().map_err(refused)?);
        let mut arguments = env::args_os().skip(1);
        // The name of the command comes first; what follows may end with values alone.
        command.args(arguments.next()).args(["--worker", device]).args(arguments);
        if env::var_os(THREADS).is_none() {
            command.env(THREADS, self.threads.to_string());
        }
        // A terminal sends its signals to the whole group. The workers get them from here, once.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(refused)?;
        let (worker, sender) = (self.workers.len(), self.sender.clone());
        let (Some(orders), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(refused(std::io::ErrorKind::BrokenPipe.into()));
        };
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(answer) = line.map_err(drop).and_then(|line| serde_json::from_str(&line).map_err(drop)) else {
                    break;
                };
                let _ = sender.send(Event { worker, answer: Some(answer) });
            }
            let _ = sender.send(Event { worker, answer: None });
        });
        self.workers.push(Worker { process, orders, device: device.into(), state: State::Starting });
        Ok(())
    }

    fn run(&mut self, events: &Receiver<Event>, signals: &FitSignals, series: &dyn Series) -> Result<(), CliError> {
        let mut looked = Instant::now();
        loop {
            self.hand_out();
            if self.workers.iter().all(|worker| worker.state == State::Gone) {
                return Ok(());
            }
            match events.recv_timeout(TICK) {
                Ok(Event { worker, answer: Some(answer) }) => self.hear(worker, answer),
                Ok(Event { worker, answer: None }) => self.bury(worker)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if let Some(signal) = signals.take() {
                self.stopped = Some(signal);
                self.tell_all(Order::Signal(signal));
            }
            if looked.elapsed() > RETRY {
                self.queue.retry(|index| series.may_be_started_from(index));
                looked = Instant::now();
            }
        }
    }

    /// Gives runs to the workers that have none, and ends those that will get none.
    fn hand_out(&mut self) {
        for worker in self.workers.iter_mut().filter(|worker| worker.state == State::Idle) {
            let is_over = self.stopped.is_some() || self.is_refused;
            let (state, order) = match self.queue.next().filter(|_| !is_over) {
                Some(index) => {
                    tell(&format!("{} on {}", self.queue.title(index), worker.device));
                    (State::Training(index), Order::Train(index))
                }
                None if is_over || self.queue.is_empty() => (State::Ending, Order::End),
                None => continue,
            };
            worker.state = state;
            // A worker that is gone is noticed by its output.
            let _ = send(&worker.orders, &order);
        }
    }

    fn tell_all(&mut self, order: Order) {
        self.workers.iter().for_each(|worker| _ = send(&worker.orders, &order));
    }

    fn hear(&mut self, worker: usize, answer: Answer) {
        let worker = &mut self.workers[worker];
        if let (State::Training(index), Answer::Over(turn)) = (worker.state, answer) {
            if turn == Turn::Held {
                tell(&format!("note: {} is left to the process that trains it", self.queue.name(index)));
            }
            self.queue.answer(index, turn);
        }
        worker.state = State::Idle;
    }

    /// Takes note that a worker has ended. If its run ended it, another worker takes its place.
    fn bury(&mut self, worker: usize) -> Result<(), CliError> {
        let worker = &mut self.workers[worker];
        let status = worker.process.wait();
        self.is_refused |= status.as_ref().is_ok_and(|status| status.code() == Some(WRONG_USE));
        let reason = status.map_or_else(|error| error.to_string(), why);
        let (state, device) = (std::mem::replace(&mut worker.state, State::Gone), worker.device.clone());
        if self.stopped.is_some() {
            return Ok(());
        }
        match state {
            State::Training(index) => {
                tell(&format!("warning: {} is not finished: {reason}", self.queue.name(index)));
                self.queue.lose(index, reason);
                if self.is_refused || self.queue.is_empty() { Ok(()) } else { self.start(&device) }
            }
            State::Starting | State::Idle => {
                tell(&format!("warning: nothing more is trained on {device} here: {reason}"));
                Ok(())
            }
            State::Ending | State::Gone => Ok(()),
        }
    }
}

/// Why a process ended.
fn why(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("its process was ended by {}", signals::name(signal));
    }
    match status.code() {
        Some(code) => format!("its process ended with exit code {code}"),
        None => "its process was ended".into(),
    }
}
