//! Known vulnerabilities, licences, duplicated versions and origins of all dependencies, by cargo-deny and `deny.toml`.

use anyhow::Result;

use crate::process::{output, program, run};

/// `cargo xtask deny`. What can't be checked here is skipped, and said.
pub(crate) fn check() -> Result<()> {
    let deny = |arguments: &[&str]| program("cargo", &[&["deny"][..], arguments].concat());
    if output(&mut deny(&["--version"])).is_err() {
        skipped("all of it", "cargo-deny is not installed: cargo install cargo-deny");
        return Ok(());
    }
    // Of the dependencies, also those of other platforms are read, which nothing else here downloads.
    run(&mut deny(&["check", "bans", "licenses", "sources"]))?;
    if run(&mut deny(&["fetch", "db"])).is_err() {
        skipped("known vulnerabilities", "the advisory database can't be fetched");
        return Ok(());
    }
    run(&mut deny(&["--offline", "check", "advisories"]))
}

fn skipped(what: &str, why: &str) {
    println!("== deny: NOT CHECKED: {what}: {why}");
}
