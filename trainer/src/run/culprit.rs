//! Which setting of a file is refused.
//!
//! The settings of a method are an internally tagged enum, which serde buffers: an error inside it knows neither its line nor
//! its setting. So the settings of the file are tried one after another.

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::completion::overlay;
use crate::base::names::with_suggestion;
use crate::methods::FitConfig;

/// A setting that is refused.
#[derive(Debug, PartialEq)]
pub(super) struct Culprit {
    /// Where its name begins in the text, in bytes.
    pub(super) at: usize,
    /// What was found, and what was expected.
    pub(super) problem: String,
}

/// A setting: a value, or a table that one name determines, such as an optimiser.
struct Setting {
    at: usize,
    path: Vec<String>,
    value: Value,
}

/// The first setting of a text that is refused together with those before it; `None` if the text is not TOML, or if each
/// setting is accepted.
pub(super) fn culprit(text: &str) -> Option<Culprit> {
    let places = DeTable::parse(text).ok()?;
    let values: Table = toml::from_str(text).ok()?;
    let mut settings = vec![];
    collect(places.get_ref(), values, &[], &mut settings);
    // The method's name determines which other settings there are.
    settings.sort_by_key(|setting| (setting.path != ["method", "name"], setting.at));
    let mut all = Table::try_from(FitConfig::default()).ok()?;
    for Setting { at, path, value } in settings {
        let nested =
            path.iter().rev().fold(value, |value, name| Value::Table(Table::from_iter([(name.clone(), value)])));
        let Value::Table(nested) = nested else { continue };
        overlay(&mut all, nested);
        if let Err(error) = all.clone().try_into::<FitConfig>() {
            let problem = with_suggestion(error.message());
            // These messages name the setting.
            let is_named = problem.starts_with("unknown field");
            let problem = if is_named { problem } else { format!("{}: {problem}", path.join(".")) };
            return Some(Culprit { at, problem });
        }
    }
    None
}

fn collect(places: &DeTable<'_>, mut values: Table, path: &[String], found: &mut Vec<Setting>) {
    for (name, place) in places {
        let Some(value) = values.remove(name.get_ref().as_ref()) else { continue };
        let path = [path, &[name.get_ref().to_string()]].concat();
        match (place.get_ref(), value) {
            (DeValue::Table(places), Value::Table(values)) if path == ["method"] || !values.contains_key("name") => {
                collect(places, values, &path, found);
            }
            (_, value) => found.push(Setting { at: name.span().start, path, value }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> (usize, String) {
        let Culprit { at, problem } = culprit(text).unwrap();
        (text[..at].matches('\n').count() + 1, problem)
    }

    #[test]
    fn the_line_is_that_of_the_setting() {
        let method = "seed = 3\n[method]\nname = \"adaptive-gmm\"\n";
        for (text, line, problem) in [
            ("seed = 3\nbatch-size = \"a\"\n".to_owned(), 2, "batch-size: invalid type: string \"a\""),
            (format!("{method}eta = \"x\"\n"), 4, "method.eta: invalid type: string \"x\""),
            (format!("{method}\n[method.mixture]\nmax-iter = 3\ncovariancee = 1\n"), 7, "unknown field `covariancee`"),
            (
                format!("{method}mixture = {{ covariance = \"round\" }}\n"),
                4,
                "method.mixture.covariance: unknown variant `round`",
            ),
            (format!("{method}mixture.tol = []\n"), 4, "method.mixture.tol: invalid type: sequence"),
            ("[method]\neta = 0.1\nname = \"adaptive\"\n".to_owned(), 3, "method.name: unknown variant `adaptive`"),
            ("[method]\neta = 0.1\nname = \"grow\"\n".to_owned(), 2, "unknown field `eta`"),
            ("[clustering]\n\nschedule = { name = \"steps\", every = [] }\n".to_owned(), 3, "clustering.schedule: "),
        ] {
            let (found, message) = place(&text);
            assert!(found == line && message.starts_with(problem), "{text}{found}: {message}");
        }
    }

    #[test]
    fn what_is_right_or_no_toml_has_none() {
        for text in ["", "seed = 3\n", "seed = ", "[method]\nname = \"dec\"\n[clustering]\noptimizer.name = \"sgd\"\n"]
        {
            assert_eq!(culprit(text), None, "{text}");
        }
    }
}
