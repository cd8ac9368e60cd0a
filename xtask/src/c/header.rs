//! `c-api/include/edgemix.h`, made from the functions and types of the crate.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::process::root;

/// Compares the committed header with what the crate says; `bless` writes it instead.
pub(super) fn check(bless: bool) -> Result<()> {
    let path = root().join("c-api/include/edgemix.h");
    let header = generate()?;
    if bless {
        return fs::write(&path, header).with_context(|| path.display().to_string());
    }
    let committed = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let differs = committed.lines().zip(header.lines()).position(|(old, new)| old != new);
    let is_current = committed == header;
    let line = differs.unwrap_or_else(|| committed.lines().count().min(header.lines().count())) + 1;
    ensure!(is_current, "{}:{line} is out of date: `cargo xtask c --bless` writes it", path.display());
    println!("c-api/include/edgemix.h is current");
    Ok(())
}

fn generate() -> Result<String> {
    let folder = root().join("c-api");
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).map_err(anyhow::Error::msg)?;
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in ["status", "structs", "boundary", "smoother", "signed"] {
        builder = builder.with_src(folder.join("src").join(file).with_extension("rs"));
    }
    let mut text = vec![];
    builder.generate().context("c-api/include/edgemix.h cannot be made")?.write(&mut text);
    let text = String::from_utf8(text).context("the header is not UTF-8")?;
    // What Rust calls safety is in the comments of the functions already, for readers who know no Rust.
    Ok(text.replace("// # Safety\n", "// The caller ensures:\n"))
}
