//! The files and folders that are wrong.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use edgemix::data::{DataRecord, Scaling, Source, digits};
use edgemix::methods::FitConfig;
use edgemix::mixture::{Covariance, Mixture};
use edgemix::run::{RunDir, RunFile, write_trained};
use edgemix::trained::{Head, Trained};

use super::PROGRAM;

/// Writes them.
pub(super) fn files(folder: &Path) {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    write("text", b"hello");
    write("text.npy", b"hello");
    write("text.npz", b"hello");
    write("text.onnx", b"hello");
    write("text.safetensors", b"hello");
    write("empty.onnx", b"");
    write("mlp.onnx", include_bytes!("../import/encoders/mlp.onnx"));
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
    let model = include_bytes!("../../../../firmware-example/assets/digits.emx");
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
    let trained = Trained {
        method: "dpm".into(),
        front_end: None,
        scaling,
        encoder: vec![],
        head,
        hierarchy: None,
        decoder: None,
    };
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
pub(super) fn forbid(folder: &Path) -> impl Fn() -> Command {
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
