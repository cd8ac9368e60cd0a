//! Wrong inputs, with the message and exit code of each.

mod cases;
mod inputs;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use cases::{CASES, FORBIDDEN};
use inputs::{files, forbid};

const PROGRAM: &str = env!("CARGO_BIN_EXE_edgemix");

/// The answer of the program as text for the snapshot.
fn answer(mut program: Command, case: &str, folder: &Path) -> String {
    program.args(case.split(' ')).env("COLUMNS", "120").env("TMPDIR", "no-room");
    let output = loop {
        match program.current_dir(folder).output() {
            // Another test's process may still hold the program's copy open, as it was when that process was begun.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => thread::sleep(Duration::from_millis(5)),
            output => break output.unwrap(),
        }
    };
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!error.contains("panicked"), "{case}: {error}");
    assert!(output.stdout.is_empty(), "{case}: an answer besides an error");
    let code = output.status.code().unwrap();
    let error = error.trim_end().replace('\n', "\n    ");
    format!("$ edgemix {case}\n{code}   {error}\n\n")
}

#[test]
fn each_wrong_input_is_answered_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    files(folder.path());
    let before = fs::read_dir(&folder).unwrap().count();
    let mut snapshot = String::new();
    for case in CASES {
        snapshot += &answer(Command::new(PROGRAM), case, folder.path());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), before, "{case}: left something behind");
    }
    insta::assert_snapshot!(snapshot);
}

#[cfg(unix)]
#[test]
fn missing_permissions_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.emx"), include_bytes!("../../../firmware-example/assets/digits.emx")).unwrap();
    let program = forbid(folder.path());
    let before = fs::read_dir(&folder).unwrap().count();
    let mut snapshot = String::new();
    for case in FORBIDDEN {
        snapshot += &answer(program(), case, folder.path());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), before, "{case}: left something behind");
    }
    insta::assert_snapshot!(snapshot);
}
