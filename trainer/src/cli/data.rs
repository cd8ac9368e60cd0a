//! Which samples a command reads: those that are named, or those of the run.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::error::CliError;
use super::output::tell;
use super::progress::during;
use crate::base::text::{counted, listed};
use crate::data::{ColumnRole, DataRecord, Dataset, Gaps, MemoryLimit, Samples, Saturated, Source, Windowing};
use crate::front_end::FrontEnd;
use crate::run::{RunDir, RunFile};
use crate::workflow::WorkflowError;

/// How samples are read.
#[derive(Args, Clone, Default)]
pub(super) struct Cut {
    /// An NPY or IDX file of labels, for data that contain none.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// The column of a table that holds labels, by name or by index from 0; training never sees it. An empty name means none.
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<String>,
    /// The column of a table that holds groups, such as the person recorded, by name or by index from 0; no window spans two
    /// groups. An empty name means none.
    #[arg(long, value_name = "COLUMN")]
    group_column: Option<String>,
    /// A column of a table to ignore, such as a time stamp, by name or by index from 0; may be repeated.
    #[arg(long, value_name = "COLUMN")]
    drop_column: Vec<String>,
    /// Whether the first line of a text table is a header [default: determined by its contents].
    #[arg(long, value_name = "yes|no", value_parser = PossibleValuesParser::new(["yes", "no"]).map(|answer| answer == "yes"))]
    header: Option<bool>,
    /// Cuts a recording, with a row per instant and a column per channel, into windows of this many instants.
    #[arg(long, value_name = "INSTANTS")]
    window: Option<usize>,
    /// Number of instants from the start of a window to the start of the next [default: the length of a window].
    #[arg(long, value_name = "INSTANTS")]
    step: Option<usize>,
    /// The column of a table that holds the time of each instant of a recording, in numbers, by name or by index from 0: it
    /// shows where instants are missing, and is compared with --rate. An empty name means none.
    #[arg(long, value_name = "COLUMN")]
    time_column: Option<String>,
    /// What becomes of a recording in which instants or values are missing: refuse it, or split it there, so that no window
    /// spans a gap [default: refuse].
    #[arg(long, value_name = "split|refuse", value_parser = PossibleValuesParser::new(["split", "refuse"])
        .map(|answer| if answer == "split" { Gaps::Split } else { Gaps::Refuse }))]
    gaps: Option<Gaps>,
    /// The memory that the samples may use, such as 500MB. Samples that need more are read from their file when they are
    /// needed; the result is the same [default: a quarter of the machine's memory].
    #[arg(long, value_name = "BYTES")]
    memory: Option<MemoryLimit>,
}

impl Cut {
    /// Reads samples.
    pub(super) fn read(&self, source: &Source) -> Result<Dataset, CliError> {
        for path in input_files(source) {
            if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
                return Err(CliError::Usage(format!(
                    "{}: this is a pipe or a device, but samples are read more than once: save them to a file",
                    path.display()
                )));
            }
        }
        let dataset = during("reading", || source.read_within(self.memory.unwrap_or_default()))?;
        dataset.samples.notes().iter().for_each(|note| tell(&format!("note: {note}")));
        Ok(dataset)
    }

    /// Reads samples for a model that is there already, whose run has this record.
    pub(super) fn read_for(
        &self,
        source: Source,
        run: &RunDir,
        record: Option<&DataRecord>,
    ) -> Result<(Source, Dataset), CliError> {
        let trained = record.map(DataRecord::trained_columns).unwrap_or_default();
        let source = Source { trained: Some(trained), ..source };
        let dataset = self.read(&source)?;
        if let Some(before) = record.filter(|record| record.has_source(&source))
            && before.fingerprint != DataRecord::new(&source, &dataset.samples).fingerprint
        {
            let path = &source.path;
            tell(&format!("warning: {path} has changed since the run was trained on it"));
        }
        if dataset.samples.interval().is_some() && run.contains(RunFile::Settings) {
            FrontEnd::check_rate_of_run(&run.config()?.front_end, &dataset.samples).map_err(WorkflowError::from)?;
        }
        if let Some(record) = record {
            warn_of_other_windows(&record.source, &source);
        }
        Ok((source, dataset))
    }

    /// The columns that no flag names.
    fn columns_not_asked(&self) -> Vec<ColumnRole> {
        let is_asked = |role: &ColumnRole| match role {
            ColumnRole::Labels => self.label_column.is_some(),
            ColumnRole::Groups => self.group_column.is_some(),
            ColumnRole::Times => self.time_column.is_some(),
            ColumnRole::LeftOut => !self.drop_column.is_empty(),
        };
        ColumnRole::ALL.into_iter().filter(|role| !is_asked(role)).collect()
    }

    /// The samples that the flags describe. `record` supplies what the flags leave open.
    pub(super) fn source(&self, data: Option<&str>, record: Option<&DataRecord>) -> Result<Source, CliError> {
        let mut source = match (data, record) {
            (Some(path), None) => Source::new(path),
            (None, Some(record)) => {
                let path = &record.source.path;
                if !record.source.is_embedded() && !Path::new(path).exists() {
                    return Err(CliError::Usage(format!(
                        "{path}: the samples of the run are not there: run this command in the directory in which the run \
                         was trained, or name the file"
                    )));
                }
                record.source.clone()
            }
            // Other samples are cut in the same way, but their labels are in another file.
            (Some(path), Some(record)) if path != record.source.path => {
                let optional_columns = self.columns_not_asked();
                Source { path: path.into(), labels: None, optional_columns, ..record.source.clone() }
            }
            (Some(_), Some(record)) => record.source.clone(),
            (None, None) => {
                return Err(CliError::Usage(
                    "no samples are named, and there is no run that has its own: name a file, or digits".into(),
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
        source.time_column = or(&self.time_column, source.time_column);
        source.gaps = self.gaps.unwrap_or(source.gaps);
        if !self.drop_column.is_empty() {
            source.drop_columns = self.drop_column.iter().filter(|name| !name.is_empty()).cloned().collect();
        }
        source.header = self.header.or(source.header);
        source.labels = self.labels.clone().or(source.labels);
        source.window = match (self.window, self.step, source.window) {
            (Some(length), step, _) => Some(Windowing { length, step: step.unwrap_or(length) }),
            (None, Some(step), Some(window)) => Some(Windowing { step, ..window }),
            (None, Some(_), None) => {
                return Err(CliError::Usage("--step is the distance of windows: give --window, too".into()));
            }
            (None, None, window) => window,
        };
        let of_recordings = [("--time-column", source.time_column.is_some()), ("--gaps", self.gaps.is_some())];
        if let Some((flag, _)) = of_recordings.into_iter().find(|(_, is_given)| *is_given && source.window.is_none()) {
            return Err(CliError::Usage(format!(
                "{flag} is for recordings, which are cut into windows: give --window, too"
            )));
        }
        Ok(source)
    }
}

/// Notes which columns never change and are therefore ignored.
pub(super) fn note_constant_columns(samples: &Samples) {
    let columns = samples.constant_columns();
    if columns.is_empty() {
        return;
    }
    let names: Vec<String> = columns.iter().map(|&column| samples.column_name(column)).collect();
    tell(&format!("note: columns that never change are ignored by the model: {}", listed(&names)));
}

/// Warns of columns with values that are far from all others.
pub(super) fn warn_of_far_values(samples: &Samples) -> Result<(), CliError> {
    for far in Saturated::of(samples)? {
        tell(&format!("warning: {far}"));
    }
    Ok(())
}

/// Says what is not as it was in training, where nothing else shows it.
fn warn_of_other_windows(trained: &Source, now: &Source) {
    let is_named = |column: &Option<String>| column.as_ref().is_some_and(|name| !name.is_empty());
    if let (Some(before), Some(window)) = (trained.window, now.window)
        && before.step != window.step
    {
        tell(&format!(
            "warning: windows are {} apart, but were {} apart in training: how long clusters last, and what is smoothed, is for those",
            counted(window.step, "instant"),
            before.step
        ));
    }
    if now.window.is_some() && is_named(&trained.time_column) && !is_named(&now.time_column) {
        tell("warning: no column of times is read, as in training: windows may reach across gaps");
    }
    if now.window.is_some() && is_named(&trained.group_column) && !is_named(&now.group_column) {
        tell("warning: no column of groups is read, as in training: windows may reach from one group into another");
    }
}

/// The files that samples are read from.
pub(super) fn input_files(source: &Source) -> Vec<&Path> {
    let samples = Some(Path::new(&source.path)).filter(|_| !source.is_embedded());
    samples.into_iter().chain(source.labels.as_deref()).collect()
}
