//! k-DVAE and k-DAE: one (variational) autoencoder per cluster (Caciularu and Goldberger, "An entangled mixture of
//! variational autoencoders approach to deep clustering", 2023).
//!
//! **Objective**: each sample's best member alone learns from it, by its evidence bound,
//! `ln alpha_i + ln N(x; decoder_i(z), s^2) - KL(q_i(z|x) || N(0, 1))`; k-DAE has neither the weight nor the divergence.
//! That is the bound on the mixture's likelihood with hard responsibilities. At test `z` is the mean, and the score is the
//! training's (the paper's equation 8 drops half the sum of the variances). **Update**: assignments once an epoch, from
//! samples as they are; `s^2` is the last epoch's mean squared error. **Schedule**: VaDE finds clusters; each member learns
//! one of them; then assignments and members in turn; last, where that is what is exported, a small student learns the
//! assignments.

mod members;
mod student;

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::joint::JointMethod;
use super::learner::{CHUNK, mismatch};
use super::vade::{Prior, Vade};
use crate::data::Samples;
use crate::mixture::elements;
use crate::nn::{Architecture, LayerShape};
use crate::random::stream;
use crate::trained::{Head, Trained};
use crate::training::{Batch, Data, FitConfig, FitError, Method, Position, Stage, Terms};
use members::Members;
use student::Student;

/// Settings of k-DVAE and of k-DAE.
///
/// ```
/// use edgemix::methods::{Export, KAutoencoders};
///
/// let small: KAutoencoders = toml::from_str("student = \"64-8\"")?;
/// assert_eq!((small.export, small.student.to_string()), (Export::Distilled, "64-8".to_owned()));
/// let whole: KAutoencoders = toml::from_str("export = \"full\"")?;
/// assert_eq!((whole.export, whole.start.mixture.n_components), (Export::Full, 10));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct KAutoencoders {
    /// What the members' clusters start from; its components are their number.
    pub start: Vade,
    /// What is exported.
    pub export: Export,
    /// The layers of the student.
    pub student: Architecture,
}

/// One variational autoencoder per cluster. See [`KAutoencoders`] for an example.
pub type KDvae = KAutoencoders;

/// One autoencoder per cluster. See [`KAutoencoders`] for an example.
pub type KDae = KAutoencoders;

/// What of a mixture of autoencoders is exported. See [`KAutoencoders`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Export {
    /// Every encoder and decoder.
    Full,
    /// A small encoder with a softmax head that learned the full model's assignments.
    #[default]
    Distilled,
}

impl Default for KAutoencoders {
    fn default() -> Self {
        Self { start: Vade::default(), export: Export::default(), student: Architecture::dense(&[128, 10]) }
    }
}

/// K autoencoders; before them what finds their first clusters, after them a student.
pub(crate) struct MemberMethod<B: AutodiffBackend> {
    name: &'static str,
    config: FitConfig,
    n_samples: usize,
    variational: bool,
    export: Export,
    shapes: Vec<LayerShape>,
    student_shapes: Vec<LayerShape>,
    /// Until the members begin.
    start: Option<Box<dyn Method<B>>>,
    start_stages: Vec<Stage>,
    n_clusters: usize,
    members: Option<Members<B>>,
    student: Option<Student<B>>,
    /// The member of each sample.
    best: Vec<usize>,
    /// The student's with the members, at the epoch's start.
    agreement: f64,
    device: B::Device,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct State {
    start: Option<Vec<u8>>,
    members: Option<members::Saved>,
    student: Option<student::Saved>,
    best: Vec<usize>,
}

/// What a stage after the start does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    /// Each member learns its first cluster.
    Members,
    /// Assignments and members in turn.
    Mixture,
    /// The student learns.
    Distil,
}

impl<B: AutodiffBackend> MemberMethod<B> {
    /// Members that are variational or not.
    pub(crate) fn new(
        variational: bool,
        settings: &KAutoencoders,
        config: &FitConfig,
        samples: &Samples,
        device: &B::Device,
    ) -> Self {
        let start = JointMethod::<B, Prior<B>>::new("vade", settings.start, config, samples, device);
        Self {
            name: config.method.name(),
            start_stages: start.stages(),
            start: Some(Box::new(start)),
            config: config.clone(),
            n_samples: samples.n_samples(),
            variational,
            export: settings.export,
            shapes: config.shapes(samples),
            student_shapes: settings.student.shapes(samples.n_features(), samples.image()).expect("checked before"),
            n_clusters: settings.start.mixture.n_components,
            members: None,
            student: None,
            best: vec![],
            agreement: 0.0,
            device: device.clone(),
        }
    }

    fn phase(&self, at: Position) -> Phase {
        match at.stage.checked_sub(self.start_stages.len()) {
            None => Phase::Start,
            Some(0) => Phase::Members,
            Some(1) => Phase::Mixture,
            Some(_) => Phase::Distil,
        }
    }

    /// Fresh members for samples of a variance.
    fn fresh(&self, variance: f64) -> Members<B> {
        let mut weights = stream(self.config.seed, "weights", 1);
        Members::new(self.n_clusters, &self.shapes, self.variational, variance, &mut weights, &self.device)
    }

    /// The start ends: its clusters are what the members learn first.
    fn begin_members(
        &mut self,
        start: Box<dyn Method<B>>,
        data: &Data<B::InnerBackend>,
    ) -> Result<Members<B>, FitError> {
        let start = start.finish(data)?;
        self.best.clear();
        let n = data.n_samples() as f64;
        let mut mean = Tensor::zeros([1, data.n_inputs()], &self.device);
        for x in data.chunks(CHUNK) {
            let x = x?;
            let clusters = start.head.assign(&start.encode_inputs(x.to_data().iter::<f32>().collect()))?;
            self.best.extend(clusters.into_iter().map(usize::from));
            mean = mean + x.sum_dim(0) / n;
        }
        let mut variance = 0.0;
        for x in data.chunks(CHUNK) {
            let centered: Tensor<B::InnerBackend, 2> = x? - mean.clone();
            variance += elements(centered.square().sum())[0] / n / data.n_inputs() as f64;
        }
        Ok(self.fresh(variance))
    }

    /// The samples are assigned to the members anew.
    fn assign(&mut self, data: &Data<B::InnerBackend>) -> Result<(), FitError> {
        let Some(members) = &mut self.members else { return Ok(()) };
        self.best.clear();
        for x in data.chunks(CHUNK) {
            let best = members.scores(&x?).argmax(1);
            self.best.extend(elements(best.float()).into_iter().map(|k| k as usize));
        }
        if self.variational {
            members.weigh(&self.best);
        }
        Ok(())
    }

    fn n_clusters(&self) -> usize {
        let mut has_samples = vec![false; self.n_clusters];
        self.best.iter().for_each(|&k| has_samples[k] = true);
        has_samples.into_iter().filter(|&has| has).count()
    }
}

impl<B: AutodiffBackend> Method<B> for MemberMethod<B> {
    fn stages(&self) -> Vec<Stage> {
        let own = self.config.two_stages(self.n_samples);
        let stage = |name, of: usize| Stage { name, ..own[of] };
        let mut stages = self.start_stages.clone();
        stages.extend([stage("members", 0), stage("mixture", 1)]);
        if self.export == Export::Distilled {
            stages.push(stage("distil", 0));
        }
        stages
    }

    fn begin_epoch(&mut self, at: Position, data: &Data<B::InnerBackend>) -> Result<Option<usize>, FitError> {
        let phase = self.phase(at);
        if phase == Phase::Start {
            return self.start.as_mut().map_or(Ok(None), |start| start.begin_epoch(at, data));
        }
        if let Some(start) = self.start.take() {
            self.members = Some(self.begin_members(start, data)?);
        }
        if let Some(members) = &mut self.members {
            members.begin_epoch();
        }
        if phase == Phase::Mixture || (phase == Phase::Distil && self.student.is_none()) {
            self.assign(data)?;
        }
        if phase == Phase::Distil {
            let student = self.student.get_or_insert_with(|| {
                fresh_student(&self.student_shapes, self.n_clusters, &self.config, &self.device)
            });
            self.agreement = student.agreement(data, &self.best)?;
        }
        Ok(Some(self.n_clusters()))
    }

    fn step(&mut self, at: Position, mut batch: Batch<B>) -> Terms {
        let phase = self.phase(at);
        if phase == Phase::Start {
            return self.start.as_mut().map_or_else(Vec::new, |start| start.step(at, batch));
        }
        let rate = batch.learning_rate;
        let best: Vec<usize> = batch.indices.to_data().iter::<i64>().map(|index| self.best[index as usize]).collect();
        match (&mut self.student, &mut self.members) {
            (Some(student), Some(members)) if phase == Phase::Distil => {
                // What the members say of moved samples is learned too, so that there is more to learn from.
                let moved = members.scores(&batch.augmented.clone().inner()).argmax(1);
                let both = best.into_iter().chain(elements(moved.float()).into_iter().map(|k| k as usize));
                let loss = student.descend(
                    Tensor::cat(vec![batch.clean, batch.augmented], 0),
                    &both.collect::<Vec<usize>>(),
                    rate,
                );
                vec![("cluster", loss), ("agreement", self.agreement)]
            }
            (_, Some(members)) => members.descend(&batch.augmented, &batch.clean, &best, rate, &mut batch.rng),
            _ => vec![],
        }
    }

    fn save(&self) -> Result<Vec<u8>, FitError> {
        let state = State {
            start: self.start.as_ref().map(|start| start.save()).transpose()?,
            members: self.members.as_ref().map(Members::save).transpose()?,
            student: self.student.as_ref().map(Student::save).transpose()?,
            best: self.best.clone(),
        };
        postcard::to_stdvec(&state).map_err(mismatch)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), FitError> {
        let state: State = postcard::from_bytes(bytes).map_err(mismatch)?;
        match (state.start, &mut self.start) {
            (Some(saved), Some(start)) => start.restore(&saved)?,
            _ => self.start = None,
        }
        let members = state.members.map(|saved| self.fresh(1.0).restore(saved, &self.device));
        self.members = members.transpose()?;
        let student = state.student.map(|saved| {
            fresh_student(&self.student_shapes, self.n_clusters, &self.config, &self.device)
                .restore(saved, &self.device)
        });
        self.student = student.transpose()?;
        self.best = state.best;
        Ok(())
    }

    fn finish(mut self: Box<Self>, data: &Data<B::InnerBackend>) -> Result<Trained, FitError> {
        if let Some(start) = self.start.take() {
            self.members = Some(self.begin_members(start, data)?);
        }
        let (encoder, head) = match (&self.student, &mut self.members) {
            (Some(student), _) => student.to_plain()?,
            (None, Some(members)) => {
                members.begin_epoch();
                (vec![], Head::Autoencoders(members.to_plain()))
            }
            (None, None) => return Err(mismatch("there are no members")),
        };
        Ok(Trained { method: self.name.into(), scaling: data.scaling.clone(), encoder, head, sticks: vec![] })
    }
}

fn fresh_student<B: AutodiffBackend>(
    shapes: &[LayerShape],
    k: usize,
    config: &FitConfig,
    device: &B::Device,
) -> Student<B> {
    Student::new(shapes, k, &mut stream(config.seed, "weights", 2), device)
}
