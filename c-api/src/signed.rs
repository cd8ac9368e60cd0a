//! Signed models, for C.

use core::ffi::c_void;
use core::mem::MaybeUninit;

use edgemix_runtime::Limits;
use edgemix_runtime::signature::{KEY_LEN, SignatureError, Trust};

use crate::model;
use crate::pointers::elements;
use crate::status::{
    self, EDGEMIX_ERROR_KEY, EDGEMIX_ERROR_MODEL, EDGEMIX_ERROR_NOT_SIGNED, EDGEMIX_ERROR_NULL, EDGEMIX_ERROR_OLD,
    EDGEMIX_ERROR_SIGNATURE, Status,
};
use crate::structs::Model;

/// Checks the signature of a model and then the model, and fills `model`: for models that arrive later. No byte is looked at
/// beyond the header before it is known who signed it. `*counter` is then the model's counter. The library has this function
/// if it was built with the feature `signature`, and the header if `EDGEMIX_SIGNATURE` is defined before it is included.
///
/// `key` is the public key, 32 bytes, of whoever signs the models: the file that `edgemix keys` writes. A model whose counter is below
/// `least_counter` is refused, and so is a model above the limits, as by `edgemix_load_within`.
///
/// # Safety
/// As for `edgemix_load`, and `key` points to 32 bytes.
// C has neither slices nor options.
#[allow(clippy::too_many_arguments)]
#[cfg(feature = "signature")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_load_signed(
    model: Option<&mut MaybeUninit<Model>>,
    bytes: *const c_void,
    length: usize,
    key: *const u8,
    least_counter: u32,
    most_macs: u64,
    most_arena: usize,
    counter: Option<&mut u32>,
) -> Status {
    // SAFETY: the caller's, as above.
    let (bytes, key) = unsafe { (elements(bytes.cast(), length), elements(key, KEY_LEN)) };
    let limits = Limits { macs: most_macs, arena: most_arena };
    status::of(load(model, bytes, key, least_counter, limits, counter))
}

fn load(
    model: Option<&mut MaybeUninit<Model>>,
    bytes: Result<&'static [u8], Status>,
    key: Result<&[u8], Status>,
    least_counter: u32,
    limits: Limits,
    counter: Option<&mut u32>,
) -> Result<(), Status> {
    // An old model must not stay where this one is refused.
    let model = model::emptied(model)?;
    let key = key?.first_chunk().ok_or(EDGEMIX_ERROR_NULL)?;
    let (bytes, counter) = (bytes?, counter.ok_or(EDGEMIX_ERROR_NULL)?);
    let trust = Trust { key, least_counter, limits };
    let (checked, of_model) = edgemix_runtime::Model::from_signed_bytes(bytes, &trust).map_err(of_signature)?;
    *counter = of_model;
    model.fill(checked);
    Ok(())
}

fn of_signature(error: SignatureError) -> Status {
    match error {
        SignatureError::Load(error) => status::of_load(error),
        SignatureError::NotSigned => EDGEMIX_ERROR_NOT_SIGNED,
        SignatureError::Key => EDGEMIX_ERROR_KEY,
        SignatureError::Mismatch => EDGEMIX_ERROR_SIGNATURE,
        SignatureError::Old { .. } => EDGEMIX_ERROR_OLD,
        _ => EDGEMIX_ERROR_MODEL,
    }
}
