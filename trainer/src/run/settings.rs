//! Settings as TOML: complete when written, completed by the method's defaults when read.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::error::RunError;
use crate::base::names::with_suggestion;
use crate::methods::{FitConfig, MethodConfig};

/// Reads settings from a TOML file. A setting that is missing has the default of the method that the file names.
///
/// ```
/// use edgemix::run::read_settings;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("config.toml");
/// std::fs::write(&path, "seed = 3\n[method]\nname = \"dec\"\n")?;
/// let config = read_settings(&path)?;
/// assert_eq!((config.seed, config.method.name()), (3, "dec"));
/// std::fs::write(&path, "# misspelt\nsede = 3\n")?;
/// assert!(read_settings(&path).unwrap_err().to_string().contains("config.toml:2: unknown field `sede`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`RunError::Io`] if the file can't be read, and [`RunError::Malformed`], with the line where it is known, if it does not
/// contain settings.
pub fn read_settings(path: &Path) -> Result<FitConfig, RunError> {
    let given = RunError::text(path, fs::read(path).map_err(RunError::io(path))?)?;
    let malformed = |error: toml::de::Error| RunError::Malformed {
        path: path.into(),
        line: error.span().map(|span| given[..span.start.min(given.len())].matches('\n').count() + 1),
        problem: with_suggestion(error.message()),
    };
    // The file is parsed by itself first, since only then do errors have line numbers.
    let alone: FitConfig = toml::from_str(&given).map_err(malformed)?;
    let Some(method) = MethodConfig::named(alone.method.name()) else {
        return Err(RunError::malformed(path, format!("no method is named {:?}", alone.method.name())));
    };
    let defaults = FitConfig { method, ..FitConfig::default() };
    let mut complete: Table = toml::from_str(&settings_to_toml(&defaults)?).map_err(malformed)?;
    overlay(&mut complete, toml::from_str(&given).map_err(malformed)?);
    complete.try_into().map_err(malformed)
}

/// Replaces the values in `table` by those in `other`, table by table.
fn overlay(table: &mut Table, other: Table) {
    for (name, value) in other {
        match (table.get_mut(&name), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value),
            (_, value) => _ = table.insert(name, value),
        }
    }
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
    let value = |config| Value::try_from(config).map_err(|error| RunError::Unwritable(error.to_string()));
    let mut found = vec![];
    collect_differences("", Some(&value(before)?), Some(&value(after)?), &mut found);
    Ok(found)
}

fn collect_differences(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<String>) {
    if let (Some(Value::Table(a)), Some(Value::Table(b))) = (before, after) {
        let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            collect_differences(&path, a.get(name), b.get(name), found);
        }
    } else if before != after {
        let show = |value: Option<&Value>| value.map_or_else(|| "not set".into(), Value::to_string);
        found.push(format!("{path} was {}, is now {}", show(before), show(after)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
