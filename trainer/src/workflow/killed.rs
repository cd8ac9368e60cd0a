//! A training that is killed before any of its changes to the disk: the old run or the new one is whole, and the next start
//! completes or repeats what is missing.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{ExistingRun, FitOptions, Plan, fit, start};
use crate::data::{Dataset, Samples, Source};
use crate::methods::{FitConfig, MethodConfig};
use crate::run::{KILL_AT, RunDir, RunFile};
use crate::training::PhaseSettings;

const FOLDER: &str = "EDGEMIX_TEST_FOLDER";

/// What is compared: all files whose bytes are the same in every training, and those that a k-means run lacks.
const COMPARED: [RunFile; 6] =
    [RunFile::Settings, RunFile::Data, RunFile::Metrics, RunFile::StickWeights, RunFile::Trained, RunFile::Model];

fn dataset() -> Dataset {
    let values = (0..120).map(|i| ((i * 37 % 11) as f32) + if i % 4 < 2 { 40.0 } else { 0.0 }).collect();
    Dataset { samples: Samples::new("two groups", values, 2), labels: None, groups: None }
}

fn plan<'a>(dataset: &'a Dataset, method: &str, seed: u64) -> Plan<'a> {
    let mut method = MethodConfig::named(method).unwrap();
    method.set_n_clusters(2);
    let epochs = PhaseSettings::with_epochs(2);
    let config = FitConfig {
        encoder: "4-2".parse().unwrap(),
        reconstruction: epochs,
        clustering: epochs,
        checkpoint_every: 1,
        holdout: 0.0,
        method,
        seed,
        ..FitConfig::default()
    };
    Plan::new(&Source::new("two groups"), dataset, config).unwrap()
}

/// Trains the run that replaces another one, or resumes that.
fn train(folder: &Path, existing: ExistingRun) {
    let dataset = dataset();
    let plan = plan(&dataset, "ae-kmeans", 2);
    let run = start(folder, &plan, existing).unwrap();
    let options = FitOptions { allow_disagreement: true, ..FitOptions::default() };
    fit(&run, &plan, &options, &mut ()).unwrap();
}

/// The program that is killed; it does nothing unless it is started by one of the tests.
#[test]
#[ignore = "started by the other tests"]
fn program() {
    if let Some(folder) = env::var_os(FOLDER) {
        train(Path::new(&folder), ExistingRun::Replace);
    }
}

/// Starts the program, which is killed before change `step`. Returns whether it came to its end.
fn is_complete(folder: &Path, step: usize) -> bool {
    let mut program = Command::new(env::current_exe().unwrap());
    program.args(["--exact", "workflow::killed::program", "--ignored", "--test-threads", "1"]);
    program.env(FOLDER, folder).env(KILL_AT, step.to_string()).output().unwrap().status.success()
}

fn contents(folder: &Path) -> Vec<Option<Vec<u8>>> {
    let run = RunDir::open(folder);
    COMPARED.iter().map(|&file| fs::read(run.file(file)).ok()).collect()
}

/// No hidden directory and no temporary file is left.
fn is_clean(folder: &Path) -> bool {
    let names = |folder: &Path| -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let left = [names(folder), names(&folder.join("checkpoints"))].concat();
    left.iter().all(|name| !name.starts_with('.') || name == ".lock")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("checkpoints")).unwrap();
    for file in RunFile::ALL.map(RunFile::name) {
        if from.join(file).exists() {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }
}

#[test]
fn whenever_a_training_is_killed_the_old_run_or_the_new_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let dataset = dataset();
    let old = plan(&dataset, "dpm", 1);
    let options = FitOptions { allow_disagreement: true, ..FitOptions::default() };
    fit(&start(&at("old"), &old, ExistingRun::Refuse).unwrap(), &old, &options, &mut ()).unwrap();
    assert!(is_complete(&at("new"), usize::MAX));
    let (old, new) = (contents(&at("old")), contents(&at("new")));
    assert!(old[3].is_some() && new[3].is_none() && old != new);
    let mut seen = [false; 2];
    for step in 0.. {
        let run = at(&step.to_string());
        copy(&at("old"), &run);
        fs::write(run.join("notes.txt"), "mine").unwrap();
        let is_complete = is_complete(&run, step);
        let found = contents(&run);
        assert!(found == old || found == new, "killed before change {step}, neither run is whole");
        seen[usize::from(found == new)] = true;
        if is_complete {
            assert!(found == new && is_clean(&run));
            break;
        }
        // Whatever has been done, the same command works, and so does resuming once the new run has started.
        let resumes = RunDir::open(&run).unfinished().unwrap().config().unwrap().seed == 2;
        train(&run, if resumes && step % 2 == 0 { ExistingRun::Resume } else { ExistingRun::Replace });
        assert!(contents(&run) == new && is_clean(&run), "after change {step}");
        assert_eq!(fs::read(run.join("notes.txt")).unwrap(), b"mine");
        fs::remove_dir_all(&run).unwrap();
    }
    assert_eq!(seen, [true; 2], "the test does not reach both runs");
}

#[test]
fn whenever_a_first_training_is_killed_it_can_be_resumed_or_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert!(is_complete(&at("new"), usize::MAX));
    let new = contents(&at("new"));
    for step in 0.. {
        let run = at(&step.to_string());
        if is_complete(&run, step) {
            break;
        }
        train(&run, if step % 2 == 0 { ExistingRun::Resume } else { ExistingRun::Replace });
        assert!(contents(&run) == new && is_clean(&run), "after change {step}");
        fs::remove_dir_all(&run).unwrap();
    }
}
