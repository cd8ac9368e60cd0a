//! Wrong inputs, with the message and exit code of each.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use edgemix::data::{DataRecord, Scaling, Source, digits};
use edgemix::methods::FitConfig;
use edgemix::mixture::{Covariance, Mixture};
use edgemix::run::{RunDir, RunFile, write_trained};
use edgemix::trained::{Head, Trained};

const PROGRAM: &str = env!("CARGO_BIN_EXE_edgemix");

/// The arguments of each case.
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
    "train digits --drop-column kind --out r",
    "train good.csv --label-column kind --drop-column why --out r",
    "train comma.csv --out r",
    "train good.csv --out r",
    "train good.csv --label-column kind --window 100 --out r",
    "train good.csv --label-column kind --group-column user --window 30 --out r",
    "train good.csv --label-column kind --window 0 --out r",
    "train good.csv --label-column kind --window 4 --step 0 --out r",
    "train good.csv --label-column kind --step 4 --out r",
    "train digits --window 4 --out r",
    "train missing.csv --window 16 --time-column t --out r",
    "train back.csv --window 16 --time-column t --out r",
    "train back.csv --window 16 --time-column x --out r",
    "train times.csv --window 16 --time-column t --out r",
    "train missing.csv --window 16 --time-column t --gaps split --rate 50 --out r",
    "train missing.csv --window 16 --time-column t --gaps join --out r",
    "train missing.csv --time-column t --out r",
    "train gap.csv --gaps split --out r",
    "train gap.csv --window 2 --gaps split --out r",
    "train nan.csv --window 16 --out r",
    "train inf.csv --window 1 --gaps split --out r",
    "train windows.npy --time-column 0 --out r",
    "train digits --labels short.npy --out r",
    "train digits --labels text.npy --out r",
    // Models of other programs.
    "import none.npz --data digits --out r",
    "import text.npz --data digits --out r",
    "import good.csv --data digits --out r",
    "import cut.npz --data digits --out r",
    "import cut.npz --data digits --min-weight 2 --out r",
    "import cut.npz --out r",
    "import none.onnx --data digits --out r",
    "import text.onnx --data digits --out r",
    "import empty.onnx --data digits --out r",
    "import mlp.onnx --data few.csv --out r",
    "import mlp.onnx --data digits --latent z --out r",
    "import mlp.onnx --data digits --method dec --out r",
    "import mlp.onnx --data digits --min-weight 0.1 --out r",
    "import cut.npz --data digits --method grow --out r",
    "import mlp.onnx --data digits --encoder 32-8 --out r",
    "import text.safetensors --data digits --out r",
    "import text.safetensors --data digits --encoder 32-8 --out r",
    "import text.safetensors --data digits --encoder 32-x --out r",
    "import text.safetensors --data digits --encoder 32-8 --activation swish --out r",
    "import text.safetensors --data digits --encoder 32-8 --latent z --out r",
    // Settings.
    "train --out r",
    "train digits",
    "train digits --out r --method magic",
    "train digits --out r --method ide",
    "train digits --out r --method abc --variant paper",
    "train digits --out r --preset paper",
    "train digits --out r --method dcan --preset book",
    "train digits --out r --method dcan --preset paper --config good.toml",
    "train digits --out r --set clustering.epochs=9stepps",
    "compare digits --out c --preset paper --methods dcan,grow",
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
    "export finished --data digits --level 5 -o x.emx",
    "export finished --data digits --level few -o x.emx",
    "train digits --level 1.5 --out r",
    "export r -o x.emx",
    "export started -o x.emx",
    "export started",
    "report good.emx --data digits",
    "report none --data digits",
    "evaluate started",
    "evaluate r",
    "export good.emx -o x.emx",
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
    "assign good.emx digits --smooth",
    "compare digits --out c --methods idec,magic",
    "completions klingon",
    // Numbers that are not finite, terminals, damaged runs, full disks.
    "train inf.csv --out r",
    "train nan.npy --out r",
    "train digits --labels none.npy --out r",
    "train digits --out r --tui",
    "demo --out r --tui",
    "export broken -o x.emx",
    "report broken --data digits -o x.html",
    "evaluate broken --data digits",
    "train --out broken --resume",
    "train digits --start-from none --out r",
    "train digits --start-from started --out r",
    "train digits --start-from started --method dpm --out r",
    "train digits --start-from started --pretrain-epochs 3 --out r",
    "train digits --set start-from=started --seeds 2 --out r",
    "compare digits --set encoder=magic --out r",
    "compare digits --set sede=3 --out r",
    "man klingon",
    "assign good.emx digits -o /dev/full",
    "export finished --data digits -o /dev/full",
    "report finished --data digits -o /dev/full",
    "report mixed --data digits -o x.html",
    "evaluate mixed --data digits",
    // Data that are packed, cut off or larger than memory.
    "train text.csv.gz --out r",
    "train cut.csv.gz --label-column kind --out r",
    "train word.csv.gz --out r",
    "train short.npy --memory much --out r",
    "train good.csv --label-column kind --memory 16 --out r",
    "train big-endian.npy --memory 16 --window 30 --out r",
    "train cut2.npy --memory 16 --out r",
    "train cut.npz --memory 16 --out r",
    "train records.npy --out r",
    "train windows.npy --window 4 --out r",
    // The number of clusters.
    "train digits --out r --clusters many",
    "train digits --out r --clusters 12..8",
    "train digits --out r --clusters 0..8",
    "train digits --out r --clusters 8..1798",
    "train digits --out r --clusters 8..12 --method dec",
    "train digits --out r --clusters auto --method vade",
    "train digits --out r --seeds 1",
    "train digits --out started --seeds 3",
    // Directories that contain something else.
    "train digits --out foreign",
    "train digits --out foreign --force",
    "train digits --out foreign --seeds 3",
    "demo --out foreign",
    "demo --out started",
    "train digits --out started --force --holdout 2",
    "train digits --out r --seed 18446744073709551615",
    "train digits --out r --seed 9223372036854775807 --seeds 2",
    "train digits --out r --method k-dae --encoder conv:4k3s2,10 --set method.export=full",
    "train digits --out r --set reconstruction.optimizer.momentum=0.9",
    "train good.csv --label-column kind --header maybe --out r",
    // Front ends.
    "train good.csv --label-column kind --front-end spectrum --out r",
    "train windows.npy --front-end spektrum --out r",
    "train windows.npy --front-end spectrum:ftt=16 --out r",
    "train windows.npy --front-end spectrum:fft=32 --out r",
    "train windows.npy --front-end spectrum:low=1 --out r",
    "train windows.npy --front-end spectrum:magnitude=1+3 --out r",
    "train windows.npy --rate 0 --out r",
    "train windows.npy --front-end filter:high=20 --out r",
    "train windows.npy --rate 100 --front-end filter:high=60 --out r",
    "train windows.npy --rate 100 --front-end decimate:rate=30,spectrum --out r",
    "train windows.npy --rate 100 --front-end decimate:rate=50,none --out r",
    "train windows.npy --rate 100 --front-end decimate:rate=25 --out r",
    "train good.csv --label-column kind --rate 100 --front-end filter:high=20 --out r",
    "train digits --encoder conv1d:8k3,10 --out r",
    "train windows.npy --front-end spectrum --encoder conv1d:8k3,10 --out r",
    "train windows.npy --encoder conv1d:8k17,10 --out r",
    "train windows.npy --encoder conv:8k3,10 --out r",
    "train wide.npy --window 16 --front-end spectrum --out r",
    "train windows.npy --set window-augmentation.shift=2 --out r",
    "train windows.npy --set window-augmentation.rotation=9 --out r",
    "train windows.npy --set window-augmentation.rotation=9 --set window-augmentation.axes=[[0,1,3]] --out r",
    "train digits --set window-augmentation.noise=0.1 --out r",
    // Settings out of their ranges, and encoders that no model file holds.
    "train digits --out r --set method.grouping.majority=2",
    "train digits --out r --set method.grouping.halves=-1",
    "train digits --out r --set method.grouping.min-clusters=9 --set method.grouping.max-clusters=4",
    "train digits --out r --set method.components.prior-scale=-1",
    "train digits --out r --set method.reconstruction=nan",
    "train digits --out r --set augmentation.shift=nan",
    "train --print-config --set method.grouping.threshold=7",
    "train --print-config --learning-rate=-1",
    "train digits --out r --encoder 100-2000",
    "train digits --out r --encoder 9-9-9-9-9-9-9-9-9-9-9-9-9-9-9-9-9",
    "train digits --out r --encoder conv:8k3s256,10",
    "train few.csv --out r --method ae-kmeans --clusters 3",
    // Outputs that would overwrite something.
    "train digits --out text",
    "assign good.emx digits -o good.emx",
    "assign good.emx good.csv -o good.csv",
    "assign finished digits -o finished/config.toml",
    "export finished --data digits -o finished/trained.safetensors",
    "export finished --data digits --rust finished/checkpoints/../../mixed",
    "report finished --data digits -o finished/model.emx",
    // Bytes that are not text, pipes, and counts.
    "export bytes --data digits -o x.emx",
    "report bytes --data digits -o x.html",
    "train --out bytes --resume",
    "train /dev/null --out r",
    "evaluate finished --data digits --labels good.csv",
    "export finished --data digits --rust r --names a",
    "export finished --data digits --c r --names a,a",
    "export finished/model.emx --data digits -o x.emx",
    "export finished --data digits --c r --prefix 9lives",
    "export finished --data digits --rust r --prefix imu",
];

/// Cases in which the user has no permission.
const FORBIDDEN: &[&str] = &[
    "train forbidden.csv --out r",
    "train digits --labels forbidden.npy --out r",
    "train digits --config forbidden.toml --out r",
    "train digits --out locked/r",
    "train digits --out locked",
    "inspect forbidden.emx",
    "assign good.emx digits -o locked/x.csv",
];

fn files(folder: &Path) {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    write("text", b"hello");
    write("text.npy", b"hello");
    write("text.npz", b"hello");
    write("text.onnx", b"hello");
    write("text.safetensors", b"hello");
    write("empty.onnx", b"");
    write("mlp.onnx", include_bytes!("import/encoders/mlp.onnx"));
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
    write("text.csv.gz", b"hello");
    let packed = |text: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        gzip.finish().unwrap()
    };
    let good = packed(format!("user,x,kind\n{rows}").as_bytes());
    write("cut.csv.gz", &good[..good.len() / 2]);
    write("word.csv.gz", &packed(b"x,y\n1,2\n3,four\n"));
    let npy = |descr: &str, shape: &str, data: &[u8]| {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
        [&b"\x93NUMPY\x01\x00"[..], &[header.len() as u8, 0], header.as_bytes(), data].concat()
    };
    write("big-endian.npy", &npy("'>i2'", "(20, 2)", &(0..80).collect::<Vec<u8>>()));
    write("cut2.npy", &npy("'<f4'", "(20, 2)", &[1; 100]));
    write("records.npy", &npy("[('x', '<f4'), ('y', '<f4')]", "(20,)", &[1; 160]));
    write("windows.npy", &npy("'|u1'", "(20, 16, 3)", &(0..60).cycle().take(960).collect::<Vec<u8>>()));
    let wide: Vec<u8> = (0..80i32).flat_map(|t| (40_000 + t % 7).to_le_bytes()).collect();
    write("wide.npy", &npy("'<i4'", "(40, 2)", &wide));
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    archive.start_file("x.npy", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(&npy("'<f4'", "(20, 2)", &[1; 100])).unwrap();
    write("cut.npz", &archive.finish().unwrap().into_inner());
    write("slip.toml", b"# settings\nsede = 3\n");
    write("type.toml", b"seed = \"three\"\n");
    let model = include_bytes!("../../../firmware-example/assets/digits.emx");
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
    let started = RunDir::create(&folder.join("started")).unwrap();
    let record = DataRecord::new(&Source::new("digits"), &digits().samples);
    started.write_start(&record, &FitConfig { seed: 3, batch_size: 128, ..FitConfig::default() }).unwrap();
    write("few.csv", format!("x,y\n{}", "1,2\n3,5\n".repeat(20)).as_bytes());
    fs::create_dir(folder.join("started/checkpoints")).unwrap();
    write("started/checkpoints/last.ckpt", b"hello");
    fs::create_dir(folder.join("foreign")).unwrap();
    write("foreign/report.html", b"<p>Annual report</p>");
    write("comma.csv", b"x;y\n1;2,5\n");
    // Twenty instants a second, of which half a second is missing.
    let instant = |t: u32| format!("{},{},{}\n", f64::from(t + t / 40 * 10) / 20.0, t % 7, t % 5);
    let instants: String = (0..80).map(instant).collect();
    write("missing.csv", format!("t,x,y\n{instants}").as_bytes());
    write("back.csv", format!("t,x,y\n{instants}{instants}").as_bytes());
    write("times.csv", b"t,x\n2024-01-01 10:00:00,1\n2024-01-01 10:00:01,2\n");
    write("inf.csv", b"x,y\n1,2\n3,inf\n");
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,1), }";
    let numbers = [1.0f32, f32::NAN].map(f32::to_le_bytes).concat();
    let length = [header.len() as u8, 0];
    write("nan.npy", &[&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), &numbers].concat());
    runs(folder, model);
}

/// A run whose files are damaged, one with the model of another run, and one that is whole.
fn runs(folder: &Path, model: &[u8]) {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    for run in ["broken", "finished", "mixed", "bytes"] {
        fs::create_dir_all(folder.join(run).join("checkpoints")).unwrap();
        write(&format!("{run}/config.toml"), b"seed = 3\n");
        write(&format!("{run}/model.emx"), model);
    }
    let trained_file = |run: &str| format!("{run}/{}", RunFile::Trained);
    write(&trained_file("broken"), b"hello");
    write("broken/checkpoints/last.ckpt", b"hello");
    write("broken/metrics.jsonl", b"hello\n");
    let mixture = Mixture {
        log_weights: vec![0.5f64.ln(); 2],
        means: ndarray::Array2::from_shape_fn((2, 64), |(k, _)| k as f64),
        covariance: Covariance::Spherical(vec![1.0; 2]),
        clusters: vec![0, 1],
    };
    let scaling = Scaling { gain: vec![0.0625], offset: vec![0.0], limits: None };
    let head = Head::Mixture(mixture);
    let trained = Trained { method: "dpm".into(), front_end: None, scaling, encoder: vec![], head, hierarchy: None };
    let trained = write_trained(&trained).unwrap();
    write(&trained_file("mixed"), &trained);
    write(&trained_file("finished"), &trained);
    write(&trained_file("bytes"), &trained);
    let mut export = Command::new(PROGRAM);
    export.args(["export", "finished", "--data", "digits", "-o", "finished/model.emx"]).current_dir(folder);
    assert!(export.status().unwrap().success());
    fs::copy(folder.join("finished/model.emx"), folder.join("bytes/model.emx")).unwrap();
    write("bytes/config.toml", b"seed = 3\n# \xff\n");
    write("bytes/metrics.jsonl", b"\xff\n");
}

/// Files that nobody may read, and a folder that nobody may write to. If this process may read and write anything, the
/// program is run as another user.
#[cfg(unix)]
fn forbid(folder: &Path) -> impl Fn() -> Command {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let allow = |name: &str, mode| fs::set_permissions(folder.join(name), PermissionsExt::from_mode(mode)).unwrap();
    fs::create_dir(folder.join("locked")).unwrap();
    for name in ["forbidden.csv", "forbidden.npy", "forbidden.toml", "forbidden.emx"] {
        fs::write(folder.join(name), "").unwrap();
        allow(name, 0o000);
    }
    allow("locked", 0o555);
    let is_allowed = fs::File::open(folder.join("forbidden.csv")).is_ok();
    let mut program = Path::new(PROGRAM).to_owned();
    if is_allowed {
        // Another user may not be allowed to enter the folder in which the program was built.
        program = folder.join("edgemix");
        fs::copy(PROGRAM, &program).unwrap();
        allow("", 0o755);
    }
    move || {
        let mut command = Command::new(&program);
        if is_allowed {
            command.gid(NOBODY).uid(NOBODY);
        }
        command
    }
}

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
