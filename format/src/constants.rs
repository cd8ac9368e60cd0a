//! What a compiler can read of a model's header: constants of a program that embeds it.

/// The major version that this crate reads and writes; it refuses files of another one.
pub const MAJOR: u16 = 1;
/// Length of the header in bytes; the description follows.
pub const HEADER_LEN: usize = 64;
/// The four bytes that a model starts with.
pub const MAGIC: [u8; 4] = *b"EMIX";

/// Bytes of RAM that one inference needs: the length of the model's `Workspace`. 0 if the bytes are not a model.
///
/// A `const fn`, so that the workspace can be a `static`:
///
/// ```
/// use edgemix_format::{arena_len, input_len};
///
/// static MODEL: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// static mut _WORKSPACE: [u8; arena_len(MODEL)] = [0; arena_len(MODEL)];
/// assert!(arena_len(MODEL) >= 2 * input_len(MODEL));
/// assert_eq!(arena_len(b"not a model"), 0);
/// ```
pub const fn arena_len(model: &[u8]) -> usize {
    field(model, 28) as usize
}

/// Multiply-accumulates of one inference, and other steps that take as long: its time grows with them. 0 if the bytes are
/// not a model.
///
/// ```
/// # static MODEL: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// const MACS: u64 = edgemix_format::macs(MODEL);
/// assert!(MACS > 10_000);
/// ```
pub const fn macs(model: &[u8]) -> u64 {
    field(model, 32) as u64 | (field(model, 36) as u64) << 32
}

/// Number of elements of one sample. 0 if the bytes are not a model.
///
/// ```
/// # static MODEL: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// // Digits of 8 x 8 pixels.
/// const SAMPLE: [u8; edgemix_format::input_len(MODEL)] = [0; 64];
/// # let _ = SAMPLE;
/// ```
pub const fn input_len(model: &[u8]) -> usize {
    field(model, 40) as usize
}

/// Number of elements of the latent. 0 if the bytes are not a model.
///
/// ```
/// # static MODEL: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// assert_eq!(edgemix_format::latent_len(MODEL), 10);
/// ```
pub const fn latent_len(model: &[u8]) -> usize {
    (field(model, 44) & 0xffff) as usize
}

/// Number of components of the mixture. 0 if the bytes are not a model.
///
/// ```
/// use edgemix_format::{n_clusters, n_components};
///
/// # static MODEL: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// // A cluster is one component or several.
/// assert!(n_components(MODEL) >= n_clusters(MODEL));
/// ```
pub const fn n_components(model: &[u8]) -> usize {
    (field(model, 44) >> 16) as usize
}

/// Number of clusters. 0 if the bytes are not a model.
///
/// ```
/// # static MODEL: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// static NAMES: [&str; edgemix_format::n_clusters(MODEL)] = ["?"; edgemix_format::n_clusters(MODEL)];
/// # let _ = NAMES;
/// ```
pub const fn n_clusters(model: &[u8]) -> usize {
    (field(model, 48) & 0xffff) as usize
}

/// Whether the bytes have a whole header of this major version and the length it says: what `include_model!` asserts.
///
/// ```
/// use edgemix_format::header::is_model;
///
/// static MODEL: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// const _: () = assert!(is_model(MODEL));
/// assert!(!is_model(&MODEL[1..]));
/// ```
pub const fn is_model(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER_LEN && field(bytes, 4) & 0xffff == MAJOR as u32 && field(bytes, 8) as usize == bytes.len()
}

/// Whether the bytes are long enough for a header and start with the magic.
pub(crate) const fn has_magic(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER_LEN && word(bytes, 0) == u32::from_le_bytes(MAGIC)
}

/// The little-endian word at `offset`; 0 if the bytes are not a model.
const fn field(bytes: &[u8], offset: usize) -> u32 {
    if has_magic(bytes) { word(bytes, offset) } else { 0 }
}

/// The little-endian word at `offset`; 0 after the end.
pub(crate) const fn word(bytes: &[u8], offset: usize) -> u32 {
    match bytes.split_at_checked(offset) {
        Some((_, rest)) => match rest.first_chunk::<4>() {
            Some(word) => u32::from_le_bytes(*word),
            None => 0,
        },
        None => 0,
    }
}
