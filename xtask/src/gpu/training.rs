//! Part 5: whole trainings, as many as the time allows, in the order in which their figures are wanted.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::results::{Line, Part};
use super::setting::Setting;
use super::trials::Trial;

/// The methods, each with the flags that are its own.
const RUNS: [(&str, &[&str]); 9] = [
    ("grow", &[]),
    ("adaptive-gmm", &["--clusters", "10"]),
    ("alpha-jsd", &[]),
    ("vade", &["--clusters", "10"]),
    ("dcan", &["--clusters", "10"]),
    ("k-dae", &["--clusters", "10"]),
    ("k-dvae", &["--clusters", "10"]),
    ("kld", &["--clusters", "10"]),
    ("depict", &["--clusters", "10"]),
];

pub(crate) fn run(setting: &Setting, limit: Duration) -> Result<Part> {
    let Some(samples) = &setting.samples else {
        return Ok(Part::left_out("runs", "no --samples were given"));
    };
    let (begin, data) = (Instant::now(), samples.display().to_string());
    let mut lines = vec![];
    for (method, own) in RUNS {
        let left = limit.saturating_sub(begin.elapsed());
        if left < Duration::from_secs(20) {
            lines.push(Line::new(method, "left out: no time was left", true));
            continue;
        }
        let flags = [&[data.as_str(), "--method", method], own].concat();
        lines.push(
            one(setting, method, &flags, left).unwrap_or_else(|error| Line::new(method, format!("{error:#}"), false)),
        );
    }
    Ok(Part::new("runs", lines))
}

fn one(setting: &Setting, method: &str, flags: &[&str], limit: Duration) -> Result<Line> {
    let (begin, trial) = (Instant::now(), Trial::new(setting, &format!("whole-{method}")));
    let child = trial.begin(setting, &setting.device(true), flags)?;
    if super::trials::wait(child, limit)?.is_none() {
        let epochs = trial.epochs().len();
        return Ok(Line::new(method, format!("not finished within {} s: {epochs} epochs", limit.as_secs()), true));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let evaluation = trial.evaluation(setting, &[])?;
    let int8 = &evaluation["int8"];
    let score = |name: &str| int8["scores"][name].as_f64().with_context(|| format!("no {name}"));
    let found = format!(
        "{} clusters, ACC {:.3}, NMI {:.3}, int8 agrees by {:.3}, {seconds:.0} s",
        int8["clusters"],
        score("accuracy")?,
        score("nmi")?,
        evaluation["agreement"].as_f64().context("no agreement")?
    );
    Ok(Line::new(method, found, true))
}
