//! Outputs that would overwrite what a command reads, or a file of a run.

use std::fs;
use std::path::Path;

use super::directory::RunDir;
use super::error::RunError;
use super::file::RunFile;

/// Checks that a file can be written without loss: it is none of the files that the command reads, and not part of a run.
/// `own` is the file of a run that the command is meant to replace, if there is one.
///
/// ```
/// use edgemix::run::{RunError, check_output};
///
/// let folder = tempfile::tempdir()?;
/// let samples = folder.path().join("imu.csv");
/// std::fs::write(&samples, "1,2\n")?;
/// let refused = check_output(&samples, &[&samples], None);
/// assert!(matches!(refused, Err(RunError::OverwritesInput { .. })));
/// check_output(&folder.path().join("clusters.csv"), &[&samples], None)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`RunError::OverwritesInput`] and [`RunError::OverwritesRun`].
pub fn check_output(out: &Path, inputs: &[&Path], own: Option<(&RunDir, RunFile)>) -> Result<(), RunError> {
    if inputs.iter().any(|input| is_same(out, input) || is_within(out, input)) {
        return Err(RunError::OverwritesInput { path: out.into() });
    }
    if own.is_some_and(|(run, file)| is_same_place(out, &run.file(file))) {
        return Ok(());
    }
    for file in RunFile::ALL {
        // The directory of a run, if the output has the name of one of its files.
        let levels = Path::new(file.name()).components().count();
        let directory =
            out.ancestors().nth(levels).filter(|directory| is_same_place(out, &directory.join(file.name())));
        if let Some(directory) = directory {
            let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
            // A file of a run is protected even if another one is damaged.
            let run = RunDir::open(directory);
            if run.contains(RunFile::Settings) && (run.contains(RunFile::Data) || run.contains(RunFile::Trained)) {
                return Err(RunError::OverwritesRun { path: out.into() });
            }
        }
    }
    Ok(())
}

/// Whether two paths lead to the same regular file. A device, such as `/dev/null`, loses nothing.
fn is_same(a: &Path, b: &Path) -> bool {
    let (Ok(a_found), Ok(b_found)) = (fs::metadata(a), fs::metadata(b)) else { return false };
    if !a_found.is_file() || !b_found.is_file() {
        return false;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (a_found.dev(), a_found.ino()) == (b_found.dev(), b_found.ino())
    }
    #[cfg(not(unix))]
    {
        matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
    }
}

/// Whether a file exists in a folder that the command reads.
fn is_within(file: &Path, folder: &Path) -> bool {
    let (Ok(file), Ok(folder)) = (fs::canonicalize(file), fs::canonicalize(folder)) else { return false };
    file.is_file() && folder.is_dir() && file.starts_with(folder)
}

/// Whether two paths name the same place, in which there need not be a file.
fn is_same_place(a: &Path, b: &Path) -> bool {
    let folder = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::canonicalize(parent),
        _ => fs::canonicalize("."),
    };
    a.file_name() == b.file_name() && matches!((folder(a), folder(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{self, DataRecord, Source};
    use crate::methods::FitConfig;

    #[test]
    fn no_file_of_a_run_and_no_input_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let run = RunDir::create(&at("run")).unwrap();
        let record = DataRecord::new(&Source::new("digits"), &data::digits().samples);
        run.write_start(&record, &FitConfig::default()).unwrap();
        let is_refused = |out: &Path| matches!(check_output(out, &[], None), Err(RunError::OverwritesRun { .. }));
        for file in RunFile::ALL {
            fs::create_dir_all(run.file(file).parent().unwrap()).unwrap();
            assert!(is_refused(&run.file(file)), "{file}");
            assert!(is_refused(&at("run/../run/./").join(file.name())), "{file}");
            // A folder without a run has no such files.
            assert!(!is_refused(&at(file.name())), "{file}");
        }
        check_output(&run.file(RunFile::Report), &[], Some((&run, RunFile::Report))).unwrap();
        let other = check_output(&run.file(RunFile::Model), &[], Some((&run, RunFile::Report)));
        assert!(matches!(other, Err(RunError::OverwritesRun { .. })));

        fs::create_dir(at("pictures")).unwrap();
        fs::write(at("pictures/a.png"), "").unwrap();
        fs::hard_link(at("pictures/a.png"), at("b.png")).unwrap();
        let pictures = at("pictures");
        assert!(check_output(&at("pictures/a.png"), &[&pictures], None).is_err());
        assert!(check_output(&at("b.png"), &[&at("pictures/a.png")], None).is_err());
        check_output(&at("pictures/new.csv"), &[&pictures], None).unwrap();
    }
}
