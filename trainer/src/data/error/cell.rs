//! What is wrong with one field of a table.

use thiserror::Error;

/// What is wrong with one field of a table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CellProblem {
    /// NaN or infinity.
    #[error("{0} is not a finite number: replace it or drop the row")]
    NotFinite(String),
    /// Too large for an f32.
    #[error("{0} is too large: numbers up to 3.4e38 are read; scale the column, replace the number or drop the row")]
    TooLarge(String),
    /// No time.
    #[error("it is no time in numbers: write the time of each instant as a number, such as seconds since the first")]
    NoTime,
    /// Nothing.
    #[error("the value is missing: fill it in or drop the row")]
    Missing,
    /// A word or a sign that stands for nothing.
    #[error("{0:?} stands for a missing value: fill it in or drop the row")]
    MissingWord(String),
    /// A number with a comma, which may be decimal or stand between thousands.
    #[error(
        "{0:?} has a comma that may mean more than one thing: write numbers with a decimal point and nothing between thousands"
    )]
    Comma(String),
    /// A date or a time.
    #[error("{0:?} is a date or a time: leave the column out, or write it as a number")]
    Time(String),
    /// A list or a structure.
    #[error("it holds lists or structures: give each of their numbers a column of its own")]
    Nested,
    /// A comment below the first samples.
    #[error("the line begins with #, and is below the header or a sample: comments are expected above the table")]
    Comment,
    /// A field that spans lines.
    #[error("the line goes on in the next, since a quotation mark is not closed: close it or delete it")]
    Unclosed,
    /// Labels or groups that are too many or too long.
    #[error(
        "the {entries} different entries so far are too many or too long to be labels or groups: name another column"
    )]
    Categories {
        /// How many different entries there were before.
        entries: usize,
    },
    /// Not a number.
    #[error("{0:?} is not a number: leave the column out, or let it hold the labels or groups")]
    Text(String),
    /// The row has another number of fields than the first.
    #[error("{found} field{} where the first line has {expected}: complete the line or delete it", if *found == 1 { "" } else { "s" })]
    FieldCount {
        /// Fields of this row.
        found: usize,
        /// Fields of the first row.
        expected: usize,
    },
}

impl CellProblem {
    /// Whether the field holds no value, or NaN, which stands for none.
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Missing | Self::MissingWord(_) => true,
            Self::NotFinite(field) => field.parse().is_ok_and(f64::is_nan),
            _ => false,
        }
    }
    /// The problem with a number that is no finite f32, as it is written.
    pub(in crate::data) fn beyond_f32(written: impl Into<String>) -> Self {
        let written = written.into();
        // Infinity and NaN are words.
        let is_number = written.contains(|c: char| c.is_ascii_digit());
        if is_number { Self::TooLarge(written) } else { Self::NotFinite(written) }
    }
}
