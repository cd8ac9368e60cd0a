//! What the program says where nothing is wrong, or where the wrong thing is not what it looks like.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::tampered::whole::WholeRun;

fn program(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edgemix")).args(arguments).current_dir(folder).output().unwrap()
}

/// What a command that succeeds prints.
fn printed(folder: &Path, command: &str) -> String {
    let found = program(folder, &command.split(' ').collect::<Vec<_>>());
    assert!(found.status.success(), "{command}: {}", String::from_utf8_lossy(&found.stderr));
    String::from_utf8(found.stdout).unwrap()
}

/// What a command says that is refused as wrong use.
fn refusal(folder: &Path, command: &str) -> String {
    let found = program(folder, &command.split(' ').collect::<Vec<_>>());
    let error = String::from_utf8(found.stderr).unwrap();
    assert_eq!(found.status.code(), Some(2), "{command}: {error}");
    error
}

#[test]
fn a_run_that_is_finished_is_not_trained_again() {
    let whole = WholeRun::new();
    let folder = whole.scratch("");
    fs::rename(whole.path(), folder.join("run")).unwrap();
    let contents = || {
        let mut files: Vec<_> = fs::read_dir(folder.join("run")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (fs::read(&path).ok(), path)).collect::<Vec<_>>()
    };
    let before = contents();
    let found = printed(&folder, "train --out run --resume");
    assert!(found.contains("run: the run is finished") && found.contains("edgemix report run"), "{found}");
    assert!(contents() == before);
}

#[test]
fn a_series_that_is_finished_is_not_trained_again() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..60).map(|i| format!("{},{}\n", i * 37 % 23, i % 2 * 50 + i * 7 % 5)).collect();
    fs::write(folder.path().join("x.csv"), format!("x,y\n{rows}")).unwrap();
    let train =
        "train x.csv --out s --seeds 2 --encoder 4-2 --pretrain-epochs 1 --cluster-epochs 1 --allow-disagreement";
    printed(folder.path(), train);
    let found = printed(folder.path(), "train --out s --seeds 2 --resume");
    assert!(found.contains("s: the series is finished"), "{found}");
    let again = program(folder.path(), &train.split(' ').collect::<Vec<_>>());
    let error = String::from_utf8(again.stderr).unwrap();
    assert_eq!(error.matches("this run is finished, and kept").count(), 2, "{error}");
}

#[test]
fn numbers_below_zero_reach_the_check_of_their_flag() {
    let folder = tempfile::tempdir().unwrap();
    for (command, expected) in [
        ("train digits --out r --learning-rate -1", "learning-rate"),
        ("train digits --out r --holdout -0.5", "holdout"),
        ("train digits --out r --rate -1 --window 2", "digits"),
        ("train digits --out r --pretrain-epochs -3", "expected a whole number of at least 0"),
        ("train digits --out r --clusters -2", "expected auto, a number such as 10"),
        ("train digits --out r --seed -1", "--seed"),
        ("export r --finest-rate -1 -o x.emx", "r: there is nothing"),
    ] {
        let error = refusal(folder.path(), command);
        assert!(error.contains(expected) && !error.contains("tip:"), "{command}: {error}");
    }
}

#[test]
fn a_rate_is_for_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let error = refusal(folder.path(), "train digits --rate 50 --out r");
    assert!(error.contains("--rate is for windows of a recording, and digits has none"), "{error}");
    assert!(!folder.path().join("r").exists());
}

#[test]
fn inspect_shows_that_a_model_is_signed() {
    let folder = tempfile::tempdir().unwrap();
    let model = include_bytes!("../../../firmware-example/assets/digits.emx");
    fs::write(folder.path().join("model.emx"), model).unwrap();
    printed(folder.path(), "keys owner");
    printed(folder.path(), "sign model.emx --secret owner.secret --counter 7 -o signed.emx");
    assert!(!printed(folder.path(), "inspect model.emx").contains("signed"));
    assert!(printed(folder.path(), "inspect signed.emx").contains("signed     with counter 7; `edgemix verify`"));
    let facts: serde_json::Value = serde_json::from_str(&printed(folder.path(), "inspect signed.emx --json")).unwrap();
    assert_eq!(facts["signature"]["counter"], 7);
}

#[test]
fn lists_may_have_blanks() {
    let folder = tempfile::tempdir().unwrap();
    let error = program(folder.path(), &["compare", "digits", "--methods", "idec, magic", "--out", "c"]).stderr;
    let error = String::from_utf8(error).unwrap();
    assert!(error.contains("no method is named \"magic\""), "{error}");
}

#[test]
fn a_comparison_varies_a_setting() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..90).map(|i| format!("{},{}\n", i * 37 % 23 + i % 3 * 200, i % 3 / 2 * 300)).collect::<String>();
    fs::write(folder.path().join("x.csv"), rows).unwrap();
    let compare = "compare x.csv --methods kmeans,gmm --seeds 2 --format csv --out c";
    let error = refusal(folder.path(), &format!("{compare} --vary method.kmeans.n-clusters=2,3"));
    assert!(error.contains("there is no table kmeans"), "{error}");
    assert!(refusal(folder.path(), &format!("{compare} --vary holdout=0")).contains("expected KEY=VALUE,VALUE"));
    assert!(refusal(folder.path(), "compare x.csv --methods gmm,gmm --out c").contains("gmm is given twice"));
    assert!(!folder.path().join("c").exists());

    let table = printed(folder.path(), &format!("{compare} --clusters 3 --vary holdout=0,0.1"));
    let rows: Vec<&str> = table.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(rows, ["kmeans holdout=0", "kmeans holdout=0.1", "gmm holdout=0", "gmm holdout=0.1"]);
    let settings = fs::read_to_string(folder.path().join("c/gmm_holdout=0.1-1/config.toml")).unwrap();
    assert!(settings.contains("holdout = 0.1") && settings.contains("seed = 1"), "{settings}");
    // The same command has nothing left to do.
    assert_eq!(printed(folder.path(), &format!("{compare} --clusters 3 --vary holdout=0,0.1")), table);
    assert!(refusal(folder.path(), "compare x.csv --methods gmm, --out c").contains("no name before or after a comma"));
    // Neither a run, nor without any.
    for command in ["generate c", "evaluate c", "inspect c", "assign c x.csv"] {
        assert!(refusal(folder.path(), command).contains("give one of them, such as `c/gmm_holdout=0-0`"), "{command}");
    }
    assert!(refusal(folder.path(), "evaluate .").contains("this directory contains no run"));
}

#[test]
fn a_comparison_has_one_set_of_samples() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, step: usize| {
        let rows = (0..60).map(|i| format!("{},{}\n", i * step % 23 + i % 2 * 300, i % 7)).collect::<String>();
        fs::write(folder.path().join(name), rows).unwrap();
    };
    write("x.csv", 5);
    write("y.csv", 7);
    printed(folder.path(), "compare x.csv --methods kmeans --clusters 2 --seeds 1 --out c");
    let table = || fs::read_to_string(folder.path().join("c/compare.csv")).unwrap();
    let before = table();
    // Neither the same method nor another one.
    for method in ["kmeans", "gmm"] {
        let error = refusal(folder.path(), &format!("compare y.csv --methods {method} --clusters 2 --seeds 1 --out c"));
        assert!(error.contains("a comparison goes on with the samples"), "{error}");
        assert!(table() == before && !folder.path().join("c/gmm-0").exists());
    }
    // A run that belongs to no comparison is none of its business.
    printed(folder.path(), "train y.csv --method kmeans --clusters 2 --out c/own");
    printed(folder.path(), "compare x.csv --methods gmm --clusters 2 --seeds 1 --out c");
}

#[test]
fn a_comparison_whose_runs_fail_says_so_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..60).map(|i| format!("{},{}\n", i * 5 % 23 + i % 2 * 300, i % 7)).collect::<String>();
    fs::write(folder.path().join("x.csv"), rows).unwrap();
    let compare = ["compare", "x.csv", "--methods", "kmeans,idec", "--clusters", "2", "--seeds", "1", "--out", "c"];
    let output = program(folder.path(), &[&compare[..], &["--set", "batch-size=0"]].concat());
    let [table, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(table.contains("kmeans") && error.contains("of 2 runs failed") && error.contains("batch-size"), "{error}");
}

#[test]
fn an_encoder_that_changes_nothing_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let said = |method: &str| {
        let arguments =
            ["train", "digits", "--method", method, "--encoder", "4", "--pretrain-epochs", "0", "--out", method];
        String::from_utf8(program(folder.path(), &arguments).stderr).unwrap()
    };
    assert!(
        said("kmeans").contains("note: kmeans clusters the features themselves, so that --encoder changes nothing")
    );
    assert!(!said("ae-kmeans").contains("changes nothing"));
}

#[test]
fn a_comparison_says_how_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let table = |n: usize| (0..n).map(|i| format!("{},{}\n", i * 37 % 23, i % 2 * 50)).collect::<String>();
    fs::write(folder.path().join("x.csv"), table(60)).unwrap();
    fs::write(folder.path().join("short.toml"), "encoder = \"4-2\"\nreconstruction.epochs = 1\n").unwrap();
    let compare = "compare x.csv --methods ae-kmeans --clusters 2 --seeds 1 --out c --config short.toml";
    printed(folder.path(), compare);
    let error = refusal(folder.path(), &format!("{compare} --window 3"));
    assert!(error.contains("a comparison goes on with the samples and settings that it began with"), "{error}");
}

#[test]
fn windows_of_a_split_recording_say_where_they_begin() {
    let folder = tempfile::tempdir().unwrap();
    // Ten instants a second; after the twentieth a second is missing.
    let row = |t: usize| format!("{},{},{}\n", t as f64 / 10.0 + if t < 20 { 0.0 } else { 1.0 }, t % 7, t % 2 * 20);
    fs::write(folder.path().join("x.csv"), format!("t,x,y\n{}", (0..160).map(row).collect::<String>())).unwrap();
    let cut = "--window 6 --time-column t --gaps split";
    let settings = "--front-end none --encoder 4-2 --pretrain-epochs 1 --cluster-epochs 1 --allow-disagreement";
    printed(folder.path(), &format!("train x.csv {cut} {settings} --out r"));
    let found = printed(folder.path(), "assign r");
    let starts: Vec<(&str, &str)> = found.lines().map(|line| line.rsplit_once(',').unwrap()).collect();
    assert!(starts[0].0.ends_with(",row") && starts[0].1 == "time", "{found}");
    // Three windows before the gap; the fourth begins after it.
    assert!(starts[3].0.ends_with(",12") && starts[3].1 == "1.2", "{found}");
    assert!(starts[4].0.ends_with(",20") && starts[4].1 == "3", "{found}");
    // Samples that are no windows have no start.
    assert!(printed(folder.path(), "assign r").starts_with("index,cluster,component,log_density,novelty,posterior,"));
}
