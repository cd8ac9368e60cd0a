//! What the set runs, and where.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

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
}

impl Setting {
    /// The device with or without fusion.
    pub(crate) fn device(&self, is_fused: bool) -> String {
        format!("{}{}", self.backend, if is_fused { "" } else { "-unfused" })
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
