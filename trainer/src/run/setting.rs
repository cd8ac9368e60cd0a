//! A single setting by its path, and methods by their names.

use toml::{Table, Value};

use super::choice_error::ChoiceError;
use super::settings::settings_to_toml;
use crate::base::names::{nearest_name, with_suggestion};
use crate::methods::{FitConfig, MethodConfig};

/// The method with this name.
///
/// ```
/// use edgemix::run::method_named;
///
/// assert_eq!(method_named("dec")?.name(), "dec");
/// assert!(method_named("ide").unwrap_err().to_string().contains("did you mean idec?"));
/// # Ok::<(), edgemix::run::ChoiceError>(())
/// ```
///
/// # Errors
/// [`ChoiceError::Method`] if there is none.
pub fn method_named(name: &str) -> Result<MethodConfig, ChoiceError> {
    let unknown = || ChoiceError::Method {
        name: name.to_owned(),
        suggestion: suggestion(name, MethodConfig::NAMES.iter().copied()),
    };
    MethodConfig::named(name).ok_or_else(unknown)
}

fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest_name(name, known).map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

/// Applies `key.path=value`, the path as in the settings of a run. A value that is not valid TOML is taken as text.
///
/// ```
/// use edgemix::methods::FitConfig;
/// use edgemix::run::set_setting;
///
/// let mut config = FitConfig::default();
/// set_setting(&mut config, "augmentation.shift=0.2")?;
/// assert_eq!(config.augmentation.shift, 0.2);
/// # Ok::<(), edgemix::run::ChoiceError>(())
/// ```
///
/// # Errors
/// [`ChoiceError::Setting`] if there is no such setting, or if it can't have the value, and [`ChoiceError::Method`].
pub fn set_setting(config: &mut FitConfig, assignment: &str) -> Result<(), ChoiceError> {
    let refused =
        |problem: &str| ChoiceError::Setting { assignment: assignment.to_owned(), problem: problem.to_owned() };
    let (path, value) = assignment.split_once('=').ok_or_else(|| refused("expected KEY=VALUE, such as seed=3"))?;
    let (path, value) = (path.trim(), value.trim());
    if path == "method.reconstruct" {
        return Err(refused(&format!("this is a setting of all methods: write reconstruct={value}")));
    }
    if path == "method.name" {
        if value != config.method.name() {
            config.method = method_named(value)?;
        }
        return Ok(());
    }
    let mut root: Table = toml::from_str(&settings_to_toml(config)?).map_err(|error| refused(error.message()))?;
    let parsed = toml::from_str::<Table>(&format!("x = {value}")).ok().and_then(|mut table| table.remove("x"));
    let (parents, key) = path.rsplit_once('.').map_or(("", path), |(parents, key)| (parents, key));
    let mut table = &mut root;
    for part in parents.split('.').filter(|part| !part.is_empty()) {
        let known: Vec<String> = table.iter().filter(|(_, v)| v.is_table()).map(|(name, _)| name.clone()).collect();
        table = match table.get_mut(part) {
            Some(Value::Table(inner)) => inner,
            Some(_) => return Err(refused(&format!("{part} is a setting and not a table of settings"))),
            None => {
                let suggestion = suggestion(part, known.iter().map(String::as_str));
                let known = known.join(", ");
                return Err(refused(&format!("there is no table {part}{suggestion}: expected one of {known}")));
            }
        };
    }
    let value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    if key == "name" && table.get(key) != Some(&value) {
        // Another optimiser or schedule keeps nothing of the one that it replaces.
        table.clear();
    }
    table.insert(key.to_owned(), value);
    *config = root.try_into().map_err(|error: toml::de::Error| refused(&with_suggestion(error.message())))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::RateSchedule;

    fn after(assignment: &str) -> Result<FitConfig, String> {
        let mut config = FitConfig::default();
        set_setting(&mut config, assignment).map(|()| config).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_set_by_their_path() {
        assert_eq!(after("seed=7").unwrap().seed, 7);
        assert_eq!(after("learning-rate = 0.5").unwrap().learning_rate, 0.5);
        assert_eq!(after("augmentation.rotation=3.5").unwrap().augmentation.rotation, 3.5);
        assert_eq!(after("method.name=dec").unwrap().method.name(), "dec");
        assert_eq!(after("clustering.schedule.name=constant").unwrap().clustering.schedule, RateSchedule::Constant {});
        for (assignment, message) in [
            ("seed", "expected KEY=VALUE"),
            ("sede=3", "did you mean seed?"),
            ("augmentatoin.shift=1", "there is no table augmentatoin (did you mean augmentation?)"),
            ("seed.x=1", "seed is a setting and not a table of settings"),
            ("seed=many", "invalid type"),
            ("method.reconstruct=moved", "write reconstruct=moved"),
            ("method.name=ide", "did you mean idec?"),
            ("augmentation.rotatoin=1", "did you mean rotation?"),
        ] {
            let error = after(assignment).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
