//! Whole models for comparing cores, with heads whose views cannot be built by hand.

use edgemix_runtime::{Model, Workspace, include_model};

use crate::cases::Digest;

/// The [`Digest`] of the scores of all [`models`].
pub(crate) const MODELS: u32 = 0x9158_c891;

static FILES: [&[u8]; 5] = [
    include_model!("../../../format/tests/golden/autoencoders.emx"),
    include_model!("../../../format/tests/golden/convolution.emx"),
    include_model!("../../../format/tests/golden/filter.emx"),
    include_model!("../../../format/tests/golden/pooling.emx"),
    include_model!("../../../format/tests/golden/spectrum.emx"),
];

/// Assigns samples of extremes and of numbers in between. Returns the digest of the scores, or `None` if a model is
/// refused.
pub(crate) fn models() -> Option<u32> {
    let mut digest = Digest::START;
    for file in FILES {
        let model = Model::from_bytes(file).ok()?;
        let mut workspace = Workspace::<1024>::new();
        for turn in 0..40i16 {
            let mut raw = [0i16; 98];
            for (x, i) in raw.iter_mut().zip(0i16..) {
                *x = match turn {
                    0 => i16::MIN,
                    1 => i16::MAX,
                    _ => (i * 37 + turn * 101) % 331 - 100,
                };
            }
            let found = model.assign_raw(raw.get(..model.input_len())?, &mut workspace).ok()?;
            found.scores().iter().for_each(|score| digest.add(score.to_le_bytes()));
        }
    }
    Some(digest.0)
}
