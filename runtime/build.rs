//! Chooses the kernels for the core, because stable Rust has no `cfg` for the DSP extension, and says whether the profile
//! asks for small code.

const CORES: &str = r#"values("dsp", "mainline", "baseline", "riscv", "scalar", "host")"#;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(edgemix_core, {CORES})");
    println!("cargo:rustc-check-cfg=cfg(edgemix_v8m)");
    println!("cargo:rustc-check-cfg=cfg(edgemix_small)");
    let target = std::env::var("TARGET").unwrap_or_default();
    let has_dsp = std::env::var_os("CARGO_FEATURE_DSP").is_some();
    let is_v8m = target.starts_with("thumbv8m.main");
    let core = match &*target {
        _ if target.starts_with("thumbv7em") || is_v8m && has_dsp => "dsp",
        _ if target.starts_with("thumbv7m") || is_v8m => "mainline",
        _ if target.starts_with("thumbv6m") || target.starts_with("thumbv8m.base") => "baseline",
        _ if target.starts_with("riscv32im") => "riscv",
        _ if target.starts_with("riscv32") => "scalar",
        _ => "host",
    };
    println!("cargo:rustc-cfg=edgemix_core=\"{core}\"");
    if std::env::var("OPT_LEVEL").is_ok_and(|level| ["s", "z"].contains(&&*level)) {
        println!("cargo:rustc-cfg=edgemix_small");
    }
    if is_v8m {
        println!("cargo:rustc-cfg=edgemix_v8m");
    }
}
