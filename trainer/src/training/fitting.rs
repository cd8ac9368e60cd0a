//! The training loop.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::batch::Batch;
use super::checkpoint::{Checkpoint, CheckpointStore};
use super::error::FitError;
use super::finding::{self, Finding, Fitted};
use super::inputs::Data;
use super::kept_autoencoder::KeptAutoencoder;
use super::latent_history::{self, LatentHistory, LatentMoment};
use super::losses::{EpochLosses, NotFinite, Terms};
use super::mismatch::CheckpointMismatch;
use super::observer::{EpochReport, Observer};
use super::plan::{PhasePlan, Plan};
use super::schedule::PhaseProgress;
use crate::data::Samples;
use crate::mixture::{ClusterCountReport, Hierarchy};
use crate::nn::{InputMap, LayerShape, StartingEncoder};
use crate::random::stream;
use crate::stop::StopFlag;
use crate::trained::{Head, Layer, Trained};

/// A way to learn an encoder and its clusters, with its settings.
pub(crate) trait Method<B: AutodiffBackend> {
    /// Runs the method's phases. Each phase starts the ones before it, unless a checkpoint replaces them.
    ///
    /// # Errors
    /// See [`FitError`].
    fn fit(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError>;
}

/// A phase in progress: the networks and clusters that it trains. The loop owns everything else.
///
/// A phase is created from the result of the phase before it, so none of its fields is optional.
pub(crate) trait Phase<B: AutodiffBackend> {
    /// The phase's state in a checkpoint.
    type State: Serialize + DeserializeOwned;

    /// Values that stay the same during an epoch, such as targets.
    type Epoch;

    /// Prepares an epoch, counted from 0, before its first step. Some methods refit their clusters here.
    ///
    /// # Errors
    /// See [`FitError`].
    fn begin_epoch(&mut self, epoch: usize, fit: &mut Fitting<'_, B>) -> Result<Self::Epoch, FitError>;

    /// Takes one step of the optimiser and returns the loss terms.
    fn step(&mut self, epoch: &Self::Epoch, batch: Batch<B>) -> Terms<B::InnerBackend>;

    /// The number of clusters; `None` while there are no clusters yet.
    fn n_clusters(&self) -> Option<usize>;

    /// The `N x D` latents of some samples; `None` if each cluster has a latent space of its own.
    fn latents(&self, x: Tensor<B::InnerBackend, 2>) -> Option<Tensor<B::InnerBackend, 2>>;

    /// The state after an epoch, from which training continues to the same bits.
    ///
    /// # Errors
    /// If a network's numbers can't be written.
    fn state(&self) -> Result<Self::State, FitError>;
}

/// Learns an encoder and its clusters with a method.
///
/// The same samples, plan and device give the same bits, whether the fit ran in one piece or was resumed from a checkpoint.
///
/// # Errors
/// See [`FitError`].
pub(crate) fn fit<B: AutodiffBackend>(
    device: &B::Device,
    samples: &Samples,
    plan: &Plan,
    method: &dyn Method<B>,
    store: &mut dyn CheckpointStore,
    observer: &mut dyn Observer,
) -> Result<Fitted, FitError> {
    observer.activity("preparing");
    let data = Data::<B::InnerBackend>::new(samples, plan.input_range, device)?;
    let kept = store.load().map_err(|source| FitError::Checkpoint { doing: "read", source })?;
    let resumed =
        kept.map(|bytes| Checkpoint::from_bytes(&bytes, samples.fingerprint(), plan.fingerprint)).transpose()?;
    let findings = resumed.as_ref().map_or_else(Vec::new, |checkpoint| checkpoint.findings.clone());
    let (fingerprint, device) = (samples.fingerprint(), device.clone());
    let plan = plan.clone();
    let start = plan.imported.as_ref().map(|encoder| encoder.starting(&data.scaling, samples));
    let mut fitting = Fitting { plan, data, start, device, fingerprint, resumed, findings, store, observer };
    let trained = method.fit(&mut fitting)?;
    Ok(Fitted { trained, findings: fitting.findings })
}

fn stopped() -> FitError {
    FitError::Stopped(io::Error::new(io::ErrorKind::Interrupted, "as you asked"))
}

/// A fit in progress, as methods see it.
pub(crate) struct Fitting<'a, B: AutodiffBackend> {
    /// The settings of the fit.
    pub(crate) plan: Plan,
    /// The samples.
    pub(crate) data: Data<B::InnerBackend>,
    /// What the encoder begins with, if its weights are given.
    pub(crate) start: Option<StartingEncoder>,
    /// The device of the networks.
    pub(crate) device: B::Device,
    fingerprint: [u8; 32],
    /// The checkpoint to resume from, until its phase is reached.
    resumed: Option<Checkpoint>,
    findings: Vec<Finding>,
    store: &'a mut dyn CheckpointStore,
    observer: &'a mut dyn Observer,
}

impl<B: AutodiffBackend> Fitting<'_, B> {
    /// The random stream of a name and an index.
    pub(crate) fn rng(&self, name: &str, index: u64) -> ChaCha8Rng {
        stream(self.plan.seed, name, index)
    }

    /// Does work whose autoencoder has other layers than the rest of the fit.
    pub(crate) fn with_encoder<T>(&mut self, encoder: Vec<LayerShape>, work: impl FnOnce(&mut Self) -> T) -> T {
        let own = std::mem::replace(&mut self.plan.encoder, encoder);
        let done = work(self);
        self.plan.encoder = own;
        done
    }

    /// Reports the start of work that has no batches and may take long.
    pub(crate) fn activity(&mut self, name: &str) {
        self.observer.activity(name);
    }

    /// A flag that is raised when a search for clusters should end early.
    pub(crate) fn stop_flag(&self) -> StopFlag {
        self.observer.stop_flag()
    }

    /// What was found, unless the search was cut short.
    ///
    /// # Errors
    /// [`FitError::Stopped`] if the flag is raised.
    pub(crate) fn unless_stopped<T>(&self, found: T) -> Result<T, FitError> {
        if self.stop_flag().is_raised() { Err(stopped()) } else { Ok(found) }
    }

    /// Keeps a finding and reports it to the observer.
    pub(crate) fn found(&mut self, finding: Finding) {
        self.observer.finding(&finding);
        finding::keep(&mut self.findings, finding);
    }

    /// The autoencoder that the fit starts from, if it does not learn to reconstruct itself.
    ///
    /// # Errors
    /// [`FitError::Mismatch`] if the store has none, or one of other samples or layers.
    pub(crate) fn kept_autoencoder(&self) -> Result<Option<KeptAutoencoder>, FitError> {
        if !self.plan.starts_from_kept {
            return Ok(None);
        }
        let kept = self.store.load_autoencoder().map_err(|source| FitError::Checkpoint { doing: "read", source })?;
        let bytes = kept.ok_or(CheckpointMismatch::Missing)?;
        Ok(Some(KeptAutoencoder::from_bytes(&bytes, self.fingerprint, &self.plan)?))
    }

    /// Keeps an autoencoder that has learned to reconstruct, and returns it.
    ///
    /// # Errors
    /// [`FitError::Checkpoint`] if it can't be written.
    pub(crate) fn keep_autoencoder(
        &mut self,
        is_variational: bool,
        weights: Vec<u8>,
    ) -> Result<KeptAutoencoder, FitError> {
        let kept = KeptAutoencoder::new(self.fingerprint, &self.plan, is_variational, weights);
        let saved = kept.to_bytes().and_then(|bytes| self.store.save_autoencoder(&bytes));
        saved.map_err(|source| FitError::Checkpoint { doing: "written", source })?;
        Ok(kept)
    }

    /// The model as plain numbers.
    pub(crate) fn trained(&mut self, encoder: Vec<Layer>, head: Head) -> Trained {
        let hierarchy = self.hierarchy(&head);
        let map = self.start.as_ref().and_then(|start| start.inputs.as_ref());
        let scaling = map.map_or_else(
            || self.data.scaling.clone(),
            |InputMap { factor, shift }| self.data.scaling.then(factor, shift),
        );
        let method = self.plan.method.into();
        Trained { method, front_end: None, scaling, encoder, head, hierarchy, decoder: None }
    }

    /// The levels of a mixture. They are also kept with how the number of clusters was found, if it was.
    fn hierarchy(&mut self, head: &Head) -> Option<Hierarchy> {
        let Head::Mixture(mixture) = head else { return None };
        let report = self.findings.iter().find_map(|finding| match finding {
            Finding::ClusterCount(report) => Some(report.clone()),
            Finding::StickWeights(_) | Finding::Latents(_) => None,
        });
        let agreement = report.as_ref().map_or(&[][..], |report| &report.by_number);
        let hierarchy = Hierarchy::new(mixture, agreement, self.plan.encoder.is_empty());
        if let Some(report) = report {
            self.found(Finding::ClusterCount(ClusterCountReport { levels: hierarchy.levels.clone(), ..report }));
        }
        Some(hierarchy)
    }

    /// Trains a phase to its end. `begin` runs the phases before it and creates this phase from their results. If the
    /// fit is resumed from a checkpoint of this phase, `restore` is called instead and the earlier phases are skipped.
    ///
    /// # Errors
    /// See [`FitError`].
    pub(crate) fn phase<P: Phase<B>>(
        &mut self,
        plan: PhasePlan,
        begin: impl FnOnce(&mut Self) -> Result<P, FitError>,
        restore: impl FnOnce(P::State, &Self) -> Result<P, FitError>,
    ) -> Result<P, FitError> {
        let (mut phase, first) = match self.resumed.take_if(|checkpoint| checkpoint.phase == plan.name) {
            Some(checkpoint) => {
                let state = checkpoint.state()?;
                // Numbers whose shapes contradict each other are a panic of the tensors that they are to become.
                let restored = catch_unwind(AssertUnwindSafe(|| restore(state, self)));
                (restored.map_err(|_| CheckpointMismatch::Damaged)??, checkpoint.epochs)
            }
            None => (begin(self)?, 0),
        };
        if let Some(checkpoint) = &self.resumed {
            return Err(CheckpointMismatch::Phase(checkpoint.phase.clone()).into());
        }
        if first < plan.epochs {
            self.observer.phase(plan.name, first, plan.epochs);
        }
        for epoch in first..plan.epochs {
            let report = self.epoch(&mut phase, plan, epoch)?;
            self.observer.epoch(&report);
            self.keep_latents(&phase, plan, epoch + 1)?;
            self.fail_if_observer_did()?;
            let (is_last, stops) = (epoch + 1 == plan.epochs, self.observer.is_asked_to_stop());
            if is_last || stops || (epoch + 1).is_multiple_of(self.plan.checkpoint_every.max(1)) {
                let checkpoint =
                    Checkpoint::new(self.fingerprint, self.plan.fingerprint, plan.name, epoch + 1, &self.findings);
                let state = phase.state()?;
                let saved = checkpoint.into_bytes(state).and_then(|bytes| self.store.save(&bytes));
                saved.map_err(|source| FitError::Checkpoint { doing: "written", source })?;
            }
            if stops {
                return Err(stopped());
            }
        }
        Ok(phase)
    }

    /// Adds the latents after an epoch, from 1, to those of earlier moments.
    fn keep_latents<P: Phase<B>>(&mut self, phase: &P, plan: PhasePlan, epoch: usize) -> Result<(), FitError> {
        if !latent_history::is_kept(epoch, plan.epochs) {
            return Ok(());
        }
        let kept = self.findings.iter().find_map(|finding| match finding {
            Finding::Latents(history) => Some(history.clone()),
            Finding::ClusterCount(_) | Finding::StickWeights(_) => None,
        });
        let dims = self.plan.encoder.last().map_or(1, LayerShape::outputs);
        let mut history = kept.unwrap_or_else(|| LatentHistory::following(self.data.n_samples(), dims));
        let rows: Vec<i32> = history.rows.iter().map(|&row| row as i32).collect();
        let Some(z) = phase.latents(self.data.select(&rows)?) else { return Ok(()) };
        let (phase, dims) = (plan.name.to_owned(), z.dims()[1]);
        let latents = z.into_data().iter::<f32>().collect();
        history.moments.push(LatentMoment { phase, epoch, dims, latents });
        self.found(Finding::Latents(history));
        Ok(())
    }

    fn fail_if_observer_did(&mut self) -> Result<(), FitError> {
        self.observer.failure().map_or(Ok(()), |error| Err(FitError::Stopped(error)))
    }

    fn epoch<P: Phase<B>>(&mut self, phase: &mut P, plan: PhasePlan, epoch: usize) -> Result<EpochReport, FitError> {
        // Each epoch has its own streams, on the host and on the device, so that it can be replayed from a checkpoint.
        let mut rng = self.rng(plan.name, epoch as u64);
        B::seed(&self.device, rng.clone().random());
        if phase.n_clusters().is_some() {
            self.activity("fitting the clusters");
        }
        let state = phase.begin_epoch(epoch, self)?;

        let mut order: Vec<i32> = (0..self.data.n_samples() as i32).collect();
        order.shuffle(&mut rng);
        let steps = order.len().div_ceil(plan.batch_size);
        let mut losses = EpochLosses::new();
        let diverged =
            |NotFinite { term, value }| FitError::Diverged { term, value, phase: plan.name, epoch: epoch + 1 };
        for (step, chunk) in order.chunks(plan.batch_size).enumerate() {
            let factor = plan.schedule.factor(PhaseProgress { epoch, epochs: plan.epochs, step, steps });
            let batch = self.batch(chunk, plan.name, plan.learning_rate * factor, &mut rng)?;
            losses.add(phase.step(&state, batch)).map_err(diverged)?;
            self.observer.batch(step + 1, steps);
            self.fail_if_observer_did()?;
        }
        Ok(EpochReport {
            phase: plan.name.into(),
            epoch: epoch + 1,
            epochs: plan.epochs,
            losses: losses.means(steps).map_err(diverged)?,
            clusters: phase.n_clusters(),
        })
    }

    fn batch(
        &self,
        indices: &[i32],
        phase: &str,
        learning_rate: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<Batch<B>, FitError> {
        let clean = self.data.select(indices)?;
        let augmented = match self.data.image {
            Some(shape) if self.data.black != 0.0 => {
                let black = self.data.black;
                self.plan.augmentation.apply(clean.clone() - black, shape, rng) + black
            }
            Some(shape) => self.plan.augmentation.apply(clean.clone(), shape, rng),
            None => self.data.varied(indices, rng)?.unwrap_or_else(|| clean.clone()),
        };
        let target = if self.plan.reconstructs_moved { augmented.clone() } else { clean.clone() };
        Ok(Batch {
            clean: Tensor::from_inner(clean),
            augmented: Tensor::from_inner(augmented),
            target: Tensor::from_inner(target),
            rows: indices.iter().map(|&index| index as usize).collect(),
            indices: Tensor::from_data(TensorData::from(indices), &self.device),
            learning_rate,
            rng: self.rng(phase, rng.random()),
        })
    }
}
