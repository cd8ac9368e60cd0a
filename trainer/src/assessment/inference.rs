//! Runs a model file over many samples with the chip's arithmetic, on all cores. Each core takes blocks of samples, so that the
//! results and their order do not depend on how many cores there are.

use edgemix_runtime::view::Head;
use edgemix_runtime::{AssignError, Assignment, Batch, BatchAssignment, BatchWorkspace, LogDensity, Model, Novelty};
use rayon::prelude::*;

use crate::data::{DataError, Samples};

/// Number of samples that are read and assigned at a time.
const CHUNK: usize = 8192;
/// Number of samples that a core takes at a time.
const BLOCK: usize = 192;
/// The fewest samples for which it pays to pack a model's weights.
const FEWEST_PACKED: usize = 16;

/// The result of assigning one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assigned {
    /// The cluster.
    pub cluster: u16,
    /// The best component.
    pub component: u16,
    /// The log weight plus the log-density of the best component.
    pub log_density: LogDensity,
    /// How unusual the sample is.
    pub novelty: Novelty,
    /// The posterior probability of the cluster.
    pub posterior: f32,
}

impl From<Assignment<'_>> for Assigned {
    fn from(found: Assignment<'_>) -> Self {
        Self {
            cluster: found.cluster,
            component: found.component,
            log_density: found.log_density,
            novelty: found.novelty,
            posterior: found.posterior(found.cluster),
        }
    }
}

impl From<BatchAssignment> for Assigned {
    fn from(found: BatchAssignment) -> Self {
        let BatchAssignment { cluster, component, log_density, novelty, posterior } = found;
        Self { cluster, component, log_density, novelty, posterior }
    }
}

/// A sample's cluster with the scores of all components, from which posteriors are computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    /// The cluster.
    pub cluster: u16,
    /// The score of every component in units of 2^-16 nat.
    pub scores: Vec<i32>,
}

/// Assigns the samples in `values`, `N x model.input_len()` in the unit of the data.
///
/// ```
/// use edgemix::assessment::inference;
/// use edgemix::data;
/// use edgemix_format::write::AlignedBytes;
/// use edgemix_runtime::Model;
///
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
/// let bytes = AlignedBytes::from(&std::fs::read(path)?[..]);
/// let model = Model::from_bytes(&bytes)?;
/// let found = inference::assign(&model, &data::digits().samples.all()?);
/// assert_eq!(found.len(), 1797);
/// assert!(found.iter().all(|found| found.posterior > 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// If `values` is not a whole number of samples, or contains NaN or infinity; samples read by [`crate::data`] contain
/// neither.
pub fn assign(model: &Model, values: &[f32]) -> Vec<Assigned> {
    in_blocks(model, values, |batch, block, workspace, all| {
        batch.summarise(block, workspace, |found| all.push(found.into()))
    })
}

/// Assigns samples as [`assign`] does, and returns the scores of all components.
///
/// ```
/// # use edgemix_format::write::AlignedBytes;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
/// # let bytes = AlignedBytes::from(&std::fs::read(path)?[..]);
/// # let model = edgemix_runtime::Model::from_bytes(&bytes)?;
/// let digits = edgemix::data::digits().samples;
/// let found = &edgemix::assessment::inference::score(&model, &digits.chunk(0..1)?)[0];
/// // The sample belongs to the cluster of the best component.
/// let best = (0..model.n_components()).max_by_key(|&k| found.scores[k]).unwrap();
/// assert_eq!(model.file().head.clusters()[best], found.cluster);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// Under the conditions of [`assign`].
pub fn score(model: &Model, values: &[f32]) -> Vec<Scored> {
    each(model, values, |found| Scored { cluster: found.cluster, scores: found.scores().to_vec() })
}

/// The posterior probability of each cluster, `N x n_clusters`.
///
/// ```
/// # use edgemix_format::write::AlignedBytes;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
/// # let bytes = AlignedBytes::from(&std::fs::read(path)?[..]);
/// # let model = edgemix_runtime::Model::from_bytes(&bytes)?;
/// let digits = edgemix::data::digits().samples;
/// let posteriors = edgemix::assessment::inference::posteriors(&model, &digits.chunk(0..3)?);
/// assert_eq!(posteriors.len(), 3 * model.n_clusters());
/// assert!((posteriors[..model.n_clusters()].iter().sum::<f32>() - 1.0).abs() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// Under the conditions of [`assign`].
pub fn posteriors(model: &Model, values: &[f32]) -> Vec<f32> {
    let clusters = 0..u16::try_from(model.n_clusters()).unwrap_or(u16::MAX);
    let of = |found: Assignment| clusters.clone().map(|cluster| found.posterior(cluster)).collect::<Vec<f32>>();
    each(model, values, of).into_iter().flatten().collect()
}

/// The cluster of each sample and its [typicality](Assignment::typicality) in units of 2^-16 nat. `margin_weight` is the
/// weight, in quarters, of the margin over the next cluster.
///
/// ```
/// use edgemix::assessment::inference::{assign, typicality};
///
/// # use edgemix_format::write::AlignedBytes;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
/// # let bytes = AlignedBytes::from(&std::fs::read(path)?[..]);
/// # let model = edgemix_runtime::Model::from_bytes(&bytes)?;
/// let digits = edgemix::data::digits().samples;
/// let sample = digits.chunk(0..1)?;
/// let (cluster, log_density) = typicality(&model, &sample, 0)[0];
/// let found = assign(&model, &sample)[0];
/// assert_eq!((cluster, log_density), (found.cluster, i64::from(found.log_density.0)));
/// // A margin over the next cluster makes it more typical.
/// assert!(typicality(&model, &sample, 4)[0].1 > log_density);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// Under the conditions of [`assign`].
pub fn typicality(model: &Model, values: &[f32], margin_weight: u8) -> Vec<(u16, i64)> {
    each(model, values, |found| (found.cluster, found.typicality(margin_weight)))
}

/// The latents of the samples in `values`, dequantised, `N x D`.
///
/// Empty for a head of autoencoders, in which each cluster has a latent space of its own.
///
/// ```
/// # use edgemix_format::write::AlignedBytes;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
/// # let bytes = AlignedBytes::from(&std::fs::read(path)?[..]);
/// # let model = edgemix_runtime::Model::from_bytes(&bytes)?;
/// let digits = edgemix::data::digits().samples;
/// let latents = edgemix::assessment::inference::encode(&model, &digits.chunk(0..3)?);
/// assert_eq!(latents.len(), 3 * model.latent_len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// Under the conditions of [`assign`].
pub fn encode(model: &Model, values: &[f32]) -> Vec<f32> {
    if matches!(model.file().head, Head::Autoencoders(_)) {
        return vec![];
    }
    let scale = model.file().latent.scale;
    in_blocks(model, values, |batch, block, workspace, latents| {
        batch.encode(block, workspace, |latent| latents.extend(latent.iter().map(|&z| f32::from(z) * scale)))
    })
}

/// Number of multiply-accumulates of one inference.
///
/// ```
/// # use edgemix_format::write::AlignedBytes;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
/// # let bytes = AlignedBytes::from(&std::fs::read(path)?[..]);
/// # let model = edgemix_runtime::Model::from_bytes(&bytes)?;
/// assert!(edgemix::assessment::inference::multiply_accumulates(&model) > 10_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn multiply_accumulates(model: &Model) -> u64 {
    model.file().header.macs
}

fn each<T: Send>(model: &Model, values: &[f32], see: impl Fn(Assignment) -> T + Sync) -> Vec<T> {
    in_blocks(model, values, |batch, block, workspace, all| {
        batch.assign(block, workspace, |found| all.push(see(found)))
    })
}

/// What `run` pushes for each block of samples, in the order of the samples.
fn in_blocks<T: Send>(
    model: &Model,
    values: &[f32],
    run: impl Fn(&Batch, &[f32], &mut BatchWorkspace, &mut Vec<T>) -> Result<(), AssignError> + Sync,
) -> Vec<T> {
    let length = model.input_len();
    assert!(values.len().is_multiple_of(length), "{} values are not whole samples of {length}", values.len());
    let is_few = values.len() < FEWEST_PACKED * length;
    let batch = if is_few { Batch::with(model, None) } else { Batch::new(model) };
    let blocks = values.par_chunks(BLOCK * length).map_init(
        || batch.workspace(),
        |workspace, block| {
            let mut all = vec![];
            run(&batch, block, workspace, &mut all).map(|()| all)
        },
    );
    let blocks: Result<Vec<Vec<T>>, AssignError> = blocks.collect();
    blocks.unwrap_or_else(|error| panic!("{error}")).into_iter().flatten().collect()
}

/// Applies `run` to all samples, a chunk at a time, and concatenates the results. The samples need not be in memory.
///
/// ```
/// use edgemix::data::Samples;
/// use edgemix::assessment::inference::map_chunks;
///
/// let samples = Samples::new("three", vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2);
/// let sums = map_chunks(&samples, |values| values.chunks(2).map(|row| row[0] + row[1]).collect())?;
/// assert_eq!(sums, [3.0, 7.0, 11.0]);
/// # Ok::<(), edgemix::data::DataError>(())
/// ```
///
/// # Errors
/// If a file that contains the samples can't be read.
pub fn map_chunks<T>(samples: &Samples, run: impl Fn(&[f32]) -> Vec<T>) -> Result<Vec<T>, DataError> {
    let mut all = vec![];
    for values in samples.chunks(CHUNK) {
        all.extend(run(&values?));
    }
    Ok(all)
}

/// Assigns all samples, which need not be in memory.
///
/// ```
/// use edgemix::assessment::inference::{assign, assign_samples};
///
/// # use edgemix_format::write::AlignedBytes;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
/// # let bytes = AlignedBytes::from(&std::fs::read(path)?[..]);
/// # let model = edgemix_runtime::Model::from_bytes(&bytes)?;
/// let some = edgemix::data::digits().samples.thinned(100);
/// assert_eq!(assign_samples(&model, &some)?, assign(&model, &some.all()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If a file that contains the samples can't be read.
///
/// # Panics
/// If the samples do not have `model.input_len()` features each.
pub fn assign_samples(model: &Model, samples: &Samples) -> Result<Vec<Assigned>, DataError> {
    map_chunks(samples, |values| assign(model, values))
}

/// Assigns all samples and passes the results to `take` a chunk at a time, in order: no more than one chunk is held.
///
/// ```
/// use edgemix::data::{DataError, digits};
/// use edgemix::assessment::inference::assign_chunks;
///
/// # use edgemix_format::write::AlignedBytes;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
/// # let bytes = AlignedBytes::from(&std::fs::read(path)?[..]);
/// # let model = edgemix_runtime::Model::from_bytes(&bytes)?;
/// let mut lines = vec![];
/// assign_chunks(&model, &digits().samples.thinned(100), |found| {
///     lines.extend(found.iter().map(|found| found.cluster.to_string()));
///     Ok::<(), DataError>(())
/// })?;
/// assert_eq!(lines.len(), 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If a file that contains the samples can't be read, and any error of `take`.
///
/// # Panics
/// If the samples do not have `model.input_len()` features each.
pub fn assign_chunks<E: From<DataError>>(
    model: &Model,
    samples: &Samples,
    mut take: impl FnMut(Vec<Assigned>) -> Result<(), E>,
) -> Result<(), E> {
    samples.chunks(CHUNK).try_for_each(|values| take(assign(model, &values?)))
}

#[cfg(test)]
mod tests {
    use edgemix_format::write::AlignedBytes;
    use rayon::ThreadPoolBuilder;

    use super::*;
    use crate::data::digits;

    const MODEL: &[u8] = include_bytes!("../../../firmware-example/assets/digits.emx");

    /// Fewer samples than it pays to pack weights for, parts of a block, several blocks; more threads than blocks.
    #[test]
    fn results_and_their_order_are_those_of_one_sample_after_another() {
        let bytes = AlignedBytes::from(MODEL);
        let model = Model::from_bytes(&bytes).unwrap();
        let values = digits().samples.all().unwrap().into_owned();
        let mut workspace = AlignedBytes::zeroed(model.arena_len());
        let mut one = |x: &[f32]| Assigned::from(model.assign(x, &mut workspace).unwrap());
        let expected: Vec<Assigned> = values.chunks_exact(64).map(&mut one).collect();
        for threads in [1, 2, 7] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for n in [0, 1, FEWEST_PACKED - 1, FEWEST_PACKED, BLOCK - 1, BLOCK, BLOCK + 1, expected.len()] {
                let found = pool.install(|| assign(&model, &values[..n * 64]));
                assert_eq!(found, expected[..n], "{n} samples, {threads} threads");
            }
        }
        let latents = encode(&model, &values);
        let scale = model.file().latent.scale;
        let one = values.chunks_exact(64).flat_map(|x| {
            model.encode(x, &mut workspace).unwrap().iter().map(|&z| f32::from(z) * scale).collect::<Vec<f32>>()
        });
        assert!(latents.into_iter().eq(one));
    }

    #[test]
    #[should_panic(expected = "element 3 of the sample is NaN or infinite")]
    fn a_value_that_is_not_finite_is_refused() {
        let bytes = AlignedBytes::from(MODEL);
        let model = Model::from_bytes(&bytes).unwrap();
        let mut values = vec![1.0; 64 * 20];
        values[64 * 19 + 3] = f32::NAN;
        assign(&model, &values);
    }
}
