//! The program itself, started on runs that were tampered with.

use std::process::Command;

use edgemix::random::stream;

use super::mutations::mutated;
use super::whole::{FILES, WholeRun, write};

/// How many changes of each file the program is started with.
const STARTS: u64 = 3;
const COMMANDS: [&str; 5] =
    ["evaluate RUN", "inspect RUN", "export RUN -o x.emx", "train --out RUN --resume", "report RUN -o x.html"];

#[test]
fn the_program_ends_with_a_code_of_its_page() {
    let whole = WholeRun::new();
    for (at, file) in FILES.into_iter().enumerate() {
        for index in 0..STARTS {
            whole.restore();
            write(&whole.path(), file, &mutated(whole.contents(file), &mut stream(11, file.name(), index)));
            let command = COMMANDS[(at + index as usize) % COMMANDS.len()];
            let mut program = Command::new(env!("CARGO_BIN_EXE_edgemix"));
            let run = whole.path();
            program.args(command.split(' ').map(|word| if word == "RUN" { run.to_str().unwrap() } else { word }));
            let found = program.current_dir(whole.comparison()).output().unwrap();
            let error = String::from_utf8_lossy(&found.stderr);
            let is_of_the_page = matches!(found.status.code(), Some(0..=2)) && !error.contains("panicked");
            assert!(is_of_the_page, "{command}: {file}, change {index}: {}: {error}", found.status);
        }
    }
}
