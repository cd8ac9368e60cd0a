//! Runs that are trained side by side: the same bits as one after the other, whatever happens to one of them.
#![cfg(unix)]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_edgemix");
/// What a run consists of; the pages have the date.
const FILES: [&str; 5] = ["config.toml", "data.toml", "metrics.jsonl", "trained.safetensors", "model.emx"];

/// A folder with a table of two groups of rows.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let noise = |i: usize| (i * 7919 % 101) as f64 / 50.0;
    let row = |i: usize| {
        let group = (i % 2 * 12) as f64;
        format!("{:.2},{:.2},{:.2}\n", group + noise(i), noise(3 * i) - group, noise(7 * i))
    };
    let rows: String = (0..300).map(row).collect();
    fs::write(folder.path().join("x.csv"), format!("a,b,c\n{rows}")).unwrap();
    folder
}

fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments.split_whitespace()).current_dir(folder);
    command
}

fn done(folder: &Path, arguments: &str) -> Output {
    let output = command(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    output
}

fn begun(folder: &Path, arguments: &str) -> Child {
    command(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn series(out: &str, epochs: usize, more: &str) -> String {
    let settings = "--method ae-kmeans --clusters 2 --encoder 8-3 --allow-disagreement";
    format!("train x.csv --out {out} {settings} --pretrain-epochs {epochs} {more}")
}

fn comparison(out: &str, epochs: usize, more: &str) -> String {
    let settings = "--set encoder=8-3 --set clustering.epochs=2 --clusters 2 --share-reconstruction";
    let methods = "--methods ae-kmeans,dec,idec --seeds 2";
    format!("compare x.csv --out {out} {methods} {settings} --set reconstruction.epochs={epochs} {more}")
}

fn assert_same(one: &Path, other: &Path) {
    for file in FILES {
        let [a, b] = [one, other].map(|run| fs::read(run.join(file)).unwrap());
        assert!(a == b, "{file} of {} and {}", one.display(), other.display());
    }
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(120), "not so after two minutes: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn epochs(run: &Path) -> usize {
    fs::read_to_string(run.join("metrics.jsonl")).map_or(0, |text| text.lines().count())
}

fn send(signal: &str, process: &str) {
    assert!(Command::new("kill").args([signal, process]).status().unwrap().success());
}

/// The processes that `parent` has started.
#[cfg(target_os = "linux")]
fn children(parent: u32) -> Vec<String> {
    let listed = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    listed.split_whitespace().map(str::to_owned).collect()
}

/// The run in whose directory a process holds the lock.
#[cfg(target_os = "linux")]
fn trained_by(process: &str) -> Option<PathBuf> {
    let open = fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let paths = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    paths.filter(|path| path.ends_with(".lock")).find_map(|path| path.parent().map(Path::to_owned))
}

#[test]
fn runs_side_by_side_have_the_bits_of_runs_one_after_the_other() {
    let folder = folder();
    done(folder.path(), &series("one", 30, "--seeds 3"));
    let together = done(folder.path(), &series("two", 30, "--seeds 3 --devices cpu,cpu"));
    let told = text(&together.stderr);
    assert!(told.contains("1/3 two/seed-0 on cpu") && told.contains("two/seed-2: reconstruct: 30 epochs in"), "{told}");
    for run in ["", "/seed-0", "/seed-1", "/seed-2"] {
        assert_same(&folder.path().join(format!("one{run}")), &folder.path().join(format!("two{run}")));
    }
    let again = done(folder.path(), &series("two", 30, "--seeds 3 --jobs 2 --resume"));
    assert!(text(&again.stdout).contains("two: the series is finished"), "{}", text(&again.stdout));
}

#[test]
fn a_comparison_side_by_side_waits_for_the_reconstructions_that_it_shares() {
    let (alone, shared) = (folder(), folder());
    done(alone.path(), &comparison("all", 200, ""));
    let together = done(shared.path(), &comparison("all", 200, "--jobs 3"));
    for run in ["ae-kmeans-0", "ae-kmeans-1", "dec-0", "dec-1", "idec-0", "idec-1"] {
        assert_same(&alone.path().join("all").join(run), &shared.path().join("all").join(run));
    }
    let rows = |folder: &Path| {
        let table = fs::read_to_string(folder.join("all/compare.csv")).unwrap();
        let mut rows: Vec<Vec<String>> = table.lines().map(|row| row.split(',').map(str::to_owned).collect()).collect();
        // The seconds differ.
        let seconds = rows[0].iter().position(|heading| heading == "seconds").unwrap();
        rows.iter_mut().for_each(|row| drop(row.drain(seconds..seconds + 2)));
        rows
    };
    assert_eq!(rows(alone.path()), rows(shared.path()));
    assert!(text(&together.stdout).contains("ae-kmeans  2 "), "{}", text(&together.stdout));
}

#[test]
fn an_autoencoder_that_learned_by_other_settings_is_not_shared() {
    let folder = folder();
    let vary = |key: &str, values: &str| {
        let arguments = format!(
            "compare x.csv --out {key} --methods ae-kmeans,dec --seeds 1 --clusters 2 --set encoder=8-3 --set \
             clustering.epochs=2 --share-reconstruction --set reconstruction.epochs=3 --vary {key}={values}"
        );
        done(folder.path(), &arguments);
        let runs = fs::read_dir(folder.path().join(key)).unwrap().map(|entry| entry.unwrap().path());
        let mut learns: Vec<bool> = runs
            .filter(|path| path.is_dir())
            // A run that takes over an autoencoder and trains nothing more has no epochs to write of.
            .map(|run| fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default())
            .map(|epochs| epochs.contains(r#""phase":"reconstruct""#))
            .collect();
        learns.sort();
        learns
    };
    // What changes the reconstruction is learned for each value, what does not once; the other method shares it each time.
    for (key, values) in [("learning-rate", "0.001,0.01"), ("reconstruction.epochs", "3,4"), ("batch-size", "32,64")] {
        assert_eq!(vary(key, values), [false, false, true, true], "{key}");
    }
    assert_eq!(vary("clustering.epochs", "1,2"), [false, false, false, true]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_is_killed_costs_its_run_and_no_other() {
    let folder = folder();
    let arguments = series("runs", 5_000, "--seeds 3 --jobs 2 --set checkpoint-every=100");
    let parent = begun(folder.path(), &arguments);
    let is_training = |seed: u64| epochs(&folder.path().join(format!("runs/seed-{seed}"))) > 200;
    eventually("two runs are trained", || is_training(0) && is_training(1));
    let own = fs::canonicalize(folder.path()).unwrap().join("runs/seed-0");
    let killed = children(parent.id()).into_iter().find(|process| trained_by(process).is_some_and(|run| run == own));
    send("-KILL", &killed.expect("a process trains seed 0"));
    let ended = parent.wait_with_output().unwrap();
    let told = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("1 run not finished (runs/seed-0: its process was ended by SIGKILL)"), "{told}");
    assert!(told.contains("the same command") && !told.contains("panicked"), "{told}");
    let has = |file: &str| folder.path().join("runs").join(file).exists();
    assert!(has("seed-1/model.emx") && has("seed-2/model.emx") && !has("seed-0/model.emx") && !has("model.emx"));
    // What the others trained is kept, and the rest of the one begins at its checkpoint.
    let again = done(folder.path(), &arguments);
    let told = text(&again.stderr);
    assert_eq!(told.matches("this run is finished, and kept").count(), 2, "{told}");
    assert!(has("seed-0/model.emx") && has("model.emx") && text(&again.stdout).contains("report:"), "{told}");
    done(folder.path(), &series("whole", 5_000, "--seeds 3 --set checkpoint-every=100"));
    for run in ["", "seed-0"] {
        assert_same(&folder.path().join("runs").join(run), &folder.path().join("whole").join(run));
    }
}

#[test]
fn a_signal_reaches_every_run() {
    let folder = folder();
    let parent = begun(folder.path(), &series("runs", 10_000_000, "--seeds 2 --jobs 2"));
    let run = |seed: u64| folder.path().join(format!("runs/seed-{seed}"));
    eventually("two runs are trained", || epochs(&run(0)) > 5 && epochs(&run(1)) > 5);
    send("-TERM", &parent.id().to_string());
    let ended = parent.wait_with_output().unwrap();
    let told = text(&ended.stderr);
    assert_eq!(ended.status.signal(), Some(15), "{told}");
    assert_eq!(told.matches("stopping with a checkpoint").count(), 2, "{told}");
    assert!([0, 1].map(run).iter().all(|run| run.join("checkpoints/last.ckpt").exists()), "{told}");
}

#[cfg(target_os = "linux")]
#[test]
fn runs_do_not_go_on_without_the_program_that_started_them() {
    let folder = folder();
    let mut parent = begun(folder.path(), &series("runs", 10_000_000, "--seeds 2 --jobs 2"));
    let run = |seed: u64| folder.path().join(format!("runs/seed-{seed}"));
    eventually("two runs are trained", || epochs(&run(0)) > 5 && epochs(&run(1)) > 5);
    let workers = children(parent.id());
    assert_eq!(workers.len(), 2);
    parent.kill().unwrap();
    parent.wait().unwrap();
    eventually("both have stopped", || workers.iter().all(|process| trained_by(process).is_none()));
    assert!([0, 1].map(run).iter().all(|run| run.join("checkpoints/last.ckpt").exists()));
}

#[test]
fn the_same_command_started_twice_shares_the_work() {
    let (alone, shared) = (folder(), folder());
    let own = ["", "/seed-0", "/seed-1", "/seed-2", "/seed-3"].map(|run| format!("runs{run}"));
    let compared = ["ae-kmeans-0", "dec-0", "dec-1", "idec-1"].map(|run| format!("all/{run}"));
    for (arguments, runs) in
        [(series("runs", 1000, "--seeds 4"), &own[..]), (comparison("all", 1000, ""), &compared[..])]
    {
        let pair = [begun(shared.path(), &arguments), begun(shared.path(), &arguments)];
        let ended = pair.map(|process| process.wait_with_output().unwrap());
        let told = ended.each_ref().map(|output| text(&output.stderr));
        assert!(ended.iter().all(|output| output.status.success()), "{told:?}");
        assert!(told.iter().any(|told| told.contains("is left to the process that trains it")), "{told:?}");
        done(alone.path(), &arguments);
        runs.iter().for_each(|run| assert_same(&alone.path().join(run), &shared.path().join(run)));
    }
    // The last one had the whole table.
    let table = fs::read_to_string(shared.path().join("all/compare.txt")).unwrap();
    assert!(!table.contains("not finished"), "{table}");
}

#[test]
fn what_cannot_be_trained_side_by_side_is_refused() {
    let folder = folder();
    for (arguments, expected) in [
        (series("r", 1, "--jobs 2"), "--jobs and --devices are for several runs: give --seeds"),
        (series("r", 1, "--seeds 2 --jobs 0"), "--jobs"),
        (series("r", 1, "--seeds 2 --jobs 2 --devices cpu,cpu"), "cannot be used with"),
        (series("r", 1, "--seeds 2 --devices cpu --device cpu"), "cannot be used with"),
        (series("r", 1, "--seeds 2 --jobs 2 --tui"), "cannot be used with"),
        (series("r", 1, "--seeds 2 --devices cpu,abacus"), "no device is named \"abacus\""),
        (comparison("r", 1, "--devices cpu,"), "no device is named \"\""),
    ] {
        let refused = command(folder.path(), &arguments).output().unwrap();
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{arguments}: {told}");
        assert!(told.contains(expected), "{arguments}: {told}");
        assert!(!folder.path().join("r").exists(), "{arguments}");
    }
    // A run with other settings is refused by the process that would train it.
    done(folder.path(), &series("s", 1, "--seeds 2"));
    let refused = command(folder.path(), &series("s", 2, "--seeds 2 --jobs 2")).output().unwrap();
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("s/seed-0: edgemix: s/seed-0: the run was started with other settings"), "{told}");
}
