//! Runs an `.emx` model: which cluster a sample belongs to, how sure that is, and how novel the sample is.
//!
//! Integers only, no heap, no panic, the same bits on every chip. f32 stands at two edges: quantising an f32 sample,
//! and turning integer log-densities into a [posterior](Assignment::posterior) and numbers for a person.
//!
//! ```
//! use edgemix_runtime::{Model, Workspace, arena_len, include_model};
//!
//! # macro_rules! path { () => { concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx") } }
//! # fn act_on(_: u16, _: f32) {}
//! # let counts = [0u8; 64];
//! static MODEL: &[u8] = include_model!(path!());         // "digits.emx"
//! const ARENA: usize = arena_len(MODEL);                 // exact RAM, known before the program is built
//!
//! let model = Model::from_bytes(MODEL).unwrap();         // checks everything, once
//! let mut workspace = Workspace::<ARENA>::new();
//! let found = model.assign_raw(&counts, &mut workspace).unwrap(); // u8, i8 or i16 as the sensor gives them
//! if !found.novelty.is_novel(0.01) {
//!     act_on(found.cluster, found.posterior(found.cluster));
//! }
//! ```
//!
//! [`Drift`] watches whether samples are still what the model was trained on.
//!
//! Features, all on: `activations` (leaky ReLUs, tables and curves), `autoencoders`, `convolution`, `full-covariance` and
//! `softmax` run models that have such layers or heads, `held-out` those with novelty tables of held-out samples; a firmware
//! whose model has none saves their code with `default-features = false`, and refuses those that have.
//!
//! The room for the next kernel is [`kernels`], for the next head [`heads`].
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod assignment;
mod drift;
mod error;
pub mod heads;
mod input;
pub mod kernels;
mod model;
mod network;
mod workspace;

pub use assignment::{Assignment, LogDensity, Novelty};
pub use drift::Drift;
pub use edgemix_format::{Fault, LoadError, arena_len, header, input_len, latent_len, n_clusters, n_components, view};
pub use error::{AssignError, DriftError};
pub use input::Raw;
pub use model::Model;
pub use workspace::Workspace;

/// Embeds a model file, aligned as [`Model::from_bytes`] needs it: a `&'static [u8]`, usable in a `const` or `static`.
///
/// The path is relative to the file that calls the macro, as for `include_bytes!`. A file that is not a model of this
/// version, or not a whole one, is a compile error.
///
/// ```
/// static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// assert!(MODEL.as_ptr() as usize % 16 == 0);
/// ```
///
/// ```compile_fail
/// static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
/// ```
#[macro_export]
macro_rules! include_model {
    ($path:expr $(,)?) => {{
        #[repr(C, align(16))]
        struct Aligned<T: ?Sized>(T);
        const FILE: &Aligned<[u8; include_bytes!($path).len()]> = &Aligned(*include_bytes!($path));
        const _: () = assert!(
            $crate::header::is_model(&FILE.0),
            "not an .emx model of the version that this edgemix-runtime reads"
        );
        let bytes: &'static [u8] = &FILE.0;
        bytes
    }};
}
