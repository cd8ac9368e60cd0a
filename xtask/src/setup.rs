//! Installs what firmware needs. Debian's packages `rustc-web` and `rust-web-src` are one version of the compiler and of
//! its library's source, so the core library can be built for any target without rustup.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::{exists, host, output, program, root, run};

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// Installs the packages that are missing; does nothing where all are there.
pub(crate) fn install_missing() -> Result<()> {
    let mut packages = vec![];
    if !exists("qemu-system-arm") {
        packages.push("qemu-system-arm");
    }
    if !exists("qemu-system-riscv32") {
        packages.push("qemu-system-misc");
    }
    if !exists(DEBIAN_RUSTC) || library_source().is_err() {
        packages.extend(["rustc-web", "rust-web-src"]);
    }
    install(&packages)
}

/// Installs what programs in C for emulated cores need: compilers, newlib-nano, picolibc.
pub(crate) fn install_c() -> Result<()> {
    install_missing()?;
    let mut packages = vec![];
    if !exists("cc") {
        packages.push("gcc");
    }
    if !exists("arm-none-eabi-gcc") || !Path::new("/usr/lib/arm-none-eabi/newlib/nano.specs").exists() {
        packages.extend(["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"]);
    }
    if !exists("riscv64-unknown-elf-gcc") || !Path::new("/usr/lib/picolibc/riscv64-unknown-elf").exists() {
        packages.extend(["gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf"]);
    }
    install(&packages)
}

/// Installs Mesa's drivers for Vulkan, among them a GPU in software, where no driver is there.
pub(crate) fn install_vulkan() -> Result<()> {
    let is_there = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"].iter().any(|folder| Path::new(folder).is_dir());
    install(if is_there { &[] } else { &["mesa-vulkan-drivers"] })
}

fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(", ");
    ensure!(exists("apt-get"), "install {names} and run this command again: without apt-get it cannot install them");
    println!("installing {names}");
    run(&mut program("apt-get", &["-q", "update"]))?;
    let mut install = program("apt-get", &["install", "-y", "-q", "--no-install-recommends"]);
    run(install.args(packages).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// `cargo xtask setup`.
pub(crate) fn announce() -> Result<()> {
    install_missing()?;
    println!("firmware is built with {}", output(&mut program(DEBIAN_RUSTC, &["--version"]))?.trim());
    Ok(())
}

/// Cargo for firmware: Debian's compiler and library source, and the linker of the installed toolchain.
pub(crate) fn cargo() -> Result<Command> {
    let sysroot = output(&mut program("rustc", &["--print", "sysroot"]))?;
    let linkers = Path::new(sysroot.trim()).join("lib/rustlib").join(host()?).join("bin");
    ensure!(linkers.join("rust-lld").exists(), "rust-lld is not in {}", linkers.display());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(linkers).chain(std::env::split_paths(&path));
    let mut cargo = program("cargo", &[]);
    cargo
        .current_dir(root().join("firmware-example"))
        .env("PATH", std::env::join_paths(paths)?)
        .env("RUSTC", DEBIAN_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_UNSTABLE_BUILD_STD", "core,alloc")
        .env("CARGO_TARGET_DIR", root().join("target/firmware"));
    Ok(cargo)
}

fn library_source() -> Result<PathBuf> {
    let version = output(&mut program(DEBIAN_RUSTC, &["--version"]))?;
    let number = version.split_whitespace().nth(1).context("`rustc --version` prints no version")?;
    let path = PathBuf::from(format!("/usr/src/rustc-{number}/library/core/src/lib.rs"));
    ensure!(path.exists(), "{} is missing", path.display());
    Ok(path)
}
