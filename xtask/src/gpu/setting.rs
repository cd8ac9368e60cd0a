//! What the set runs, and where.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rayon::prelude::*;

/// What the set runs, and where.
pub(crate) struct Setting {
    /// The program.
    pub(crate) program: PathBuf,
    /// `cuda` or `wgpu`.
    pub(crate) backend: String,
    /// An NPZ file with images and labels, such as MNIST, without which the parts that need them are left out.
    pub(crate) samples: Option<PathBuf>,
    /// The script that trains the same layers with PyTorch.
    pub(crate) pytorch: PathBuf,
    /// Where runs and results are written.
    pub(crate) out: PathBuf,
    /// The time for everything.
    pub(crate) limit: Duration,
    /// Whether only what a slow device bears is run: fewer methods, nothing that is timed.
    pub(crate) is_small: bool,
    /// Whether all methods are run even so.
    pub(crate) every_method: bool,
}

impl Setting {
    /// The device with or without fusion.
    pub(crate) fn device(&self, is_fused: bool) -> String {
        format!("{}{}", self.backend, if is_fused { "" } else { "-unfused" })
    }

    /// Runs trials one after the other, or side by side where nothing is timed: much of a program's time on a slow device passes
    /// on one processor, which compiles kernels.
    pub(crate) fn each<T: Sync, R: Send>(&self, trials: &[T], run: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
        if self.is_small { trials.par_iter().map(run).collect() } else { trials.iter().map(run).collect() }
    }

    /// The program, which reads nothing from the terminal. On a slow device it tries few kernels for each operation, since trying
    /// one takes seconds there.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.stdin(Stdio::null());
        if self.is_small {
            command.env("CUBECL_AUTOTUNE_LEVEL", "minimal");
        }
        // Mesa's drivers ask for the folder of a session, which a machine without one doesn't have.
        if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
            command.env("XDG_RUNTIME_DIR", &self.out);
        }
        command
    }
}
