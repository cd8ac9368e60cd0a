//! A setting and its values, as `--vary` takes them.

use std::str::FromStr;

/// A setting, by its path in a configuration, and the values that it takes one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variation {
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

impl FromStr for Variation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected KEY=VALUE,VALUE,..., such as method.eta=0.001,0.01".to_owned();
        let (key, values) = text.split_once('=').ok_or_else(expected)?;
        let (key, values) = (key.trim().to_owned(), split(values));
        if key.is_empty() || values.len() < 2 || values.iter().any(String::is_empty) {
            return Err(expected());
        }
        if let Some(twice) = values.iter().enumerate().find(|(at, value)| values[..*at].contains(value)) {
            return Err(format!("{} is given twice", twice.1));
        }
        if matches!(&*key, "seed" | "method.name") {
            return Err(format!("{key} can't be varied: use {}", if key == "seed" { "--seeds" } else { "--methods" }));
        }
        Ok(Self { key, values })
    }
}

/// Values between commas, which also may be within brackets, braces or quotation marks.
fn split(text: &str) -> Vec<String> {
    let (mut values, mut depth, mut is_quoted) = (vec![String::new()], 0usize, false);
    for c in text.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            '[' | '{' if !is_quoted => depth += 1,
            ']' | '}' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        match values.last_mut() {
            Some(value) if c != ',' || depth > 0 || is_quoted => value.push(c),
            _ => values.push(String::new()),
        }
    }
    values.into_iter().map(|value| value.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_between_commas() {
        let of = |text: &str| text.parse::<Variation>().map(|found| (found.key, found.values.join(" | ")));
        let found = |key: &str, values: &str| Ok((key.to_owned(), values.to_owned()));
        assert_eq!(of("method.eta=0, 0.001,0.01"), found("method.eta", "0 | 0.001 | 0.01"));
        assert_eq!(of("method.shares=[0.5,0.5],[0.9,0.1]"), found("method.shares", "[0.5,0.5] | [0.9,0.1]"));
        assert_eq!(of("encoder=\"conv:8k3,10\",64-10"), found("encoder", "\"conv:8k3,10\" | 64-10"));
        for (text, message) in [
            ("method.eta", "expected KEY=VALUE"),
            ("method.eta=0", "expected KEY=VALUE"),
            ("method.eta=0,,1", "expected KEY=VALUE"),
            ("=0,1", "expected KEY=VALUE"),
            ("method.eta=0,1,0", "0 is given twice"),
            ("seed=0,1", "use --seeds"),
            ("method.name=dec,idec", "use --methods"),
        ] {
            assert!(of(text).unwrap_err().contains(message), "{text}");
        }
    }
}
