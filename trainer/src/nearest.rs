//! "Did you mean": the known name that is nearest to an unknown one.

/// The nearest name by Jaro-Winkler similarity, if any is near.
pub(crate) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let similarity = |name: &str| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    let best = known.into_iter().map(|name| (similarity(name), name)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.7).then_some(best.1)
}

/// A message about an unknown field with the nearest of the names in backticks that it expects.
pub(crate) fn with_hint(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(wanted) if message.contains("unknown field") || message.contains("unknown variant") => {
            let hint = nearest(wanted, quoted).map(|name| format!(" (did you mean {name}?)"));
            format!("{}{}", message.trim_end(), hint.unwrap_or_default())
        }
        _ => message.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_nonsense_is_not() {
        let names = ["seed", "batch-size", "learning-rate"];
        assert_eq!(nearest("sede", names), Some("seed"));
        assert_eq!(nearest("Learning_Rate", names), Some("learning-rate"));
        assert_eq!(nearest("zzz", names), None);
        let message = "unknown field `sede`, expected one of `batch-size`, `seed`";
        assert_eq!(with_hint(message), format!("{message} (did you mean seed?)"));
    }
}
