//! A checked model, and the inference from sample to assignment.

use edgemix_format::SPECTRUM;
#[cfg(feature = "signature")]
use edgemix_format::signature::{self, SignatureError, Trust};
use edgemix_format::view::{File, FrontEnd, front_end_scratch};

use crate::front_ends::{Counts, Parts, RawWindow, Values, apply};
use crate::input::{RawCount, quantize, quantize_features, quantize_values, to_counts};
use crate::kernels::Width;
use crate::network::Network;
use crate::{AssignError, Assignment, Limits, LoadError, Window, heads};

/// A checked model. It borrows its tensors from the bytes of the file.
///
/// ```
/// use edgemix_runtime::Model;
///
/// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// let model = Model::from_bytes(MODEL).unwrap();
/// assert_eq!((model.input_len(), model.latent_len()), (64, 10));
/// println!("{} by {}: {} clusters, {} bytes of RAM", model.name(), model.method(), model.n_clusters(), model.arena_len());
/// ```
#[derive(Clone, Debug)]
pub struct Model<'m> {
    file: File<'m>,
}

impl<'m> Model<'m> {
    /// Checks a model completely. Afterwards, only a wrong sample or workspace can cause an error.
    ///
    /// The bytes must start at a multiple of 16 ([`include_model!`](crate::include_model) ensures this) and may
    /// continue beyond the end of the model, as in a flash partition.
    ///
    /// ```
    /// use edgemix_runtime::{LoadError, Model};
    ///
    /// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
    /// assert!(Model::from_bytes(MODEL).is_ok());
    /// assert!(matches!(Model::from_bytes(&MODEL[..1000]), Err(LoadError::TooShort { .. })));
    /// ```
    ///
    /// # Errors
    /// See [`LoadError`]. Any flipped bit and any truncation is refused.
    pub fn from_bytes(bytes: &'m [u8]) -> Result<Self, LoadError> {
        Self::from_bytes_within(bytes, Limits::NONE)
    }

    /// As [`from_bytes`](Self::from_bytes), but refuses a model that takes more time or RAM than the limits allow, before
    /// anything else of it is looked at.
    ///
    /// ```
    /// use edgemix_runtime::{Limits, LoadError, Model};
    ///
    /// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
    /// const LIMITS: Limits = Limits { macs: 100_000, arena: 4096 };
    /// assert!(Model::from_bytes_within(MODEL, LIMITS).is_ok());
    ///
    /// let slow = Model::from_bytes_within(MODEL, Limits { macs: 1000, ..LIMITS });
    /// assert!(matches!(slow, Err(LoadError::TooSlow { limit: 1000, .. })));
    /// ```
    ///
    /// # Errors
    /// [`LoadError::TooSlow`] and [`LoadError::ArenaTooLarge`] for a model above the limits; otherwise see [`LoadError`].
    pub fn from_bytes_within(bytes: &'m [u8], limits: Limits) -> Result<Self, LoadError> {
        File::from_bytes_within(bytes, limits).map(|file| Self { file })
    }

    /// Checks the signature of a model, then the model. Gives its counter, too. Feature `signature`.
    ///
    /// The checksum of a model finds accidents and vouches for nobody. The signature does: no byte is looked at beyond the
    /// header before it is known who signed it. `edgemix sign` signs a model.
    ///
    /// ```
    /// use edgemix_runtime::signature::{SignatureError, Trust};
    /// use edgemix_runtime::{Limits, Model};
    ///
    /// # use edgemix_format::{signature, testing::Spec};
    /// # let secret = [7; 32];
    /// # let signed = signature::sign(&Spec::default().build().unwrap(), &secret, 3).unwrap();
    /// # let key = signature::public_key(&secret);
    /// let trust = Trust { key: &key, least_counter: 3, limits: Limits { macs: 100_000, arena: 4096 } };
    /// let (model, counter) = Model::from_signed_bytes(&signed, &trust).unwrap();
    /// assert_eq!((model.name(), counter), ("generated", 3));
    ///
    /// let later = Trust { least_counter: 4, ..trust };
    /// let old = Model::from_signed_bytes(&signed, &later).unwrap_err();
    /// assert_eq!(old, SignatureError::Old { counter: 3, least: 4 });
    /// ```
    ///
    /// # Errors
    /// See [`SignatureError`](crate::signature::SignatureError).
    #[cfg(feature = "signature")]
    pub fn from_signed_bytes(bytes: &'m [u8], trust: &Trust) -> Result<(Self, u32), SignatureError> {
        let counter = signature::verify(bytes, trust)?;
        Ok((Self::from_bytes_within(bytes, trust.limits)?, counter))
    }

    /// The checked file, with all of its parts.
    pub fn file(&self) -> &File<'m> {
        &self.file
    }

    /// The model's name.
    pub fn name(&self) -> &'m str {
        self.file.name
    }

    /// The name of the method that trained the model.
    pub fn method(&self) -> &'m str {
        self.file.method
    }

    /// Number of elements of one sample: of a raw window, all channels of an instant side by side, for a model with a front
    /// end.
    pub fn input_len(&self) -> usize {
        self.file.sample.len
    }

    /// Number of elements of the latent. It is 0 for a head of autoencoders, each of which has a latent of its own.
    pub fn latent_len(&self) -> usize {
        self.file.latent.len.into()
    }

    /// Number of components of a mixture, classes of a softmax head, or pairs of autoencoders.
    pub fn n_components(&self) -> usize {
        self.file.head.n_components()
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.file.header.n_clusters.into()
    }

    /// Number of clusters of each coarser level, from fine to coarse: those that [`Assignment::at_level`] knows beside the
    /// clusters themselves.
    ///
    /// ```
    /// use edgemix_runtime::Model;
    ///
    /// # use edgemix_format::testing::Spec;
    /// # let bytes = Spec { components: 9, clusters: 9, levels: vec![3], ..Spec::default() }.build().unwrap();
    /// // Nine clusters, in three groups.
    /// let model = Model::from_bytes(&bytes).unwrap();
    /// assert_eq!((model.n_clusters(), model.levels()), (9, &[3][..]));
    /// ```
    pub fn levels(&self) -> &[u16] {
        self.file.hierarchy.levels()
    }

    /// Bytes of the workspace that [`assign`](Self::assign) needs.
    pub fn arena_len(&self) -> usize {
        self.file.header.arena_len as usize
    }

    /// Multiply-accumulates of one [`assign`](Self::assign), and other steps that take as long.
    pub fn macs(&self) -> u64 {
        self.file.header.macs
    }

    /// Assigns a sample of [`input_len`](Self::input_len) values in the unit of the training data. It is rounded to raw
    /// counts first, so the result is that of [`assign_raw`](Self::assign_raw) for these.
    ///
    /// ```
    /// use edgemix_runtime::{AssignError, Model, Workspace, arena_len};
    ///
    /// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
    /// let model = Model::from_bytes(MODEL).unwrap();
    /// let mut workspace = Workspace::<{ arena_len(MODEL) }>::new();
    /// let blank = [0.0; 64];
    /// assert!(model.assign(&blank, &mut workspace).unwrap().novelty.is_novel(0.01));
    ///
    /// let wrong = model.assign(&blank[1..], &mut workspace);
    /// assert_eq!(wrong.unwrap_err(), AssignError::InputLength { expected: 64, given: 63 });
    /// ```
    ///
    /// # Errors
    /// See [`AssignError`].
    pub fn assign<'w, W>(&'w self, sample: &[f32], workspace: &'w mut W) -> Result<Assignment<'w>, AssignError>
    where
        W: AsMut<[u8]> + ?Sized,
    {
        self.run(sample.len(), workspace, |arena| self.fill(sample, arena))
    }

    /// Assigns a sample of raw sensor values. What a raw count is in the unit of the training data stands in
    /// `file().sample`, element by element or channel by channel.
    ///
    /// ```
    /// # use edgemix_runtime::{Model, Workspace, arena_len};
    /// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
    /// # let model = Model::from_bytes(MODEL).unwrap();
    /// # let mut workspace = Workspace::<{ arena_len(MODEL) }>::new();
    /// // A dark bar, as eight rows of eight pixels between 0 and 16.
    /// let bar: [u8; 64] = core::array::from_fn(|i| if matches!(i % 8, 3 | 4) { 16 } else { 0 });
    /// let found = model.assign_raw(&bar, &mut workspace).unwrap().cluster;
    /// assert_eq!(model.assign(&bar.map(f32::from), &mut workspace).unwrap().cluster, found);
    /// ```
    ///
    /// # Errors
    /// See [`AssignError`].
    pub fn assign_raw<'w, W, S>(&'w self, sample: &[S], workspace: &'w mut W) -> Result<Assignment<'w>, AssignError>
    where
        W: AsMut<[u8]> + ?Sized,
        S: RawCount,
    {
        self.run(sample.len(), workspace, |arena| self.fill_raw(sample, arena))
    }

    /// Assigns a window of raw counts that a [`Stream`](crate::Stream) has collected, without a copy of it.
    ///
    /// # Errors
    /// See [`AssignError`].
    pub fn assign_window<'w, W, S>(
        &'w self,
        window: &Window<S>,
        workspace: &'w mut W,
    ) -> Result<Assignment<'w>, AssignError>
    where
        W: AsMut<[u8]> + ?Sized,
        S: RawCount,
    {
        let length = window.older.len().saturating_add(window.newer.len());
        self.run(length, workspace, |arena| self.fill_window(window, arena))
    }

    /// The assignment that scores make: those that an earlier assignment [gave](Assignment::scores), one for each component.
    ///
    /// ```
    /// # use edgemix_runtime::{Model, Workspace, arena_len};
    /// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
    /// # let model = Model::from_bytes(MODEL).unwrap();
    /// # let mut workspace = Workspace::<{ arena_len(MODEL) }>::new();
    /// let found = model.assign_raw(&[8u8; 64], &mut workspace).unwrap();
    /// let again = model.assignment(found.scores());
    /// assert_eq!((again.cluster, again.novelty, again.posterior(3)), (found.cluster, found.novelty, found.posterior(3)));
    /// ```
    pub fn assignment<'w>(&'w self, scores: &'w [i32]) -> Assignment<'w> {
        let clusters = self.file.head.clusters();
        Assignment::from_scores(scores, clusters, &self.file.calibration, &self.file.hierarchy)
    }

    /// The latent of a sample, in steps of `file().latent.scale`; with autoencoders, the sample's own int8 steps.
    ///
    /// ```
    /// # use edgemix_runtime::{Model, Workspace, arena_len};
    /// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
    /// # let model = Model::from_bytes(MODEL).unwrap();
    /// # let mut workspace = Workspace::<{ arena_len(MODEL) }>::new();
    /// let scale = model.file().latent.scale;
    /// let latent = model.encode(&[0.0; 64], &mut workspace).unwrap();
    /// let latent: Vec<f32> = latent.iter().map(|&step| f32::from(step) * scale).collect();
    /// assert_eq!(latent.len(), model.latent_len());
    /// ```
    ///
    /// # Errors
    /// See [`AssignError`].
    pub fn encode<'w, W>(&self, sample: &[f32], workspace: &'w mut W) -> Result<&'w [i16], AssignError>
    where
        W: AsMut<[u8]> + ?Sized,
    {
        let arena = self.arena(sample.len(), workspace)?;
        self.fill(sample, arena)?;
        let (latent, _) = self.forward(arena)?;
        Ok(latent)
    }

    /// The raw counts of a sample in the unit of the training data, as [`assign`](Self::assign) rounds them. Values beyond
    /// the range of the counts saturate.
    ///
    /// ```
    /// # use edgemix_runtime::{Model, Workspace, arena_len};
    /// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
    /// # let model = Model::from_bytes(MODEL).unwrap();
    /// // The digits are counts from 0 to 16.
    /// let mut counts = [0; 64];
    /// model.counts(&[11.0; 64], &mut counts).unwrap();
    /// assert_eq!(counts, [11; 64]);
    /// ```
    ///
    /// # Errors
    /// [`AssignError::InputLength`] if either of the two does not have [`input_len`](Self::input_len) elements, and
    /// [`AssignError::NotFinite`] if a value is NaN or infinite.
    pub fn counts(&self, sample: &[f32], counts: &mut [i16]) -> Result<(), AssignError> {
        for given in [sample.len(), counts.len()] {
            if given != self.input_len() {
                return Err(AssignError::InputLength { expected: self.input_len(), given });
            }
        }
        to_counts(&self.file.sample, sample).zip(counts).try_for_each(|(count, place)| {
            *place = count?;
            Ok(())
        })
    }

    fn run<'w, W>(
        &'w self,
        given: usize,
        workspace: &'w mut W,
        fill: impl FnOnce(&mut [i16]) -> Result<(), AssignError>,
    ) -> Result<Assignment<'w>, AssignError>
    where
        W: AsMut<[u8]> + ?Sized,
    {
        let too_short = AssignError::ArenaTooShort;
        let arena = self.arena(given, workspace)?;
        fill(arena)?;
        let (latent, free) = self.forward(arena)?;
        let (scores, scratch) = free.split_at_mut_checked(2 * self.n_components()).ok_or(too_short)?;
        let scores: &mut [i32] = bytemuck::try_cast_slice_mut(scores).map_err(|_| too_short)?;
        let scratch = scratch.get_mut(..self.file.head.scratch()).ok_or(too_short)?;
        heads::run(&self.file.head, latent, scores, scratch);
        Ok(self.assignment(scores))
    }

    /// The workspace as an arena of the planned length.
    fn arena<'w, W>(&self, given: usize, workspace: &'w mut W) -> Result<&'w mut [i16], AssignError>
    where
        W: AsMut<[u8]> + ?Sized,
    {
        if given != self.input_len() {
            return Err(AssignError::InputLength { expected: self.input_len(), given });
        }
        let bytes = workspace.as_mut();
        let too_short = AssignError::WorkspaceTooShort { needed: self.arena_len(), given: bytes.len() };
        let bytes = bytes.get_mut(..self.arena_len()).ok_or(too_short)?;
        // The arena will hold 32-bit scores; its planned length is a whole number of words.
        let words: &mut [i32] = bytemuck::try_cast_slice_mut(bytes).map_err(|_| AssignError::WorkspaceMisaligned)?;
        bytemuck::try_cast_slice_mut(words).map_err(|_| AssignError::WorkspaceMisaligned)
    }

    /// Puts what the first layer takes of a sample in the unit of the data at the start of the arena.
    pub(crate) fn fill(&self, sample: &[f32], arena: &mut [i16]) -> Result<(), AssignError> {
        let place = arena.get_mut(..self.file.input.len).ok_or(AssignError::ArenaTooShort)?;
        let Some(front_ends) = self.front_ends() else {
            return quantize_values(&self.file.sample, &self.file.input, self.width(0), sample, place);
        };
        if let Some(index) = sample.iter().position(|x| !x.is_finite()) {
            return Err(AssignError::NotFinite { index });
        }
        self.features(front_ends, &mut Values { values: sample, sample: &self.file.sample }, arena)
    }

    /// The same of a sample of raw counts.
    fn fill_raw<S: RawCount>(&self, sample: &[S], arena: &mut [i16]) -> Result<(), AssignError> {
        let place = arena.get_mut(..self.file.input.len).ok_or(AssignError::ArenaTooShort)?;
        let Some(front_ends) = self.front_ends() else {
            quantize(&self.file.input, self.width(0), sample, place);
            return Ok(());
        };
        self.features(front_ends, &mut Counts(sample), arena)
    }

    /// The same of a window in two parts.
    fn fill_window<S: RawCount>(&self, window: &Window<S>, arena: &mut [i16]) -> Result<(), AssignError> {
        let place = arena.get_mut(..self.file.input.len).ok_or(AssignError::ArenaTooShort)?;
        let Some(front_ends) = self.front_ends() else {
            // Counts are int16 at most.
            let counts = window.older.iter().chain(window.newer).map(|&count| count.into() as i16);
            place.iter_mut().zip(counts).for_each(|(place, count)| *place = count);
            quantize_features(&self.file.input, self.width(0), place);
            return Ok(());
        };
        self.features(front_ends, &mut Parts(window), arena)
    }

    /// The front ends, if there are some. Without their features, loading refuses models that have some.
    fn front_ends(&self) -> Option<&[FrontEnd<'m>]> {
        if SPECTRUM && !self.file.front_ends.is_empty() { Some(&self.file.front_ends) } else { None }
    }

    /// Puts the scaled features of a window at the start of the arena.
    #[inline(never)]
    fn features(
        &self,
        front_ends: &[FrontEnd],
        window: &mut dyn RawWindow,
        arena: &mut [i16],
    ) -> Result<(), AssignError> {
        let too_short = AssignError::ArenaTooShort;
        let length = self.file.input.len;
        // Scratch memory begins at an even element.
        let (place, scratch) = arena.split_at_mut_checked(length.next_multiple_of(2)).ok_or(too_short)?;
        let features = place.get_mut(..length).ok_or(too_short)?;
        let scratch = scratch.get_mut(..2 * front_end_scratch(front_ends)).ok_or(too_short)?;
        let scratch = bytemuck::try_cast_slice_mut(scratch).map_err(|_| too_short)?;
        apply(front_ends, window, features, scratch).ok_or(too_short)?;
        quantize_features(&self.file.input, self.width(0), features);
        Ok(())
    }

    /// Runs the encoder, whose layers write to alternating ends of the arena. Returns the latent and the free part,
    /// which starts and ends at multiples of 4 bytes.
    fn forward<'w>(&self, arena: &'w mut [i16]) -> Result<(&'w [i16], &'w mut [i16]), AssignError> {
        let too_short = AssignError::ArenaTooShort;
        let mut network = Network::new(arena, self.file.input.len);
        for (layer, after) in self.file.encoder.iter().zip(1..) {
            network.run(layer, self.width(after)).ok_or(too_short)?;
        }
        network.finish().ok_or(too_short)
    }

    /// The width of the values after `layers` layers: the values after the last layer are the latent, unless the head
    /// takes the sample.
    pub(crate) fn width(&self, layers: usize) -> Width {
        let is_sample = self.file.head.takes_sample();
        if layers == self.file.encoder.len() && !is_sample { Width::Wide } else { Width::Narrow }
    }
}
