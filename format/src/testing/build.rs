//! Making a model from its specification.

use super::maker::Maker;
use super::random::SplitMix64;
use super::spec::{HeadSpec, Spec};
use crate::description::{CalibrationRecord, Description, Fingerprint, FrontEndRecords, Latent};
use crate::write::{AlignedBytes, Blob, WriteError, write};

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
        let description = Description {
            name: "generated",
            method: "testing",
            fingerprint,
            front_ends: FrontEndRecords::new(),
            input,
            encoder,
            latent,
            head,
            calibration,
        };
        (description, maker.blob)
    }
}
