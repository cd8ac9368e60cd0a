//! Wrong inputs, and what the program says to each: message and exit code.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A name for the snapshot, and the arguments.
const CASES: &[&str] = &[
    // Samples.
    "train none.csv --out r",
    "train folder --out r",
    "train empty.csv --out r",
    "train header.csv --out r",
    "train ragged.csv --out r",
    "train word.csv --out r",
    "train nan.csv --out r",
    "train gap.csv --out r",
    "train latin.csv --out r",
    "train one.csv --out r",
    "train constant.csv --out r",
    "train text.npy --out r",
    "train cut.npy --out r",
    "train text.npz --out r",
    "train text.parquet --out r",
    "train pictures --out r",
    "train text --out r",
    "train cut.idx --out r",
    "train good.csv --label-column kin --out r",
    "train good.csv --label-column 9 --out r",
    "train plain.csv --label-column kind --out r",
    "train digits --label-column kind --out r",
    "train good.csv --out r",
    "train good.csv --label-column kind --window 100 --out r",
    "train good.csv --label-column kind --group-column user --window 30 --out r",
    "train good.csv --label-column kind --window 0 --out r",
    "train good.csv --label-column kind --window 4 --step 0 --out r",
    "train good.csv --label-column kind --step 4 --out r",
    "train digits --window 4 --out r",
    "train digits --labels short.npy --out r",
    "train digits --labels text.npy --out r",
    // Settings.
    "train --out r",
    "train digits",
    "train digits --out r --method magic",
    "train digits --out r --method ide",
    "train digits --out r --method abc --variant paper",
    "train digits --out r --clusters 0",
    "train digits --out r --clusters 1798",
    "train digits --out r --encoder a-b",
    "train digits --out r --config none.toml",
    "train digits --out r --config slip.toml",
    "train digits --out r --config type.toml",
    "train digits --out r --set seed",
    "train digits --out r --set sede=3",
    "train digits --out r --set augmentatoin.shift=0",
    "train digits --out r --set seed=-1",
    "train digits --out r --device abacus",
    "train digits --out r --device cuda",
    "train digits --out r --seed many",
    "train digits --out r --frobnicate",
    // Runs.
    "train --out r --resume",
    "train digits --out r --resume --force",
    "train digits --out started",
    "train --out started --resume --seed 4",
    "train none.csv --out started --resume",
    "train digits --out text/r",
    "export r -o x.emx",
    "export started -o x.emx",
    "export started",
    "report good.emx --data digits",
    "report none --data digits",
    "evaluate started",
    "evaluate r",
    "assign text.npy",
    "assign text.npy digits",
    // Models.
    "inspect none.emx",
    "inspect text.npy",
    "inspect magic.emx",
    "inspect newer.emx",
    "inspect cut.emx",
    "inspect damaged.emx",
    "assign good.emx good.csv --label-column kind",
    "assign good.emx digits -o none/x.csv",
    "assign good.emx",
    "compare digits --out c --methods idec,magic",
    "completions klingon",
    // The number of clusters.
    "train digits --out r --clusters many",
    "train digits --out r --clusters 12..8",
    "train digits --out r --clusters 0..8",
    "train digits --out r --clusters 8..1798",
    "train digits --out r --clusters 8..12 --method dec",
    "train digits --out r --clusters auto --method vade",
    "train digits --out r --seeds 1",
    "train digits --out started --seeds 3",
];

fn files(folder: &Path) {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    write("text", b"hello");
    write("text.npy", b"hello");
    write("text.npz", b"hello");
    write("text.parquet", b"hello");
    fs::create_dir(folder.join("pictures")).unwrap();
    write("pictures/a.png", b"hello");
    write("empty.csv", b"");
    write("header.csv", b"x,y\n");
    write("ragged.csv", b"x,y\n1,2\n3\n");
    write("word.csv", b"x,y\n1,2\n3,four\n");
    write("nan.csv", b"x,y\n1,2\n3,nan\n");
    write("gap.csv", b"x,y\n1,2\n,4\n");
    write("latin.csv", b"x,y\n1,2\n3,\xe9\n");
    write("one.csv", b"1.5,2\n");
    write("constant.csv", b"x,y\n1.5,2\n2.5,2\n");
    write("plain.csv", b"1,2\n3,4\n");
    let rows: String = (0..40).map(|t| format!("{},{},{}\n", t / 20, t % 7, ["walk", "sit"][t / 10 % 2])).collect();
    write("good.csv", format!("user,x,kind\n{rows}").as_bytes());
    write("cut.idx", &[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3]);
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }";
    let npy = |n: usize| [&b"\x93NUMPY\x01\x00\x39\x00"[..], header.as_bytes(), &vec![1; n]].concat();
    assert_eq!(header.len(), 0x39);
    write("cut.npy", &npy(8));
    write("short.npy", &npy(9));
    write("slip.toml", b"# settings\nsede = 3\n");
    write("type.toml", b"seed = \"three\"\n");
    let model = include_bytes!("../../firmware-example/assets/digits.emx");
    let changed = |at: usize, byte: u8| {
        let mut bytes = model.to_vec();
        bytes[at] = byte;
        bytes
    };
    write("good.emx", model);
    write("magic.emx", &changed(0, 0));
    write("newer.emx", &changed(4, 9));
    write("cut.emx", &model[..model.len() / 2]);
    write("damaged.emx", &changed(model.len() / 2, model[model.len() / 2] ^ 1));
    fs::create_dir(folder.join("started")).unwrap();
    write("started/config.toml", b"seed = 3\n");
}

#[test]
fn each_is_answered_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    files(folder.path());
    let before = fs::read_dir(&folder).unwrap().count();
    let mut snapshot = String::new();
    for case in CASES {
        let mut program = Command::new(env!("CARGO_BIN_EXE_edgemix"));
        let output = program.args(case.split(' ')).env("COLUMNS", "120").current_dir(&folder).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!error.contains("panicked"), "{case}: {error}");
        assert!(output.stdout.is_empty(), "{case}: an answer besides an error");
        let code = output.status.code().unwrap();
        let error = error.trim_end().replace('\n', "\n    ");
        snapshot.push_str(&format!("$ edgemix {case}\n{code}   {error}\n\n"));
        // What is refused while it is read leaves nothing; what is refused by the method has a directory already.
        let _ = fs::remove_dir_all(folder.path().join("r"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), before, "{case}: left something behind");
    }
    insta::assert_snapshot!(snapshot);
}
