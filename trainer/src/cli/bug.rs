//! Reports a panic, which is always a bug in this program.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::output::tell;
use super::signals::report_limits;

/// The exit code of a bug.
const BUG: u8 = 3;

/// The last panic's message and place.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Runs the program; a panic becomes a message and an exit code.
pub(super) fn guarded(program: impl FnOnce() -> ExitCode) -> ExitCode {
    let is_bug = Arc::new(AtomicBool::new(false));
    report_limits(&is_bug);
    panic::set_hook(Box::new(move |info| {
        is_bug.store(true, Ordering::Release);
        let trace = Backtrace::capture();
        let trace = match trace.status() {
            BacktraceStatus::Captured => format!("\n{trace}"),
            _ => String::new(),
        };
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{info}{trace}"));
    }));
    // After a panic, no part of the program is used again.
    panic::catch_unwind(AssertUnwindSafe(program)).unwrap_or_else(|_| {
        let panic = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
        tell(&message(&panic.unwrap_or_else(|| "the program panicked".into())));
        ExitCode::from(BUG)
    })
}

fn message(panic: &str) -> String {
    format!(
        "edgemix: this is a bug in edgemix {}: {panic}
Please report it with this message and the command that you typed; with RUST_BACKTRACE=1 the message has a backtrace.
A run that was being trained is intact up to its last checkpoint: the same command with --resume continues it.",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_message_that_says_what_to_send() {
        let before = panic::take_hook();
        let code = guarded(|| std::iter::once(1).skip(1).map(|_| ExitCode::SUCCESS).next().expect("an element"));
        panic::set_hook(before);
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(BUG)));
        let text = message("panicked at src/x.rs:1:2:\nan element");
        for part in ["a bug in edgemix", "an element", "report it with this message", "with --resume continues it"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
