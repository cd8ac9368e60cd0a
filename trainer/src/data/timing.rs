//! Where a recording is whole: which of its instants follow each other without a gap.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::error::{DataError, WindowingProblem};

/// Instants further apart than this many usual intervals have others missing between them.
const GAP: f64 = 1.5;

/// What becomes of a recording with gaps: missing instants, or instants without all values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gaps {
    /// It is refused.
    #[default]
    Refuse,
    /// It is split at each gap, so that no window spans one.
    Split,
}

/// The parts of a recording without a gap, each of one group.
#[derive(Debug, PartialEq)]
pub(super) struct Parts {
    pub(super) ranges: Vec<Range<usize>>,
    /// Instants without all values.
    pub(super) incomplete: Vec<usize>,
    /// The first instant after each interval in which instants are missing.
    pub(super) after_gaps: Vec<usize>,
    /// The usual time from an instant to the next, in the unit of the times.
    pub(super) interval: Option<f64>,
}

impl Parts {
    /// The parts of a recording.
    ///
    /// # Errors
    /// Why its times can't be used, or why its file can't be read.
    pub(super) fn of(recording: &Dataset) -> Result<Result<Self, WindowingProblem>, DataError> {
        let instants = recording.samples.n_samples();
        let incomplete = incomplete(recording)?;
        let runs = runs(recording.groups.as_deref(), instants);
        let Some(times) = recording.samples.times() else {
            let ranges = without(runs, &incomplete);
            return Ok(Ok(Self { ranges, incomplete, after_gaps: vec![], interval: None }));
        };
        let interval = match interval(times, &runs) {
            Ok(interval) => interval,
            Err(problem) => return Ok(Err(problem)),
        };
        let is_gap = |&at: &usize| interval.is_some_and(|interval| times[at] - times[at - 1] > GAP * interval);
        let after_gaps = runs.iter().flat_map(|run| run.start + 1..run.end).filter(is_gap).collect::<Vec<usize>>();
        let parts = runs.into_iter().flat_map(|run| cut(run, &after_gaps)).collect();
        Ok(Ok(Self { ranges: without(parts, &incomplete), incomplete, after_gaps, interval }))
    }
}

/// Instants with a value that is missing.
fn incomplete(recording: &Dataset) -> Result<Vec<usize>, DataError> {
    let samples = &recording.samples;
    if samples.survey().not_finite.is_none() {
        return Ok(vec![]);
    }
    let (mut found, mut instant) = (vec![], 0);
    for block in samples.blocks() {
        for row in block?.chunks_exact(samples.n_features()) {
            if row.iter().any(|x| x.is_nan()) {
                found.push(instant);
            }
            instant += 1;
        }
    }
    Ok(found)
}

/// The instants of one group that follow each other.
fn runs(groups: Option<&[u32]>, instants: usize) -> Vec<Range<usize>> {
    let Some(groups) = groups else { return std::iter::once(0..instants).collect() };
    let lengths = groups.chunk_by(|a, b| a == b).map(<[u32]>::len);
    let ends = lengths.scan((0, 0), |(start, end), length| {
        (*start, *end) = (*end, *end + length);
        Some(*start..*end)
    });
    ends.collect()
}

/// A range, cut before each of these places.
fn cut(range: Range<usize>, before: &[usize]) -> Vec<Range<usize>> {
    let within = before.iter().copied().filter(|at| range.start < *at && *at < range.end);
    let ends: Vec<usize> = within.chain([range.end]).collect();
    let starts = std::iter::once(range.start).chain(ends.iter().copied());
    starts.zip(&ends).map(|(start, &end)| start..end).collect()
}

/// What is left of ranges without some places, which ascend.
fn without(ranges: Vec<Range<usize>>, places: &[usize]) -> Vec<Range<usize>> {
    if places.is_empty() {
        return ranges;
    }
    let left = |range: Range<usize>| {
        let within =
            &places[places.partition_point(|&at| at < range.start)..places.partition_point(|&at| at < range.end)];
        let starts = std::iter::once(range.start).chain(within.iter().map(|at| at + 1));
        let ends = within.iter().copied().chain([range.end]);
        starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect::<Vec<_>>()
    };
    ranges.into_iter().flat_map(left).collect()
}

/// The usual time from an instant to the next: the mean of the intervals without a gap, so that times which are rounded,
/// say to milliseconds, still give the rate. `None` if no instant follows another.
fn interval(times: &[f64], runs: &[Range<usize>]) -> Result<Option<f64>, WindowingProblem> {
    let mut intervals = vec![];
    for at in runs.iter().flat_map(|run| run.start + 1..run.end) {
        let (before, after) = (times[at - 1], times[at]);
        if after < before {
            return Err(WindowingProblem::TimeGoesBack { row: at, before, after });
        }
        intervals.push(after - before);
    }
    if intervals.is_empty() {
        return Ok(None);
    }
    let middle = intervals.len() / 2;
    let median = *intervals.select_nth_unstable_by(middle, f64::total_cmp).1;
    if median <= 0.0 {
        return Err(WindowingProblem::SameTimes);
    }
    let usual: Vec<f64> = intervals.into_iter().filter(|interval| *interval <= GAP * median).collect();
    Ok(Some(usual.iter().sum::<f64>() / usual.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::super::samples::Samples;
    use super::*;

    fn parts(values: &[f32], times: Option<&[f64]>, groups: Option<&[u32]>) -> Result<Parts, WindowingProblem> {
        let samples = Samples::new("r", values.to_vec(), 1).with_times(times.map(<[f64]>::to_vec));
        let recording = Dataset { samples, labels: None, groups: groups.map(<[u32]>::to_vec) };
        Parts::of(&recording).unwrap()
    }

    #[test]
    fn a_recording_is_split_at_gaps_groups_and_missing_values() {
        let nan = f32::NAN;
        let found = parts(&[1.0, nan, nan, 2.0, 3.0, nan], None, Some(&[0, 0, 0, 0, 1, 1])).unwrap();
        assert_eq!((found.ranges, found.incomplete), (vec![0..1, 3..4, 4..5], vec![1, 2, 5]));
        // Half a second is missing after the third instant; between groups, time may do anything.
        let times = [0.0, 0.1, 0.2, 0.7, 0.8, 0.9, 0.0, 0.1];
        let found = parts(&[1.0; 8], Some(&times), Some(&[0, 0, 0, 0, 0, 0, 1, 1])).unwrap();
        assert_eq!((found.ranges, found.after_gaps), (vec![0..3, 3..6, 6..8], vec![3]));
        assert!((found.interval.unwrap() - 0.1).abs() < 1e-9);
        assert_eq!(parts(&[1.0], Some(&[5.0]), None).unwrap().interval, None);
    }

    #[test]
    fn times_in_whole_milliseconds_are_no_gaps() {
        let times: Vec<f64> = (0..400).map(|t| (f64::from(t) * 2.5).round()).collect();
        let found = parts(&[1.0; 400], Some(&times), None).unwrap();
        assert_eq!((found.after_gaps.len(), found.ranges.len()), (0, 1));
        assert!((found.interval.unwrap() - 2.5).abs() < 0.01);
    }

    #[test]
    fn times_that_tell_nothing_are_refused() {
        let back = parts(&[1.0; 3], Some(&[0.0, 2.0, 1.0]), None);
        assert_eq!(back, Err(WindowingProblem::TimeGoesBack { row: 2, before: 2.0, after: 1.0 }));
        assert_eq!(parts(&[1.0; 4], Some(&[0.0, 0.0, 0.0, 1.0]), None), Err(WindowingProblem::SameTimes));
    }
}
