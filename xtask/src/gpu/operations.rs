//! Part 1: each operation of the training, forward and backward, against the CPU; with and without fusion, and with more and
//! less searching for the fastest kernels.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::results::{Line, Part};
use super::setting::Setting;

/// Whether operations are fused, and how many kernels are tried for one (`CUBECL_AUTOTUNE_LEVEL`).
const VARIANTS: [(bool, &str); 3] = [(true, "balanced"), (false, "balanced"), (true, "full")];

/// The same for slow devices, on which trying a kernel takes seconds.
const SMALL_VARIANTS: [(bool, &str); 2] = [(true, "minimal"), (false, "minimal")];

pub(crate) fn check(setting: &Setting, limit: Duration) -> Result<Part> {
    let variants = if setting.is_small { &SMALL_VARIANTS[..] } else { &VARIANTS[..] };
    let each = limit / 2 / variants.len() as u32;
    let lines = setting.each(variants, |&(is_fused, level)| {
        let name = format!("{}, autotune {level}", setting.device(is_fused));
        variant(setting, is_fused, level, each)
            .unwrap_or_else(|error| Line::new("", format!("{error:#}"), false))
            .named(name)
    });
    Ok(Part::new("operations", lines))
}

fn variant(setting: &Setting, is_fused: bool, level: &str, limit: Duration) -> Result<Line> {
    let log = setting.out.join(format!("operations-{}-{level}.jsonl", setting.device(is_fused)));
    let file = std::fs::File::create(&log).with_context(|| log.display().to_string())?;
    let mut command = setting.command();
    command.args(["devices", "--json", "--check", &setting.device(is_fused)]);
    if setting.is_small {
        command.arg("--small");
    }
    command.env("CUBECL_AUTOTUNE_LEVEL", level);
    let child = command.stdout(file).stderr(Stdio::null()).spawn()?;
    let status = super::trials::wait(child, limit)?;
    let text = std::fs::read_to_string(&log)?;
    let operations: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let wrong: Vec<String> = (operations.iter())
        .filter(|operation| operation["right"] != true)
        .map(|operation| format!("{} ({} {})", operation["operation"], operation["difference"], operation["failure"]))
        .collect();
    let greatest = operations.iter().filter_map(|operation| operation["difference"].as_f64()).fold(0.0, f64::max);
    let end = match status {
        Some(status) if status.success() || !wrong.is_empty() => String::new(),
        Some(status) => format!("; ended early: {status}"),
        None => format!("; killed after {} s", limit.as_secs()),
    };
    let holds = wrong.is_empty() && end.is_empty() && !operations.is_empty();
    let found = format!(
        "{} of {} right, the greatest difference {greatest:.1e}{end}{}",
        operations.len() - wrong.len(),
        operations.len(),
        if wrong.is_empty() { String::new() } else { format!("; wrong: {}", wrong.join(", ")) }
    );
    Ok(Line::new("", found, holds))
}
