//! Work that is killed before any of its changes to the disk: the old result or the new one is whole, and the same command
//! completes or repeats what is missing.
//!
//! Of series and comparisons, whose runs are like any other, only some changes are tried, unless the variable
//! `EDGEMIX_KILLS=all` is set.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Comparison, ExistingRun, Export, FitOptions, Plan, SeedSeries, TableFormat, fit, start};
use crate::data::{Dataset, Samples, Source};
use crate::methods::{FitConfig, MethodConfig};
use crate::run::{KILL_AT, RunDir, RunFile};
use crate::training::PhaseSettings;

const FOLDER: &str = "EDGEMIX_TEST_FOLDER";
const WORK: &str = "EDGEMIX_TEST_WORK";

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

fn options() -> FitOptions {
    FitOptions { allow_disagreement: true, ..FitOptions::default() }
}

/// Trains the run that replaces another one, or resumes that.
fn train(folder: &Path, existing: ExistingRun) {
    let dataset = dataset();
    let plan = plan(&dataset, "ae-kmeans", 2);
    let run = start(folder, &plan, existing).unwrap();
    fit(&run, &plan, &options(), &mut ()).unwrap();
}

/// Trains with two seeds, which replace an older series.
fn train_series(folder: &Path, method: &str) {
    let dataset = dataset();
    let plan = plan(&dataset, method, 2);
    let mut series = SeedSeries::new(folder, &plan, 2, false).unwrap();
    series.seeds().for_each(|seed| drop(series.train(seed, &options(), &mut ()).unwrap()));
    series.finish().unwrap();
}

fn compare(folder: &Path) {
    let (dataset, source) = (dataset(), Source::new("two groups"));
    let settings = plan(&dataset, "dpm", 0).config().clone();
    let methods = ["dpm", "ae-kmeans"].map(|name| plan(&dataset, name, 0).config().method.clone());
    let mut comparison = Comparison::new(folder, &source, &dataset, &settings, &methods, 1);
    for run in comparison.runs() {
        comparison.train(&run, &options(), &mut ()).unwrap();
    }
    assert_eq!(comparison.table(TableFormat::Csv).lines().count(), 3);
}

fn export(folder: &Path) {
    let (dataset, source) = (dataset(), Source::new("two groups"));
    let run = RunDir::create(folder).unwrap();
    Export::new(&run, &source, &dataset, None).unwrap().write(&run.file(RunFile::Model), true).unwrap();
}

fn work(name: &str, folder: &Path) {
    match name {
        "train" => train(folder, ExistingRun::Replace),
        "series" => train_series(folder, "ae-kmeans"),
        "compare" => compare(folder),
        "export" => export(folder),
        _ => panic!("there is no work of the name {name}"),
    }
}

/// The program that is killed; it does nothing unless it is started by one of the tests.
#[test]
#[ignore = "started by the other tests"]
fn program() {
    if let (Some(folder), Ok(name)) = (env::var_os(FOLDER), env::var(WORK)) {
        work(&name, Path::new(&folder));
    }
}

/// Starts the program, which is killed before change `step`. Returns whether it came to its end.
fn is_complete(name: &str, folder: &Path, step: usize) -> bool {
    let mut program = Command::new(env::current_exe().unwrap());
    program.args(["--exact", "workflow::killed::program", "--ignored", "--test-threads", "1"]);
    program.env(FOLDER, folder).env(WORK, name).env(KILL_AT, step.to_string()).output().unwrap().status.success()
}

/// How many changes lie between two that are tried, where there are many.
fn stride() -> usize {
    if env::var_os("EDGEMIX_KILLS").is_some_and(|kills| kills == "all") { 1 } else { 9 }
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
    fit(&start(&at("old"), &old, ExistingRun::Refuse).unwrap(), &old, &options(), &mut ()).unwrap();
    assert!(is_complete("train", &at("new"), usize::MAX));
    let (old, new) = (contents(&at("old")), contents(&at("new")));
    assert!(old[3].is_some() && new[3].is_none() && old != new);
    let mut seen = [false; 2];
    for step in 0.. {
        let run = at(&step.to_string());
        copy(&at("old"), &run);
        fs::write(run.join("notes.txt"), "mine").unwrap();
        let is_complete = is_complete("train", &run, step);
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
    assert!(is_complete("train", &at("new"), usize::MAX));
    let new = contents(&at("new"));
    for step in 0.. {
        let run = at(&step.to_string());
        if is_complete("train", &run, step) {
            break;
        }
        train(&run, if step % 2 == 0 { ExistingRun::Resume } else { ExistingRun::Replace });
        assert!(contents(&run) == new && is_clean(&run), "after change {step}");
        fs::remove_dir_all(&run).unwrap();
    }
}

/// Kills work before its changes. `prepare` makes the folder in which it begins, and `contents` is what must be that of the
/// beginning or that of the end.
fn survives<T: PartialEq>(name: &str, stride: usize, prepare: impl Fn(&Path), contents: impl Fn(&Path) -> T) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    prepare(&at("old"));
    prepare(&at("new"));
    work(name, &at("new"));
    let (old, new) = (contents(&at("old")), contents(&at("new")));
    assert!(old != new, "the work changes nothing");
    for step in (0..).step_by(stride) {
        let run = at(&step.to_string());
        prepare(&run);
        let is_complete = is_complete(name, &run, step);
        let found = contents(&run);
        assert!(found == old || found == new, "{name}, killed before change {step}, leaves neither result whole");
        if is_complete {
            assert!(found == new);
            println!("{name} makes at most {step} changes");
            break;
        }
        work(name, &run);
        assert!(contents(&run) == new, "{name}, repeated after change {step}");
        fs::remove_dir_all(&run).unwrap();
    }
}

#[test]
fn whenever_a_series_is_killed_its_result_is_the_old_one_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    train_series(folder.path(), "dpm");
    let result = |folder: &Path| {
        let run = RunDir::open(folder);
        (contents(folder), fs::read(run.file(RunFile::Interval)).ok())
    };
    let prepare = |to: &Path| copy(folder.path(), to);
    survives("series", stride(), prepare, result);
}

#[test]
fn whenever_a_comparison_is_killed_the_same_command_completes_it() {
    let methods = ["dpm-0", "ae-kmeans-0"];
    // The tables have times; that they are whole is seen by their last line.
    let is_whole = |folder: &Path| {
        let tables = ["compare.txt", "compare.csv", "compare.md"].map(|name| fs::read_to_string(folder.join(name)));
        tables.iter().flatten().all(|text| text.ends_with('\n'))
    };
    let result = |folder: &Path| {
        assert!(is_whole(folder));
        let models = methods.map(|run| fs::read(folder.join(run).join(RunFile::Model.name())).ok());
        // Until the second run is whole, the comparison is not.
        if models.iter().all(Option::is_some) { models.to_vec() } else { vec![] }
    };
    survives("compare", stride(), |_| (), result);
}

#[test]
fn whenever_an_export_is_killed_the_old_model_or_the_new_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), ExistingRun::Refuse);
    let prepare = |to: &Path| {
        copy(folder.path(), to);
        fs::write(to.join(RunFile::Model.name()), "an older model").unwrap();
    };
    survives("export", 1, prepare, |folder| fs::read(folder.join(RunFile::Model.name())).ok());
}
