//! Settings that a text leaves open.

use serde::de::Error;
use toml::{Table, Value};

use crate::methods::{FitConfig, MethodConfig};

/// The default settings of a method, whatever its own settings are.
pub(super) fn defaults_of(method: &MethodConfig) -> FitConfig {
    let method = MethodConfig::named(method.name()).unwrap_or_default();
    FitConfig { method, ..FitConfig::default() }
}

/// The settings of a text; what it omits has the value of `base`.
pub(super) fn completed(text: &str, base: &FitConfig) -> Result<FitConfig, toml::de::Error> {
    let mut complete = Table::try_from(base).map_err(toml::de::Error::custom)?;
    overlay(&mut complete, toml::from_str(text)?);
    complete.try_into()
}

/// Replaces the values in `table` by those in `other`, table by table. What has another name is another thing: an optimiser
/// or a schedule keeps nothing of the one that it replaces.
pub(super) fn overlay(table: &mut Table, other: Table) {
    for (name, value) in other {
        match (table.get_mut(&name), value) {
            (Some(Value::Table(inner)), Value::Table(value)) if !is_renamed(inner, &value) => overlay(inner, value),
            (_, value) => _ = table.insert(name, value),
        }
    }
}

fn is_renamed(before: &Table, after: &Table) -> bool {
    after.get("name").is_some_and(|name| before.get("name") != Some(name))
}
