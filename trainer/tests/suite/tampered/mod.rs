//! Files of a run that were changed after they were written: each is refused or has a meaning, and none makes the program
//! panic or take memory without end.
//!
//! `EDGEMIX_MUTATIONS=10000 cargo test --release -p edgemix --test suite tampered` makes more changes than the usual ones.

// The address space is limited by the shell.
#![cfg(target_os = "linux")]

mod mutations;
mod program;
mod ways;
pub(crate) mod whole;

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use edgemix::random::stream;
use edgemix::run::{ModelFile, RunFile};
use edgemix_format::Limits;
use edgemix_format::signature::{Trust, public_key, sign};
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::Model;
use sha2::{Digest, Sha256};

use super::damaged::limited;
use mutations::mutated;
use ways::ways_of;
use whole::{FILES, WholeRun, write};

/// How many changes of each file CI makes.
const FEW: usize = 60;

fn count() -> usize {
    std::env::var("EDGEMIX_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(FEW)
}

/// Runs a test below in a process of its own, with little memory.
fn in_limited_process(name: &str) {
    let last = tempfile::NamedTempFile::new().unwrap();
    let path = last.path().to_str().unwrap().to_owned();
    let output = limited::run(name, &[("EDGEMIX_LAST", path), ("EDGEMIX_MUTATIONS", count().to_string())]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let last = fs::read_to_string(last.path()).unwrap();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{last}: {}\n{out}\n{error}", output.status);
    println!("{out}");
}

#[test]
fn a_file_that_was_tampered_with_is_refused_and_never_a_panic() {
    in_limited_process("tampered::each_file");
}

#[test]
fn a_checkpoint_that_was_crafted_is_never_a_panic() {
    in_limited_process("tampered::crafted_checkpoints");
}

#[test]
fn a_signed_model_that_was_tampered_with_is_not_taken_for_signed() {
    in_limited_process("tampered::signed_models");
}

/// Whether a changed file is being read.
static IS_TRIAL: AtomicBool = AtomicBool::new(false);

/// Tells which change is tried, in case the process ends by it, and whether it ended in a panic.
struct Trials(Option<File>);

impl Trials {
    fn new() -> Self {
        assert!(limited::is_limited(), "it is run by another test, in a process with little memory");
        // A panic of a library that is caught is no failure.
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_TRIAL.load(Ordering::Acquire) {
                usual(panic);
            }
        }));
        Self(std::env::var_os("EDGEMIX_LAST").map(|path| File::create(path).unwrap()))
    }

    fn panics<T>(&mut self, name: &str, index: usize, work: impl FnOnce() -> T) -> Result<T, String> {
        if let Some(last) = &mut self.0 {
            last.rewind().and_then(|()| write!(last, "{name}, change {index:6}")).unwrap();
        }
        IS_TRIAL.store(true, Ordering::Release);
        let found = catch_unwind(AssertUnwindSafe(work));
        IS_TRIAL.store(false, Ordering::Release);
        found.map_err(|_| format!("{name}, change {index}"))
    }
}

/// Fails if a change made something panic.
fn check(panicked: &[String]) {
    assert!(panicked.is_empty(), "{panicked:?}");
}

#[test]
#[ignore = "runs in a process of its own"]
fn each_file() {
    let mut trials = Trials::new();
    let whole = WholeRun::new();
    whole.restore();
    let mut panicked = vec![];
    for file in FILES {
        let (bytes, ways) = (whole.contents(file), ways_of(file));
        let is_accepted = || ways.iter().filter(|way| !way(&whole)).count() == 0;
        assert!(is_accepted(), "{file}");
        let begin = std::time::Instant::now();
        let mut accepted = 0;
        for index in 0..count() {
            let changed = mutated(bytes, &mut stream(7, file.name(), index as u64));
            write(&whole.path(), file, &changed);
            match trials.panics(file.name(), index, is_accepted) {
                Err(change) => panicked.push(change),
                Ok(false) => {}
                Ok(true) if changed == *bytes => {}
                Ok(true) => {
                    accepted += 1;
                    // Bytes after the end of a model are no part of it.
                    let is_same = file == RunFile::Model && changed.starts_with(bytes);
                    let is_checked =
                        matches!(file, RunFile::Trained | RunFile::Model | RunFile::Checkpoint | RunFile::Autoencoder);
                    assert!(is_same || !is_checked, "{file}, change {index} is not noticed");
                }
            }
        }
        write(&whole.path(), file, bytes);
        println!("{file}: {accepted} of {} changes have a meaning; {:.0?}", count(), begin.elapsed());
    }
    check(&panicked);
}

/// A checkpoint with a checksum that fits, which accidents do not make.
#[test]
#[ignore = "runs in a process of its own"]
fn crafted_checkpoints() {
    let mut trials = Trials::new();
    let whole = WholeRun::new();
    let mut panicked = vec![];
    let mut craft = |file: RunFile, read: &dyn Fn()| {
        let bytes = whole.contents(file);
        for index in 0..count() {
            let mut changed = mutated(&bytes[..bytes.len() - 32], &mut stream(8, "checkpoint", index as u64));
            let digest = Sha256::digest(&changed);
            changed.extend_from_slice(&digest);
            write(&whole.path(), file, &changed);
            panicked.extend(trials.panics(&format!("a crafted {file}"), index, read).err());
        }
        write(&whole.path(), file, bytes);
    };
    craft(RunFile::Checkpoint, &|| drop(whole.resume()));
    craft(RunFile::Autoencoder, &|| drop(whole.start_another()));
    check(&panicked);
}

#[test]
#[ignore = "runs in a process of its own"]
fn signed_models() {
    let mut trials = Trials::new();
    let whole = WholeRun::new();
    let secret = [7; 32];
    let key = public_key(&secret);
    let trust = Trust { key: &key, least_counter: 2, limits: Limits::NONE };
    let signed = sign(whole.contents(RunFile::Model), &secret, 2).unwrap();
    let path = whole.scratch("signed.emx");
    let is_trusted = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let _ = ModelFile::read(&path);
        Model::from_signed_bytes(&AlignedBytes::from(bytes), &trust).is_ok()
    };
    assert!(is_trusted(&signed));
    let mut panicked = vec![];
    for index in 0..count() {
        let changed = mutated(&signed, &mut stream(9, "signed", index as u64));
        match trials.panics("a signed model", index, || is_trusted(&changed)) {
            Err(change) => panicked.push(change),
            Ok(is_trusted) => assert!(!is_trusted || changed.starts_with(&signed), "change {index} is not noticed"),
        }
    }
    check(&panicked);
}
