//! Files that are not there: whatever the command, that is wrong use.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::tampered::whole::WholeRun;

/// The arguments of each case; the word that begins with `none` names what is not there.
const CASES: &[&str] = &[
    "train none.csv --out r",
    "train digits --labels none.npy --out r",
    "train digits --config none.toml --out r",
    "train --resume --out none",
    "train --resume --out none --seeds 2",
    "compare none.csv --out c",
    "compare digits --labels none.npy --out c",
    "compare digits --config none.toml --out c",
    "evaluate none",
    "evaluate none.emx --data digits",
    "evaluate good.emx --data none.csv",
    "evaluate good.emx --data digits --labels none.npy",
    "evaluate run --data none.csv",
    "generate none",
    "report none",
    "report run --data none.csv",
    "report run -o none/x.html",
    "export none -o x.emx",
    "export run --data none.csv -o x.emx",
    "export run -o none/x.emx",
    "import none.npz --data digits --out i",
    "import good.emx --data none.csv --out i",
    "inspect none",
    "inspect none.emx",
    "assign none",
    "assign none.emx digits",
    "assign good.emx none.csv",
    "assign good.emx digits -o none/x.csv",
    "keys none/owner",
    "sign none.emx --secret owner.secret --counter 1 -o x.emx",
    "sign good.emx --secret none.secret --counter 1 -o x.emx",
    "sign good.emx --secret owner.secret --counter 1 -o none/x.emx",
    "verify none.emx --key owner.key",
    "verify good.emx --key none.key",
];

/// The commands that read no file.
const WITHOUT_FILES: [&str; 5] = ["completions", "demo", "devices", "help", "man"];

#[test]
fn what_is_not_there_is_wrong_use_in_every_command() {
    let whole = WholeRun::new();
    let folder = whole.scratch("");
    fs::write(folder.join("good.emx"), include_bytes!("../../../firmware-example/assets/digits.emx")).unwrap();
    fs::rename(whole.path(), folder.join("run")).unwrap();
    let program = |case: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_edgemix"));
        program.args(case.split(' ')).current_dir(&folder).output().unwrap()
    };
    assert!(program("keys owner").status.success());
    for case in CASES {
        let found = program(case);
        let error = String::from_utf8_lossy(&found.stderr);
        assert_eq!(found.status.code(), Some(2), "{case}: {error}");
        let wrong = case.split(' ').find(|word| word.starts_with("none")).unwrap();
        assert!(error.contains(wrong.split('/').next().unwrap()), "{case}: {error}");
    }
    let help = String::from_utf8(program("--help").stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Other lines go on with the description of a command.
    let listed = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let commands: BTreeSet<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    let tried: BTreeSet<&str> = CASES.iter().filter_map(|case| case.split(' ').next()).chain(WITHOUT_FILES).collect();
    assert_eq!(commands, tried);
}
