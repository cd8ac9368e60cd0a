//! A training that is stopped by a signal, or that can't write: what is learned stays, and the exit code says why it ended.
#![cfg(unix)]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_edgemix");

/// A table with two groups of rows.
fn write_samples(folder: &Path) {
    let noise = |i: usize| (i * 7919 % 101) as f64 / 50.0;
    let row = |i: usize| {
        let group = (i % 2 * 12) as f64;
        format!("{:.2},{:.2},{:.2}\n", group + noise(i), noise(3 * i) - group, noise(7 * i))
    };
    fs::write(folder.join("x.csv"), "a,b,c\n".to_owned() + &(0..300).map(row).collect::<String>()).unwrap();
}

/// A quick training, whose reconstruction has this many epochs.
fn training(epochs: &str) -> Vec<String> {
    let text = format!(
        "train x.csv --out run --method ae-kmeans --clusters 2 --encoder 8-3 --pretrain-epochs {epochs} --allow-disagreement"
    );
    text.split(' ').map(str::to_owned).collect()
}

/// Runs the program within limits, as in `ulimit -f 8`.
fn limited(limit: &str, arguments: &[String], folder: &Path) -> Output {
    let script = format!("{limit}; exec \"$0\" \"$@\"");
    Command::new("bash").args(["-c", &script, PROGRAM]).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

fn wait_for_epochs(folder: &Path, least: usize) {
    let begin = Instant::now();
    while lines(&folder.join("run/metrics.jsonl")) < least {
        assert!(begin.elapsed() < Duration::from_secs(120), "no epochs");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Sends a signal to a training of this many epochs, which takes much longer than the signal, and returns the folder and the
/// number of finished epochs.
fn stopped_by(signal: &str, number: i32, epochs: &str) -> (tempfile::TempDir, usize) {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path());
    // The program leaves alone what it finds ignored, as a shell's background jobs and `nohup` have it.
    let mut train = Command::new(if cfg!(target_os = "linux") { "env" } else { PROGRAM });
    if cfg!(target_os = "linux") {
        train.args(["--default-signal", PROGRAM]);
    }
    train.args(training(epochs)).args(["--set", "checkpoint-every=100000000"]).current_dir(&folder);
    let child = train.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_epochs(folder.path(), 5);
    send(signal, &child);
    let stopped = child.wait_with_output().unwrap();
    let told = text(&stopped.stderr);
    assert_eq!(stopped.status.signal(), Some(number), "{told}");
    assert!(told.contains("stopping with a checkpoint") && told.contains("repeat the command with --resume"), "{told}");
    assert!(folder.path().join("run/checkpoints/last.ckpt").exists(), "{told}");
    let epochs = lines(&folder.path().join("run/metrics.jsonl"));
    (folder, epochs)
}

#[test]
fn a_signal_ends_a_training_with_a_checkpoint() {
    for (signal, number) in [("-TERM", 15), ("-HUP", 1)] {
        stopped_by(signal, number, "10000000");
    }
}

#[test]
fn a_training_that_a_signal_ended_goes_on_after_its_last_epoch() {
    let (folder, epochs) = stopped_by("-INT", 2, "40000");
    assert!(epochs < 40_000, "it was stopped too late");
    let metrics = folder.path().join("run/metrics.jsonl");
    let before = fs::read(&metrics).unwrap();
    // The samples may have been moved meanwhile.
    fs::rename(folder.path().join("x.csv"), folder.path().join("moved.csv")).unwrap();
    let resume = ["train", "moved.csv", "--out", "run", "--resume", "--allow-disagreement"].map(str::to_owned);
    let resumed = Command::new(PROGRAM).args(&resume).current_dir(&folder).output().unwrap();
    let told = text(&resumed.stderr);
    assert!(resumed.status.success(), "{told}");
    assert!(told.contains(&format!("reconstruct: {} epochs in", 40_000 - epochs)), "{epochs} were kept: {told}");
    assert!(fs::read(&metrics).unwrap().starts_with(&before));
}

#[test]
fn the_same_signal_again_ends_the_program_at_once_and_an_ignored_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path());
    let script = "trap '' HUP; exec \"$0\" \"$@\"";
    let mut train = Command::new("bash");
    train.args(["-c", script, PROGRAM]).args(training("100000")).current_dir(&folder);
    let mut child = train.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_epochs(folder.path(), 2);
    send("-HUP", &child);
    let epochs = lines(&folder.path().join("run/metrics.jsonl"));
    wait_for_epochs(folder.path(), epochs + 100);
    assert!(child.try_wait().unwrap().is_none(), "nohup ignores the signal, but the program ended");
    send("-TERM", &child);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert!(folder.path().join("run/checkpoints/last.ckpt").exists());
}

/// All files of the run with their contents.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = ["config.toml", "data.toml", "metrics.jsonl", "trained.safetensors", "model.emx", "report.html"];
    files.iter().map(|&name| (name.to_owned(), fs::read(folder.join("run").join(name)).unwrap_or_default())).collect()
}

#[test]
fn a_disk_that_is_full_at_any_size_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path());
    let first = limited(":", &training("2"), folder.path());
    assert!(first.status.success(), "{}", text(&first.stderr));
    let old = contents(folder.path());
    let mut codes = vec![];
    // In blocks of 1024 bytes, from nothing to more than the largest file.
    let few = [0, 1, 2, 3, 4, 6, 12, 24, 44, 1024];
    let many = std::env::var_os("EDGEMIX_SIZES").is_some_and(|sizes| sizes == "all");
    let sizes: Vec<usize> = if many { (0..49).chain([1024]).collect() } else { few.into() };
    for blocks in sizes {
        let again = [training("3"), vec!["--force".into()]].concat();
        let output = limited(&format!("ulimit -f {blocks}"), &again, folder.path());
        let (code, told) = (output.status.code(), text(&output.stderr));
        codes.push(code);
        match code {
            Some(1) => {
                assert!(told.contains("edgemix: ") && !told.contains("panicked"), "{blocks}: {told}");
                let found = contents(folder.path());
                let whole = |found: &[(String, Vec<u8>)]| found[..5] == old[..5];
                // If only the report could not be written, the new run is whole.
                let is_told = told.contains("the run is whole, and `edgemix report run` writes its report");
                assert!(whole(&found) || is_told, "{blocks}: {told}");
                // Files that are not written yet have names that mean nothing to people.
                assert!(!told.contains(".tmp"), "{blocks}: {told}");
                if !whole(&found) {
                    let evaluated = limited(":", &["evaluate".into(), "run".into()], folder.path());
                    assert!(evaluated.status.success(), "{blocks}: {}", text(&evaluated.stderr));
                    let back = [training("2"), vec!["--force".into()]].concat();
                    assert!(limited(":", &back, folder.path()).status.success());
                }
            }
            code => assert_eq!(code, Some(0), "{blocks}: {told}"),
        }
    }
    assert!(codes.first() == Some(&Some(1)) && codes.last() == Some(&Some(0)), "{codes:?}");
    let names = fs::read_dir(folder.path().join("run")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.filter(|name| name.to_string_lossy().starts_with(".tmp")).count() == 0);
}

#[test]
fn help_that_cannot_be_written_is_a_failure_and_a_closed_output_is_not() {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path());
    for arguments in ["--help", "help", "train --help", "--version", "man", "completions bash", "train --print-config"]
    {
        let run = |script: &str| {
            let arguments = arguments.split(' ');
            Command::new("bash").args(["-c", script, PROGRAM]).args(arguments).current_dir(&folder).output().unwrap()
        };
        let full = run("exec \"$0\" \"$@\" > /dev/full");
        assert_eq!(full.status.code(), Some(1), "{arguments}: {}", text(&full.stderr));
        assert!(text(&full.stderr).starts_with("edgemix: standard output: "), "{}", text(&full.stderr));
        let closed = run("exec \"$0\" \"$@\" > /dev/full 2>&-");
        assert_eq!(closed.status.code(), Some(1), "{arguments}");
        let reader_gone = run("\"$0\" \"$@\" | true; exit ${PIPESTATUS[0]}");
        assert_eq!(reader_gone.status.code(), Some(0), "{arguments}: {}", text(&reader_gone.stderr));
    }
    // A training writes its files even if nothing can be said.
    for script in ["exec \"$0\" \"$@\" >&- 2>&-", "exec \"$0\" \"$@\" > /dev/null 2> /dev/full"] {
        let arguments = [training("2"), vec!["--force".into()]].concat();
        let silent =
            Command::new("bash").args(["-c", script, PROGRAM]).args(arguments).current_dir(&folder).status().unwrap();
        assert_eq!(silent.code(), Some(0), "{script}");
        assert!(contents(folder.path()).iter().all(|(_, bytes)| !bytes.is_empty()));
    }
}

#[test]
fn a_damaged_checkpoint_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path());
    let run = |arguments: &[String]| Command::new(PROGRAM).args(arguments).current_dir(&folder).output().unwrap();
    assert!(run(&training("2")).status.success());
    for file in ["trained.safetensors", "model.emx"] {
        fs::remove_file(folder.path().join("run").join(file)).unwrap();
    }
    let checkpoint = folder.path().join("run/checkpoints/last.ckpt");
    let mut bytes = fs::read(&checkpoint).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&checkpoint, &bytes).unwrap();
    let refused = run(&["train", "--out", "run", "--resume", "--allow-disagreement"].map(str::to_owned));
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    let expected = "run/checkpoints/last.ckpt: the checkpoint cannot be used: it is damaged: start again with --force";
    assert!(told.contains(expected), "{told}");
    assert!(fs::read(&checkpoint).unwrap() == bytes);
}

#[test]
fn a_lack_of_memory_is_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (20000000, 10), }";
    let mut file = fs::File::create(folder.path().join("big.npy")).unwrap();
    let begin = [&b"\x93NUMPY\x01\x00"[..], &[header.len() as u8, 0], header.as_bytes()].concat();
    std::io::Write::write_all(&mut file, &begin).unwrap();
    // The numbers are a hole in the file, which takes no space.
    file.set_len(begin.len() as u64 + 800_000_000).unwrap();
    let arguments = ["train", "big.npy", "--out", "run", "--memory", "4GB"].map(str::to_owned);
    let output = limited("ulimit -v 500000", &arguments, folder.path());
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{:?}: {told}", output.status);
    assert!(told.contains("memory") && !told.contains("a bug in edgemix"), "{told}");
    assert!(!folder.path().join("run").exists());
}
