//! Chooses the kernel for the core: stable Rust has no `cfg` for the DSP extension.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!(
        "cargo:rustc-check-cfg=cfg(edgemix_core, values(\"dsp\", \"mainline\", \"baseline\", \"riscv\", \"scalar\", \"host\"))"
    );
    let target = std::env::var("TARGET").unwrap_or_default();
    let core = match &*target {
        _ if target.starts_with("thumbv7em") => "dsp",
        _ if target.starts_with("thumbv7m") || target.starts_with("thumbv8m.main") => "mainline",
        _ if target.starts_with("thumbv6m") || target.starts_with("thumbv8m.base") => "baseline",
        _ if target.starts_with("riscv32im") => "riscv",
        _ if target.starts_with("riscv32") => "scalar",
        _ => "host",
    };
    println!("cargo:rustc-cfg=edgemix_core=\"{core}\"");
}
