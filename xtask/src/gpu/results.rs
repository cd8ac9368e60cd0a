//! Results of the parts, in a file for programs and a table for people.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::setting::Setting;
use super::trials::program_output;

/// A line of a part: what was tried, what came of it, and whether it is as it must be.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) found: String,
    pub(crate) holds: bool,
}

impl Line {
    pub(crate) fn new(name: impl Into<String>, found: impl Into<String>, holds: bool) -> Self {
        Self { name: name.into(), found: found.into(), holds }
    }

    pub(crate) fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }
}

/// What a part found.
pub(crate) struct Part {
    name: &'static str,
    seconds: f64,
    lines: Vec<Line>,
}

impl Part {
    pub(crate) fn new(name: &'static str, lines: Vec<Line>) -> Self {
        Self { name, seconds: 0.0, lines }
    }

    pub(crate) fn failed(name: &'static str, problem: &str) -> Self {
        Self::new(name, vec![Line::new(name, problem, false)])
    }

    pub(crate) fn left_out(name: &'static str, reason: &str) -> Self {
        Self::new(name, vec![Line::new(name, format!("left out: {reason}"), true)])
    }

    pub(crate) fn after(self, time: Duration) -> Self {
        Self { seconds: time.as_secs_f64(), ..self }
    }
}

/// The results of the parts that have run.
pub(crate) struct Results {
    devices: String,
    parts: Vec<Part>,
    out: PathBuf,
}

impl Results {
    /// No results yet, and the device's name.
    pub(crate) fn new(setting: &Setting) -> Result<Self> {
        let devices = program_output(setting, &["devices"])?;
        let own = devices.lines().filter(|line| line.starts_with(&setting.backend)).collect::<Vec<_>>().join("; ");
        ensure!(!own.is_empty(), "{} has no device here: `edgemix devices` says why", setting.backend);
        println!("{own}");
        Ok(Self { devices: own, parts: vec![], out: setting.out.clone() })
    }

    /// Adds a part, and writes all results.
    pub(crate) fn add(&mut self, part: Part) -> Result<()> {
        self.parts.push(part);
        let write = |name: &str, text: String| {
            let path = self.out.join(name);
            fs::write(&path, text).with_context(|| path.display().to_string())
        };
        write("results.json", serde_json::to_string_pretty(&self.as_json())?)?;
        write("results.md", self.table())
    }

    fn as_json(&self) -> Value {
        let line = |line: &Line| json!({ "name": line.name, "found": line.found, "holds": line.holds });
        let part = |part: &Part| {
            json!({
                "name": part.name,
                "seconds": part.seconds,
                "lines": part.lines.iter().map(line).collect::<Vec<_>>(),
            })
        };
        json!({ "devices": self.devices, "parts": self.parts.iter().map(part).collect::<Vec<_>>() })
    }

    /// A table in Markdown.
    pub(crate) fn table(&self) -> String {
        let mut table = format!("{}\n\n| part | what | found | holds |\n|---|---|---|---|\n", self.devices);
        for part in &self.parts {
            for line in &part.lines {
                let holds = if line.holds { "yes" } else { "NO" };
                table += &format!("| {} | {} | {} | {holds} |\n", part.name, line.name, line.found);
            }
            table += &format!("| {} | all | {:.0} s | |\n", part.name, part.seconds);
        }
        table
    }

    /// # Errors
    /// If a line does not hold.
    pub(crate) fn verdict(&self) -> Result<()> {
        let wrong: Vec<String> = (self.parts.iter())
            .flat_map(|part| part.lines.iter().map(move |line| (part, line)))
            .filter(|(_, line)| !line.holds)
            .map(|(part, line)| format!("{}: {}: {}", part.name, line.name, line.found))
            .collect();
        ensure!(wrong.is_empty(), "not as it must be on {}:\n{}", self.devices, wrong.join("\n"));
        Ok(())
    }
}
