//! The limits of the format. Several of them keep the runtime's integers from overflowing.

/// Tensors start at multiples of this many bytes in the blob, and the blob starts at such a multiple in the file.
pub const BLOB_ALIGNMENT: usize = 16;
/// The greatest number of layers of an encoder, or of one network of an autoencoder head.
pub const MAX_LAYERS: usize = 16;
/// The greatest number of front ends.
pub const MAX_FRONT_ENDS: usize = 2;
/// The greatest number of second-order sections of a filter.
pub const MAX_SECTIONS: usize = 8;
/// The greatest number of levels above the clusters.
pub const MAX_LEVELS: usize = 8;
/// The greatest number of instants of a window that a spectrum takes. It keeps the sum of their counts within 32 bits.
pub const MAX_INSTANTS: usize = 1 << 15;
/// The greatest number of frames of a window. It keeps the sum of their energies within 64 bits.
pub const MAX_FRAMES: usize = 256;
/// The greatest number of latent elements. It keeps a mixture's sum of squares within 64 bits.
pub const MAX_LATENT: usize = 1024;
/// The greatest number of elements that a layer takes or gives, and of weights in one of its rows. It keeps a sum of int8
/// products within 2^30.
pub const MAX_INPUTS: usize = 1 << 16;
/// The absolute value of a layer's bias is below this limit, which keeps the sum within 32 bits. So is that of an offset
/// of a spherical or diagonal mixture.
pub const MAX_BIAS: u32 = 1 << 30;
/// The greatest absolute value of a center, in units of 2^-15: that of an int16. It keeps the distance of a raw count from it
/// within 32 bits.
pub const MAX_CENTER: u32 = 1 << 30;
