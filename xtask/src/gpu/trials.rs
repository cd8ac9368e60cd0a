//! Runs of the trainer with a limit of time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use super::setting::Setting;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// What the program prints for these arguments; its failure is an error.
pub(crate) fn program_output(setting: &Setting, arguments: &[&str]) -> Result<String> {
    let output = setting.command().args(arguments).output();
    let output = output.with_context(|| format!("{} cannot be started", setting.program.display()))?;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "`edgemix {}` failed: {error}", arguments.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A training, and what is in its directory.
pub(crate) struct Trial {
    pub(crate) directory: PathBuf,
    log: PathBuf,
}

impl Trial {
    pub(crate) fn new(setting: &Setting, name: &str) -> Self {
        let directory = setting.out.join("runs").join(name);
        let log = setting.out.join("runs").join(format!("{name}.log"));
        Self { directory, log }
    }

    /// Begins to train in an empty directory.
    pub(crate) fn begin(&self, setting: &Setting, device: &str, flags: &[&str]) -> Result<Child> {
        if self.directory.exists() {
            fs::remove_dir_all(&self.directory).with_context(|| self.directory.display().to_string())?;
        }
        if let Some(folder) = self.log.parent() {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        self.spawn(setting, device, flags)
    }

    /// Starts the program, which writes to this trial's directory and log.
    pub(crate) fn spawn(&self, setting: &Setting, device: &str, flags: &[&str]) -> Result<Child> {
        let log = File::create(&self.log).with_context(|| self.log.display().to_string())?;
        let mut command = setting.command();
        command.arg("train").args(flags).args(["--device", device, "--out"]).arg(&self.directory);
        command.stdout(log.try_clone()?).stderr(log);
        command.spawn().with_context(|| format!("{} cannot be started", setting.program.display()))
    }

    /// Trains to the end, or fails with the end of the log.
    pub(crate) fn train(&self, setting: &Setting, device: &str, flags: &[&str], limit: Duration) -> Result<()> {
        let child = self.begin(setting, device, flags)?;
        self.expect_end(child, limit)
    }

    /// Waits for a training that must succeed.
    pub(crate) fn expect_end(&self, child: Child, limit: Duration) -> Result<()> {
        match wait(child, limit)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("{status}: {}", self.last_words()),
            None => bail!("killed after {} s: {}", limit.as_secs(), self.last_words()),
        }
    }

    /// The last lines that the program wrote.
    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(3)..].join(" / ")
    }

    /// The phase, the losses by name and the clusters of each epoch so far.
    pub(crate) fn epochs(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.directory.join("metrics.jsonl")).unwrap_or_default();
        // The last line may be half written while the program trains.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What `edgemix evaluate` says of the run, for its own samples or for these.
    pub(crate) fn evaluation(&self, setting: &Setting, flags: &[&str]) -> Result<Value> {
        let directory = self.directory.display().to_string();
        let text = program_output(setting, &[&["evaluate", &directory, "--json"], flags].concat())?;
        Ok(serde_json::from_str(&text)?)
    }

    /// A file of the run.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path: &Path = &self.directory.join(name);
        fs::read(path).with_context(|| path.display().to_string())
    }
}

/// Waits for a program to end; `None` if it had to be killed.
pub(crate) fn wait(mut child: Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let begin = Instant::now();
    while begin.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
