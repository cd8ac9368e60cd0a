//! Columns of labels and groups.

use std::collections::HashMap;

use super::error::CellProblem;
use super::note::DataNote;

/// How many bytes the different entries of a column may take together.
const MOST_BYTES: usize = 64 << 20;

/// A column of labels or groups. If all entries are integers from 0 to 65535, without a sign or leading zeros, they stand
/// for themselves; otherwise entries are numbered in the order in which they first appear.
#[derive(Default)]
pub(super) struct CategoryColumn {
    numbers: HashMap<String, u32>,
    rows: Vec<u32>,
    n_bytes: usize,
}

impl CategoryColumn {
    /// Appends the entry of the next row.
    pub(super) fn push(&mut self, word: &str) -> Result<(), CellProblem> {
        let next = self.numbers.len() as u32;
        let number = match self.numbers.get(word) {
            Some(&number) => number,
            None => {
                self.n_bytes += word.len() + size_of::<(String, u32)>();
                if self.n_bytes > MOST_BYTES {
                    return Err(CellProblem::Categories { entries: next as usize });
                }
                *self.numbers.entry(word.to_owned()).or_insert(next)
            }
        };
        self.rows.push(number);
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stand_for_themselves_and_words_are_numbered() {
        let found = |words: &[&str]| {
            let mut column = CategoryColumn::default();
            words.iter().for_each(|word| column.push(word).unwrap());
            column.finish()
        };
        assert_eq!(found(&["7", "5", "7"]), [7, 5, 7]);
        assert_eq!(found(&["1", "01", "+1", "", "1"]), [0, 1, 2, 3, 0]);
        assert_eq!(found(&["65535", "65536"]), [0, 1]);
    }

    #[test]
    fn a_column_of_long_texts_is_no_column_of_labels() {
        let mut column = CategoryColumn::default();
        let text = "x".repeat(1 << 20);
        let pushed = (0..100).try_for_each(|i| column.push(&format!("{i}{text}")));
        assert_eq!(pushed, Err(CellProblem::Categories { entries: 63 }));
    }
}
