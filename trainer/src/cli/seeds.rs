//! `edgemix train --seeds N`: several runs on the same samples, and what they agree on.

use std::fs;
use std::path::{Path, PathBuf};

use super::train::{FitOptions, fit, start};
use super::{CliError, evaluate, report};
use crate::assessment::interval::{ClusterFate, SeedInterval};
use crate::data::{DataRecord, Dataset};
use crate::methods::FitConfig;
use crate::run::{RunDir, write_whole};
use crate::training::FitError;

/// What the runs agree on, in the directory of all of them.
const INTERVAL: &str = "seeds.json";
/// What a run's directory holds that the directory of all of them takes over from the medoid.
const TAKEN: [&str; 7] =
    ["data.toml", "clusters.json", "sticks.json", "metrics.jsonl", "trained.bin", "model.emx", "config.toml"];

/// The directory of a run of several.
pub(super) fn directory(out: &Path, seed: u64) -> PathBuf {
    out.join(format!("seed-{seed}"))
}

/// Trains with `seeds` seeds from the settings' own on, each in a directory of its own below `out`; what is done is not
/// done again. The run that agrees best with the others is then `out`'s own.
pub(super) fn train(
    out: &Path,
    seeds: u64,
    dataset: &Dataset,
    record: &DataRecord,
    config: &FitConfig,
    options: FitOptions,
    force: bool,
) -> Result<SeedInterval, CliError> {
    let all = RunDir::create(out).map_err(CliError::io(out))?;
    if all.is_started() && !all.file(INTERVAL).exists() {
        return Err(CliError::Use(format!(
            "{}: there is a single run already: choose another --out for several",
            out.display()
        )));
    }
    let mut found = vec![];
    for seed in config.seed..config.seed + seeds {
        let out = directory(out, seed);
        eprintln!("{}", out.display());
        let config = FitConfig { seed, ..config.clone() };
        let started = RunDir::open(&out).is_started() && !force;
        let run = start(&out, &config, record, started, force)?;
        let trained = match evaluate::trained(&run) {
            Ok(trained) if started && run.file("model.emx").exists() => trained,
            _ => fit(&run, dataset, &config, options)?,
        };
        report::write(&run, &out, &record.source, dataset, &run.file("report.html"))?;
        found.push((seed, trained.assign(&dataset.samples).map_err(FitError::from)?));
    }
    let interval = SeedInterval::new(&found);
    let text = serde_json::to_vec_pretty(&interval).map_err(|error| CliError::Use(error.to_string()))?;
    let path = all.file(INTERVAL);
    write_whole(&path, &text).map_err(CliError::io(&path))?;
    let medoid = RunDir::open(&directory(out, interval.runs[interval.medoid].seed));
    for name in TAKEN {
        match fs::read(medoid.file(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            bytes => {
                let bytes = bytes.map_err(CliError::io(&medoid.file(name)))?;
                write_whole(&all.file(name), &bytes).map_err(CliError::io(&all.file(name)))?;
            }
        }
    }
    Ok(interval)
}

/// What several runs agreed on, if there were several.
pub(super) fn interval(run: &RunDir) -> Option<SeedInterval> {
    serde_json::from_slice(&fs::read(run.file(INTERVAL)).ok()?).ok()
}

/// For people.
pub(super) fn print(interval: &SeedInterval) -> String {
    let (fewest, most) = interval.range();
    let runs = interval.runs.len();
    let range = if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
    let medoid = interval.runs[interval.medoid];
    let mut text = format!(
        "{range} clusters of >= 1 % in {runs} runs, which agree by {:.3} (adjusted Rand index); seed {} agrees best, {:.3}\n",
        interval.agreement, medoid.seed, medoid.agreement
    );
    for (index, cluster) in interval.clusters.iter().enumerate() {
        let fate = match cluster.fate {
            ClusterFate::Persists => String::new(),
            ClusterFate::Merges(other) => format!(", elsewhere a part of cluster {other}"),
            ClusterFate::Dissolves => ", elsewhere in pieces".into(),
        };
        text += &format!(
            "cluster {index:<3} {:>5.1} % of the samples, found again {:.2} (Jaccard index){fate}\n",
            100.0 * cluster.share,
            cluster.jaccard
        );
    }
    text
}
