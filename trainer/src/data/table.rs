//! What tables have in common, in text or not: columns of features, of labels and of groups.

use std::collections::HashMap;
use std::path::Path;

use super::error::{DataError, content};
use super::source::Source;
use crate::base::names::nearest_name;

/// Which columns are which, by their index from 0.
pub(super) struct Columns {
    pub(super) label: Option<usize>,
    pub(super) group: Option<usize>,
    pub(super) features: Vec<usize>,
}

impl Columns {
    /// Those that the source asks for among `n_columns` with these names, or none.
    pub(super) fn chosen(path: &Path, names: &[&str], n_columns: usize, source: &Source) -> Result<Self, DataError> {
        let column = |flag, wanted: &Option<String>| match wanted.as_deref() {
            None | Some("") => Ok(None),
            Some(wanted) => find(wanted, names, n_columns)
                .map(Some)
                .map_err(|problem| content(path, format!("{flag} {wanted}: {problem}"))),
        };
        let label = column("--label-column", &source.label_column)?;
        let group = column("--group-column", &source.group_column)?;
        let dropped = source.drop_columns.iter().map(|name| column("--drop-column", &Some(name.clone())));
        let dropped: Vec<Option<usize>> = dropped.collect::<Result<_, _>>()?;
        let is_feature = |&c: &usize| Some(c) != label && Some(c) != group && !dropped.contains(&Some(c));
        let features: Vec<usize> = (0..n_columns).filter(is_feature).collect();
        if features.is_empty() {
            return Err(content(path, "no column is left for features: labels and groups are not learned from"));
        }
        Ok(Self { label, group, features })
    }
}

/// What the samples of a file are called.
pub(super) fn name(path: &Path) -> &str {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("data");
    // Of x.csv.gz as of x.csv.
    [".csv", ".tsv", ".txt"].into_iter().find_map(|ending| stem.strip_suffix(ending)).unwrap_or(stem)
}

/// A column by its name, or by its index from 0.
fn find(wanted: &str, names: &[&str], n_columns: usize) -> Result<usize, String> {
    if let Some(c) = names.iter().position(|&name| name == wanted) {
        return Ok(c);
    }
    match wanted.parse::<usize>() {
        Ok(index) if index < n_columns => Ok(index),
        Ok(_) => Err(format!("there are {n_columns} columns, counted from 0")),
        Err(_) if names.is_empty() => Err(format!("the file has no header: give an index from 0 to {}", n_columns - 1)),
        Err(_) => {
            let hint = nearest_name(wanted, names.iter().copied()).map(|name| format!("; did you mean {name:?}"));
            Err(format!("no column is called so{}? There are {}", hint.unwrap_or_default(), names.join(", ")))
        }
    }
}

/// A column of labels or groups. Whole numbers stand for themselves; anything else is numbered in the order in which it
/// first appears.
#[derive(Default)]
pub(super) struct Words {
    numbers: HashMap<String, u32>,
    rows: Vec<u32>,
}

impl Words {
    /// The next row's.
    pub(super) fn push(&mut self, word: &str) {
        let next = self.numbers.len() as u32;
        let number = match self.numbers.get(word) {
            Some(&number) => number,
            None => *self.numbers.entry(word.to_owned()).or_insert(next),
        };
        self.rows.push(number);
    }

    /// A number for each row.
    pub(super) fn finish(mut self) -> Vec<u32> {
        let mut whole = vec![0; self.numbers.len()];
        for (word, number) in &self.numbers {
            match word.parse().ok().filter(|&y: &u32| y < 65536) {
                Some(y) => whole[*number as usize] = y,
                None => return self.rows,
            }
        }
        self.rows.iter_mut().for_each(|number| *number = whole[*number as usize]);
        self.rows
    }
}
