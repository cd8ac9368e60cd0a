//! Settings from a file, `--set` and flags, with what they mean when they are misspelt.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::CliError;
use crate::base::names::{nearest_name, with_suggestion};
use crate::methods::{FitConfig, MethodConfig};

/// Reads a TOML file of settings; what it leaves out is as the method it names has it.
pub(super) fn read(path: &Path) -> Result<FitConfig, CliError> {
    let given = fs::read_to_string(path).map_err(CliError::io(path))?;
    let refused = |error: toml::de::Error| {
        let line = error.span().map(|span| given[..span.start.min(given.len())].matches('\n').count() + 1);
        let line = line.map_or(String::new(), |line| format!(":{line}"));
        CliError::Use(format!("{}{line}: {}", path.display(), with_suggestion(error.message())))
    };
    // By itself first: whose errors say where.
    let alone: FitConfig = toml::from_str(&given).map_err(refused)?;
    let defaults = FitConfig { method: method(alone.method.name())?, ..FitConfig::default() };
    let mut whole: Table = toml::from_str(&text(&defaults)?).map_err(refused)?;
    overlay(&mut whole, toml::from_str(&given).map_err(refused)?);
    whole.try_into().map_err(refused)
}

/// Takes up what another table has, table by table.
fn overlay(table: &mut Table, other: Table) {
    for (name, value) in other {
        match (table.get_mut(&name), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value),
            (_, value) => _ = table.insert(name, value),
        }
    }
}

/// Complete settings as TOML.
pub(super) fn text(config: &FitConfig) -> Result<String, CliError> {
    toml::to_string(config).map_err(|error| CliError::Use(error.to_string()))
}

/// The method of a name.
pub(super) fn method(name: &str) -> Result<MethodConfig, CliError> {
    MethodConfig::named(name).ok_or_else(|| {
        let hint = nearest_name(name, MethodConfig::NAMES.iter().copied()).map(|n| format!(" (did you mean {n}?)"));
        let all = MethodConfig::NAMES.join(", ");
        CliError::Use(format!("no method is called {name:?}{}: use one of {all}", hint.unwrap_or_default()))
    })
}

/// Applies `key.path=value`; the value is TOML, or text where it is not.
pub(super) fn set(config: &mut FitConfig, assignment: &str) -> Result<(), CliError> {
    let refused = |problem: &str| CliError::Use(format!("--set {assignment}: {problem}"));
    let (path, value) = assignment.split_once('=').ok_or_else(|| refused("expected KEY=VALUE, as in seed=3"))?;
    let (path, value) = (path.trim(), value.trim());
    if path == "method.name" {
        if value != config.method.name() {
            config.method = method(value)?;
        }
        return Ok(());
    }
    let mut root: Table = toml::from_str(&text(config)?).map_err(|error| refused(error.message()))?;
    let parsed = toml::from_str::<Table>(&format!("x = {value}")).ok().and_then(|mut table| table.remove("x"));
    let (parents, key) = path.rsplit_once('.').map_or(("", path), |(parents, key)| (parents, key));
    let mut table = &mut root;
    for part in parents.split('.').filter(|part| !part.is_empty()) {
        let known: Vec<String> = table.iter().filter(|(_, v)| v.is_table()).map(|(name, _)| name.clone()).collect();
        table = match table.get_mut(part) {
            Some(Value::Table(inner)) => inner,
            Some(_) => return Err(refused(&format!("{part} has no settings below it"))),
            None => {
                let hint = nearest_name(part, known.iter().map(String::as_str));
                let hint = hint.map_or(String::new(), |name| format!(" (did you mean {name}?)"));
                return Err(refused(&format!("there is no {part}{hint}: expected one of {}", known.join(", "))));
            }
        };
    }
    table.insert(key.to_owned(), parsed.unwrap_or_else(|| Value::String(value.to_owned())));
    *config = root.try_into().map_err(|error: toml::de::Error| refused(&with_suggestion(error.message())))?;
    Ok(())
}

/// Which settings differ, in words; `None` if they are the same.
pub(super) fn difference(before: &FitConfig, now: &FitConfig) -> Result<Option<String>, CliError> {
    fn walk(path: &str, before: Option<&Value>, now: Option<&Value>, found: &mut Vec<String>) {
        if let (Some(Value::Table(a)), Some(Value::Table(b))) = (before, now) {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&path, a.get(name), b.get(name), found);
            }
        } else if before != now {
            let show = |value: Option<&Value>| value.map_or_else(|| "not set".into(), Value::to_string);
            found.push(format!("{path} was {}, is now {}", show(before), show(now)));
        }
    }
    let value = |config| Value::try_from(config).map_err(|error| CliError::Use(error.to_string()));
    let mut found = vec![];
    walk("", Some(&value(before)?), Some(&value(now)?), &mut found);
    Ok((!found.is_empty()).then(|| found.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(assignment: &str) -> Result<FitConfig, String> {
        let mut config = FitConfig::default();
        set(&mut config, assignment).map(|()| config).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_set_by_their_path() {
        assert_eq!(after("seed=7").unwrap().seed, 7);
        assert_eq!(after("learning-rate = 0.5").unwrap().learning_rate, 0.5);
        assert_eq!(after("augmentation.rotation=3.5").unwrap().augmentation.rotation, 3.5);
        assert_eq!(after("method.name=dec").unwrap().method.name(), "dec");
        for (assignment, message) in [
            ("seed", "expected KEY=VALUE"),
            ("sede=3", "did you mean seed?"),
            ("augmentatoin.shift=1", "there is no augmentatoin (did you mean augmentation?)"),
            ("seed.x=1", "seed has no settings below it"),
            ("seed=many", "invalid type"),
            ("method.name=ide", "did you mean idec?"),
            ("augmentation.rotatoin=1", "did you mean rotation?"),
        ] {
            let error = after(assignment).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn what_a_file_leaves_out_is_as_its_method_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        for (name, table, key) in [
            ("kld", "mixture", "n-components"),
            ("vade", "mixture", "n-components"),
            ("alpha-jsd", "mixture", "truncation"),
            ("depict", "kmeans", "n-clusters"),
        ] {
            fs::write(&path, format!("seed = 4\n[method]\nname = \"{name}\"\n[method.{table}]\n{key} = 6\n")).unwrap();
            let mut expected = FitConfig { seed: 4, method: method(name).unwrap(), ..FitConfig::default() };
            set(&mut expected, &format!("method.{table}.{key}=6")).unwrap();
            assert_eq!(read(&path).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn what_differs_is_named() {
        let before = FitConfig::default();
        assert_eq!(difference(&before, &before).unwrap(), None);
        let now = FitConfig { seed: 3, batch_size: 9, ..before.clone() };
        assert_eq!(difference(&before, &now).unwrap().unwrap(), "batch-size was 256, is now 9; seed was 0, is now 3");
    }

    #[test]
    fn complete_settings_are_read_again() {
        for name in MethodConfig::NAMES {
            let config = FitConfig { method: method(name).unwrap(), ..FitConfig::default() };
            assert_eq!(toml::from_str::<FitConfig>(&text(&config).unwrap()).unwrap(), config);
        }
    }
}
