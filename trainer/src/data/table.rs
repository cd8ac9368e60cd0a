//! What all tables have, in text or binary: rows with columns of features, of labels and of groups.

use std::borrow::Cow;
use std::path::Path;

use super::category::CategoryColumn;
use super::columns::Columns;
use super::dataset::Dataset;
use super::error::{CellProblem, DataError};
use super::memory::MemoryLimit;
use super::note::DataNote;
use super::origin::{self, Rounding};
use super::samples::Samples;
use super::sink::Sink;
use super::source::Source;
use super::values::Values;

/// Samples of a table, and the origins of its columns that they should have been read with.
pub(super) type Read = (Dataset, Option<Vec<f64>>);

/// So many numbers do not rise one after another by chance.
const MANY: usize = 20;

/// A table that is read row by row.
pub(super) struct Table {
    pub(super) columns: Columns,
    labels: CategoryColumn,
    groups: CategoryColumn,
    rounding: Rounding,
    sink: Sink,
    row: Vec<f32>,
    /// Whether all numbers so far are integers.
    pub(super) are_integers: bool,
    is_for_training: bool,
    may_lack_values: bool,
    /// The time of each row, if there is a column of times.
    pub(super) times: Vec<f64>,
}

impl Table {
    /// A table of these columns, the features of which have these origins; none are 0.
    pub(super) fn new(columns: Columns, source: &Source, memory: MemoryLimit, origins: &[f64]) -> Result<Self, String> {
        let n = columns.features.len();
        origin::check(origins, n)?;
        let rounding = Rounding::new(n, origins);
        let (labels, groups) = (CategoryColumn::default(), CategoryColumn::default());
        let (sink, is_for_training) = (Sink::new(memory), source.trained.is_none());
        let may_lack_values = source.may_lack_values();
        let (row, times, are_integers) = (vec![], vec![], true);
        Ok(Self { columns, labels, groups, rounding, sink, row, are_integers, is_for_training, may_lack_values, times })
    }

    /// The next feature of the row.
    pub(super) fn push(&mut self, value: f64, is_integer: bool) {
        let value = self.rounding.round(self.row.len(), value);
        // Greater ones are no counts that a chip could read.
        self.are_integers &= is_integer && value.abs() <= i32::MAX as f32;
        self.row.push(value);
    }

    /// The next feature of the row is missing.
    ///
    /// # Errors
    /// The problem, unless it is that a value is missing and instants may lack some.
    pub(super) fn push_missing(&mut self, problem: CellProblem) -> Result<(), CellProblem> {
        if !(self.may_lack_values && problem.is_missing()) {
            return Err(problem);
        }
        self.row.push(f32::NAN);
        Ok(())
    }

    /// Ends a row. `word` reads the label and the group, and `refuse` is the error for a column.
    pub(super) fn end_row<'a>(
        &mut self,
        word: impl Fn(usize) -> Result<Cow<'a, str>, CellProblem>,
        refuse: impl Fn(usize, CellProblem) -> DataError,
    ) -> Result<(), DataError> {
        for (column, words) in [(self.columns.label, &mut self.labels), (self.columns.group, &mut self.groups)] {
            let Some(c) = column else { continue };
            word(c).and_then(|word| words.push(&word)).map_err(|problem| refuse(c, problem))?;
        }
        self.sink.push(&self.row)?;
        self.row.clear();
        Ok(())
    }

    /// Whether there is no row.
    pub(super) fn is_empty(&self) -> bool {
        self.sink.len() == 0
    }

    /// All rows. `names` are those of all columns, or none.
    pub(super) fn finish(self, path: &Path, names: &[String], notes: Vec<DataNote>) -> Result<Read, DataError> {
        let Columns { label, group, time, features, notes: columns } = self.columns;
        let samples = Samples::from_values(sample_name(path), Values::new(self.sink.finish()?, features.len()))?;
        let samples = samples.with_notes(notes.into_iter().chain(columns));
        let samples = samples.with_notes(self.labels.note(false).into_iter().chain(self.groups.note(true)));
        let samples = samples.with_origins(self.rounding.origins());
        let samples = samples.with_times(time.map(|_| self.times));
        let samples = match names {
            [] => samples,
            names => samples.with_column_names(features.iter().map(|&c| names[c].clone())),
        };
        let rising: Vec<String> = match samples.n_samples() {
            n if n < MANY || !self.is_for_training => vec![],
            _ => self.rounding.rising().map(|column| samples.column_name(column)).collect(),
        };
        let samples = samples.with_notes((!rising.is_empty()).then_some(DataNote::Rising { names: rising }));
        let dataset = Dataset {
            samples: if self.are_integers { samples.with_count(1.0) } else { samples },
            labels: label.map(|_| self.labels.finish()),
            groups: group.map(|_| self.groups.finish()),
        };
        Ok((dataset, self.rounding.wanted()))
    }
}

/// The name of the samples of a file: the file's, without its endings.
pub(super) fn sample_name(path: &Path) -> &str {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("data");
    // Of x.csv.gz as of x.csv.
    [".csv", ".tsv", ".txt"].into_iter().find_map(|ending| stem.strip_suffix(ending)).unwrap_or(stem)
}
