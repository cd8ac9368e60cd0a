//! The range of each number among a method's settings.
//!
//! Settings of the same name mean the same in every method, so one table serves all. A test checks that it has every
//! number of every method.

use toml::{Table, Value};

use super::registry::MethodConfig;
use crate::training::FitError;

/// Which numbers a setting may have.
#[derive(Clone, Copy)]
enum Range {
    /// An integer within these bounds.
    Count(i64, i64),
    /// A finite number of at least 0.
    NotNegative,
    /// A finite number above 0.
    Positive,
    /// At least 0 and at most 1.
    Share,
    /// At least 0 and below 1.
    ShareBelowOne,
    /// Above 0 and below 1.
    Inner,
}

/// The most clusters or components that a model file numbers.
const MOST: i64 = u16::MAX as i64;

/// Each setting by its name, with its range.
const RANGES: [(&str, Range); 36] = [
    ("alpha", Range::Inner),
    ("concentration", Range::Positive),
    ("dropout", Range::ShareBelowOne),
    ("eta", Range::NotNegative),
    ("gamma", Range::NotNegative),
    ("half", Range::Count(20, i64::MAX)),
    ("halves", Range::Count(0, 10_000)),
    ("hidden", Range::NotNegative),
    ("hidden", Range::Count(1, 1 << 20)),
    ("lambda", Range::NotNegative),
    ("latent-variance", Range::NotNegative),
    ("majority", Range::ShareBelowOne),
    ("max-clusters", Range::Count(0, MOST)),
    ("max-components", Range::Count(1, MOST)),
    ("max-iter", Range::Count(1, i64::MAX)),
    ("max-rounds", Range::Count(0, i64::MAX)),
    ("mean-strength", Range::Positive),
    ("merge-threshold", Range::Share),
    ("min-clusters", Range::Count(1, MOST)),
    ("min-components", Range::Count(1, MOST)),
    ("min-share", Range::ShareBelowOne),
    ("n-clusters", Range::Count(1, MOST)),
    ("n-components", Range::Count(1, MOST)),
    ("n-init", Range::Count(1, i64::MAX)),
    ("prior-scale", Range::NotNegative),
    ("prune-share", Range::ShareBelowOne),
    ("rate", Range::Positive),
    ("reconstruction", Range::NotNegative),
    ("rounds", Range::Count(1, i64::MAX)),
    ("searches", Range::Count(1, i64::MAX)),
    ("shape", Range::Positive),
    ("subsample", Range::Count(20, i64::MAX)),
    ("threshold", Range::Share),
    ("tol", Range::NotNegative),
    ("truncation", Range::Count(1, MOST)),
    ("variance-floor", Range::NotNegative),
];

/// Pairs of settings of which the first must not exceed the second; a limit of 0 is none.
const ORDERED: [(&str, &str); 2] = [("min-clusters", "max-clusters"), ("min-components", "max-components")];

/// Checks the numbers of a method's settings.
///
/// # Errors
/// [`FitError::Setting`] names the setting by its path.
pub(super) fn check(method: &MethodConfig) -> Result<(), FitError> {
    let unwritable = |error: toml::ser::Error| FitError::setting("method", error.to_string());
    check_table("method", &Table::try_from(method).map_err(unwritable)?)
}

fn check_table(path: &str, table: &Table) -> Result<(), FitError> {
    for (name, value) in table {
        let path = format!("{path}.{name}");
        if let Value::Table(inner) = value {
            check_table(&path, inner)?;
        } else if let Some(expected) = range(name, value).and_then(|range| range.problem(value)) {
            return Err(FitError::setting(path, format!("must be {expected}, not {value}")));
        }
    }
    for (lower, upper) in ORDERED {
        let number = |name| table.get(name).and_then(Value::as_integer);
        if let (Some(least), Some(most @ 1..)) = (number(lower), number(upper))
            && least > most
        {
            let problem = format!("must be at most {upper}, which is {most}, not {least}");
            return Err(FitError::setting(format!("{path}.{lower}"), problem));
        }
    }
    Ok(())
}

/// The range of a setting that is a number.
fn range(name: &str, value: &Value) -> Option<Range> {
    let is_integer = match value {
        Value::Integer(_) => true,
        Value::Float(_) => false,
        _ => return None,
    };
    let fits = |range: &Range| matches!(range, Range::Count(..)) == is_integer;
    RANGES.into_iter().filter(|(known, _)| *known == name).map(|(_, range)| range).find(fits)
}

impl Range {
    /// What is expected of a value that is out of the range.
    fn problem(self, value: &Value) -> Option<String> {
        let number = value.as_float().or_else(|| value.as_integer().map(|n| n as f64))?;
        let (is_within, expected) = match self {
            Self::Count(least, i64::MAX) => (number >= least as f64, format!("at least {least}")),
            Self::Count(least, most) => {
                ((least as f64..=most as f64).contains(&number), format!("an integer from {least} to {most}"))
            }
            Self::NotNegative => (number >= 0.0 && number.is_finite(), "a finite number of at least 0".into()),
            Self::Positive => (number > 0.0 && number.is_finite(), "a finite number above 0".into()),
            Self::Share => ((0.0..=1.0).contains(&number), "from 0 to 1".into()),
            Self::ShareBelowOne => ((0.0..1.0).contains(&number), "at least 0 and below 1".into()),
            Self::Inner => (number > 0.0 && number < 1.0, "above 0 and below 1".into()),
        };
        (!is_within).then_some(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paths of all numbers below a table, with the numbers.
    fn numbers(path: &str, table: &Table) -> Vec<(String, Value)> {
        table
            .iter()
            .flat_map(|(name, value)| {
                let path = format!("{path}{name}");
                match value {
                    Value::Table(inner) => numbers(&format!("{path}."), inner),
                    Value::Integer(_) | Value::Float(_) => vec![(path, value.clone())],
                    _ => vec![],
                }
            })
            .collect()
    }

    fn with(method: &Table, path: &str, value: Value) -> MethodConfig {
        let mut changed = method.clone();
        let mut names: Vec<&str> = path.split('.').collect();
        let last = names.pop().unwrap();
        let table = names.iter().fold(&mut changed, |table, name| table[*name].as_table_mut().unwrap());
        table.insert(last.into(), value);
        changed.try_into().unwrap()
    }

    #[test]
    fn every_number_of_every_method_has_a_range_that_refuses_and_names_it() {
        for &name in MethodConfig::NAMES {
            let method = MethodConfig::named(name).unwrap();
            check(&method).unwrap();
            let method = Table::try_from(&method).unwrap();
            for (path, value) in numbers("", &method) {
                let setting = path.rsplit('.').next().unwrap();
                assert!(range(setting, &value).is_some(), "{name}: {path} has no range");
                let wrong = match value {
                    // Negative integers are refused when they are read.
                    Value::Integer(_) if matches!(range(setting, &value), Some(Range::Count(1.., _))) => {
                        vec![Value::Integer(0)]
                    }
                    Value::Integer(_) => vec![],
                    _ => [f64::NAN, f64::INFINITY, -1.0].map(Value::Float).into(),
                };
                for wrong in wrong {
                    let error = check(&with(&method, &path, wrong.clone())).unwrap_err().to_string();
                    assert!(error.starts_with(&format!("method.{path}: must be ")), "{name}: {wrong}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_lower_bound_above_the_upper_one_is_refused() {
        let mut grow = MethodConfig::named("grow").unwrap();
        grow.set_cluster_bounds(9, Some(4));
        let error = check(&grow).unwrap_err().to_string();
        assert_eq!(error, "method.grouping.min-clusters: must be at most max-clusters, which is 4, not 9");
        grow.set_cluster_bounds(9, None);
        check(&grow).unwrap();
    }
}
