//! Directories in which something is already: what a command that is refused, or a new run, does with it.

use std::fs;
use std::path::Path;

use super::program::edgemix;

#[test]
fn a_refused_command_says_why_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text.npy"), "hello").unwrap();
    fs::write(folder.path().join("file"), "in the way").unwrap();
    fs::write(folder.path().join("bad.toml"), "sede = 3\n").unwrap();
    type Case<'a> = (&'a [&'a str], i32, &'a str);
    let cases: [Case; 10] = [
        (&["train", "digits", "--out", "r", "--method", "abc", "--variant", "paper"], 2, "abc has a single variant"),
        (&["train", "none.npy", "--out", "r"], 2, "none.npy"),
        (&["train", "text.npy", "--out", "r"], 2, "not a readable NPY file"),
        (&["train", "digits", "--out", "r", "--method", "magic"], 2, "use one of alpha-jsd"),
        (&["train", "digits", "--out", "r", "--encoder", "a-b"], 2, "as in 256-128-10"),
        (&["train", "digits", "--out", "r", "--config", "bad.toml"], 2, "sede"),
        (&["train", "digits", "--out", "r", "--device", "abacus"], 2, "use auto, cpu"),
        (&["train", "digits", "--out", "r", "--device", "cuda"], 2, "use --device cpu"),
        (&["train", "digits", "--out", "file/r"], 2, "file/r"),
        (&["inspect", "text.npy"], 2, "text.npy: truncated"),
    ];
    for (arguments, code, message) in cases {
        let output = edgemix(arguments, folder.path());
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(message) && !error.contains("panicked"), "{arguments:?}: {error}");
        assert!(!folder.path().join("r").exists(), "{arguments:?} left a run behind");
    }
}

/// All files below a folder with their contents.
fn contents(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_directory_that_contains_something_else_is_never_cleared() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["report.html", "model.emx", "clusters.json"] {
        fs::write(folder.path().join(name), "of somebody else").unwrap();
    }
    fs::write(folder.path().join("few.csv"), "x,y\n1,2\n3,5\n").unwrap();
    let before = contents(folder.path());
    let commands: [&[&str]; 5] = [
        &["train", "few.csv", "--out", "."],
        &["train", "digits", "--out", "."],
        &["train", "digits", "--out", ".", "--force"],
        &["train", "digits", "--out", ".", "--seeds", "2"],
        &["demo", "--out", "."],
    ];
    for command in commands {
        let output = edgemix(command, folder.path());
        assert_eq!(output.status.code(), Some(2), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(contents(folder.path()) == before, "{command:?} changed the directory");
    }
}

#[test]
fn a_start_that_is_refused_changes_nothing_and_does_not_block_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let refused = edgemix(&["train", "digits", "--out", "run", "--holdout", "2"], folder.path());
    assert_eq!(refused.status.code(), Some(2));
    assert!(!folder.path().join("run").exists(), "a refused start left a directory");
    let short = ["--method", "ae-kmeans", "--allow-disagreement", "--pretrain-epochs", "1"];
    let first = edgemix(&[&["train", "digits", "--out", "run"], &short[..]].concat(), folder.path());
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let before = contents(folder.path());
    for wrong in [&["--force", "--holdout", "2"][..], &["--force", "--encoder", "conv:9k99,4"], &[]] {
        let output = edgemix(&[&["train", "digits", "--out", "run"], wrong].concat(), folder.path());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(contents(folder.path()) == before, "{wrong:?} changed the run");
    }
    // A training that fails after it began leaves the old run as it was.
    let wrong = [&["train", "digits", "--out", "run", "--force", "--learning-rate", "1e30"], &short[..]].concat();
    let diverged = edgemix(&wrong, folder.path());
    assert_eq!(diverged.status.code(), Some(1), "{}", String::from_utf8_lossy(&diverged.stderr));
    let is_hidden = |path: &Path| path.components().any(|part| part.as_os_str() == ".edgemix-next");
    let mut found = contents(folder.path());
    found.retain(|(path, _)| !is_hidden(path));
    assert!(found == before, "a training that failed changed the run");
    let replaced = edgemix(&[&["train", "digits", "--out", "run", "--force"], &short[..]].concat(), folder.path());
    assert!(replaced.status.success(), "{}", String::from_utf8_lossy(&replaced.stderr));
    assert!(!contents(folder.path()).iter().any(|(path, _)| is_hidden(path)));
}

#[test]
fn a_run_without_a_checkpoint_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let train = |more: &[&str]| edgemix(&[&["train", "digits", "--out", "run"], more].concat(), folder.path());
    let short = ["--method", "ae-kmeans", "--allow-disagreement", "--pretrain-epochs", "1"];
    let diverged = train(&[&["--learning-rate", "1e30"], &short[..]].concat());
    assert_eq!(diverged.status.code(), Some(1), "{}", String::from_utf8_lossy(&diverged.stderr));
    let right = train(&short);
    assert!(right.status.success(), "{}", String::from_utf8_lossy(&right.stderr));
}
