//! Making a model from its specification.

use super::maker::Maker;
use super::random::SplitMix64;
use super::spec::{HeadSpec, Spec};
use crate::description::{CalibrationRecord, Description, Fingerprint, FrontEndRecords, Latent};
use crate::file::File;
use crate::header::{HEADER_LEN, Header};
use crate::write::{AlignedBytes, Blob, WriteError, lay_out, mend, repeat, write};

/// Puts a file together that a reader may refuse: its lengths and its checksum are right, the rest is as it is given. What the
/// header repeats of the description is right if a reader can decode the description, otherwise 0.
///
/// # Errors
/// [`WriteError::TooLarge`] where a length does not fit the header, [`WriteError::Description`] where the description does
/// not encode.
pub fn assemble(description: &Description, blob: &Blob) -> Result<AlignedBytes, WriteError> {
    lay_out(description, blob).map(|(bytes, _)| bytes)
}

/// Makes a file whole again whose description or tensors were altered: sets the checksum and, if a reader can decode the
/// description, what the header repeats of it. Bytes that are no model stay as they are.
pub fn repair(bytes: &mut [u8]) {
    mend(bytes);
    let Ok(header) = Header::from_bytes(bytes) else { return };
    let header = File::decode(header, bytes).ok().and_then(|file| repeat(header, &file).ok());
    if let Some((header, place)) = header.zip(bytes.first_chunk_mut::<HEADER_LEN>()) {
        *place = header.to_bytes();
        mend(bytes);
    }
}

impl Spec {
    /// Writes the model.
    ///
    /// # Errors
    /// [`WriteError::Refused`] where the numbers contradict each other or a limit of the format.
    pub fn build(&self) -> Result<AlignedBytes, WriteError> {
        let (description, blob) = self.parts();
        write(&description, &blob)
    }

    /// The parts that [`build`](Self::build) writes, for tests that alter them first.
    pub fn parts(&self) -> (Description<'static>, Blob) {
        let mut maker = Maker { random: SplitMix64::new(self.seed), blob: Blob::default() };
        let fingerprint = Fingerprint {
            data: maker.random.next_u64().to_le_bytes(),
            config: maker.random.next_u64().to_le_bytes(),
            seed: self.seed,
            version: "0.0.0",
        };
        let sample = maker.sample(self);
        let mut front_ends = FrontEndRecords::new();
        let filter = self.filter.as_ref().map(|settings| maker.filter(settings));
        let spectrum = self.spectrum.as_ref().map(|settings| maker.spectrum(settings));
        front_ends.extend(filter.into_iter().chain(spectrum));
        let input = maker.input(self);
        let encoder = maker.encoder(self);
        let scale = encoder.last().map_or(0.001, |last| last.output().scale);
        let len = if matches!(self.head, HeadSpec::Autoencoders { .. }) { 0 } else { self.latent() as u16 };
        let latent = Latent { len, scale };
        let head = maker.head(self);
        let calibration = match self.held_out {
            0 => maker.calibration(self.calibration),
            _ => CalibrationRecord::HeldOut(maker.held_out(self)),
        };
        let hierarchy = maker.hierarchy(self);
        let transitions = self.transitions.then(|| maker.transitions(self));
        let description = Description {
            name: "generated",
            method: "testing",
            fingerprint,
            sample,
            front_ends,
            input,
            encoder,
            latent,
            head,
            calibration,
            hierarchy,
            transitions,
        };
        (description, maker.blob)
    }
}
