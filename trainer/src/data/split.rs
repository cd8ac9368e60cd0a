//! Sets samples aside that training does not see. Novelty and posteriors are calibrated with them.

use std::borrow::Cow;

use rand::seq::SliceRandom;

use super::dataset::Dataset;
use super::error::DataError;
use super::samples::{Layout, Samples};
use crate::base::random::stream;

/// If fewer samples than this would be held out, none are: so few say little, and training can use them.
pub const MIN_HELD_OUT: usize = 40;
/// Neighbouring windows overlap. A recording without groups is therefore cut into so many runs, which are held out whole.
const RUNS: usize = 50;

/// Which samples are for training, and which are held out.
///
/// ```
/// use edgemix::data::{digits, split::Split};
///
/// let digits = digits();
/// let split = Split::draw(&digits, 0.1, 0);
/// assert_eq!((split.training.len(), split.held_out.len()), (1617, 180));
/// let parts = split.parts(&digits.samples)?;
/// assert_eq!(parts.held_out.map(|samples| samples.n_samples()), Some(180));
/// # Ok::<(), edgemix::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Indices of the samples for training, ascending.
    pub training: Vec<usize>,
    /// Indices of the samples that are held out, ascending. Empty if they would be fewer than [`MIN_HELD_OUT`].
    pub held_out: Vec<usize>,
}

/// The samples of both parts of a split.
#[derive(Clone, Debug)]
pub struct SplitSamples<'a> {
    /// The samples for training.
    pub training: Cow<'a, Samples>,
    /// The samples that are held out, if there are any.
    pub held_out: Option<Samples>,
}

impl Split {
    /// Holds out a share of the samples, drawn by the seed. If there are several groups, whole groups are held out, as many
    /// as come nearest to the share; of windows without groups, whole runs are.
    pub fn draw(dataset: &Dataset, share: f64, seed: u64) -> Self {
        let n = dataset.samples.n_samples();
        let unit: Vec<u32> = match &dataset.groups {
            Some(groups) if groups.iter().any(|group| group != &groups[0]) => groups.clone(),
            _ if matches!(dataset.samples.layout(), Layout::Windows { .. }) => {
                (0..n).map(|i| (i * RUNS / n.max(1)) as u32).collect()
            }
            _ => (0..n as u32).collect(),
        };
        let mut held_out = draw_units(&unit, share * n as f64, seed);
        if held_out.len() < MIN_HELD_OUT {
            held_out.clear();
        }
        let is_held = |i: &usize| held_out.binary_search(i).is_ok();
        Self { training: (0..n).filter(|i| !is_held(i)).collect(), held_out }
    }

    /// Selects the samples of both parts.
    ///
    /// # Errors
    /// If the file that they are in can't be read.
    pub fn parts<'a>(&self, samples: &'a Samples) -> Result<SplitSamples<'a>, DataError> {
        if self.held_out.is_empty() {
            return Ok(SplitSamples { training: Cow::Borrowed(samples), held_out: None });
        }
        let training = Cow::Owned(samples.select(&self.training)?);
        Ok(SplitSamples { training, held_out: Some(samples.select(&self.held_out)?) })
    }
}

/// Draws units in random order as long as that brings the number of their members nearer to `wanted`.
fn draw_units(unit: &[u32], wanted: f64, seed: u64) -> Vec<usize> {
    let mut members: Vec<(u32, usize)> = unit.iter().copied().zip(0..).collect();
    members.sort_unstable();
    let mut units: Vec<&[(u32, usize)]> = members.chunk_by(|a, b| a.0 == b.0).collect();
    units.shuffle(&mut stream(seed, "held out", 0));
    let mut held_out = vec![];
    for unit in units {
        let (before, after) = (held_out.len() as f64, (held_out.len() + unit.len()) as f64);
        if (after - wanted).abs() < (before - wanted).abs() {
            held_out.extend(unit.iter().map(|&(_, i)| i));
        }
    }
    held_out.sort_unstable();
    held_out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dataset(n: usize, groups: Option<Vec<u32>>, layout: Layout) -> Dataset {
        let samples = Samples::new("split", (0..2 * n).map(|x| x as f32).collect(), 2).with_count(0.5);
        let samples = samples.with_layout(layout);
        Dataset { samples, labels: None, groups }
    }

    proptest! {
        #[test]
        fn each_sample_is_in_one_part_and_no_group_in_both(
            groups in prop::collection::vec(0..12u32, 100..600), share in 0.0..0.5f64, seed: u64,
        ) {
            let n = groups.len();
            for groups in [Some(groups), None] {
                let data = dataset(n, groups.clone(), Layout::Table);
                let split = Split::draw(&data, share, seed);
                prop_assert_eq!(&split, &Split::draw(&data, share, seed));
                let mut all = [&split.training[..], &split.held_out[..]].concat();
                all.sort_unstable();
                prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
                prop_assert!(split.held_out.is_empty() || split.held_out.len() >= MIN_HELD_OUT);
                let Some(groups) = groups else {
                    let wanted = share * n as f64;
                    prop_assert!(wanted < MIN_HELD_OUT as f64 + 1.0 || (split.held_out.len() as f64 - wanted).abs() <= 0.5);
                    continue;
                };
                prop_assert!(split.training.iter().all(|&i| split.held_out.iter().all(|&j| groups[i] != groups[j])));
                // As near to what was asked for as half the largest group allows.
                let largest = (0..12).map(|g| groups.iter().filter(|&&x| x == g).count()).max().unwrap();
                let off = (split.held_out.len() as f64 - share * n as f64).abs();
                prop_assert!(split.held_out.is_empty() || off <= 0.5 * largest as f64, "{off}");
            }
        }
    }

    #[test]
    fn the_parts_are_the_samples_and_what_is_known_of_them() {
        let data = dataset(500, None, Layout::Table);
        let split = Split::draw(&data, 0.1, 3);
        assert_eq!(split.held_out.len(), 50);
        assert_ne!(split, Split::draw(&data, 0.1, 4), "another seed holds out others");
        let parts = split.parts(&data.samples).unwrap();
        let held_out = parts.held_out.unwrap();
        assert_eq!((held_out.n_samples(), parts.training.n_samples()), (50, 450));
        assert_eq!((held_out.count(), held_out.n_features()), (Some(0.5), 2));
        assert_eq!(*held_out.all().unwrap(), data.samples.gather(&split.held_out).unwrap());
        assert_ne!(held_out.fingerprint(), parts.training.fingerprint());
    }

    #[test]
    fn too_few_and_nothing_asked_for_are_learned_from() {
        for (n, share) in [(500, 0.0), (300, 0.1)] {
            let data = dataset(n, None, Layout::Table);
            let split = Split::draw(&data, share, 0);
            assert!(split.held_out.is_empty());
            let parts = split.parts(&data.samples).unwrap();
            assert!(parts.held_out.is_none() && *parts.training == data.samples);
        }
    }

    #[test]
    fn windows_without_groups_are_held_out_in_runs() {
        let split = Split::draw(&dataset(1000, None, Layout::Windows { channels: 2 }), 0.1, 0);
        assert_eq!(split.held_out.len(), 100);
        let runs = split.held_out.chunk_by(|a, b| a + 1 == *b).count();
        assert!(runs <= 5, "{runs} runs");
    }
}
