//! The metrics of a run: one line of JSON per epoch.

use std::fs;
use std::io;
use std::path::Path;

use super::disk;
use super::error::RunError;
use super::write::write_whole;
use crate::training::EpochReport;

/// Reads all lines; a file that does not exist has none.
pub(super) fn read(path: &Path) -> Result<Vec<EpochReport>, RunError> {
    let Some(text) = text(path)? else { return Ok(vec![]) };
    text.lines().enumerate().map(|(index, line)| parse(path, index, line)).collect()
}

/// Appends a line.
pub(super) fn append(path: &Path, report: &EpochReport) -> Result<(), RunError> {
    let mut line = serde_json::to_vec(report).map_err(|error| RunError::malformed(path, error))?;
    line.push(b'\n');
    disk::append(path, &line).map_err(RunError::io(path))
}

/// Removes the reports of a phase after its first `epochs` epochs, and a last line that was cut off. The other lines stay
/// byte for byte.
pub(super) fn truncate(path: &Path, phase: &str, epochs: usize) -> Result<(), RunError> {
    let Some(text) = text(path)? else { return Ok(()) };
    let mut kept = String::new();
    for (index, line) in text.split_inclusive('\n').filter(|line| line.ends_with('\n')).enumerate() {
        let report = parse(path, index, line)?;
        if report.phase != phase || report.epoch <= epochs {
            kept.push_str(line);
        }
    }
    if kept == text { Ok(()) } else { write_whole(path, kept.as_bytes()).map_err(RunError::io(path)) }
}

fn text(path: &Path) -> Result<Option<String>, RunError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        bytes => RunError::text(path, bytes.map_err(RunError::io(path))?).map(Some),
    }
}

fn parse(path: &Path, index: usize, line: &str) -> Result<EpochReport, RunError> {
    serde_json::from_str(line).map_err(|error| RunError::Malformed {
        path: path.into(),
        line: Some(index + 1),
        problem: format!("expected the report of an epoch: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::run::{RunDir, RunFile};

    fn report(phase: &str, epoch: usize) -> EpochReport {
        // The shortest decimal form of the loss is long: reading and writing it again need not reproduce it.
        let losses = vec![("reconstruction".into(), 4.717938721179962 / (epoch as f64 + 0.1))];
        EpochReport { phase: phase.into(), epoch, epochs: 5, losses, clusters: None }
    }

    #[test]
    fn the_metrics_of_a_resumed_run_are_those_of_an_uninterrupted_one() {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<_> =
            (1..=5).map(|e| report("reconstruct", e)).chain((1..=5).map(|e| report("cluster", e))).collect();
        let whole = RunDir::create(&folder.path().join("whole")).unwrap();
        all.iter().for_each(|r| whole.append_metrics(r).unwrap());
        let expected = fs::read(whole.file(RunFile::Metrics)).unwrap();
        // The run is killed after any number of epochs, in the middle of a line, and resumed from an earlier epoch.
        for killed in 0..=10 {
            for position in 0..=killed {
                let run = RunDir::create(&folder.path().join(format!("{killed}-{position}"))).unwrap();
                all[..killed].iter().for_each(|r| run.append_metrics(r).unwrap());
                let mut file =
                    fs::OpenOptions::new().create(true).append(true).open(run.file(RunFile::Metrics)).unwrap();
                file.write_all(b"{\"phase\":\"clus").unwrap();
                let phases = if position < 5 {
                    vec![("reconstruct", position), ("cluster", 0)]
                } else {
                    vec![("cluster", position - 5)]
                };
                let mut rest = all[position..].iter();
                for (phase, first) in phases {
                    run.truncate_metrics(phase, first).unwrap();
                    rest.by_ref().take(5 - first).for_each(|r| run.append_metrics(r).unwrap());
                }
                assert!(
                    fs::read(run.file(RunFile::Metrics)).unwrap() == expected,
                    "killed after {killed}, from {position}"
                );
            }
        }
    }
}
