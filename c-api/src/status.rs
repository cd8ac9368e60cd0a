//! What became of a call, as a number and as a text.

use core::ffi::CStr;

use edgemix_runtime::{AssignError, DriftError, LoadError, StreamError};

use crate::faults;

/// What became of a call: `EDGEMIX_OK`, or an error. Bits 0 to 7 are one of the constants below. If they name a part of a
/// model, bits 8 to 15 say what is wrong with it, which `edgemix_fault_text` puts into words, and bits 16 to 23 are the index
/// of the layer.
pub type Status = u32;

/// The call did what it says.
pub const EDGEMIX_OK: Status = 0;

/// A pointer is null.
pub const EDGEMIX_ERROR_NULL: Status = 1;
/// A pointer is not at a multiple of its elements' size, or a length is more than any memory has.
pub const EDGEMIX_ERROR_POINTER: Status = 2;
/// A struct was not filled by the function that makes it, or that function failed.
pub const EDGEMIX_ERROR_NOT_READY: Status = 3;

/// The model is truncated.
pub const EDGEMIX_ERROR_TOO_SHORT: Status = 16;
/// The bytes are no `.emx` model.
pub const EDGEMIX_ERROR_MAGIC: Status = 17;
/// The model has another version of the format.
pub const EDGEMIX_ERROR_VERSION: Status = 18;
/// An assignment takes more multiply-accumulates than allowed.
pub const EDGEMIX_ERROR_TOO_SLOW: Status = 19;
/// An assignment needs a larger arena than allowed.
pub const EDGEMIX_ERROR_ARENA_TOO_LARGE: Status = 20;
/// The lengths in the model's header contradict each other.
pub const EDGEMIX_ERROR_LENGTHS: Status = 21;
/// A reserved byte of the model's header is not zero.
pub const EDGEMIX_ERROR_RESERVED: Status = 22;
/// The model's checksum does not match: it was damaged.
pub const EDGEMIX_ERROR_CHECKSUM: Status = 23;
/// The model does not start at a multiple of 16 bytes.
pub const EDGEMIX_ERROR_MODEL_ALIGNMENT: Status = 24;
/// The model's name or fingerprint is not valid.
pub const EDGEMIX_ERROR_DESCRIPTION: Status = 25;
/// The length of the model's samples, or what raw counts are, is not valid.
pub const EDGEMIX_ERROR_SAMPLE: Status = 26;
/// The model's front ends are not valid.
pub const EDGEMIX_ERROR_FRONT_ENDS: Status = 27;
/// The scaling of the model's input is not valid.
pub const EDGEMIX_ERROR_INPUT: Status = 28;
/// The number of the encoder's layers is not valid.
pub const EDGEMIX_ERROR_ENCODER: Status = 29;
/// A layer is not valid.
pub const EDGEMIX_ERROR_LAYER: Status = 30;
/// The latent is not valid.
pub const EDGEMIX_ERROR_LATENT: Status = 31;
/// The head is not valid.
pub const EDGEMIX_ERROR_HEAD: Status = 32;
/// The novelty tables are not valid.
pub const EDGEMIX_ERROR_CALIBRATION: Status = 33;
/// The model's description goes on after its last field.
pub const EDGEMIX_ERROR_TRAILING_BYTES: Status = 34;
/// The arena's length in the model's header is wrong.
pub const EDGEMIX_ERROR_ARENA: Status = 35;
/// The number of multiply-accumulates in the model's header is wrong.
pub const EDGEMIX_ERROR_MACS: Status = 36;
/// A count in the model's header is wrong.
pub const EDGEMIX_ERROR_COUNTS: Status = 37;
/// The levels of the model's clusters are not valid.
pub const EDGEMIX_ERROR_HIERARCHY: Status = 38;
/// What the model knows of how its clusters follow each other is not valid.
pub const EDGEMIX_ERROR_TRANSITIONS: Status = 39;
/// No signature follows the model.
pub const EDGEMIX_ERROR_NOT_SIGNED: Status = 48;
/// The public key is not a valid Ed25519 key.
pub const EDGEMIX_ERROR_KEY: Status = 49;
/// Someone else signed the model, or it was altered since.
pub const EDGEMIX_ERROR_SIGNATURE: Status = 50;
/// The model is older than what is accepted.
pub const EDGEMIX_ERROR_OLD: Status = 51;

/// The model is not valid in a way that this interface has no number for.
pub const EDGEMIX_ERROR_MODEL: Status = 63;

/// The sample has another length than the model takes.
pub const EDGEMIX_ERROR_INPUT_LENGTH: Status = 64;
/// A value of the sample is NaN or infinite.
pub const EDGEMIX_ERROR_NOT_FINITE: Status = 65;
/// The arena is shorter than the model needs.
pub const EDGEMIX_ERROR_ARENA_TOO_SHORT: Status = 66;
/// The arena does not start at a multiple of 4 bytes.
pub const EDGEMIX_ERROR_ARENA_ALIGNMENT: Status = 67;
/// The sample cannot be assigned for a reason that does not happen to a loaded model.
pub const EDGEMIX_ERROR_ASSIGN: Status = 79;

/// A window is empty, or the number of channels does not divide its length.
pub const EDGEMIX_ERROR_CHANNELS: Status = 80;
/// There are no instants from one window to the next.
pub const EDGEMIX_ERROR_STEP: Status = 81;

/// The model has no novelty table of held-out samples.
pub const EDGEMIX_ERROR_NO_HELD_OUT_SAMPLES: Status = 96;
/// The model has more clusters than there is memory for.
pub const EDGEMIX_ERROR_TOO_MANY_CLUSTERS: Status = 97;
/// The model does not know how its clusters follow each other: it was not trained on windows of a recording.
pub const EDGEMIX_ERROR_NO_TRANSITIONS: Status = 98;

pub(crate) fn of_load(error: LoadError) -> Status {
    use LoadError as E;
    let (part, fault) = match error {
        E::TooShort { .. } => return EDGEMIX_ERROR_TOO_SHORT,
        E::Magic => return EDGEMIX_ERROR_MAGIC,
        E::Major { .. } => return EDGEMIX_ERROR_VERSION,
        E::TooSlow { .. } => return EDGEMIX_ERROR_TOO_SLOW,
        E::ArenaTooLarge { .. } => return EDGEMIX_ERROR_ARENA_TOO_LARGE,
        E::Lengths => return EDGEMIX_ERROR_LENGTHS,
        E::Reserved => return EDGEMIX_ERROR_RESERVED,
        E::Checksum { .. } => return EDGEMIX_ERROR_CHECKSUM,
        E::Alignment => return EDGEMIX_ERROR_MODEL_ALIGNMENT,
        E::TrailingBytes => return EDGEMIX_ERROR_TRAILING_BYTES,
        E::Arena { .. } => return EDGEMIX_ERROR_ARENA,
        E::Macs { .. } => return EDGEMIX_ERROR_MACS,
        E::Counts => return EDGEMIX_ERROR_COUNTS,
        E::Description(fault) => (EDGEMIX_ERROR_DESCRIPTION, fault),
        E::Sample(fault) => (EDGEMIX_ERROR_SAMPLE, fault),
        E::FrontEnds(fault) => (EDGEMIX_ERROR_FRONT_ENDS, fault),
        E::Input(fault) => (EDGEMIX_ERROR_INPUT, fault),
        E::Encoder(fault) => (EDGEMIX_ERROR_ENCODER, fault),
        E::Layer { index, fault } => (EDGEMIX_ERROR_LAYER | Status::from(index) << 16, fault),
        E::Latent(fault) => (EDGEMIX_ERROR_LATENT, fault),
        E::Head(fault) => (EDGEMIX_ERROR_HEAD, fault),
        E::Hierarchy(fault) => (EDGEMIX_ERROR_HIERARCHY, fault),
        E::Transitions(fault) => (EDGEMIX_ERROR_TRANSITIONS, fault),
        E::Calibration(fault) => (EDGEMIX_ERROR_CALIBRATION, fault),
        _ => return EDGEMIX_ERROR_MODEL,
    };
    part | Status::from(faults::code(fault)) << 8
}

pub(crate) fn of_assign(error: AssignError) -> Status {
    match error {
        AssignError::InputLength { .. } => EDGEMIX_ERROR_INPUT_LENGTH,
        AssignError::NotFinite { .. } => EDGEMIX_ERROR_NOT_FINITE,
        AssignError::WorkspaceTooShort { .. } => EDGEMIX_ERROR_ARENA_TOO_SHORT,
        AssignError::WorkspaceMisaligned => EDGEMIX_ERROR_ARENA_ALIGNMENT,
        _ => EDGEMIX_ERROR_ASSIGN,
    }
}

pub(crate) fn of_stream(error: StreamError) -> Status {
    match error {
        StreamError::Step => EDGEMIX_ERROR_STEP,
        _ => EDGEMIX_ERROR_CHANNELS,
    }
}

pub(crate) fn of_drift(error: DriftError) -> Status {
    match error {
        DriftError::TooManyClusters { .. } => EDGEMIX_ERROR_TOO_MANY_CLUSTERS,
        _ => EDGEMIX_ERROR_NO_HELD_OUT_SAMPLES,
    }
}

#[cfg(feature = "smoother")]
pub(crate) fn of_smoother(error: edgemix_runtime::SmootherError) -> Status {
    match error {
        edgemix_runtime::SmootherError::TooManyClusters { .. } => EDGEMIX_ERROR_TOO_MANY_CLUSTERS,
        _ => EDGEMIX_ERROR_NO_TRANSITIONS,
    }
}

/// A status as a result of C.
pub(crate) fn of(result: Result<(), Status>) -> Status {
    match result {
        Ok(()) => EDGEMIX_OK,
        Err(status) => status,
    }
}

/// What is wrong with the part of a model that a status names; empty for a status that names none, and for a number that is no
/// status.
pub(crate) fn fault_text(status: Status) -> &'static CStr {
    if is_status(status) { faults::text((status >> 8) as u8) } else { c"" }
}

/// Whether a call can return this number, or it is one of the constants. Only a part of a model has a fault, and only a layer
/// an index.
fn is_status(status: Status) -> bool {
    let [code, fault, index, rest] = status.to_le_bytes();
    let is_fault = fault == 0 || (names_a_part(code.into()) && !faults::text(fault).is_empty());
    let is_index = index == 0 || Status::from(code) == EDGEMIX_ERROR_LAYER;
    is_fault && is_index && rest == 0
}

/// Whether a constant is an error of a part of a model.
fn names_a_part(code: Status) -> bool {
    matches!(
        code,
        EDGEMIX_ERROR_DESCRIPTION..=EDGEMIX_ERROR_CALIBRATION | EDGEMIX_ERROR_HIERARCHY | EDGEMIX_ERROR_TRANSITIONS
    )
}

/// A sentence for a status.
pub(crate) fn text(status: Status) -> &'static CStr {
    let code = if is_status(status) { status & 0xff } else { Status::MAX };
    match code {
        EDGEMIX_OK => c"it worked",
        EDGEMIX_ERROR_NULL => c"a pointer is null",
        EDGEMIX_ERROR_POINTER => c"a pointer is misaligned, or a length is beyond any memory",
        EDGEMIX_ERROR_NOT_READY => c"a struct was not filled by the function that makes it, or that function failed",
        EDGEMIX_ERROR_TOO_SHORT => c"the model is truncated",
        EDGEMIX_ERROR_MAGIC => c"not an .emx model: it does not start with EMIX",
        EDGEMIX_ERROR_VERSION => c"the model has another format version: export it again, or update the library",
        EDGEMIX_ERROR_TOO_SLOW => c"the model takes more multiply-accumulates than the limit",
        EDGEMIX_ERROR_ARENA_TOO_LARGE => c"the model needs a larger arena than the limit",
        EDGEMIX_ERROR_LENGTHS => c"the lengths in the model's header contradict each other",
        EDGEMIX_ERROR_RESERVED => c"a reserved byte of the model's header is not zero",
        EDGEMIX_ERROR_CHECKSUM => c"the model is damaged: its checksum does not match",
        EDGEMIX_ERROR_MODEL_ALIGNMENT => c"the model's bytes must start at a multiple of 16",
        EDGEMIX_ERROR_DESCRIPTION => c"the model's name or fingerprint is not valid",
        EDGEMIX_ERROR_SAMPLE => c"the model's description of samples is not valid",
        EDGEMIX_ERROR_FRONT_ENDS => c"the model's front ends are not valid",
        EDGEMIX_ERROR_INPUT => c"the model's input is not valid",
        EDGEMIX_ERROR_ENCODER => c"the model's encoder is not valid",
        EDGEMIX_ERROR_LAYER => c"a layer of the model is not valid",
        EDGEMIX_ERROR_LATENT => c"the model's latent is not valid",
        EDGEMIX_ERROR_HEAD => c"the model's head is not valid",
        EDGEMIX_ERROR_CALIBRATION => c"the model's novelty tables are not valid",
        EDGEMIX_ERROR_TRAILING_BYTES => c"the model's description goes on after its last field",
        EDGEMIX_ERROR_ARENA => c"the arena's length in the model's header is wrong",
        EDGEMIX_ERROR_MACS => c"the number of multiply-accumulates in the model's header is wrong",
        EDGEMIX_ERROR_COUNTS => c"a length or a number of clusters in the model's header is wrong",
        EDGEMIX_ERROR_HIERARCHY => c"the levels of the model's clusters are not valid",
        EDGEMIX_ERROR_TRANSITIONS => c"what the model knows of how its clusters follow each other is not valid",
        EDGEMIX_ERROR_NOT_SIGNED => c"the model is not signed",
        EDGEMIX_ERROR_KEY => c"the public key is not a valid Ed25519 key",
        EDGEMIX_ERROR_SIGNATURE => c"the model was signed with another key, or altered since",
        EDGEMIX_ERROR_OLD => c"the model is older than what is accepted",
        EDGEMIX_ERROR_MODEL => c"the model is not valid",
        EDGEMIX_ERROR_INPUT_LENGTH => c"the model takes samples of another length",
        EDGEMIX_ERROR_NOT_FINITE => c"a value of the sample is NaN or infinite",
        EDGEMIX_ERROR_ARENA_TOO_SHORT => c"the arena is shorter than the model needs",
        EDGEMIX_ERROR_ARENA_ALIGNMENT => c"the arena does not start at a multiple of 4 bytes",
        EDGEMIX_ERROR_ASSIGN => c"the sample cannot be assigned",
        EDGEMIX_ERROR_CHANNELS => {
            c"a window has at least one instant, and as many counts in each as there are channels"
        }
        EDGEMIX_ERROR_STEP => c"a step has at least one instant",
        EDGEMIX_ERROR_NO_HELD_OUT_SAMPLES => c"the model has no novelty table of held-out samples",
        EDGEMIX_ERROR_TOO_MANY_CLUSTERS => c"the model has more clusters than there is memory for",
        EDGEMIX_ERROR_NO_TRANSITIONS => c"the model does not know how its clusters follow each other",
        _ => c"no status of this library",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_with_faults_is_known_as_one() {
        let source = include_str!("status.rs");
        let (of_load, _) = source.split_once("fn of_assign").unwrap();
        let parts = of_load.matches("=> (EDGEMIX_ERROR_").count();
        assert_eq!((0..=255).filter(|&code| names_a_part(code)).count(), parts, "`names_a_part` and `of_load` differ");
    }
}
