//! Writes the memory map, and gives `parity` the model and the samples that it is to be built with.

use std::{env, fs, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    // The MPS2 boards with a Cortex-M3 or M4 that QEMU emulates: 4 MB of code memory, 4 MB of RAM.
    let memory = "MEMORY\n{\n  FLASH : ORIGIN = 0x00000000, LENGTH = 4M\n  RAM : ORIGIN = 0x20000000, LENGTH = 4M\n}\n";
    fs::write(out.join("memory.x"), memory).expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=build.rs");
    for (variable, default, name) in [
        ("EDGEMIX_MODEL", "assets/digits.emx", "model.emx"),
        ("EDGEMIX_SAMPLES", "assets/digits-samples.u8", "samples.u8"),
    ] {
        println!("cargo:rerun-if-env-changed={variable}");
        let path = env::var(variable).unwrap_or_else(|_| default.into());
        println!("cargo:rerun-if-changed={path}");
        fs::copy(&path, out.join(name)).unwrap_or_else(|error| panic!("{variable}: {path}: {error}"));
    }
}
