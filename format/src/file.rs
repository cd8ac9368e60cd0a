//! A whole file: from bytes to a checked view.

use crate::budget::Limits;
use crate::cursor::Cursor;
use crate::error::{Fault, LoadError, ensure};
use crate::features::SMOOTHER;
use crate::header::{HEADER_LEN, Header, MINOR};
use crate::limits::MAX_LAYERS;
use crate::parts::calibration::{self, Calibration};
use crate::parts::fingerprint::Fingerprint;
use crate::parts::front_end::{self, FrontEnd, FrontEnds};
use crate::parts::head::{Head, HeadTag};
use crate::parts::hierarchy::{self, Hierarchy};
use crate::parts::input::{self, Input};
use crate::parts::latent::Latent;
use crate::parts::layer::{self, Layer, Layers};
use crate::parts::sample::{self, Sample};
use crate::parts::transitions::{self, Transitions};
use crate::plan;

/// A checked model file.
///
/// ```
/// use edgemix_format::testing::Spec;
/// use edgemix_format::view::{Activation, File, Head, Layer};
///
/// let bytes = Spec::default().build().unwrap();
/// let file = File::from_bytes(&bytes).unwrap();
/// println!("{} by {}: {} multiply-accumulates, {:?}", file.name, file.method, file.header.macs, file.head);
/// // 6 -> 5 -> 3, then five components.
/// let macs: u64 = file.encoder.iter().map(Layer::macs).sum();
/// assert_eq!((file.sample.len, macs, file.encoder.len()), (6, 6 * 5 + 5 * 3, 2));
/// let Layer::Dense(first) = file.encoder[0] else { panic!("not a dense layer") };
/// assert!(matches!(first.activation, Activation::Relu) && first.requantize.shift.len() == 5);
/// let Head::Mixture(mixture) = file.head else { panic!("not a mixture") };
/// assert_eq!(mixture.clusters.len(), 5);
/// ```
#[derive(Clone, Debug)]
pub struct File<'a> {
    /// The header.
    pub header: Header,
    /// The model's name.
    pub name: &'a str,
    /// The method that trained it.
    pub method: &'a str,
    /// The run that made it.
    pub fingerprint: Fingerprint<'a>,
    /// What a sample is.
    pub sample: Sample<'a>,
    /// What computes features of a raw window. They take the place of the raw counts in `input`.
    pub front_ends: FrontEnds<'a>,
    /// How raw counts become the integers that the first layer takes.
    pub input: Input<'a>,
    /// The encoder. Each layer takes what the one before gives, the first one the sample.
    pub encoder: Layers<'a>,
    /// Length and scale of what the encoder gives.
    pub latent: Latent,
    /// What turns a latent into scores.
    pub head: Head<'a>,
    /// What turns a log-density into a novelty, and scores into a posterior.
    pub calibration: Calibration<'a>,
    /// Coarser levels of the clusters.
    pub hierarchy: Hierarchy<'a>,
    /// How the clusters of successive windows follow each other, if the model knows. Feature `smoother`.
    pub transitions: Option<Transitions<'a>>,
}

impl<'a> File<'a> {
    /// Reads and checks a model: magic, version, lengths, checksum, and every offset, size, scale and bound in it.
    ///
    /// The bytes may be longer than the model, as a flash partition is.
    ///
    /// ```
    /// use edgemix_format::{File, LoadError, testing::Spec};
    ///
    /// let mut bytes = Spec::default().build().unwrap();
    /// assert!(File::from_bytes(&bytes).is_ok());
    ///
    /// let last = bytes.len() - 1;
    /// bytes.as_mut()[last] ^= 1;
    /// assert!(matches!(File::from_bytes(&bytes), Err(LoadError::Checksum { .. })));
    /// ```
    ///
    /// # Errors
    /// See [`LoadError`]. Any flipped bit and any truncation is refused.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, LoadError> {
        Self::from_bytes_within(bytes, Limits::NONE)
    }

    /// As [`from_bytes`](Self::from_bytes), but refuses a model that takes more time or RAM than the limits allow, before
    /// anything else of it is looked at. A model that is read keeps within what its header states.
    ///
    /// # Errors
    /// [`LoadError::TooSlow`] and [`LoadError::ArenaTooLarge`] for a model above the limits; otherwise see [`LoadError`].
    pub fn from_bytes_within(bytes: &'a [u8], limits: Limits) -> Result<Self, LoadError> {
        let file = Self::decode(Header::from_bytes_within(bytes, limits)?, bytes)?;
        file.check_header()?;
        Ok(file)
    }

    /// Decodes and checks the description of a file whose header says where it and the blob are.
    pub(crate) fn decode(header: Header, bytes: &'a [u8]) -> Result<Self, LoadError> {
        let slice = |start: usize, len: u32| start.checked_add(len as usize).and_then(|end| bytes.get(start..end));
        let description = slice(HEADER_LEN, header.description_len).ok_or(LoadError::Lengths)?;
        let blob = slice(header.blob_offset as usize, header.blob_len).ok_or(LoadError::Lengths)?;
        let mut cursor = Cursor::new(description);
        let name = cursor.next().map_err(LoadError::Description)?;
        let method = cursor.next().map_err(LoadError::Description)?;
        let fingerprint = cursor.next().map_err(LoadError::Description)?;
        let sample = sample::decode(&mut cursor, blob).map_err(LoadError::Sample)?;
        let mut front_ends = FrontEnds::new();
        front_end::decode(&mut cursor, blob, &mut front_ends).map_err(LoadError::FrontEnds)?;
        let takes = front_ends.first().map_or(sample.len, FrontEnd::inputs);
        ensure(takes == sample.len, LoadError::FrontEnds(Fault::Inputs))?;
        let features = front_ends.last().map_or(sample.len, FrontEnd::outputs);
        let input = input::decode(&mut cursor, features, blob).map_err(LoadError::Input)?;
        let mut layers = Layers::new();
        encoder(&mut cursor, input.len, blob, &mut layers)?;
        let latent = cursor.next().map_err(LoadError::Latent)?;
        let head = head(&mut cursor, &latent, &layers, input.len, blob)?;
        let calibration = calibration::decode(&mut cursor, head.n_clusters(), blob).map_err(LoadError::Calibration)?;
        let hierarchy = hierarchy::decode(&mut cursor, head.n_clusters(), blob).map_err(LoadError::Hierarchy)?;
        let transitions = match SMOOTHER && header.minor >= 1 {
            true => transitions::decode(&mut cursor, head.n_clusters(), blob).map_err(LoadError::Transitions)?,
            false => None,
        };
        // A later minor version appends fields.
        ensure(cursor.is_at_end() || header.minor > MINOR, LoadError::TrailingBytes)?;
        Ok(Self {
            header,
            name,
            method,
            fingerprint,
            sample,
            front_ends,
            input,
            encoder: layers,
            latent,
            head,
            calibration,
            hierarchy,
            transitions,
        })
    }

    /// Bytes of RAM that one inference needs; `usize::MAX` if the number does not fit `usize`.
    pub(crate) fn arena_len(&self) -> usize {
        let layers = self.encoder.iter().map(Layer::memory);
        let front_ends = self.front_ends.iter().map(FrontEnd::memory);
        let most = plan::arena_len(self.input.len, layers, self.head.n_components(), self.head.scratch());
        most.and_then(|most| Some(most.max(plan::front_ends(front_ends)?))).unwrap_or(usize::MAX)
    }

    /// Multiply-accumulates of one inference.
    pub(crate) fn macs(&self) -> u64 {
        // The limits keep this far from overflow: at most 2^29 for a front end, 2^32 for a layer, 2^54 for a head.
        let front_ends = front_end::macs(&self.front_ends);
        let scaling = self.input.len as u64;
        front_ends + scaling + self.encoder.iter().map(Layer::macs).sum::<u64>() + self.head.macs()
    }

    /// Checks what the header repeats of the description for `const fn`s.
    fn check_header(&self) -> Result<(), LoadError> {
        let header = &self.header;
        let (stored, computed) = (header.arena_len as usize, self.arena_len());
        ensure(stored == computed, LoadError::Arena { stored, computed })?;
        let (stored, computed) = (header.macs, self.macs());
        ensure(stored == computed, LoadError::Macs { stored, computed })?;
        let counts = header.input_len as usize == self.sample.len
            && header.latent_len == self.latent.len
            && usize::from(header.n_components) == self.head.n_components()
            && usize::from(header.n_clusters) == self.head.n_clusters();
        ensure(counts, LoadError::Counts)
    }
}

/// Fills the list in place: a copy of it takes more than a thousand bytes of stack.
fn encoder<'a>(
    cursor: &mut Cursor<'a>,
    inputs: usize,
    blob: &'a [u8],
    encoder: &mut Layers<'a>,
) -> Result<(), LoadError> {
    let mut length = inputs;
    // A list is its length, then its elements.
    let n_layers: u32 = cursor.next().map_err(LoadError::Encoder)?;
    ensure(n_layers <= MAX_LAYERS as u32, LoadError::Encoder(Fault::LayerCount))?;
    for index in 0..n_layers {
        let is_last = index + 1 == n_layers;
        let at = |fault| LoadError::Layer { index: index as u8, fault };
        let layer = layer::decode(cursor, length, is_last, blob).map_err(at)?;
        layer.verify().map_err(at)?;
        length = layer.outputs();
        // The count was checked, so the list has space.
        encoder.push(layer).map_err(|_| at(Fault::LayerCount))?;
    }
    Ok(())
}

/// Decodes the head, which takes the latent or the sample.
fn head<'a>(
    cursor: &mut Cursor<'a>,
    latent: &Latent,
    encoder: &Layers,
    n_inputs: usize,
    blob: &'a [u8],
) -> Result<Head<'a>, LoadError> {
    let tag = HeadTag::decode(cursor).map_err(LoadError::Head)?;
    let outputs = encoder.last().map_or(n_inputs, Layer::outputs);
    ensure(!tag.takes_sample() || encoder.is_empty(), LoadError::Encoder(Fault::LayerCount))?;
    latent.check((!tag.takes_sample()).then_some(outputs)).map_err(LoadError::Latent)?;
    tag.head(cursor, outputs, blob).map_err(LoadError::Head)
}
