//! Cuts a recording, instant by instant, into windows.

use std::ops::Range;
use std::path::Path;

use super::dataset::Dataset;
use super::error::{DataError, WindowingProblem};
use super::note::DataNote;
use super::samples::Samples;
use super::source::Windowing;
use super::timing::{Gaps, Parts};

/// Windows of `length` instants every `step`, none across a change of group or a gap. The label of a window is the most
/// common one of its instants. No number is copied.
pub(super) fn cut(path: &Path, recording: &Dataset, window: Windowing, gaps: Gaps) -> Result<Dataset, DataError> {
    let refuse = |problem| DataError::Windowing { path: path.into(), problem };
    let Windowing { length, step } = window;
    if length == 0 || step == 0 {
        return Err(refuse(WindowingProblem::Zero));
    }
    let samples = &recording.samples;
    let parts = Parts::of(recording)?.map_err(refuse)?;
    if let Some(column) = samples.empty_columns().next().filter(|_| parts.ranges.is_empty()) {
        return Err(refuse(WindowingProblem::EmptyColumn { name: samples.column_name(column) }));
    }
    if gaps == Gaps::Refuse
        && let Some(problem) = gap(&parts, samples)
    {
        return Err(refuse(problem));
    }
    let fitting = |part: &Range<usize>| {
        let Range { start, end } = *part;
        (start..=end).step_by(step).take_while(move |start| start + length <= end)
    };
    let starts: Vec<usize> = parts.ranges.iter().flat_map(fitting).collect();
    // The first windows of the parts: the window before each is of another part.
    let firsts: Vec<usize> = parts.ranges.iter().map(|part| part.start).collect();
    let breaks = (0..starts.len()).filter(|&window| firsts.binary_search(&starts[window]).is_ok());
    let longest = parts.ranges.iter().map(Range::len).max().unwrap_or(0);
    let short = parts.ranges.iter().filter(|part| part.len() < length).count();
    if starts.is_empty() {
        let is_grouped = recording.groups.is_some();
        let is_split = !(parts.after_gaps.is_empty() && parts.incomplete.is_empty());
        return Err(refuse(WindowingProblem::TooLong { length, longest, is_grouped, is_split }));
    }
    let note = (short > 0).then_some(DataNote::ShortParts { parts: short, length });
    let notes = notes(&parts).chain(note);
    let cut = samples.windows(&starts, length)?.with_interval(parts.interval).with_breaks(breaks).with_notes(notes);
    let labels = recording.labels.as_ref();
    let labels = labels.map(|labels| starts.iter().map(|&start| most_common(&labels[start..start + length])).collect());
    let groups = recording.groups.as_ref().map(|groups| starts.iter().map(|&start| groups[start]).collect());
    Ok(Dataset { samples: cut, labels, groups })
}

/// The first of the gaps in which instants are missing.
fn gap(parts: &Parts, samples: &Samples) -> Option<WindowingProblem> {
    let (row, times, interval) = (*parts.after_gaps.first()?, samples.times()?, parts.interval?);
    let (before, after) = (times[row - 1], times[row]);
    Some(WindowingProblem::Gap { n: parts.after_gaps.len(), row, before, after, interval })
}

/// What is to be said of times and gaps.
fn notes(parts: &Parts) -> impl Iterator<Item = DataNote> {
    let (missing, incomplete) = (parts.after_gaps.len(), parts.incomplete.len());
    let first = parts.after_gaps.first().into_iter().chain(parts.incomplete.first()).min();
    let gaps = first.map(|&first| DataNote::Gaps { missing, incomplete, first });
    parts.interval.map(|interval| DataNote::Interval { interval }).into_iter().chain(gaps)
}

/// The most common label; the smallest of several.
fn most_common(labels: &[u32]) -> u32 {
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.rev().max_by_key(|run| run.len()).map_or(0, |run| run[0])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::Layout;
    use super::*;

    /// Channel c of instant t is `10 t + c`.
    fn recording(groups: Option<Vec<u32>>, instants: usize) -> Dataset {
        let values = (0..instants).flat_map(|t| [10.0 * t as f32, 10.0 * t as f32 + 1.0]).collect();
        let labels = Some((0..instants as u32).map(|t| t / 3).collect());
        Dataset { samples: Samples::new("r", values, 2).with_count(1.0), labels, groups }
    }

    #[test]
    fn windows_overlap_and_keep_what_is_known() {
        let cut = cut(Path::new("r"), &recording(None, 7), Windowing { length: 4, step: 2 }, Gaps::Refuse).unwrap();
        assert_eq!(*cut.samples.chunk(1..2).unwrap(), [20.0, 21.0, 30.0, 31.0, 40.0, 41.0, 50.0, 51.0]);
        assert_eq!((cut.samples.n_samples(), cut.samples.layout()), (2, Layout::Windows { channels: 2 }));
        assert_eq!((cut.samples.count(), cut.labels), (Some(1.0), Some(vec![0, 1])));
    }

    #[test]
    fn parts_shorter_than_a_window_are_noted() {
        let groups = Some(vec![0, 0, 0, 1, 2, 2, 2]);
        let cut = cut(Path::new("r"), &recording(groups, 7), Windowing { length: 3, step: 1 }, Gaps::Refuse).unwrap();
        assert_eq!(cut.groups, Some(vec![0, 2]));
        assert_eq!(cut.samples.notes(), [DataNote::ShortParts { parts: 1, length: 3 }]);
    }

    #[test]
    fn a_column_without_values_is_named() {
        let values = (0..8).flat_map(|t| [t as f32, f32::NAN]).collect();
        let samples = Samples::new("r", values, 2).with_column_names(["x", "y"].map(String::from));
        let recording = Dataset { samples, labels: None, groups: None };
        let error = cut(Path::new("r"), &recording, Windowing { length: 2, step: 2 }, Gaps::Split).unwrap_err();
        assert_eq!(error.to_string(), "r: column \"y\" has no value in any instant: leave the column out");
    }

    #[test]
    fn what_can_not_be_cut_is_said() {
        let error = |groups, length, step| {
            cut(Path::new("r"), &recording(groups, 6), Windowing { length, step }, Gaps::Refuse)
                .unwrap_err()
                .to_string()
        };
        assert!(error(None, 7, 1).contains("longer than the recording, which has 6"));
        assert!(error(Some(vec![0, 0, 0, 1, 1, 0]), 4, 1).contains("longest group, which has 3"));
        assert!(error(None, 0, 1).contains("at least 1") && error(None, 1, 0).contains("at least 1"));
    }

    proptest! {
        #[test]
        fn no_window_crosses_groups_and_none_is_missing(
            lengths in prop::collection::vec(1usize..9, 1..6), length in 1usize..5, step in 1usize..5,
        ) {
            let groups: Vec<u32> =
                lengths.iter().enumerate().flat_map(|(g, &n)| std::iter::repeat_n(g as u32 % 2, n)).collect();
            let runs: Vec<usize> = groups.chunk_by(|a, b| a == b).map(<[u32]>::len).collect();
            let expected: usize = runs.iter().filter(|&&n| n >= length).map(|n| (n - length) / step + 1).sum();
            match cut(Path::new("r"), &recording(Some(groups.clone()), groups.len()), Windowing { length, step }, Gaps::Refuse) {
                Err(_) => prop_assert_eq!(expected, 0),
                Ok(found) => {
                    prop_assert_eq!(found.samples.n_samples(), expected);
                    let parts = runs.iter().filter(|&&n| n >= length).map(|n| (n - length) / step + 1);
                    let sequences: Vec<usize> = found.samples.sequences().into_iter().map(|range| range.len()).collect();
                    prop_assert_eq!(sequences, parts.collect::<Vec<_>>());
                    for (row, group) in found.samples.chunks(1).zip(found.groups.unwrap()) {
                        let start = (row.unwrap()[0] / 10.0) as usize;
                        prop_assert!(groups[start..start + length].iter().all(|&g| g == group));
                    }
                }
            }
        }
    }
}
