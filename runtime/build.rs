//! Chooses the core's kernels, because stable Rust has no `cfg` for some extensions, and says whether the profile asks for
//! small code.

use std::env;

/// The names of the cores whose kernels `src/kernels/cores/mod.rs` chooses.
const CORES: &str = r#"values("dsp", "mve", "mainline", "baseline", "riscv", "scalar", "host")"#;
/// What instructions a core may have: those of ARMv7-M, those of Arm's DSP extension, products of 64 bits.
const INSTRUCTIONS: &str = r#"values("armv7m", "dsp", "long-products")"#;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(edgemix_core, {CORES})");
    println!("cargo:rustc-check-cfg=cfg(edgemix_has, {INSTRUCTIONS})");
    println!("cargo:rustc-check-cfg=cfg(edgemix_v8m)");
    println!("cargo:rustc-check-cfg=cfg(edgemix_small)");
    let target = env::var("TARGET").unwrap_or_default();
    let feature = |name: &str| env::var_os(format!("CARGO_FEATURE_{name}")).is_some();
    let (core, instructions) = core(&target, feature);
    println!("cargo:rustc-cfg=edgemix_core=\"{core}\"");
    for name in instructions {
        println!("cargo:rustc-cfg=edgemix_has=\"{name}\"");
    }
    if env::var("OPT_LEVEL").is_ok_and(|level| ["s", "z"].contains(&&*level)) {
        println!("cargo:rustc-cfg=edgemix_small");
    }
    if target.starts_with("thumbv8") {
        println!("cargo:rustc-cfg=edgemix_v8m");
    }
}

/// The core of a target, and what instructions it has.
fn core(target: &str, feature: impl Fn(&str) -> bool) -> (&'static str, &'static [&'static str]) {
    let is = |name| target.starts_with(name);
    let is_v8m = is("thumbv8m.main") || is("thumbv8.1m.main");
    match () {
        () if is_v8m && feature("MVE") => ("mve", &["armv7m", "dsp", "long-products"]),
        () if is("thumbv7em") || is_v8m && feature("DSP") => ("dsp", &["armv7m", "dsp", "long-products"]),
        () if is("thumbv7m") || is_v8m => ("mainline", &["armv7m", "long-products"]),
        () if is("thumbv6m") || is("thumbv8m.base") => ("baseline", &[]),
        () if is("riscv32im") => ("riscv", &["long-products"]),
        () if is("riscv32") => ("scalar", &["long-products"]),
        () => ("host", &["long-products"]),
    }
}
