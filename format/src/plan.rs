//! The arena: how many bytes of RAM one inference needs, exactly.
//!
//! Activations are stored in the arena as int16, int8 values too: kernels then read them without widening them first, and
//! the latent needs the width anyway. Each layer reads from one end of the arena and writes to the other, so the arena is
//! as long as the largest sum of two neighbouring outputs and of the scratch memory of the layer between them. Scratch
//! memory lies in the middle and begins at an even element.

/// The memory that a layer needs beside its input, in elements of 16 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerMemory {
    /// Number of outputs.
    pub outputs: usize,
    /// Elements of scratch memory.
    pub scratch: usize,
}

impl From<usize> for LayerMemory {
    /// A layer without scratch memory.
    fn from(outputs: usize) -> Self {
        Self { outputs, scratch: 0 }
    }
}

/// The memory of a front end, which runs before the layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrontEndMemory {
    /// Number of features, 16 bits each.
    pub features: usize,
    /// Words of 32 bits of scratch memory, which begins at an even element after the features.
    pub scratch: usize,
}

/// The bytes of RAM that front ends need which run one after another: the features of the last, and the scratch memory of
/// all, since each computes what the next one asks for. The window is not in the arena.
///
/// The result is a multiple of 4; `None` if it does not fit `usize`.
///
/// ```
/// use edgemix_format::plan::{FrontEndMemory, front_ends};
///
/// let spectrum = FrontEndMemory { features: 61, scratch: 200 };
/// assert_eq!(front_ends([spectrum]), Some(2 * 62 + 4 * 200));
/// let filter = FrontEndMemory { features: 384, scratch: 30 };
/// assert_eq!(front_ends([filter, spectrum]), Some(2 * 62 + 4 * 230));
/// ```
pub fn front_ends(memories: impl IntoIterator<Item = FrontEndMemory>) -> Option<usize> {
    let (mut last, mut all): (usize, usize) = (0, 0);
    for FrontEndMemory { features, scratch } in memories {
        last = features.checked_next_multiple_of(2)?.checked_mul(2)?;
        all = scratch.checked_mul(4)?.checked_add(all)?;
    }
    all.checked_add(last)
}

/// The elements that layers need which run one after another on `input` elements, and the number of outputs of the last
/// one.
///
/// `None` if the number does not fit `usize`.
///
/// ```
/// use edgemix_format::plan::{LayerMemory, network};
///
/// // 64 -> 256 -> 10.
/// assert_eq!(network(64, [256, 10].map(LayerMemory::from)), Some((64 + 256, 10)));
/// ```
pub fn network(input: usize, layers: impl IntoIterator<Item = LayerMemory>) -> Option<(usize, usize)> {
    let mut most = input;
    let mut before = input;
    for LayerMemory { outputs, scratch } in layers {
        let (mut both, mut after) = (before, outputs);
        if scratch > 0 {
            (both, after) = (both.checked_next_multiple_of(2)?, after.checked_next_multiple_of(2)?);
        }
        most = both.checked_add(after)?.checked_add(scratch)?.max(most);
        before = outputs;
    }
    Some((most, before))
}

/// The bytes of RAM that a model needs whose sample has `input` elements and whose head gives `n_components` 32-bit
/// scores and has `head_scratch` elements of scratch memory.
///
/// The result is a multiple of 4; `None` if it does not fit `usize`.
///
/// ```
/// use edgemix_format::plan::{LayerMemory, arena_len};
///
/// // 64 -> 256 -> 10, then 12 components: the first layer's input and output are the largest.
/// assert_eq!(arena_len(64, [256, 10].map(LayerMemory::from), 12, 0), Some(2 * (64 + 256)));
/// // 50 filters of 4 x 4 over 28 x 28, then 50 of 5 x 5 x 50, whose patches are gathered one by one.
/// let layers = [(13 * 13 * 50, 16), (7 * 7 * 50, 1250)].map(|(outputs, scratch)| LayerMemory { outputs, scratch });
/// assert_eq!(arena_len(28 * 28, layers.into_iter().chain([LayerMemory::from(10)]), 10, 0), Some(24_300));
/// ```
pub fn arena_len(
    input: usize,
    layers: impl IntoIterator<Item = LayerMemory>,
    n_components: usize,
    head_scratch: usize,
) -> Option<usize> {
    let (most, latent) = network(input, layers)?;
    let beside = n_components.checked_mul(2)?.checked_add(head_scratch)?;
    let scored = latent.checked_next_multiple_of(2)?.checked_add(beside)?;
    most.max(scored).checked_next_multiple_of(2)?.checked_mul(2)
}
