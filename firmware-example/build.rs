//! Copies the memory map of the chosen machine to where the linker looks for it, the recording that the example replays, in
//! integers, and the model and samples that `parity` embeds.

use std::{env, fs, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let is_board = env::var_os("CARGO_FEATURE_NUCLEO_F401RE").is_some();
    let memory = if is_board { "memory/nucleo-f401re.x" } else { "memory/emulator.x" };
    fs::copy(memory, out.join("memory.x")).unwrap_or_else(|error| panic!("{memory}: {error}"));
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={memory}");
    for (variable, default, name) in [
        ("EDGEMIX_MODEL", "assets/digits.emx", "model.emx"),
        ("EDGEMIX_SAMPLES", "assets/digits-samples.u8", "samples"),
    ] {
        println!("cargo:rerun-if-env-changed={variable}");
        let path = env::var(variable).unwrap_or_else(|_| default.into());
        println!("cargo:rerun-if-changed={path}");
        fs::copy(&path, out.join(name)).unwrap_or_else(|error| panic!("{variable}: {path}: {error}"));
        if name == "samples" && path.ends_with(".i16") {
            println!("cargo:rustc-cfg=samples_i16");
        }
    }
    println!("cargo:rustc-check-cfg=cfg(samples_i16)");
    fs::write(out.join("wearer.i16"), recording("assets/wearer.csv")).expect("cargo's folder is writable");
    #[cfg(feature = "signature")]
    signed_models(&out);
}

/// The counts of a recording in CSV, after the columns of user and activity.
fn recording(path: &str) -> Vec<u8> {
    println!("cargo:rerun-if-changed={path}");
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let counts = text.lines().skip(1).flat_map(|line| line.split(',').skip(2));
    counts
        .flat_map(|count| count.parse::<i16>().unwrap_or_else(|_| panic!("{path}: `{count}`")).to_le_bytes())
        .collect()
}

/// Small models for `update`: two with rising counters, and one that someone else signed.
#[cfg(feature = "signature")]
fn signed_models(out: &std::path::Path) {
    use edgemix_format::signature::{public_key, sign};
    use edgemix_format::testing::{HeadSpec, Spec};

    println!("cargo:rerun-if-env-changed=EDGEMIX_POWER_FAILURES");
    let failures = env::var("EDGEMIX_POWER_FAILURES").unwrap_or_else(|_| "100".into());
    println!("cargo:rustc-env=EDGEMIX_POWER_FAILURES={failures}");
    let (owner, other) = ([7; 32], [8; 32]);
    let covariance = edgemix_format::description::Covariance::Diagonal;
    let write = |name: &str, model: &[u8], secret, counter| {
        let signed = sign(model, secret, counter).expect("a model");
        fs::write(out.join(name), &*signed).expect("cargo's folder is writable");
    };
    for (name, secret, counter) in [("1.emx", &owner, 1), ("2.emx", &owner, 2), ("foreign.emx", &other, 3)] {
        let head = HeadSpec::Mixture(covariance);
        let spec = Spec { layers: vec![], head, calibration: 0, seed: counter.into(), ..Spec::default() };
        write(name, &spec.build().expect("the numbers fit together"), secret, counter);
    }
    write("digits.emx", &fs::read("assets/digits.emx").expect("the example's model is there"), &owner, 1);
    fs::write(out.join("owner.key"), public_key(&owner)).expect("cargo's folder is writable");
}
