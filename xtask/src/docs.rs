//! Runs the commands in the documentation, from a recording to a program on an emulated chip.
//!
//! A code block of the language `sh` is run in a folder beside the checkout. A code block below a line such as
//! `` `firmware/memory.x`: `` is written to that file. Other blocks, such as outputs and excerpts, are ignored.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, cargo, program, root};
use crate::setup;

/// The pages, in the order in which a newcomer reads them, and what their commands build.
const PAGES: [(&str, Builds); 4] = [
    ("docs/own-data.md", Builds::Firmware),
    ("docs/chip.md", Builds::Firmware),
    ("docs/c.md", Builds::Firmware),
    ("docs/vibration.md", Builds::Project),
];

/// Commands that are skipped, because [`setup`] prepares the machine.
const INSTALLATION: [&str; 4] = ["git clone", "cargo install", "rustup", "apt-get install"];

/// Added to the pages' training commands, so that they end sooner.
const SHORT: &str = " --pretrain-epochs 4 --cluster-epochs 2";

/// What cargo builds in the commands of a page.
#[derive(Clone, Copy, PartialEq)]
enum Builds {
    /// The reader's firmware, for which cargo needs the settings of [`setup::cargo`].
    Firmware,
    /// Programs of this project, which set up the rest themselves.
    Project,
}

/// A step that a page asks its reader to take.
#[derive(Debug, PartialEq)]
enum Step {
    /// Run these lines in a shell.
    Run(String),
    /// Create a file with this text.
    Write(PathBuf, String),
}

/// `cargo xtask docs`. The program that the pages build fails if the chip finds other clusters than the host.
pub(crate) fn run() -> Result<()> {
    setup::install_c()?;
    cargo(&["build", "--release"])?;
    // Outside the project: `cargo new` would make the reader's program a member of its workspace.
    let scratch = tempfile::tempdir()?;
    let folder = scratch.path().join("wearable");
    fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
    let checkout = scratch.path().join("edgemix");
    std::os::unix::fs::symlink(root(), &checkout).with_context(|| checkout.display().to_string())?;
    // The library for C is built where firmware is built, so that a second run finds what the first one compiled.
    let firmware = root().join("target/firmware");
    fs::create_dir_all(&firmware).with_context(|| firmware.display().to_string())?;
    std::os::unix::fs::symlink(&firmware, folder.join("library")).context("library")?;
    for (page, builds) in PAGES {
        let text = fs::read_to_string(root().join(page)).with_context(|| page.to_owned())?;
        let steps = steps(&text).with_context(|| page.to_owned())?;
        ensure!(!steps.is_empty(), "{page} has no code blocks to run");
        for step in steps {
            follow(&step, builds, &folder).with_context(|| page.to_owned())?;
        }
    }
    println!(
        "the commands of {} run, and the emulated chip finds the clusters that the host finds",
        PAGES.map(|(page, _)| page).join(", ")
    );
    Ok(())
}

/// The steps of a page, in its order.
fn steps(page: &str) -> Result<Vec<Step>> {
    let mut steps = vec![];
    let mut lines = page.lines();
    let mut file = None;
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            if !line.is_empty() {
                file = line.strip_prefix('`').and_then(|line| line.strip_suffix("`:")).map(PathBuf::from);
            }
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let text = block.join("\n") + "\n";
        match (file.take(), language) {
            (Some(path), _) if path.is_relative() => steps.push(Step::Write(path, text)),
            (Some(path), _) => bail!("{} is not a path within the reader's folder", path.display()),
            (None, "sh") => steps.push(Step::Run(text)),
            (None, _) => {}
        }
    }
    Ok(steps)
}

/// Takes a step in the reader's folder.
fn follow(step: &Step, builds: Builds, folder: &Path) -> Result<()> {
    match step {
        Step::Write(path, text) => {
            let path = folder.join(path);
            fs::write(&path, text).with_context(|| path.display().to_string())?;
            if path.ends_with("Cargo.toml") {
                // The versions of dependencies that the firmware example is tested with.
                let lock = path.with_file_name("Cargo.lock");
                fs::copy(root().join("firmware-example/Cargo.lock"), &lock)
                    .with_context(|| lock.display().to_string())?;
            }
            Ok(())
        }
        Step::Run(text) => {
            let lines = text.lines().filter(|line| !INSTALLATION.iter().any(|start| line.starts_with(start)));
            for line in lines.clone().filter(|line| line.starts_with("edgemix train")) {
                ensure!(
                    !line.ends_with('\\') && !line.contains('#'),
                    "`{line}`: a training command must be one line without a comment, so that flags can be added"
                );
            }
            let short = |line: &str| match line.starts_with("edgemix train") {
                true => format!("{line}{SHORT}"),
                false => line.to_owned(),
            };
            let script = lines.map(short).collect::<Vec<String>>().join("\n");
            process::run(shell(builds)?.args(["-e", "-x", "-c", &script]).current_dir(folder))
        }
    }
}

/// A shell that finds this project's `edgemix`, and whose cargo builds what the page does.
fn shell(builds: Builds) -> Result<Command> {
    if builds == Builds::Project {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(root().join("target/release")).chain(std::env::split_paths(&paths));
        let mut shell = program("sh", &[]);
        shell.env("PATH", std::env::join_paths(paths)?);
        return Ok(shell);
    }
    let cargo = setup::cargo()?;
    let mut shell = program("sh", &[]);
    for (name, value) in cargo.get_envs() {
        let Some(value) = value else { continue };
        if name == "PATH" {
            let paths = std::iter::once(root().join("target/release")).chain(std::env::split_paths(value));
            shell.env(name, std::env::join_paths(paths)?);
        } else {
            shell.env(name, value);
        }
    }
    Ok(shell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_run_files_are_written_and_other_blocks_are_ignored() {
        let page =
            "Words of `code`:\n\n```sh\none\ntwo\n```\n\n`a/b.x`:\n\n```\ntext\n```\nIt says\n```text\nfine\n```\n";
        let expected = [Step::Run("one\ntwo\n".into()), Step::Write("a/b.x".into(), "text\n".into())];
        assert_eq!(steps(page).unwrap(), expected);
        assert!(steps("`/etc/x`:\n```\n```\n").is_err());
    }
}
