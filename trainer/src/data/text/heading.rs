//! What the first lines of a table are: a header, a line of units, or samples already.

use csv::StringRecord;

use super::number::{is_missing, is_number};

/// What the first lines are, and how wide the table is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heading {
    /// The names of the columns, if there is a header.
    pub(super) names: Vec<String>,
    /// Whether the names are numbers, so that the line might be a sample.
    pub(super) is_numeric: bool,
    /// The line of units below the header.
    pub(super) units: Option<Vec<String>>,
    /// How many lines are above the first sample.
    pub(super) lines: usize,
    /// Number of columns.
    pub(super) width: usize,
}

impl Heading {
    /// Looks at the first lines. `wanted` overrides the guess whether the first is a header; `comment` is a line of fields
    /// that stood above the table as a comment.
    pub(super) fn of(sample: &[StringRecord], wanted: Option<bool>, comment: Option<&StringRecord>) -> Self {
        let Some((first, below)) = sample.split_first() else { return Self::default() };
        let is_numeric = [counts_up, are_years, are_wavelengths].iter().any(|guess| guess(first, below.first()));
        let has_header = wanted.unwrap_or_else(|| is_numeric || is_header(first, below.first()));
        let rows = if has_header { below } else { sample };
        let width =
            rows.first().map_or_else(|| without_end(first), |row| width(row, rows, has_header.then_some(first)));
        let mut names: Vec<String> = match comment.filter(|names| !has_header && names.len() == width) {
            Some(names) if wanted != Some(false) && width > 1 && names.iter().all(is_word) => {
                names.iter().map(Into::into).collect()
            }
            _ if has_header => first.iter().take(width).map(Into::into).collect(),
            _ => vec![],
        };
        // R writes no name for the column of row names.
        if has_header && names.len() + 1 == width {
            names.insert(0, String::new());
        }
        let units = below.first().filter(|row| has_header && are_units(row, below.get(1)));
        let units = units.map(|row| row.iter().map(Into::into).collect::<Vec<String>>());
        let lines = usize::from(has_header) + usize::from(units.is_some());
        Self { names, is_numeric: has_header && is_numeric, units, lines, width }
    }
}

/// Number of fields without an empty one at the end.
fn without_end(row: &StringRecord) -> usize {
    row.len() - usize::from(row.len() > 1 && row.iter().next_back().is_some_and(str::is_empty))
}

/// Number of columns. A delimiter at the end of each line is the end of its last field, unless the header names a column
/// after it.
fn width(first: &StringRecord, rows: &[StringRecord], header: Option<&StringRecord>) -> usize {
    let end_is_empty =
        |row: &StringRecord| row.len() == first.len() && row.iter().next_back().is_some_and(str::is_empty);
    let is_named = header.is_some_and(|header| header.get(first.len() - 1).is_some_and(|name| !name.is_empty()));
    if first.len() > 1 && !is_named && rows.iter().all(end_is_empty) { first.len() - 1 } else { first.len() }
}

/// Whether the first line is a header: it has a word where the second has a number and no number where the second has
/// one, or nothing but words.
fn is_header(first: &StringRecord, second: Option<&StringRecord>) -> bool {
    let below = |c: usize| second.and_then(|row| row.get(c)).is_some_and(is_number);
    let over_numbers = || first.iter().enumerate().filter(|&(c, _)| below(c)).map(|(_, field)| field);
    let is_finite = |field: &str| is_number(field) && !is_missing(field);
    first.iter().all(is_word) || over_numbers().any(is_word) && !over_numbers().any(is_finite)
}

fn is_word(field: &str) -> bool {
    !is_number(field) && !is_missing(field)
}

/// The fields after empty ones at the start, which are names of indices, as integers.
fn integers(row: &StringRecord) -> Option<Vec<i64>> {
    row.iter().skip_while(|field| field.is_empty()).map(|field| field.parse().ok()).collect()
}

/// Whether the first line numbers the columns: integers that count up by 1, which the second line does not. Of two columns
/// this is believed only if the second line has numbers that are no integers.
fn counts_up(first: &StringRecord, second: Option<&StringRecord>) -> bool {
    let is_count = |row: &[i64]| row.len() >= 2 && row.windows(2).all(|pair| pair[1].checked_sub(pair[0]) == Some(1));
    let Some(numbers) = integers(first).filter(|numbers| is_count(numbers)) else { return false };
    let Some(second) = second else { return false };
    let is_fraction = |field: &str| is_number(field) && field.parse::<i64>().is_err();
    let mut below = second.iter().skip(first.len() - numbers.len());
    !integers(second).is_some_and(|row| is_count(&row)) && (numbers.len() >= 3 || below.all(is_fraction))
}

/// Whether the first line names columns by years, of which the second line has none.
fn are_years(first: &StringRecord, second: Option<&StringRecord>) -> bool {
    let is_year = |field: &str| field.parse::<u32>().is_ok_and(|year| (1900..=2100).contains(&year));
    let years: Vec<&str> = first.iter().skip_while(|field| !is_year(field)).collect();
    let differ = years.iter().enumerate().all(|(c, year)| !years[..c].contains(year));
    years.len() >= 3
        && years.iter().all(|field| is_year(field))
        && differ
        && second.is_some_and(|row| row.len() == first.len() && !row.iter().any(is_year))
}

/// Whether the first line names many columns by numbers that are equally far apart, as the bands of a spectrum are, which
/// the second line does not.
fn are_wavelengths(first: &StringRecord, second: Option<&StringRecord>) -> bool {
    let is_scale = |row: &StringRecord| {
        let row: Option<Vec<f64>> = row.iter().map(|field| field.parse().ok()).collect();
        row.is_some_and(|row| {
            let step = (row[row.len() - 1] - row[0]) / (row.len() - 1) as f64;
            let is_step = |pair: &[f64]| (pair[1] - pair[0] - step).abs() <= 0.01 * step.abs();
            step != 0.0 && step.is_finite() && row.windows(2).all(is_step)
        })
    };
    first.len() >= 8 && is_scale(first) && second.is_some_and(|second| second.len() == first.len() && !is_scale(second))
}

/// Whether a line holds the units of the columns: it has words wherever the next has numbers.
fn are_units(row: &StringRecord, next: Option<&StringRecord>) -> bool {
    let Some(next) = next.filter(|next| next.len() == row.len()) else { return false };
    let mut over_numbers =
        row.iter().zip(next).filter(|(_, below)| is_number(below)).map(|(field, _)| field).peekable();
    over_numbers.peek().is_some()
        && over_numbers.clone().all(|field| !is_number(field) && (field.is_empty() || !is_missing(field)))
        && over_numbers.any(|field| !field.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(text: &str, wanted: Option<bool>) -> Heading {
        let rows: Vec<StringRecord> = text.lines().map(|line| line.split(',').collect()).collect();
        Heading::of(&rows, wanted, None)
    }

    #[test]
    fn a_header_has_words_over_numbers() {
        for (text, lines) in [
            ("a,b\n1,2", 1),
            ("kind,b\nwalk,2", 1),
            ("a,b", 1),
            ("inf,nan,z\n1,2,3", 1),
            ("kind,2019,2021,2022\nx,4,5,6", 1),
            // A word, or a missing value, above numbers beside numbers above numbers is a sample.
            ("x,1,2,3\n4,5,6,7", 0),
            ("NA,1,2\n3,1,2", 0),
            ("NA,?\n3,1", 0),
            ("walk,1,2\nsit,3,4", 0),
            (",1,2\n3,5,7", 0),
            ("1,2\n3,4", 0),
            ("0,1\n1,0", 0),
            ("0,1\n0.5,0.25", 1),
            ("0,1,2\n5,7,7", 1),
            (",0,1,2\n0,5,7,7", 1),
            (",0,1\n0,0.5,0.25", 1),
            ("1,2,3\n4,5,6", 0),
            ("400,402.5,405,407.5,410,412.5,415,417.5\n1,3,2,5,4,4,3,1", 1),
            ("8,7,6,5,4,3,2,1\n1,2,3,4,5,6,7,8", 0),
            ("5,5,5,5,5,5,5,5\n1,3,2,5,4,4,3,1", 0),
            ("True,1\nFalse,2", 0),
        ] {
            assert_eq!(heading(text, None).lines, lines, "{text}");
        }
        assert_eq!((heading("a,b\n1,2", Some(false)).lines, heading("1,2\n3,4", Some(true)).names.len()), (0, 2));
    }

    #[test]
    fn units_are_words_under_words_and_over_numbers() {
        let units = |text: &str| heading(text, None).units.is_some();
        assert!(units("a,b\n[g],[g]\n1,2") && units("kind,b\n,m/s\nwalk,2"));
        assert!(!units("a,b\n1,2\n3,4") && !units("kind,b\nwalk,2\nsit,3") && !units("a,b\nNA,?\n1,2"));
        assert!(!units("kind\nwalk\nsit") && !units("a,b\n[g],[g]"));
    }

    #[test]
    fn a_delimiter_at_the_end_of_lines_is_no_column() {
        let width = |text: &str| heading(text, None).width;
        assert_eq!((width("a,b,\n1,2,\n3,4,"), width("a,b\n1,2,\n3,4,"), width("1,2,\n3,4,")), (2, 2, 2));
        assert_eq!((width("a,b,c\n1,2,\n3,4,"), width("1,2,\n3,4,5")), (3, 3));
        // As R writes it.
        let found = heading("a,b\nr1,1,2\nr2,3,4", None);
        assert_eq!((found.width, found.names), (3, vec![String::new(), "a".into(), "b".into()]));
    }

    #[test]
    fn a_comment_as_wide_as_the_table_is_its_header() {
        let rows: Vec<StringRecord> = vec![vec!["1", "2"].into(), vec!["3", "4"].into()];
        let names = |comment: &[&str]| Heading::of(&rows, None, Some(&comment.to_vec().into())).names;
        assert_eq!(names(&["x", "y"]), ["x", "y"]);
        assert!(names(&["recorded yesterday"]).is_empty());
    }
}
