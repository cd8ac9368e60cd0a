//! A process that trains the runs that another process of this program gives to it.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::messages::{Answer, Order, send};
use super::series::Series;
use crate::cli::error::CliError;
use crate::cli::output::label;
use crate::cli::signals;

/// Trains runs until there are no more.
pub(super) fn serve(series: &mut dyn Series) -> Result<(), CliError> {
    let (names, orders) = (series.names(), listen());
    answer(Answer::Ready);
    // The names are those of the other process, since both have the same arguments.
    while let Ok(Order::Train(index)) = orders.recv() {
        label(names.get(index).map_or("", String::as_str));
        answer(Answer::Over(series.train(index)?));
    }
    Ok(())
}

/// If nobody reads the answer, nobody writes orders either, and that ends this process.
fn answer(answer: Answer) {
    let _ = send(io::stdout().lock(), &answer);
}

/// The orders. Those to stop come as signals, and so does the end of the other process: they interrupt a training, too.
fn listen() -> Receiver<Order> {
    let (sender, orders) = channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            match line.ok().and_then(|line| serde_json::from_str(&line).ok()) {
                Some(Order::Signal(signal)) => signals::raise(signal),
                Some(order) => {
                    if sender.send(order).is_err() || order == Order::End {
                        return;
                    }
                }
                None => break,
            }
        }
        signals::raise(signals::TERMINATION);
    });
    orders
}
