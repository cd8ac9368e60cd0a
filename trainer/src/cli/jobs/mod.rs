//! How many runs are trained at once, and where.

mod messages;
mod pool;
mod queue;
mod series;
mod worker;

use std::thread;
use std::time::Duration;

use clap::Args;

use super::devices::resolve;
use super::error::CliError;
use super::output::{self, tell};
use crate::device::{Device, DeviceChoice};
use pool::train_side_by_side;
use queue::Queue;
pub(super) use queue::Remaining;
pub(super) use series::{Series, Turn};

/// Time between two looks at runs that wait for another process.
const RETRY: Duration = Duration::from_secs(2);

/// How many runs are trained at once, and where.
#[derive(Args)]
pub(super) struct Jobs {
    /// Number of runs that are trained at once, each in a process of its own with its share of the cores. The bits are the same
    /// as one after the other.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), conflicts_with_all = ["devices", "tui"])]
    jobs: Option<u16>,
    /// Trains a run on each of these devices at once, such as cuda:0,cuda:1; a device that is named twice gets two.
    #[arg(long, value_name = "DEVICE,...", value_delimiter = ',', conflicts_with_all = ["device", "tui"])]
    devices: Vec<String>,
    /// Trains what another process of this program says, on this device.
    #[arg(long, value_name = "DEVICE", hide = true)]
    worker: Option<String>,
}

impl Jobs {
    /// Whether several runs, or several devices, are asked for.
    pub(super) fn is_given(&self) -> bool {
        self.jobs.is_some() || !self.devices.is_empty()
    }

    /// Whether another process of this program started this one.
    pub(super) fn is_worker(&self) -> bool {
        self.worker.is_some()
    }

    /// The device of this process, which is `device` unless the flags name another one.
    ///
    /// # Errors
    /// If a device has no such name, or can't be used.
    pub(super) fn device(&self, device: &str) -> Result<Device, CliError> {
        for name in &self.devices {
            name.trim().parse::<DeviceChoice>()?.resolve()?;
        }
        let first = self.devices.first().map(|name| name.trim());
        resolve(self.worker.as_deref().or(first).unwrap_or(device))
    }

    /// Does what comes before training. A worker repeats nothing that the process said that started it.
    pub(super) fn prepare<T>(&self, work: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
        match &self.worker {
            Some(device) => {
                output::label(device);
                output::silently(work)
            }
            None => work(),
        }
    }

    /// Trains the runs: here, or with workers on `device` or on those that the flags name. Returns what other programs train
    /// and what was lost; `None` if this process is a worker, whose work is then over.
    ///
    /// # Errors
    /// Those of the runs that are trained here, [`CliError::Interrupted`] after a signal, and [`CliError::Lost`] if a worker
    /// refuses a run.
    pub(super) fn train(&self, series: &mut dyn Series, device: &str) -> Result<Option<Remaining>, CliError> {
        if self.worker.is_some() {
            return worker::serve(series).map(|()| None);
        }
        let devices: Vec<String> = match self.jobs {
            Some(n) => vec![device.to_owned(); n.into()],
            None => self.devices.iter().map(|name| name.trim().to_owned()).collect(),
        };
        let remaining = if devices.len() > 1 { train_side_by_side(series, &devices) } else { one_by_one(series) };
        remaining.map(Some)
    }
}

/// Trains the runs in this process.
fn one_by_one(series: &mut dyn Series) -> Result<Remaining, CliError> {
    let mut queue = Queue::new(series.names());
    loop {
        while let Some(index) = queue.next() {
            tell(&queue.title(index));
            let turn = series.train(index)?;
            if turn == Turn::Held {
                tell("note: this run is left to the process that trains it");
            }
            queue.answer(index, turn);
        }
        queue.retry(|index| series.may_be_started_from(index));
        if queue.is_empty() {
            return Ok(queue.remaining(""));
        }
        thread::sleep(RETRY);
    }
}
