//! How numbers are written: with a decimal point or comma, with or without something between thousands.

use crate::data::error::CellProblem;

/// How the numbers of a table are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberStyle {
    pub(super) has_decimal_comma: bool,
    /// What stands between thousands.
    pub(super) group: Option<char>,
}

/// What a field with a comma says about the style of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// The decimal mark is a comma.
    Comma {
        is_grouped: bool,
    },
    /// The decimal mark is a point, and commas stand between thousands.
    Grouped,
    /// `1,234` may be either.
    Either,
    /// It is a plain number with a decimal point.
    Point,
    Nothing,
}

/// Spellings of a missing value.
const MISSING: [&str; 10] = ["na", "n/a", "null", "none", "nil", "-", "?", "#n/a", "<na>", "nat"];

impl NumberStyle {
    pub(super) const PLAIN: Self = Self { has_decimal_comma: false, group: None };

    /// The style in which all of these fields are numbers, if that is clear.
    pub(super) fn of<'a>(fields: impl Iterator<Item = &'a str>) -> Self {
        let (mut commas, mut points, mut grouped_commas, mut grouped_points) = (false, false, false, false);
        for field in fields {
            match evidence(field) {
                Evidence::Comma { is_grouped } => (commas, grouped_points) = (true, grouped_points || is_grouped),
                Evidence::Grouped => grouped_commas = true,
                Evidence::Point => points = true,
                Evidence::Either | Evidence::Nothing => {}
            }
        }
        match (commas, grouped_commas) {
            // A point in front of three digits may be one between thousands, if others certainly are.
            (true, false) if grouped_points => Self { has_decimal_comma: true, group: Some('.') },
            (true, false) if !points => Self { has_decimal_comma: true, group: None },
            (false, true) => Self { has_decimal_comma: false, group: Some(',') },
            _ => Self::PLAIN,
        }
    }

    /// The number that a field stands for. Truth is 1.
    pub(super) fn number(self, field: &str) -> Result<f64, CellProblem> {
        match self.parsed(field) {
            Some(x) if (x as f32).is_finite() => Ok(x),
            Some(_) => Err(CellProblem::beyond_f32(field)),
            None => truth(field).ok_or_else(|| problem(field)),
        }
    }

    /// Whether a field is an integer in this style.
    pub(super) fn is_integer(self, field: &str) -> bool {
        match self.group {
            Some(_) => self.parsed(field).is_some_and(|x| x.fract() == 0.0) && !field.contains(self.mark()),
            None => field.parse::<i64>().is_ok() || truth(field).is_some(),
        }
    }

    fn mark(self) -> char {
        if self.has_decimal_comma { ',' } else { '.' }
    }

    fn parsed(self, field: &str) -> Option<f64> {
        if self == Self::PLAIN {
            return field.parse().ok();
        }
        let (whole, rest) = field.split_once(self.mark()).map_or((field, None), |(whole, rest)| (whole, Some(rest)));
        let whole = match self.group {
            Some(group) if whole.contains(group) => is_grouped(whole, group).then(|| whole.replace(group, ""))?,
            _ => whole.to_owned(),
        };
        let text = rest.map_or_else(|| whole.clone(), |rest| format!("{whole}.{rest}"));
        // A second mark, or one of the other kind, is no number.
        (!whole.contains(['.', ','])).then(|| text.parse().ok())?
    }
}

/// Whether a field is a number in any style.
pub(super) fn is_number(field: &str) -> bool {
    field.parse::<f64>().is_ok()
        || truth(field).is_some()
        || matches!(evidence(field), Evidence::Comma { .. } | Evidence::Grouped | Evidence::Either)
}

/// Whether a field stands for a missing value, or for a number that is not finite.
pub(super) fn is_missing(field: &str) -> bool {
    field.is_empty()
        || MISSING.contains(&field.to_ascii_lowercase().as_str())
        || is_spreadsheet_error(field)
        || field.parse::<f64>().is_ok_and(|x| !x.is_finite())
}

/// Whether a field is what spreadsheets show where a formula fails.
pub(super) fn is_spreadsheet_error(field: &str) -> bool {
    ["#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"].iter().any(|error| field.starts_with(error))
}

fn truth(field: &str) -> Option<f64> {
    match () {
        () if field.eq_ignore_ascii_case("true") => Some(1.0),
        () if field.eq_ignore_ascii_case("false") => Some(0.0),
        () => None,
    }
}

fn problem(field: &str) -> CellProblem {
    match () {
        () if field.is_empty() => CellProblem::Missing,
        () if is_missing(field) => CellProblem::MissingWord(field.into()),
        () if field.starts_with('#') => CellProblem::Comment,
        () if is_time(field) => CellProblem::Time(field.into()),
        () if evidence(field) != Evidence::Nothing => CellProblem::Comma(field.into()),
        () => CellProblem::Text(field.into()),
    }
}

/// Whether a field is a date or a time of day: digits in at least two of the ways in which these separate them.
fn is_time(field: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '/' | ':' | '.' | ' ' | 'T' | 'Z' | '+' | ',');
    let marks = field.chars().skip(1).filter(|c| matches!(c, '-' | '/' | ':')).count();
    let words = ["AM", "PM", "UTC"];
    let field = words.iter().fold(field.to_owned(), |field, word| field.trim_end_matches(word).trim_end().to_owned());
    field.starts_with(|c: char| c.is_ascii_digit()) && field.chars().all(is_part) && marks >= 1 && field.len() >= 4
}

fn evidence(field: &str) -> Evidence {
    let unsigned = field.strip_prefix(['-', '+']).unwrap_or(field);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, "0"), |(m, e)| (m, e));
    let is_plausible = mantissa.starts_with(|c: char| c.is_ascii_digit() || c == ',' || c == '.')
        && mantissa.ends_with(|c: char| c.is_ascii_digit())
        && mantissa.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.')
        && exponent.parse::<i32>().is_ok();
    let count = |mark| mantissa.matches(mark).count();
    if !is_plausible {
        return Evidence::Nothing;
    }
    let (commas, points) = (count(','), count('.'));
    let before = |mark| mantissa.split_once(mark).map_or("", |(before, _)| before);
    match (commas, points) {
        (0, 0) => Evidence::Nothing,
        (0, 1) if is_grouped(mantissa, '.') => Evidence::Nothing,
        (0, 1) => Evidence::Point,
        (0, _) if is_grouped(mantissa, '.') => Evidence::Comma { is_grouped: true },
        (1, 0) if is_grouped(mantissa, ',') => Evidence::Either,
        (1, 0) => Evidence::Comma { is_grouped: false },
        (_, 0) if is_grouped(mantissa, ',') => Evidence::Grouped,
        // The mark that comes last is the decimal one.
        (1, _) if before(',').contains('.') && is_grouped(before(','), '.') => Evidence::Comma { is_grouped: true },
        (_, 1) if before('.').contains(',') && is_grouped(before('.'), ',') => Evidence::Grouped,
        _ => Evidence::Nothing,
    }
}

/// Whether digits are in groups of three, the first of which has one to three and does not begin with 0.
fn is_grouped(digits: &str, group: char) -> bool {
    let mut parts = digits.trim_start_matches(['-', '+']).split(group);
    let first = parts.next().unwrap_or("");
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    matches!(first.len(), 1..=3)
        && is_digits(first)
        && !first.starts_with('0')
        && parts.all(|part| part.len() == 3 && is_digits(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: NumberStyle = NumberStyle { has_decimal_comma: true, group: None };

    #[test]
    fn a_style_is_taken_where_it_is_clear() {
        let style = |fields: &[&str]| NumberStyle::of(fields.iter().copied());
        assert_eq!(style(&["1", "2.5", "word"]), NumberStyle::PLAIN);
        for clear in [&["1,5", "2"][..], &["0,125"], &["1,234", "-12,34"], &["1,5e-3"], &["1234,567"]] {
            assert_eq!(style(clear), COMMA, "{clear:?}");
        }
        assert_eq!(style(&["1.234,5", "1.234"]), NumberStyle { has_decimal_comma: true, group: Some('.') });
        for clear in [&["1,234.5"][..], &["1,234,567"], &["1,234", "12,345.50", "2.5"]] {
            assert_eq!(style(clear), NumberStyle { has_decimal_comma: false, group: Some(',') }, "{clear:?}");
        }
        // It may be either, or is both.
        for unclear in [&["1,234"][..], &["1,5", "2.5"], &["1,5", "1,234,567"], &["1,2,3"]] {
            assert_eq!(style(unclear), NumberStyle::PLAIN, "{unclear:?}");
        }
    }

    #[test]
    fn numbers_are_read_in_their_style_alone() {
        let german = NumberStyle { has_decimal_comma: true, group: Some('.') };
        let english = NumberStyle { has_decimal_comma: false, group: Some(',') };
        for (style, field, expected) in [
            (NumberStyle::PLAIN, "-1.5e3", Some(-1500.0)),
            (NumberStyle::PLAIN, "True", Some(1.0)),
            (NumberStyle::PLAIN, "1,5", None),
            (COMMA, "1,5", Some(1.5)),
            (COMMA, "-0,25e1", Some(-2.5)),
            (COMMA, "12", Some(12.0)),
            (COMMA, "1.5", None),
            (COMMA, "1.234", None),
            (COMMA, "1,2,3", None),
            (german, "1.234,5", Some(1234.5)),
            (german, "-1.234.567", Some(-1_234_567.0)),
            (german, "1.23", None),
            (english, "-1,234,567.25", Some(-1_234_567.25)),
            (english, "1,23", None),
            (english, "999", Some(999.0)),
        ] {
            assert_eq!(style.number(field).ok(), expected, "{field} in {style:?}");
        }
        assert!(english.is_integer("1,234") && !english.is_integer("1.0") && !NumberStyle::PLAIN.is_integer("1.0"));
    }

    #[test]
    fn what_is_no_number_has_a_sentence_of_its_own() {
        let problem = |field: &str| NumberStyle::PLAIN.number(field).unwrap_err();
        assert_eq!(problem(""), CellProblem::Missing);
        for missing in ["NA", "n/a", "NULL", "-", "?", "#N/A", "#DIV/0!", "None"] {
            assert_eq!(problem(missing), CellProblem::MissingWord(missing.into()));
        }
        for time in ["2024-01-01T00:00:05Z", "2024-01-01 00:00:00", "12:30:01.5", "01/02/2024", "3/4/24 5:06 PM"] {
            assert_eq!(problem(time), CellProblem::Time(time.into()));
        }
        assert_eq!(problem("1,234"), CellProblem::Comma("1,234".into()));
        assert_eq!(problem("nan"), CellProblem::NotFinite("nan".into()));
        assert_eq!(problem("1e39"), CellProblem::TooLarge("1e39".into()));
        assert_eq!(problem("1e200"), CellProblem::TooLarge("1e200".into()));
        assert_eq!(problem("-1e999"), CellProblem::TooLarge("-1e999".into()));
        assert_eq!(problem("-inf"), CellProblem::NotFinite("-inf".into()));
        assert_eq!(problem("# pause"), CellProblem::Comment);
        for text in ["walk", "1-", "[g]", "12 km"] {
            assert_eq!(problem(text), CellProblem::Text(text.into()));
        }
    }
}
