//! Signals: those that ask the program to end let a fit write a checkpoint first, and those that report a limit become
//! errors.

#[cfg(unix)]
pub(super) use unix::{FitSignals, TERMINATION, die, name, raise, report_limits};

#[cfg(not(unix))]
pub(super) use other::{FitSignals, TERMINATION, die, name, raise, report_limits};

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, LazyLock};

    use signal_hook::consts::{SIGABRT, SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::{flag, low_level};

    /// The exit code if there is not enough memory.
    const FAILED: i32 = 1;

    /// The last signal that asked the program to end, 0 for none.
    static LAST: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);
    /// Whether such a signal ends the program at once, as it does when nothing is fitted.
    static ENDS: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));
    static REGISTERED: LazyLock<io::Result<()>> = LazyLock::new(register);

    fn register() -> io::Result<()> {
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            // nohup and shells ignore signals on behalf of the program.
            if !is_ignored(signal) {
                flag::register_conditional_default(signal, ENDS.clone())?;
                flag::register_usize(signal, LAST.clone(), signal as usize)?;
            }
        }
        Ok(())
    }

    /// Whether the process was started with this signal ignored, as far as the system tells.
    fn is_ignored(signal: i32) -> bool {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }

    /// While this value exists, signals do not end the program but are kept until they are asked for.
    pub(in crate::cli) struct FitSignals(());

    impl FitSignals {
        pub(in crate::cli) fn new() -> Self {
            // If no handler can be installed, signals end the program as they do anyway.
            if LazyLock::force(&REGISTERED).is_ok() {
                LAST.store(0, Ordering::Release);
                ENDS.store(false, Ordering::Release);
            }
            Self(())
        }

        /// The signal that came since the last call.
        pub(in crate::cli) fn take(&self) -> Option<i32> {
            Some(LAST.swap(0, Ordering::AcqRel) as i32).filter(|&signal| signal > 0)
        }
    }

    impl Drop for FitSignals {
        fn drop(&mut self) {
            ENDS.store(true, Ordering::Release);
        }
    }

    /// The signal that asks a program to end.
    pub(in crate::cli) const TERMINATION: i32 = SIGTERM;

    /// Sends a signal to this process.
    pub(in crate::cli) fn raise(signal: i32) {
        let _ = low_level::raise(signal);
    }

    /// Ends the process as a program without handlers ends by this signal.
    pub(in crate::cli) fn die(signal: i32) {
        let _ = low_level::emulate_default_handler(signal);
    }

    pub(in crate::cli) fn name(signal: i32) -> &'static str {
        low_level::signal_name(signal).unwrap_or("a signal")
    }

    /// Lets a file that becomes larger than allowed be an error of writing, and a lack of memory an exit code, after the
    /// message of the standard library. `is_bug` tells a panic, after which an abort is no lack of memory.
    pub(in crate::cli) fn report_limits(is_bug: &Arc<AtomicBool>) {
        // Without these handlers, the process ends by the signals.
        let _ = flag::register(SIGXFSZ, Arc::default());
        let _ = flag::register_conditional_default(SIGABRT, is_bug.clone());
        let _ = flag::register_conditional_shutdown(SIGABRT, FAILED, Arc::new(AtomicBool::new(true)));
    }
}

#[cfg(not(unix))]
mod other {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    /// This system has no such signals.
    pub(in crate::cli) struct FitSignals(());

    impl FitSignals {
        pub(in crate::cli) fn new() -> Self {
            Self(())
        }

        pub(in crate::cli) fn take(&self) -> Option<i32> {
            None
        }
    }

    pub(in crate::cli) const TERMINATION: i32 = 15;

    pub(in crate::cli) fn raise(_: i32) {}

    pub(in crate::cli) fn die(_: i32) {}

    pub(in crate::cli) fn name(_: i32) -> &'static str {
        "a signal"
    }

    pub(in crate::cli) fn report_limits(_: &Arc<AtomicBool>) {}
}
