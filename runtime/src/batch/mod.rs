//! Many samples at once, for hosts: the bits of [`Model::assign`], sooner.

mod network;

use alloc::vec;
use alloc::vec::Vec;

use self::network::Network;
use crate::assignment::MAX_MARGIN;
use crate::kernels::batch::{Instructions, Summary, scores_of_sixteen, summary_of_sixteen};
use crate::{AssignError, Assignment, LogDensity, Model, Novelty, heads};

/// Number of samples that are computed together: a multiple of the rows that each kernel takes, and few enough that their values
/// stay in the cache.
const BLOCK: usize = 96;
/// Number of samples whose scores are computed together.
const AT_ONCE: usize = 16;

/// A model whose weights are packed for the vectors of this machine, which assigns many samples at once. Each gets the bits that
/// [`Model::assign`] gives it. Feature `batch`; it allocates.
///
/// ```
/// use edgemix_runtime::{Batch, Model, Workspace, arena_len};
///
/// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// let model = Model::from_bytes(MODEL).unwrap();
/// let samples: Vec<f32> = (0..100 * 64).map(|i| (i % 17) as f32).collect();
///
/// let batch = Batch::new(&model);
/// let mut clusters = vec![];
/// batch.assign(&samples, &mut batch.workspace(), |found| clusters.push(found.cluster)).unwrap();
///
/// let mut workspace = Workspace::<{ arena_len(MODEL) }>::new();
/// for (sample, cluster) in samples.chunks(64).zip(clusters) {
///     assert_eq!(model.assign(sample, &mut workspace).unwrap().cluster, cluster);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Batch<'m> {
    model: &'m Model<'m>,
    /// `None` on machines without instructions for batches: samples are then assigned one at a time.
    network: Option<Network<'m>>,
}

/// The memory that a [`Batch`] works in. Each thread needs its own.
#[derive(Clone, Debug)]
pub struct BatchWorkspace {
    /// That of a single sample.
    arena: Vec<i32>,
    /// The inputs and the outputs of a layer, in turn.
    rows: [Vec<u8>; 2],
    /// Inputs, outputs and scratch memory of a layer that takes one sample at a time.
    single: Vec<i32>,
    /// The latents of a block.
    latents: Vec<i16>,
    /// The scores of a block.
    scores: Vec<i32>,
    /// Latents and scores of sixteen samples, those of a dimension and of a component side by side.
    sixteen: [Vec<[i32; AT_ONCE]>; 2],
    scratch: Vec<i32>,
}

/// What most programs ask of an [`Assignment`], without the scores of all components.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchAssignment {
    /// The cluster of the best component.
    pub cluster: u16,
    /// The component with the highest score, the first of several equal ones.
    pub component: u16,
    /// The best component's log weight plus log-density or, for a softmax head, its logit.
    pub log_density: LogDensity,
    /// How unusual the sample is among known samples.
    pub novelty: Novelty,
    /// The [posterior](Assignment::posterior) probability of the cluster.
    pub posterior: f32,
}

impl From<Assignment<'_>> for BatchAssignment {
    fn from(found: Assignment<'_>) -> Self {
        let Assignment { cluster, component, log_density, novelty, .. } = found;
        Self { cluster, component, log_density, novelty, posterior: found.posterior(cluster) }
    }
}

impl<'m> Batch<'m> {
    /// Packs the weights of a model, which takes about as long as a few assignments.
    pub fn new(model: &'m Model<'m>) -> Self {
        let network = Instructions::available().next().map(|instructions| Network::new(model, instructions));
        Self { model, network }
    }

    /// As [`new`](Self::new), for one of the sets of instructions that this machine has; `None` for no instructions of their
    /// own, as on machines without.
    ///
    /// ```
    /// use edgemix_runtime::kernels::batch::Instructions;
    /// use edgemix_runtime::{Batch, Model};
    ///
    /// # let bytes = edgemix_format::testing::Spec::default().build().unwrap();
    /// let model = Model::from_bytes(&bytes).unwrap();
    /// let samples = vec![2.0; 50 * 6];
    /// let scores = |batch: &Batch| {
    ///     let mut all = vec![];
    ///     batch.assign(&samples, &mut batch.workspace(), |found| all.extend_from_slice(found.scores())).unwrap();
    ///     all
    /// };
    /// for instructions in Instructions::available() {
    ///     assert_eq!(scores(&Batch::with(&model, Some(instructions))), scores(&Batch::with(&model, None)));
    /// }
    /// ```
    pub fn with(model: &'m Model<'m>, instructions: Option<Instructions>) -> Self {
        Self { model, network: instructions.map(|instructions| Network::new(model, instructions)) }
    }

    /// The model.
    pub fn model(&self) -> &'m Model<'m> {
        self.model
    }

    /// Memory to work in.
    pub fn workspace(&self) -> BatchWorkspace {
        let file = self.model.file();
        let (row, single) = self.network.as_ref().map_or((0, 0), |network| network.memory(file.input.len));
        let block = if self.network.is_some() { BLOCK } else { 0 };
        BatchWorkspace {
            arena: vec![0; self.model.arena_len() / size_of::<i32>()],
            rows: [vec![0; block * row], vec![0; block * row]],
            single: vec![0; single],
            latents: vec![0; block * self.latents_row()],
            scores: vec![0; block * self.model.n_components()],
            sixteen: [vec![[0; AT_ONCE]; self.head_inputs()], vec![[0; AT_ONCE]; self.model.n_components()]],
            scratch: vec![0; file.head.scratch().div_ceil(2)],
        }
    }

    /// Assigns samples of [`input_len`](Model::input_len) values each, in the unit of the training data, and passes each
    /// assignment to `see`, in order.
    ///
    /// # Errors
    /// See [`AssignError`]; some samples may have been seen before. Values that are no whole number of samples are
    /// [`AssignError::InputLength`], with the number of values that are left over.
    pub fn assign(
        &self,
        samples: &[f32],
        workspace: &mut BatchWorkspace,
        mut see: impl FnMut(Assignment<'_>),
    ) -> Result<(), AssignError> {
        self.check(samples)?;
        let Some(network) = &self.network else {
            for sample in samples.chunks_exact(self.model.input_len()) {
                see(self.model.assign(sample, bytemuck::cast_slice_mut::<_, u8>(&mut workspace.arena))?);
            }
            return Ok(());
        };
        for block in samples.chunks(BLOCK * self.model.input_len()) {
            let n_samples = self.scores(network, block, workspace)?;
            for scores in workspace.scores.chunks_exact(self.model.n_components()).take(n_samples) {
                see(self.model.assignment(scores));
            }
        }
        Ok(())
    }

    /// Assigns samples as [`assign`](Self::assign) does, and passes what most programs ask of each assignment to `see`, in order. That
    /// takes less time than asking each assignment.
    ///
    /// ```
    /// use edgemix_runtime::{Batch, BatchAssignment, Model};
    ///
    /// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
    /// let model = Model::from_bytes(MODEL).unwrap();
    /// let samples: Vec<f32> = (0..100 * 64).map(|i| (i % 17) as f32).collect();
    /// let batch = Batch::new(&model);
    /// let (mut found, mut expected) = (vec![], vec![]);
    /// batch.summarise(&samples, &mut batch.workspace(), |assignment| found.push(assignment)).unwrap();
    /// batch.assign(&samples, &mut batch.workspace(), |found| expected.push(BatchAssignment::from(found))).unwrap();
    /// assert_eq!(found, expected);
    /// ```
    ///
    /// # Errors
    /// Those of [`assign`](Self::assign).
    pub fn summarise(
        &self,
        samples: &[f32],
        workspace: &mut BatchWorkspace,
        mut see: impl FnMut(BatchAssignment),
    ) -> Result<(), AssignError> {
        let network = match &self.network {
            Some(network) if !self.model.file().head.takes_sample() => network,
            _ => return self.assign(samples, workspace, |found| see(found.into())),
        };
        self.check(samples)?;
        for block in samples.chunks(BLOCK * self.model.input_len()) {
            let n_samples = self.latents(network, block, workspace)?;
            for first in (0..n_samples).step_by(AT_ONCE) {
                let summary = self.summary(network, first, workspace);
                for lane in 0..AT_ONCE.min(n_samples - first) {
                    see(self.summarised(network, &summary, lane));
                }
            }
        }
        Ok(())
    }

    /// The summary of sixteen samples of a block, the first of which is `first`.
    fn summary(&self, network: &Network, first: usize, workspace: &mut BatchWorkspace) -> Summary {
        let BatchWorkspace { latents, sixteen: [columns, found], .. } = workspace;
        let step = self.latents_row();
        put_side_by_side(latents.get(first * step..).unwrap_or_default(), step, columns);
        let file = self.model.file();
        scores_of_sixteen(network.instructions, &file.head, columns, found);
        summary_of_sixteen(network.instructions, found, &network.clusters, file.calibration.inverse_temperature())
    }

    /// The assignment of a sample of sixteen.
    fn summarised(&self, network: &Network, summary: &Summary, lane: usize) -> BatchAssignment {
        let of = |numbers: &[i32; AT_ONCE]| numbers.get(lane).copied().unwrap_or_default();
        let (component, best) = (of(&summary.component), of(&summary.best));
        let cluster = network.clusters.get(component as usize).map_or(0, |&cluster| cluster as u16);
        let calibration = &self.model.file().calibration;
        // A single cluster has no margin.
        let margin = if self.model.n_clusters() > 1 { i64::from(best) - i64::from(of(&summary.next)) } else { 0 };
        let weighted = (margin.min(MAX_MARGIN) * i64::from(calibration.margin_weight())) >> 2;
        BatchAssignment {
            cluster,
            component: component as u16,
            log_density: LogDensity(best),
            novelty: Novelty::look_up(i64::from(best) + weighted, cluster, calibration),
            posterior: summary.posterior.get(lane).copied().unwrap_or_default(),
        }
    }

    /// Passes the latent of each sample to `see`, in order, as [`Model::encode`] gives it.
    ///
    /// # Errors
    /// Those of [`assign`](Self::assign).
    pub fn encode(
        &self,
        samples: &[f32],
        workspace: &mut BatchWorkspace,
        mut see: impl FnMut(&[i16]),
    ) -> Result<(), AssignError> {
        self.check(samples)?;
        let Some(network) = &self.network else {
            for sample in samples.chunks_exact(self.model.input_len()) {
                see(self.model.encode(sample, bytemuck::cast_slice_mut::<_, u8>(&mut workspace.arena))?);
            }
            return Ok(());
        };
        for block in samples.chunks(BLOCK * self.model.input_len()) {
            let n_samples = self.latents(network, block, workspace)?;
            for latent in workspace.latents.chunks_exact(self.latents_row()).take(n_samples) {
                see(latent.get(..self.head_inputs()).unwrap_or_default());
            }
        }
        Ok(())
    }

    fn check(&self, samples: &[f32]) -> Result<(), AssignError> {
        let expected = self.model.input_len();
        match samples.len() % expected.max(1) {
            0 => Ok(()),
            given => Err(AssignError::InputLength { expected, given }),
        }
    }

    /// Number of elements that the head takes: of the latent, or of the sample.
    fn head_inputs(&self) -> usize {
        let file = self.model.file();
        file.encoder.iter().last().map_or(file.input.len, |layer| layer.outputs())
    }

    /// Number of elements from a latent to the next: that of whole vectors.
    fn latents_row(&self) -> usize {
        self.head_inputs().next_multiple_of(16)
    }

    /// Leaves the scores of a block in the workspace and returns the number of samples.
    fn scores(&self, network: &Network, block: &[f32], workspace: &mut BatchWorkspace) -> Result<usize, AssignError> {
        let n_samples = self.latents(network, block, workspace)?;
        let head = &self.model.file().head;
        let (step, n_components) = (self.latents_row(), self.model.n_components());
        let BatchWorkspace { latents, scores, sixteen: [columns, found], scratch, .. } = workspace;
        let latents = latents.chunks(AT_ONCE * step).zip(scores.chunks_mut(AT_ONCE * n_components));
        for (latents, scores) in latents.take(n_samples.div_ceil(AT_ONCE)) {
            put_side_by_side(latents, step, columns);
            if scores_of_sixteen(network.instructions, head, columns, found) {
                for (component, found) in found.iter().enumerate() {
                    let places = scores.iter_mut().skip(component).step_by(n_components);
                    places.zip(found).for_each(|(place, &score)| *place = score);
                }
            } else {
                let each = latents.chunks_exact(step).zip(scores.chunks_exact_mut(n_components));
                for (latent, scores) in each {
                    let latent = latent.get(..self.head_inputs()).unwrap_or_default();
                    heads::run(head, latent, scores, bytemuck::cast_slice_mut(scratch));
                }
            }
        }
        Ok(n_samples)
    }

    /// Leaves the latents of a block in the workspace and returns the number of samples.
    fn latents(&self, network: &Network, block: &[f32], workspace: &mut BatchWorkspace) -> Result<usize, AssignError> {
        let too_short = AssignError::ArenaTooShort;
        let samples = block.chunks_exact(self.model.input_len());
        let n_samples = samples.len();
        let BatchWorkspace { arena, rows: [inputs, outputs], single, latents, .. } = workspace;
        let latents = latents.get_mut(..n_samples * self.latents_row()).ok_or(too_short)?;
        let arena: &mut [i16] = bytemuck::cast_slice_mut(arena);
        let n_inputs = self.model.file().input.len;
        if !network.has_layers() {
            for (sample, latent) in samples.zip(latents.chunks_exact_mut(self.latents_row())) {
                if !network.quantizes(sample, bytemuck::cast_slice_mut(latent)) {
                    self.model.fill(sample, arena)?;
                    latent.iter_mut().zip(arena.get(..n_inputs).ok_or(too_short)?).for_each(|(z, &x)| *z = x);
                }
            }
            return Ok(n_samples);
        }
        let step = network.row(n_inputs);
        for (sample, row) in samples.zip(inputs.chunks_exact_mut(step)) {
            if !network.quantizes(sample, row) {
                self.model.fill(sample, arena)?;
                network.instructions.write(arena.get(..n_inputs).ok_or(too_short)?, row);
            }
        }
        network.forward(n_samples, [inputs, outputs], single, (latents, self.latents_row())).ok_or(too_short)?;
        Ok(n_samples)
    }
}

/// Puts the values of each dimension of up to sixteen latents side by side.
fn put_side_by_side(latents: &[i16], step: usize, columns: &mut [[i32; AT_ONCE]]) {
    for (dim, column) in columns.iter_mut().enumerate() {
        let values = latents.iter().skip(dim).step_by(step);
        column.iter_mut().zip(values).for_each(|(z, &value)| *z = value.into());
    }
}
