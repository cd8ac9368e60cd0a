//! Files of a run that were changed after they were written: each is refused or has a meaning, and none makes the program
//! panic.
//!
//! `EDGEMIX_MUTATIONS=10000 cargo test --release -p edgemix --test suite tampered` makes more changes than the usual ones.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use edgemix::assessment::interval::SeedInterval;
use edgemix::data::{Dataset, Samples, Source};
use edgemix::methods::FitConfig;
use edgemix::random::stream;
use edgemix::report::write_report;
use edgemix::run::{RunDir, RunFile};
use edgemix::training::{EpochReport, Finding, Observer, PhaseSettings};
use edgemix::workflow::{ExistingRun, Export, FitOptions, Plan, WorkflowError, evaluate_run, fit, start};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// All files but the report, which is never read.
const FILES: [RunFile; 10] = [
    RunFile::Settings,
    RunFile::Data,
    RunFile::Metrics,
    RunFile::Checkpoint,
    RunFile::ClusterCount,
    RunFile::StickWeights,
    RunFile::Trained,
    RunFile::Model,
    RunFile::Interval,
    RunFile::Outcome,
];

fn mutations() -> usize {
    std::env::var("EDGEMIX_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(25)
}

fn dataset() -> Dataset {
    let values = (0..240).map(|i| ((i * 37 % 23) as f32) + if i % 4 < 2 { 60.0 } else { 0.0 }).collect();
    let labels = Some((0..120).map(|i| i % 2).collect());
    Dataset { samples: Samples::new("two groups", values, 2), labels, groups: None }
}

fn plan(dataset: &Dataset) -> Plan<'_> {
    let epochs = PhaseSettings::with_epochs(2);
    let encoder = "6-3".parse().unwrap();
    let config = FitConfig { encoder, reconstruction: epochs, clustering: epochs, ..FitConfig::default() };
    Plan::new(&Source::new("two groups"), dataset, config).unwrap()
}

const OPTIONS: FitOptions = FitOptions {
    device: edgemix::device::Device::Cpu,
    allow_disagreement: true,
    level: edgemix::trained::LevelChoice::Trained,
};

/// A run that has every file, with the contents of each.
fn whole_run(folder: &Path, dataset: &Dataset) -> Vec<Vec<u8>> {
    let run = start(folder, &plan(dataset), ExistingRun::Refuse).unwrap();
    fit(&run, &plan(dataset), &OPTIONS, &mut ()).unwrap();
    run.write_finding(&Finding::StickWeights(vec![0.7, 0.2, 0.1])).unwrap();
    let halves = |shift: u16| (0..120).map(|i| (i + shift) / 40).collect();
    run.write_interval(&SeedInterval::new(&[(0, halves(0)), (1, halves(7)), (2, halves(20))])).unwrap();
    let outcome = r#"{"failure": null, "values": [0.5, null, 0.25, 2.0, 1.5, 900.0, 80.0, 1.0]}"#;
    fs::write(run.file(RunFile::Outcome), outcome).unwrap();
    FILES.map(|file| fs::read(run.file(file)).unwrap()).into()
}

/// Changes some bytes, or a number.
fn mutated(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    const NUMBERS: [&str; 9] =
        ["-1", "0", "1e999", "-1e308", "18446744073709551615", "9223372036854775808", "NaN", "inf", "65536"];
    let mut changed = bytes.to_vec();
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..7) {
        0 => changed[at] ^= 1 << random.random_range(0..8),
        1 => changed[at] = random.random(),
        2 => changed.truncate(at),
        3 => _ = changed.remove(at),
        4 => changed.insert(at, random.random()),
        5 => {
            let to = random.random_range(at..bytes.len().min(at + 40));
            changed.extend_from_within(at..to);
        }
        _ => {
            let digits = |at: usize| changed.get(at).is_some_and(|b| b.is_ascii_digit() || b"-.+e".contains(b));
            let Some(first) = (at..bytes.len()).find(|&at| digits(at)) else { return changed };
            let last = (first..bytes.len()).find(|&at| !digits(at)).unwrap_or(bytes.len());
            let number = NUMBERS[random.random_range(0..NUMBERS.len())];
            changed.splice(first..last, number.bytes());
        }
    }
    changed
}

/// Stops a fit after its first batch.
struct Stop;

impl Observer for Stop {
    fn phase(&mut self, _: &str, _: usize, _: usize) {}
    fn epoch(&mut self, _: &EpochReport) {}
    fn failure(&mut self) -> Option<std::io::Error> {
        Some(std::io::ErrorKind::Interrupted.into())
    }
}

/// Reads every file of the run in every way, and says whether all was accepted.
fn is_accepted(folder: &Path, dataset: &Dataset) -> bool {
    let run = RunDir::open(folder);
    let source = Source::new("two groups");
    let state = run.state();
    let page = folder.join("page.html");
    let read = [
        run.config().is_ok(),
        run.record().is_ok(),
        run.metrics().is_ok(),
        run.interval().is_ok(),
        run.trained().is_ok(),
        run.model().is_ok(),
        run.stick_weights().is_ok(),
        run.cluster_count().is_ok(),
        evaluate_run(&run, &source, dataset).is_ok(),
        write_report(&run, dataset, "", &page).is_ok(),
        Export::new(&run, &source, dataset, None).is_ok(),
    ];
    state.is_ok() && !read.contains(&false)
}

/// Resumes the run from its checkpoint, in a copy.
fn resumed(folder: &Path, dataset: &Dataset) -> Result<(), WorkflowError> {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("checkpoints")).unwrap();
    for file in [RunFile::Settings, RunFile::Data, RunFile::Metrics, RunFile::Checkpoint] {
        fs::copy(folder.join(file.name()), copy.path().join(file.name())).unwrap();
    }
    let run = start(copy.path(), &plan(dataset), ExistingRun::Resume)?;
    fit(&run, &plan(dataset), &OPTIONS, &mut Stop).map(|_| ())
}

#[test]
fn a_file_that_was_tampered_with_is_refused_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset();
    let whole = whole_run(folder.path(), &dataset);
    assert!(is_accepted(folder.path(), &dataset));
    for (file, bytes) in FILES.into_iter().zip(&whole) {
        let path = folder.path().join(file.name());
        let mut accepted = 0;
        for index in 0..mutations() {
            let changed = mutated(bytes, &mut stream(7, file.name(), index as u64));
            fs::write(&path, &changed).unwrap();
            let work = || {
                let is_accepted = is_accepted(folder.path(), &dataset);
                if matches!(file, RunFile::Settings | RunFile::Data | RunFile::Metrics | RunFile::Checkpoint) {
                    let is_resumed = resumed(folder.path(), &dataset).is_ok();
                    return is_accepted && (file != RunFile::Checkpoint || is_resumed);
                }
                is_accepted
            };
            let found = catch_unwind(AssertUnwindSafe(work));
            let Ok(is_accepted) = found else {
                panic!("{file}, change {index}: {:?}", String::from_utf8_lossy(&changed))
            };
            accepted += usize::from(is_accepted && changed != *bytes);
            if matches!(file, RunFile::Trained | RunFile::Model | RunFile::Checkpoint) {
                // Bytes after the end of a model are no part of it.
                let is_same = changed == *bytes || (file == RunFile::Model && changed.starts_with(bytes));
                assert!(!is_accepted || is_same, "{file}, change {index} is not noticed");
            }
        }
        println!("{file}: {accepted} of {} changes have a meaning", mutations());
        fs::write(&path, bytes).unwrap();
    }
    assert!(is_accepted(folder.path(), &dataset));
}

/// A checkpoint with a checksum that fits, which accidents do not make.
#[test]
fn a_checkpoint_that_was_crafted_is_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset();
    let whole = whole_run(folder.path(), &dataset);
    let bytes = &whole[3];
    let body = &bytes[..bytes.len() - 32];
    let path = folder.path().join(RunFile::Checkpoint.name());
    for index in 0..mutations() {
        let mut changed = mutated(body, &mut stream(8, "checkpoint", index as u64));
        let digest = Sha256::digest(&changed);
        changed.extend_from_slice(&digest);
        fs::write(&path, &changed).unwrap();
        let found = catch_unwind(AssertUnwindSafe(|| resumed(folder.path(), &dataset).is_ok()));
        assert!(found.is_ok(), "change {index}");
    }
}
