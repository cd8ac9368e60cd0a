//! What all tables have, in text or binary: columns of features, of labels and of groups.

use std::collections::HashMap;
use std::path::Path;

use super::error::{ColumnProblem, ColumnRole, DataError, content};
use super::note::DataNote;
use super::source::Source;
use crate::base::names::nearest_name;

/// What each column is used for, by its index from 0.
pub(super) struct Columns {
    pub(super) label: Option<usize>,
    pub(super) group: Option<usize>,
    pub(super) features: Vec<usize>,
    /// The index of a data frame, which is left out.
    pub(super) index: Option<usize>,
}

impl Columns {
    /// The columns that the source asks for, among `n_columns` with these names, or without names.
    pub(super) fn choose(path: &Path, names: &[&str], n_columns: usize, source: &Source) -> Result<Self, DataError> {
        let column = |role, wanted: &str| {
            let problem = |problem| DataError::Column { path: path.into(), role, problem };
            match find(wanted, names, n_columns) {
                Err(_) if source.columns_are_optional => Ok(None),
                found => found.map(Some).map_err(problem),
            }
        };
        let one = |role, wanted: &Option<String>| match wanted.as_deref() {
            None | Some("") => Ok(None),
            Some(wanted) => column(role, wanted),
        };
        let label = one(ColumnRole::Labels, &source.label_column)?;
        let group = one(ColumnRole::Groups, &source.group_column)?;
        let left_out = source.drop_columns.iter().map(|wanted| column(ColumnRole::LeftOut, wanted));
        let left_out: Vec<Option<usize>> = left_out.collect::<Result<_, _>>()?;
        let is_free = |c: &usize| Some(*c) != label && Some(*c) != group && !left_out.contains(&Some(*c));
        let index = (0..names.len()).filter(is_free).find(|&c| is_index(names, c));
        let features: Vec<usize> = (0..n_columns).filter(|c| is_free(c) && Some(*c) != index).collect();
        if features.is_empty() {
            return Err(content(path, "no column is left for features: labels and groups are not features"));
        }
        Ok(Self { label, group, features, index })
    }
}

/// Whether a column is the index of a data frame, by the names that pandas gives it in text and in Parquet.
fn is_index(names: &[&str], column: usize) -> bool {
    let name = names[column];
    names.len() > 1 && (column == 0 && matches!(name, "" | "Unnamed: 0") || name.starts_with("__index_level_"))
}

/// The name of the samples of a file: the file's, without its endings.
pub(super) fn sample_name(path: &Path) -> &str {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("data");
    // Of x.csv.gz as of x.csv.
    [".csv", ".tsv", ".txt"].into_iter().find_map(|ending| stem.strip_suffix(ending)).unwrap_or(stem)
}

/// A column by its name, or by its index from 0.
fn find(wanted: &str, names: &[&str], n_columns: usize) -> Result<usize, ColumnProblem> {
    if let Some(c) = names.iter().position(|&name| name == wanted) {
        return Ok(c);
    }
    match wanted.parse::<usize>() {
        Ok(index) if index < n_columns => Ok(index),
        Ok(index) => Err(ColumnProblem::Index { index, n_columns }),
        Err(_) if names.is_empty() => Err(ColumnProblem::NoNames { wanted: wanted.into(), n_columns }),
        Err(_) => Err(ColumnProblem::Name {
            wanted: wanted.into(),
            nearest: nearest_name(wanted, names.iter().copied()).map(Into::into),
            columns: names.iter().map(|&name| name.into()).collect(),
        }),
    }
}

/// A column of labels or groups. If all entries are integers from 0 to 65535, without a sign or leading zeros, they stand
/// for themselves; otherwise entries are numbered in the order in which they first appear.
#[derive(Default)]
pub(super) struct CategoryColumn {
    numbers: HashMap<String, u32>,
    rows: Vec<u32>,
}

impl CategoryColumn {
    /// Appends the entry of the next row.
    pub(super) fn push(&mut self, word: &str) {
        let next = self.numbers.len() as u32;
        let number = match self.numbers.get(word) {
            Some(&number) => number,
            None => *self.numbers.entry(word.to_owned()).or_insert(next),
        };
        self.rows.push(number);
    }

    /// A note on the rows without an entry, if there are any.
    pub(super) fn note(&self, are_groups: bool) -> Option<DataNote> {
        let empty = *self.numbers.get("")?;
        let rows = self.rows.iter().filter(|&&number| number == empty).count();
        Some(DataNote::EmptyCategories { rows, are_groups })
    }

    /// A number for each row.
    pub(super) fn finish(mut self) -> Vec<u32> {
        let mut whole = vec![0; self.numbers.len()];
        for (word, number) in &self.numbers {
            match word.parse().ok().filter(|y: &u32| *y < 65536 && y.to_string() == *word) {
                Some(y) => whole[*number as usize] = y,
                None => return self.rows,
            }
        }
        self.rows.iter_mut().for_each(|number| *number = whole[*number as usize]);
        self.rows
    }
}
