//! Settings as TOML: complete when written, completed by the method's defaults when read.

use std::fs;
use std::path::Path;

use toml::Value;

use super::completion::{completed, defaults_of};
use super::culprit::{Culprit, culprit};
use super::error::RunError;
use super::{preset, renamed};
use crate::base::names::with_suggestion;
use crate::methods::FitConfig;

/// Reads settings from a TOML file. A setting that is missing has the default of the method that the file names, or, if the
/// file has `preset = "paper"`, the value of that method's paper ([`Preset`](super::Preset)).
///
/// ```
/// use edgemix::run::read_settings;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("config.toml");
/// std::fs::write(&path, "seed = 3\n[method]\nname = \"dec\"\n")?;
/// let config = read_settings(&path)?;
/// assert_eq!((config.seed, config.method.name()), (3, "dec"));
/// std::fs::write(&path, "preset = \"paper\"\n[method]\nname = \"dcan\"\n")?;
/// assert_eq!(read_settings(&path)?.encoder.to_string(), "384-256");
/// std::fs::write(&path, "# misspelt\nsede = 3\n")?;
/// assert!(read_settings(&path).unwrap_err().to_string().contains("config.toml:2: unknown field `sede`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`RunError::Io`] if the file can't be read, [`RunError::Malformed`], with the line where it is known, if it does not
/// contain settings, and [`RunError::NoPreset`] if the method has no preset.
pub fn read_settings(path: &Path) -> Result<FitConfig, RunError> {
    let given = RunError::text(path, fs::read(path).map_err(RunError::io(path))?)?;
    let refused = |at: Option<usize>, problem| {
        let line = at.map(|at| given[..at.min(given.len())].matches('\n').count() + 1);
        RunError::Malformed { path: path.into(), line, problem }
    };
    let malformed =
        |error: toml::de::Error| refused(error.span().map(|span| span.start), with_suggestion(error.message()));
    let (preset, rest) = preset::taken(&given).map_err(malformed)?;
    let (reconstruct, rest) = renamed::taken(&rest).map_err(malformed)?;
    let unsuitable = |error| match culprit(&rest) {
        Some(Culprit { at, problem }) => refused(Some(at), problem),
        None => malformed(error),
    };
    // The file is parsed by itself first, since only then do errors have line numbers.
    let alone: FitConfig = toml::from_str(&rest).map_err(unsuitable)?;
    let base = match preset {
        Some(preset) => preset.settings(&alone.method)?,
        None => defaults_of(&alone.method),
    };
    let config = completed(&rest, &base).map_err(unsuitable)?;
    Ok(FitConfig { reconstruct: reconstruct.unwrap_or(config.reconstruct), ..config })
}

/// The complete settings as TOML.
///
/// ```
/// use edgemix::methods::FitConfig;
/// use edgemix::run::settings_to_toml;
///
/// let text = settings_to_toml(&FitConfig { seed: 3, ..FitConfig::default() })?;
/// assert!(text.starts_with("seed = 3\n"));
/// # Ok::<(), edgemix::run::RunError>(())
/// ```
///
/// # Errors
/// [`RunError::Unwritable`] if a value can't be written as TOML, such as a seed of 2^63 or more.
pub fn settings_to_toml(config: &FitConfig) -> Result<String, RunError> {
    toml::to_string(config).map_err(|error| RunError::Unwritable(error.to_string()))
}

/// The settings that differ, such as `seed was 0, is now 3`; empty if there are none.
///
/// ```
/// use edgemix::methods::FitConfig;
/// use edgemix::run::settings_differences;
///
/// let before = FitConfig::default();
/// let after = FitConfig { batch_size: 9, seed: 3, ..before.clone() };
/// assert_eq!(settings_differences(&before, &after)?, ["batch-size was 256, is now 9", "seed was 0, is now 3"]);
/// # Ok::<(), edgemix::run::RunError>(())
/// ```
///
/// # Errors
/// [`RunError::Unwritable`], as for [`settings_to_toml`].
pub fn settings_differences(before: &FitConfig, after: &FitConfig) -> Result<Vec<String>, RunError> {
    let show = |value: Option<Value>| value.map_or_else(|| "not set".into(), |value| value.to_string());
    let line = |(path, before, after): Difference| format!("{path} was {}, is now {}", show(before), show(after));
    Ok(differences(before, after)?.into_iter().map(line).collect())
}

/// The settings of a configuration that are not its method's defaults, as `seed = 3`; empty if there are none.
///
/// ```
/// use edgemix::methods::FitConfig;
/// use edgemix::run::chosen_settings;
///
/// let config = FitConfig { batch_size: 9, seed: 3, ..FitConfig::default() };
/// assert_eq!(chosen_settings(&config)?, ["batch-size = 9", "seed = 3"]);
/// # Ok::<(), edgemix::run::RunError>(())
/// ```
///
/// # Errors
/// [`RunError::Unwritable`], as for [`settings_to_toml`].
pub fn chosen_settings(config: &FitConfig) -> Result<Vec<String>, RunError> {
    let chosen = |(path, _, after): Difference| Some(format!("{path} = {}", after?));
    Ok(differences(&defaults_of(&config.method), config)?.into_iter().filter_map(chosen).collect())
}

/// The path of a setting, and its value in two configurations.
type Difference = (String, Option<Value>, Option<Value>);

fn differences(before: &FitConfig, after: &FitConfig) -> Result<Vec<Difference>, RunError> {
    let value = |config| Value::try_from(config).map_err(|error| RunError::Unwritable(error.to_string()));
    let mut found = vec![];
    collect_differences("", Some(&value(before)?), Some(&value(after)?), &mut found);
    Ok(found)
}

fn collect_differences(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    if let (Some(Value::Table(a)), Some(Value::Table(b))) = (before, after) {
        let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            collect_differences(&path, a.get(name), b.get(name), found);
        }
    } else if before != after {
        found.push((path.into(), before.cloned(), after.cloned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::{MethodConfig, ReconstructionTarget};
    use crate::nn::Optimizer;
    use crate::training::{Interval, RateSchedule};

    #[test]
    fn another_optimiser_or_schedule_keeps_nothing_of_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        let text = "[clustering]\nschedule = { name = \"steps\", every = 9 }\noptimizer.name = \"sgd\"\n";
        for text in [text.to_owned(), format!("preset = \"paper\"\nmethod.name = \"adaptive-gmm\"\n{text}")] {
            fs::write(&path, &text).unwrap();
            let clustering = read_settings(&path).unwrap().clustering;
            assert_eq!(clustering.schedule, RateSchedule::Steps { every: Interval::Epochs(9), factor: 0.1 }, "{text}");
            assert!(matches!(clustering.optimizer, Optimizer::Sgd { .. }), "{text}");
        }
    }

    #[test]
    fn a_file_changes_its_preset_and_errors_keep_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            read_settings(&path)
        };
        let own = "seed = 3\n  preset = \"paper\" # of 2024\n[method]\nname = \"dcan\"\nhidden = 8\n";
        let found = read(own).unwrap();
        let dcan = crate::run::Preset::Paper.settings(&found.method).unwrap();
        assert_eq!(
            settings_differences(&dcan, &found).unwrap(),
            ["method.hidden was 16, is now 8", "seed was 0, is now 3"]
        );
        for (text, problem) in [
            ("preset = \"paper\"\nsede = 3\n", "run.toml:2: unknown field `sede`"),
            (
                "seed = 3\npreset = \"papr\"\n",
                "run.toml:2: unknown variant `papr`, expected `paper` (did you mean paper?)",
            ),
            ("preset = \"paper\"\n", "grow has no preset \"paper\""),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn files_in_which_the_targets_were_a_setting_of_the_method_are_read() {
        use ReconstructionTarget::{Auto, Moved, Still};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            read_settings(&path)
        };
        for (text, expected) in [
            ("[method]\nname = \"grow\"\nreconstruct = \"still\"\n", Still),
            ("[method]\nreconstruct = \"moved\" # as they were moved\nname = \"grow\"", Moved),
            ("method.reconstruct = \"auto\"", Auto),
            ("[method]\nname = \"depict\"\nreconstruct = \"still\"\n", Auto),
            ("[method]\nname = \"depict\"\nreconstruct = \"moved\"\n", Moved),
            ("reconstruct = \"moved\"\n[method]\nname = \"idec\"\n", Moved),
        ] {
            assert_eq!(read(text).unwrap().reconstruct, expected, "{text}");
        }
        // What was no setting, or means nothing any more, is an error at its line, and so are other errors.
        for (text, problem) in [
            ("[method]\nname = \"idec\"\nreconstruct = \"moved\"\n", "run.toml:"),
            ("[method]\nname = \"depict\"\nreconstruct = \"auto\"\n", "unknown field `reconstruct`"),
            ("[method]\nname = \"grow\"\nreconstruct = \"moved\"\nruonds = 3\n", "did you mean rounds?"),
            (
                "reconstruct = \"still\"\n[method]\nname = \"grow\"\nreconstruct = \"moved\"\n",
                "unknown field `reconstruct`",
            ),
            ("method.reconstruct = \"movd\"", "unknown variant `movd`"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn a_setting_that_is_missing_has_the_default_of_the_method() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        for (name, table, key) in [
            ("kld", "mixture", "n-components"),
            ("vade", "mixture", "n-components"),
            ("alpha-jsd", "mixture", "truncation"),
            ("depict", "kmeans", "n-clusters"),
        ] {
            fs::write(&path, format!("seed = 4\n[method]\nname = \"{name}\"\n[method.{table}]\n{key} = 6\n")).unwrap();
            let defaults = FitConfig { seed: 4, method: MethodConfig::named(name).unwrap(), ..FitConfig::default() };
            let found = read_settings(&path).unwrap();
            let differences = settings_differences(&defaults, &found).unwrap();
            assert_eq!(differences.len(), 1, "{name}: {differences:?}");
            assert!(differences[0].starts_with(&format!("method.{table}.{key} was ")), "{name}: {differences:?}");
            assert!(differences[0].ends_with(", is now 6"), "{name}: {differences:?}");
        }
    }

    #[test]
    fn complete_settings_are_read_again() {
        for name in MethodConfig::NAMES {
            let config = FitConfig { method: MethodConfig::named(name).unwrap(), ..FitConfig::default() };
            assert_eq!(toml::from_str::<FitConfig>(&settings_to_toml(&config).unwrap()).unwrap(), config);
            assert!(settings_differences(&config, &config).unwrap().is_empty());
        }
    }
}
