//! The arena: how many bytes of RAM one inference needs, exactly.
//!
//! Activations lie in the arena as int16, also those that are int8 values: kernels read them without widening them
//! first, and the latent needs the width anyway. Each layer reads from one end of the arena and writes to the other,
//! so the arena is as long as the largest sum of two neighbours and of what the layer between them works in. That lies
//! in the middle and begins at an even element.

/// What a layer asks of the arena, in elements of 16 bits. See [`arena_len`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// What it writes.
    pub outputs: usize,
    /// What it works in.
    pub scratch: usize,
}

impl From<usize> for Room {
    /// A layer that works in nothing but its input and output.
    fn from(outputs: usize) -> Self {
        Self { outputs, scratch: 0 }
    }
}

/// Elements that layers need which run one after another, from `input` elements on, and the last one's outputs.
///
/// `None` if they do not fit `usize`.
///
/// ```
/// use edgemix_format::plan::{Room, network};
///
/// // 64 -> 256 -> 10.
/// assert_eq!(network(64, [256, 10].map(Room::from)), Some((64 + 256, 10)));
/// ```
pub fn network(input: usize, layers: impl IntoIterator<Item = Room>) -> Option<(usize, usize)> {
    let mut most = input;
    let mut before = input;
    for Room { outputs, scratch } in layers {
        let (mut both, mut after) = (before, outputs);
        if scratch > 0 {
            (both, after) = (both.checked_next_multiple_of(2)?, after.checked_next_multiple_of(2)?);
        }
        most = both.checked_add(after)?.checked_add(scratch)?.max(most);
        before = outputs;
    }
    Some((most, before))
}

/// Bytes of RAM for a sample of `input` elements, the encoder's layers, the last of which gives the latent, and a head
/// with `n_components` 32-bit scores that works in `head` more elements. A multiple of 4; `None` if it does not fit
/// `usize`.
///
/// ```
/// use edgemix_format::plan::{Room, arena_len};
///
/// // 64 -> 256 -> 10, then 12 components: the first layer's two ends are the largest.
/// assert_eq!(arena_len(64, [256, 10].map(Room::from), 12, 0), Some(2 * (64 + 256)));
/// // 50 filters of 4 x 4 over 28 x 28, then 50 of 5 x 5 x 50, whose patches are gathered one by one.
/// let layers = [(13 * 13 * 50, 16), (7 * 7 * 50, 1250)].map(|(outputs, scratch)| Room { outputs, scratch });
/// assert_eq!(arena_len(28 * 28, layers.into_iter().chain([Room::from(10)]), 10, 0), Some(24_300));
/// ```
pub fn arena_len(
    input: usize,
    layers: impl IntoIterator<Item = Room>,
    n_components: usize,
    head: usize,
) -> Option<usize> {
    let (most, latent) = network(input, layers)?;
    let beside = n_components.checked_mul(2)?.checked_add(head)?;
    let scored = latent.checked_next_multiple_of(2)?.checked_add(beside)?;
    most.max(scored).checked_next_multiple_of(2)?.checked_mul(2)
}
