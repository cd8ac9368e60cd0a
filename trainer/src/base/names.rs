//! "Did you mean": the known name that is closest to a misspelt one.

/// The known name most similar to `wanted` (Jaro-Winkler), unless none is similar.
pub(crate) fn nearest_name<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let similarity = |name: &str| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    let best = known.into_iter().map(|name| (similarity(name), name)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.7).then_some(best.1)
}

/// An error message of serde about an unknown field or variant, with the most similar of the names that it expects.
///
/// The message has the unknown name in backticks, followed by the expected ones.
pub(crate) fn with_suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(wanted) if message.contains("unknown field") || message.contains("unknown variant") => {
            let suggestion = nearest_name(wanted, quoted).map(|name| format!(" (did you mean {name}?)"));
            format!("{}{}", message.trim_end(), suggestion.unwrap_or_default())
        }
        _ => message.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_recognised_and_an_unrelated_one_is_not() {
        let names = ["seed", "batch-size", "learning-rate"];
        assert_eq!(nearest_name("sede", names), Some("seed"));
        assert_eq!(nearest_name("Learning_Rate", names), Some("learning-rate"));
        assert_eq!(nearest_name("zzz", names), None);
        let message = "unknown field `sede`, expected one of `batch-size`, `seed`";
        assert_eq!(with_suggestion(message), format!("{message} (did you mean seed?)"));
    }
}
