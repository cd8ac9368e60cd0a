//! The phases that follow VaDE's: the members learn their first clusters; then assignments and members are updated in
//! turn; the student learns last.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::members::{Members, MembersState, Model, Scores};
use super::start::StartClusters;
use super::student::Student;
use crate::methods::common::learner::CHUNK;
use crate::methods::definition::MethodSettings;
use crate::methods::vade::Vade;
use crate::mixture::elements;
use crate::mixture::kmeans::KMeans;
use crate::nn::{Autoencoder, LayerShape, OptimizedState, Optimizer};
use crate::trained::{Autoencoders, Decoder, Decoders, Head, Layer, Trained};
use crate::training::{Batch, Data, FitError, Fitting, Phase, Term, Terms};

/// A student, and the decoders of the members that it learned from.
pub(super) struct Distilled {
    pub(super) encoder: Vec<Layer>,
    pub(super) head: Head,
    pub(super) decoder: Decoder,
}

/// A (variational) autoencoder for each cluster that VaDE finds.
#[derive(Clone, Copy)]
pub(super) struct Ensemble<'a> {
    /// Finds the first clusters; its components are as many as the members.
    pub(super) start: &'a Vade,
    /// The layers of its encoder; those of the members if there are none.
    pub(super) start_encoder: &'a [LayerShape],
    /// Which clusters of its latents the members learn first.
    pub(super) start_clusters: StartClusters,
    /// What the members are a model of.
    pub(super) model: Model,
}

impl Ensemble<'_> {
    /// Trains the members.
    pub(super) fn fit<B: AutodiffBackend>(self, fit: &mut Fitting<'_, B>) -> Result<Autoencoders, FitError> {
        let mut assigned = self.take_turns(fit)?;
        assigned.members.update_variance();
        Ok(assigned.members.to_plain())
    }

    /// Trains the members, then a student with these layers on their assignments.
    pub(super) fn fit_student<B: AutodiffBackend>(
        self,
        shapes: &[LayerShape],
        fit: &mut Fitting<'_, B>,
    ) -> Result<Distilled, FitError> {
        let plan = fit.plan.reconstruction.named("distil");
        let k = self.n_members();
        let fresh =
            |fit: &Fitting<'_, B>| Student::new(shapes, k, plan.optimizer, &mut fit.rng("weights", 2), &fit.device);
        let phase = fit.phase(
            plan,
            |fit| {
                let mut assigned = self.take_turns(fit)?;
                assigned.members.update_variance();
                assigned.assign(&fit.data, Scores::Finished)?;
                Ok(DistilPhase { assigned, student: fresh(fit) })
            },
            |state: DistilState, fit| {
                let assigned = self.restored(plan.optimizer, state.assigned, fit)?;
                Ok(DistilPhase { assigned, student: fresh(fit).with_state(state.student, &fit.device)? })
            },
        )?;
        let DistilPhase { assigned: Assigned { members, best }, student } = phase;
        let networks = Decoders::OfClusters(members.to_decoders(&fit.data, &best)?);
        let decoder = fit.data.decoder(networks, self.model.variational)?;
        let (encoder, head) = student.to_plain(fit.plan.method)?;
        Ok(Distilled { encoder, head, decoder: Decoder { outputs: members.outputs(), ..decoder } })
    }

    /// Updates assignments and members in turn, after each member has learned one of the first clusters.
    fn take_turns<B: AutodiffBackend>(self, fit: &mut Fitting<'_, B>) -> Result<Assigned<B>, FitError> {
        let plan = fit.plan.clustering.named("mixture");
        let phase = fit.phase(
            plan,
            |fit| {
                let mut assigned = self.learn_first_clusters(fit)?;
                assigned.members.continue_with(plan.optimizer);
                Ok(MembersPhase { assigned, reassigns: true })
            },
            |state, fit| Ok(MembersPhase { assigned: self.restored(plan.optimizer, state, fit)?, reassigns: true }),
        )?;
        Ok(phase.assigned)
    }

    /// Finds clusters with VaDE, and trains each member on one of them.
    fn learn_first_clusters<B: AutodiffBackend>(self, fit: &mut Fitting<'_, B>) -> Result<Assigned<B>, FitError> {
        let plan = fit.plan.reconstruction.named("members");
        let phase = fit.phase(
            plan,
            |fit| {
                let trained = match self.start_encoder {
                    [] => self.start.fit(fit)?,
                    layers => fit.with_encoder(layers.to_vec(), |fit| self.start.fit(fit))?,
                };
                Ok(MembersPhase { assigned: self.assigned(plan.optimizer, &trained, fit)?, reassigns: false })
            },
            |state, fit| Ok(MembersPhase { assigned: self.restored(plan.optimizer, state, fit)?, reassigns: false }),
        )?;
        Ok(phase.assigned)
    }

    fn n_members(self) -> usize {
        self.start.mixture.n_components
    }

    /// Fresh members, with samples assigned as a model assigns them.
    fn assigned<B: AutodiffBackend>(
        self,
        optimizer: Optimizer,
        start: &Trained,
        fit: &Fitting<'_, B>,
    ) -> Result<Assigned<B>, FitError> {
        let data = &fit.data;
        let gmm = self.start.mixture;
        let kmeans = KMeans { n_clusters: gmm.n_components, n_init: gmm.n_init, ..KMeans::default() };
        let best = self.start_clusters.assign(start, kmeans, fit)?;
        let n = data.n_samples() as f64;
        let mut mean = Tensor::zeros([1, data.n_inputs()], &fit.device);
        for x in data.chunks(CHUNK) {
            mean = mean + x?.sum_dim(0) / n;
        }
        let mut variance = 0.0;
        for x in data.chunks(CHUNK) {
            let centered: Tensor<B::InnerBackend, 2> = x? - mean.clone();
            variance += elements(centered.square().sum())[0] / n / data.n_inputs() as f64;
        }
        Ok(Assigned { members: self.fresh_members(variance, optimizer, fit), best })
    }

    fn restored<B: AutodiffBackend>(
        self,
        optimizer: Optimizer,
        state: AssignedState,
        fit: &Fitting<'_, B>,
    ) -> Result<Assigned<B>, FitError> {
        let members = self.fresh_members(1.0, optimizer, fit).with_state(state.members, &fit.device)?;
        Ok(Assigned { members, best: state.best })
    }

    /// Fresh members for samples of the given variance per feature.
    fn fresh_members<B: AutodiffBackend>(
        self,
        variance: f64,
        optimizer: Optimizer,
        fit: &Fitting<'_, B>,
    ) -> Members<B> {
        let mut weights = fit.rng("weights", 1);
        let fresh = |_| {
            let network = Autoencoder::new(&fit.plan.encoder, self.model.variational, &mut weights, &fit.device);
            network.activated(fit.plan.activation)
        };
        let networks = (0..self.n_members()).map(fresh).collect();
        let model = Model { black: fit.data.black, ..self.model };
        Members::new(networks, model, variance, fit.data.n_inputs(), optimizer)
    }
}

/// The members, and the member that each sample is assigned to.
struct Assigned<B: AutodiffBackend> {
    members: Members<B>,
    best: Vec<usize>,
}

/// The state of the phase in a checkpoint.
#[derive(Serialize, Deserialize)]
struct AssignedState {
    members: MembersState,
    best: Vec<usize>,
}

impl<B: AutodiffBackend> Assigned<B> {
    fn state(&self) -> Result<AssignedState, FitError> {
        Ok(AssignedState { members: self.members.state()?, best: self.best.clone() })
    }

    /// Reassigns the samples to the members.
    fn assign(&mut self, data: &Data<B::InnerBackend>, by: Scores) -> Result<(), FitError> {
        self.best.clear();
        for x in data.chunks(CHUNK) {
            let best = self.members.scores(&x?, by).argmax(1);
            self.best.extend(elements(best.float()).into_iter().map(|k| k as usize));
        }
        self.members.weigh(&self.best);
        Ok(())
    }

    /// The members of a batch's samples.
    fn best_of(&self, batch: &Batch<B>) -> Vec<usize> {
        batch.rows.iter().map(|&row| self.best[row]).collect()
    }

    fn descend(&mut self, mut batch: Batch<B>) -> Terms<B::InnerBackend> {
        let best = self.best_of(&batch);
        self.members.descend(&batch.augmented, &batch.target, &best, batch.learning_rate, &mut batch.rng)
    }

    /// Members that have samples.
    fn n_clusters(&self) -> usize {
        let mut has_samples = vec![false; self.members.n_members()];
        self.best.iter().for_each(|&k| has_samples[k] = true);
        has_samples.into_iter().filter(|&has| has).count()
    }
}

/// Members learn the samples that are assigned to them.
struct MembersPhase<B: AutodiffBackend> {
    assigned: Assigned<B>,
    /// Whether samples are reassigned before each epoch.
    reassigns: bool,
}

impl<B: AutodiffBackend> Phase<B> for MembersPhase<B> {
    type State = AssignedState;
    type Epoch = ();

    fn begin_epoch(&mut self, _: usize, fit: &mut Fitting<'_, B>) -> Result<(), FitError> {
        self.assigned.members.update_variance();
        if self.reassigns { self.assigned.assign(&fit.data, Scores::Learning) } else { Ok(()) }
    }

    fn step(&mut self, (): &(), batch: Batch<B>) -> Terms<B::InnerBackend> {
        self.assigned.descend(batch)
    }

    fn n_clusters(&self) -> Option<usize> {
        Some(self.assigned.n_clusters())
    }

    fn latents(&self, _: Tensor<B::InnerBackend, 2>) -> Option<Tensor<B::InnerBackend, 2>> {
        None
    }

    fn state(&self) -> Result<AssignedState, FitError> {
        self.assigned.state()
    }
}

/// The student learns the members' assignments, which stay fixed.
struct DistilPhase<B: AutodiffBackend> {
    assigned: Assigned<B>,
    student: Student<B>,
}

/// The state of the phase in a checkpoint.
#[derive(Serialize, Deserialize)]
struct DistilState {
    assigned: AssignedState,
    student: OptimizedState,
}

impl<B: AutodiffBackend> Phase<B> for DistilPhase<B> {
    type State = DistilState;

    /// The share of samples on which student and members agree.
    type Epoch = f64;

    fn begin_epoch(&mut self, _: usize, fit: &mut Fitting<'_, B>) -> Result<f64, FitError> {
        self.student.agreement(&fit.data, &self.assigned.best)
    }

    fn step(&mut self, agreement: &f64, batch: Batch<B>) -> Terms<B::InnerBackend> {
        // The student also learns the assignments of augmented samples, to have more training data.
        let moved = self.assigned.members.scores(&batch.augmented.clone().inner(), Scores::Finished).argmax(1);
        let mut best = self.assigned.best_of(&batch);
        best.extend(elements(moved.float()).into_iter().map(|k| k as usize));
        let samples = Tensor::cat(vec![batch.clean, batch.augmented], 0);
        let loss = self.student.descend(samples, &best, batch.learning_rate);
        vec![Term::new("cluster", loss), Term::known("agreement", *agreement)]
    }

    fn n_clusters(&self) -> Option<usize> {
        Some(self.assigned.n_clusters())
    }

    fn latents(&self, _: Tensor<B::InnerBackend, 2>) -> Option<Tensor<B::InnerBackend, 2>> {
        None
    }

    fn state(&self) -> Result<DistilState, FitError> {
        Ok(DistilState { assigned: self.assigned.state()?, student: self.student.state()? })
    }
}
