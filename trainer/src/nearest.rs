//! "Did you mean": the known name that is nearest to an unknown one.

/// The nearest name by Jaro-Winkler similarity, if any is near.
pub(crate) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let similarity = |name: &str| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    let best = known.into_iter().map(|name| (similarity(name), name)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.7).then_some(best.1)
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
    }
}
