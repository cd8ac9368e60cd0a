//! Which samples a command takes: those that are named, or those of the run.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::BoolishValueParser;

use super::CliError;
use super::progress::during;
use crate::data::{CellProblem, ColumnRole, DataError, DataRecord, Dataset, MemoryLimit, Samples, Source, Windowing};
use crate::run::RunDir;

/// How a file is read.
#[derive(Args, Clone, Default)]
pub(super) struct Cut {
    /// An NPY or IDX file of labels, where the data have none.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// The table's column with labels, by name or index from 0; training never sees it. Empty: none.
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<String>,
    /// The table's column that says whose a row is, by name or index from 0: no window crosses it. Empty: none.
    #[arg(long, value_name = "COLUMN")]
    group_column: Option<String>,
    /// A column of the table that is not a feature, by name or index from 0, such as a time or a remark; may be given several
    /// times.
    #[arg(long, value_name = "COLUMN")]
    drop_column: Vec<String>,
    /// Whether the first line of a table in text is a header [default: decided by what it holds].
    #[arg(long, value_name = "yes|no", value_parser = BoolishValueParser::new())]
    header: Option<bool>,
    /// Cuts a recording, one row an instant, one column a channel, into windows of so many instants.
    #[arg(long, value_name = "INSTANTS")]
    window: Option<usize>,
    /// Instants from one window to the next [default: the window's length].
    #[arg(long, value_name = "INSTANTS")]
    step: Option<usize>,
    /// The most memory that the samples may take, as in 500MB; more are read from their file as they are needed, with the
    /// same result [default: a quarter of the machine's].
    #[arg(long, value_name = "BYTES")]
    memory: Option<MemoryLimit>,
}

impl Cut {
    /// Reads samples.
    pub(super) fn read(&self, source: &Source) -> Result<Dataset, DataError> {
        let dataset = during("reading", || source.read_within(self.memory.unwrap_or_default()))?;
        dataset.samples.notes().iter().for_each(|note| eprintln!("note: {note}"));
        Ok(dataset)
    }

    /// The samples that were asked for; what is not said is as in `record`.
    pub(super) fn source(&self, data: Option<&str>, record: Option<&DataRecord>) -> Result<Source, CliError> {
        let mut source = match (data, record) {
            (Some(path), None) => Source::new(path),
            (None, Some(record)) => {
                let path = &record.source.path;
                if path != "digits" && !Path::new(path).exists() {
                    return Err(CliError::Use(format!(
                        "{path}: the run's samples are not here: go where it was trained, or say where they are"
                    )));
                }
                record.source.clone()
            }
            // Other samples are cut alike, but their labels lie elsewhere.
            (Some(path), Some(record)) if path != record.source.path => {
                let is_asked =
                    self.label_column.is_some() || self.group_column.is_some() || !self.drop_column.is_empty();
                Source { path: path.into(), labels: None, columns_are_optional: !is_asked, ..record.source.clone() }
            }
            (Some(_), Some(record)) => record.source.clone(),
            (None, None) => {
                return Err(CliError::Use(
                    "which samples? Name a file or digits; only a run's directory remembers its own".into(),
                ));
            }
        };
        let or = |asked: &Option<String>, before: Option<String>| match asked.as_deref() {
            None => before,
            Some("") => None,
            Some(name) => Some(name.to_owned()),
        };
        source.label_column = or(&self.label_column, source.label_column);
        source.group_column = or(&self.group_column, source.group_column);
        if !self.drop_column.is_empty() {
            source.drop_columns = self.drop_column.iter().filter(|name| !name.is_empty()).cloned().collect();
        }
        source.header = self.header.or(source.header);
        source.labels = self.labels.clone().or(source.labels);
        source.window = match (self.window, self.step, source.window) {
            (Some(length), step, _) => Some(Windowing { length, step: step.unwrap_or(length) }),
            (None, Some(step), Some(window)) => Some(Windowing { step, ..window }),
            (None, Some(_), None) => {
                return Err(CliError::Use("--step says how windows follow: give --window too".into()));
            }
            (None, None, window) => window,
        };
        Ok(source)
    }
}

/// What a run remembers of its samples; nothing for runs that were made before they did, and for lone files.
pub(super) fn record(run: &RunDir) -> Result<Option<DataRecord>, CliError> {
    let path = run.file("data.toml");
    match fs::read_to_string(&path) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(CliError::io(&path)(error)),
        Ok(text) => toml::from_str(&text).map(Some).map_err(|e| CliError::Use(format!("{}: {e}", path.display()))),
    }
}

/// The run that a path names: its directory, or the one in which the file lies.
pub(super) fn run_of(path: &Path) -> RunDir {
    RunDir::open(if path.is_dir() { path } else { path.parent().unwrap_or(path) })
}

/// The flags that help with an error in the data, in parentheses after a blank. The library does not know them.
pub(super) fn flags(error: &DataError) -> &'static str {
    match error {
        DataError::Io { source, .. } => super::advice(source),
        DataError::Scratch { .. } => " (--memory raises the limit)",
        DataError::Column { role: ColumnRole::Labels, .. } => " (--label-column)",
        DataError::Column { role: ColumnRole::Groups, .. } => " (--group-column)",
        DataError::Column { role: ColumnRole::LeftOut, .. } => " (--drop-column)",
        DataError::Cell { problem: CellProblem::Text(_), .. }
        | DataError::Value { problem: CellProblem::Text(_), .. } => " (--drop-column, --label-column, --group-column)",
        DataError::Windowing { .. } => " (--window, --step)",
        _ => "",
    }
}

/// Says which columns are left out because they never change.
pub(super) fn note_constant_columns(samples: &Samples) {
    let columns = samples.constant_columns();
    if columns.is_empty() {
        return;
    }
    let names: Vec<String> = columns.iter().map(|&column| samples.column_name(column)).collect();
    eprintln!("note: columns that never change are left out; the model takes and ignores them: {}", names.join(", "));
}
