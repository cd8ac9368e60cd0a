//! Runs a test of this file in a process whose address space is limited.

use std::env;
use std::process::{Command, Output};

use edgemix::data::MemoryLimit;

/// How much memory samples may take.
pub(crate) const MEMORY: MemoryLimit = MemoryLimit(64 << 20);
/// How much address space the process may take beyond that.
const BEYOND: u64 = 300 << 20;

/// Whether this process is limited.
pub(crate) fn is_limited() -> bool {
    env::var_os("EDGEMIX_LIMITED").is_some()
}

/// Runs the ignored test `name` of this program alone, in a limited process.
pub(crate) fn run(name: &str, variables: &[(&str, String)]) -> Output {
    let mut command = Command::new("sh");
    let script = format!("ulimit -v {}; exec \"$@\"", (MEMORY.0 + BEYOND) >> 10);
    command.args(["-c", &script, "sh"]).arg(env::current_exe().unwrap());
    command.args([name, "--exact", "--ignored", "--nocapture", "--test-threads", "1"]);
    // Each thread of glibc's allocator reserves 64 MB of address space for itself.
    command.envs([
        ("EDGEMIX_LIMITED", "1"),
        ("MALLOC_ARENA_MAX", "1"),
        ("RAYON_NUM_THREADS", "2"),
        ("RUST_BACKTRACE", "0"),
    ]);
    command.envs(variables.iter().map(|(name, value)| (name, value))).output().unwrap()
}

/// The greatest address space that this process has taken so far, in bytes.
pub(crate) fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}
