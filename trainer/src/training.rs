//! The loop that every method runs in: stages, epochs, batches, progress, checkpoints, and a guard against NaN.

mod checkpoint;
mod config;
mod inputs;
mod observer;
#[cfg(test)]
mod tests;

use std::io;

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor, TensorData};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::{DataError, Samples};
use crate::methods;
use crate::mixture::ClusterCountReport;
use crate::mixture::NotPositiveDefinite;
use crate::random::stream;
use crate::trained::{AssignError, Trained};

use checkpoint::Checkpoint;
pub use checkpoint::CheckpointStore;
pub use config::FitConfig;
pub(crate) use inputs::Data;
pub use observer::{EpochReport, Observer};

/// Why a fit fails.
///
/// ```
/// use edgemix::{data::Samples, device::Device, training::FitConfig};
///
/// let samples = Samples::new("three", vec![1.0, 2.0, 3.0], 1);
/// let error = Device::Cpu.fit(&samples, &FitConfig::default(), &mut (), &mut ()).unwrap_err();
/// assert!(error.to_string().starts_with("3 samples are too few: at least 20 are needed"));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FitError {
    /// A loss term is not a number.
    #[error(
        "the {term} loss became {value} in stage {stage}, epoch {epoch}: lower --learning-rate, or look at the data's scale"
    )]
    Diverged {
        /// Which term.
        term: &'static str,
        /// Its value.
        value: f64,
        /// The stage's name.
        stage: &'static str,
        /// The epoch in the stage, from 1.
        epoch: usize,
    },
    /// Fewer samples than clusters could be found in.
    #[error("{found} samples are too few: at least {needed} are needed to learn an encoder and its clusters")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// A setting can't be.
    #[error("{setting}: {problem}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A mixture degenerated.
    #[error(transparent)]
    Mixture(#[from] NotPositiveDefinite),
    /// The samples can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A checkpoint can't be read or written.
    #[error(
        "the checkpoint can't be {doing}: {source}; the last one is as it was: mend that, then go on with --resume"
    )]
    Checkpoint {
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Who watches wants no more of it.
    #[error("{0}: stopped; what was learned up to the last checkpoint is kept, go on with --resume")]
    Stopped(io::Error),
    /// A checkpoint is not one of this configuration.
    #[error(
        "the checkpoint does not fit this configuration ({0}): start anew, or give the configuration it was made with"
    )]
    Mismatch(String),
}

impl From<AssignError> for FitError {
    fn from(error: AssignError) -> Self {
        match error {
            AssignError::Covariance(error) => error.into(),
            AssignError::Data(error) => error.into(),
        }
    }
}

/// A part of a method's schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stage {
    /// For people.
    pub name: &'static str,
    /// How often the samples are seen.
    pub epochs: usize,
    /// Adam's step size at the start; it falls to 1 % along a cosine.
    pub learning_rate: f64,
}

/// Where a fit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The stage's index.
    pub stage: usize,
    /// The epoch in the stage, from 0.
    pub epoch: usize,
}

/// What one step sees.
#[derive(Clone, Debug)]
pub(crate) struct Batch<B: Backend> {
    /// The samples as they are.
    pub clean: Tensor<B, 2>,
    /// The same, moved at random where they are images.
    pub augmented: Tensor<B, 2>,
    /// Which samples they are.
    pub indices: Tensor<B, 1, Int>,
    /// Adam's step size.
    pub learning_rate: f64,
    /// What the step draws at random, it draws from here.
    pub rng: ChaCha8Rng,
}

/// Named loss terms of one step, in the order in which they are shown.
pub(crate) type Terms = Vec<(&'static str, f64)>;

/// A way to learn an encoder and its clusters. It owns its networks and optimisers; the loop owns everything else.
pub(crate) trait Method<B: AutodiffBackend> {
    /// The schedule.
    fn stages(&self) -> Vec<Stage>;

    /// Called before an epoch's first step; refits clusters where the method does. Gives their number, if there are any.
    ///
    /// # Errors
    /// See [`FitError`].
    fn begin_epoch(&mut self, at: Position, data: &Data<B::InnerBackend>) -> Result<Option<usize>, FitError>;

    /// One step of the optimiser; gives the loss terms.
    fn step(&mut self, at: Position, batch: Batch<B>) -> Terms;

    /// Everything that [`Method::restore`] needs to go on to the same bits.
    ///
    /// # Errors
    /// See [`FitError`].
    fn save(&self) -> Result<Vec<u8>, FitError>;

    /// Takes up a saved state.
    ///
    /// # Errors
    /// [`FitError::Mismatch`] if it was not saved by the same method and configuration.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), FitError>;

    /// How the number of clusters was found, if that was since this was last asked.
    fn number(&mut self) -> Option<ClusterCountReport> {
        None
    }

    /// The last fit of the clusters, and the model as plain numbers.
    ///
    /// # Errors
    /// See [`FitError`].
    fn finish(self: Box<Self>, data: &Data<B::InnerBackend>) -> Result<Trained, FitError>;
}

/// Learns an encoder and its clusters.
///
/// The same samples, configuration and device give the same bits, whether the fit ran in one piece or was taken up
/// again from a checkpoint. See [`Device::fit`](crate::device::Device::fit) for an example.
///
/// # Errors
/// See [`FitError`].
pub fn fit<B: AutodiffBackend>(
    device: &B::Device,
    samples: &Samples,
    config: &FitConfig,
    store: &mut dyn CheckpointStore,
    observer: &mut dyn Observer,
) -> Result<Trained, FitError> {
    config.check(samples)?;
    observer.phase("preparing");
    B::seed(device, config.seed);
    let data = Data::<B::InnerBackend>::new(samples, device)?;

    let mut method = methods::build::<B>(config, samples, device);
    let mut start = Position { stage: 0, epoch: 0 };
    if let Some(bytes) = store.load().map_err(|source| FitError::Checkpoint { doing: "read", source })? {
        let checkpoint = Checkpoint::from_bytes(&bytes, samples, config)?;
        method.restore(&checkpoint.state)?;
        start = checkpoint.next;
    }
    for (index, stage) in method.stages().into_iter().enumerate().skip(start.stage) {
        let first = if index == start.stage { start.epoch } else { 0 };
        observer.stage(stage.name, first, stage.epochs);
        for epoch in first..stage.epochs {
            let at = Position { stage: index, epoch };
            let report = run_epoch(&mut *method, at, stage, &data, config, device, observer)?;
            if let Some(number) = method.number() {
                observer.number(&number);
            }
            observer.epoch(&report);
            if let Some(error) = observer.failure() {
                return Err(FitError::Stopped(error));
            }
            let (is_last, stops) = (epoch + 1 == stage.epochs, observer.is_asked_to_stop());
            if is_last || stops || (epoch + 1).is_multiple_of(config.checkpoint_every.max(1)) {
                let next =
                    if is_last { Position { stage: index + 1, epoch: 0 } } else { Position { epoch: epoch + 1, ..at } };
                let bytes = Checkpoint::new(samples, config, next, method.save()?).to_bytes()?;
                store.save(&bytes).map_err(|source| FitError::Checkpoint { doing: "written", source })?;
            }
            if stops {
                return Err(FitError::Stopped(io::Error::new(io::ErrorKind::Interrupted, "as you asked")));
            }
        }
    }
    observer.phase("last fit of the clusters");
    method.finish(&data)
}

fn run_epoch<B: AutodiffBackend>(
    method: &mut dyn Method<B>,
    at: Position,
    stage: Stage,
    data: &Data<B::InnerBackend>,
    config: &FitConfig,
    device: &B::Device,
    observer: &mut dyn Observer,
) -> Result<EpochReport, FitError> {
    // Each epoch has its own streams, on the host and on the device, so that it can be replayed from a checkpoint.
    let mut rng = stream(config.seed, stage.name, at.epoch as u64);
    B::seed(device, config.seed ^ ((at.stage as u64) << 48 | (at.epoch as u64) << 16));
    if at.stage > 0 {
        observer.phase("fitting the clusters");
    }
    let clusters = method.begin_epoch(at, data)?;

    let n = data.n_samples();
    let mut order: Vec<i32> = (0..n as i32).collect();
    order.shuffle(&mut rng);
    let batches = n.div_ceil(config.batch_size);
    let mut sums: Terms = vec![];
    for (step, chunk) in order.chunks(config.batch_size).enumerate() {
        let clean = data.select(chunk)?;
        let augmented = match data.image {
            Some(shape) => config.augmentation.apply(clean.clone(), shape, &mut rng),
            None => clean.clone(),
        };
        let progress = (at.epoch * batches + step) as f64 / (stage.epochs * batches) as f64;
        let cosine = 0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        let batch = Batch {
            clean: Tensor::from_inner(clean),
            augmented: Tensor::from_inner(augmented),
            indices: Tensor::from_data(TensorData::from(chunk), device),
            learning_rate: stage.learning_rate * cosine,
            rng: stream(config.seed, stage.name, rng.random()),
        };
        let terms = method.step(at, batch);
        if let Some(&(term, value)) = terms.iter().find(|(_, value)| !value.is_finite()) {
            return Err(FitError::Diverged { term, value, stage: stage.name, epoch: at.epoch + 1 });
        }
        sums.resize(terms.len(), ("", 0.0));
        sums.iter_mut().zip(terms).for_each(|(sum, (name, value))| *sum = (name, sum.1 + value));
        observer.batch(step + 1, batches);
        if let Some(error) = observer.failure() {
            return Err(FitError::Stopped(error));
        }
    }
    Ok(EpochReport {
        stage: stage.name.into(),
        epoch: at.epoch + 1,
        epochs: stage.epochs,
        losses: sums.into_iter().map(|(name, sum)| (name.into(), sum / batches as f64)).collect(),
        clusters,
    })
}
