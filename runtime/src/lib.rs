//! Runs an `.emx` model: finds the cluster of a sample, the posterior probability of that cluster, and how novel the
//! sample is.
//!
//! Inference uses integers only, allocates nothing, cannot panic, and gives the same bits on every chip. f32 appears in
//! two places: quantising a sample of f32 values, and converting integer log-densities into a
//! [posterior](Assignment::posterior) and into numbers for people.
//!
//! ```
//! use edgemix_runtime::{Model, Workspace, arena_len, include_model};
//!
//! # macro_rules! path { () => { concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx") } }
//! # fn act_on(_: u16, _: f32) {}
//! # let counts = [0u8; 64];
//! static MODEL: &[u8] = include_model!(path!());         // "digits.emx"
//! const ARENA: usize = arena_len(MODEL);                 // bytes of RAM, a constant
//!
//! let model = Model::from_bytes(MODEL).unwrap();         // checks the whole file once
//! let mut workspace = Workspace::<ARENA>::new();
//! let found = model.assign_raw(&counts, &mut workspace).unwrap(); // u8, i8 or i16 counts
//! if !found.novelty.is_novel(0.01) {
//!     act_on(found.cluster, found.posterior(found.cluster));
//! }
//! ```
//!
//! [`DriftMonitor`] tests whether samples still resemble those that the model was trained on. [`Stream`] makes windows of
//! counts that come one by one, and [`Smoother`] corrects the cluster of a window by the windows before it.
//!
//! # Features
//!
//! The features of this table are on by default. Each adds the code for one kind of model; without it, a model that
//! needs it is refused when it is loaded.
//!
//! | feature | models with |
//! |---|---|
//! | `activations` | leaky ReLUs, tables and curves after layers |
//! | `autoencoders` | one autoencoder per cluster |
//! | `convolution` | convolutions |
//! | `filter` | a filter of a raw window before its spectrum |
//! | `full-covariance` | mixtures of full covariance |
//! | `held-out` | novelty tables of held-out samples |
//! | `levels` | coarser levels of their clusters |
//! | `pooling` | poolings |
//! | `softmax` | softmax heads |
//! | `signal-shape` | crest factor, skewness and kurtosis in a spectrum |
//! | `spectrum` | a spectrum of a raw window before the encoder |
//!
//! `smoother`, also on by default, smooths the clusters of successive windows; without it, models run as if they knew
//! nothing of how their clusters follow each other.
//!
//! `signature` reads models that are signed, and updates a model in flash.
//!
//! `batch`, for hosts, assigns many samples at once ([`Batch`]). It is the one part that allocates.
//!
//! `defmt` implements `defmt::Format` for all public types. `dsp` says that a `thumbv8m.main` core has the DSP
//! extension, and `mve` that it has the vector extension MVE, also called Helium, which the program must have enabled, as
//! those for `thumbv8m.main-none-eabihf` do.
//!
//! # Where things are
//!
//! [`front_ends`] computes features of raw windows, [`kernels`] runs layers, [`heads`] turns latents into scores, and
//! [`view`] is a checked file.
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs)]

#[cfg(all(feature = "batch", edgemix_core = "host"))]
extern crate alloc;

mod assignment;
#[cfg(all(feature = "batch", edgemix_core = "host"))]
mod batch;
#[cfg(feature = "smoother")]
mod cluster_filter;
mod drift;
mod drift_test;
mod error;
pub mod front_ends;
pub mod heads;
mod input;
pub mod kernels;
mod model;
mod network;
#[cfg(feature = "smoother")]
mod smoother;
mod stream;
#[cfg(feature = "signature")]
pub mod update;
mod workspace;

pub use assignment::{Assignment, LevelAssignment, LogDensity, Novelty};
#[cfg(all(feature = "batch", edgemix_core = "host"))]
pub use batch::{Batch, BatchAssignment, BatchWorkspace};
#[cfg(feature = "smoother")]
pub use cluster_filter::{ClusterBelief, ClusterFilter};
pub use drift::DriftMonitor;
pub use drift_test::{ClusterDrift, DriftTest};
#[cfg(feature = "signature")]
pub use edgemix_format::signature;
pub use edgemix_format::{
    Fault, Feature, Limits, LoadError, arena_len, header, input_len, latent_len, macs, n_clusters, n_components, view,
};
#[cfg(feature = "smoother")]
pub use error::SmootherError;
pub use error::{AssignError, DriftError};
pub use input::RawCount;
pub use model::Model;
#[cfg(feature = "smoother")]
pub use smoother::Smoother;
pub use stream::{Stream, StreamError, Window, Windows};
pub use workspace::Workspace;

/// Embeds a model file with the alignment that [`Model::from_bytes`] needs, as a `&'static [u8]` for a `const` or
/// `static`.
///
/// As for `include_bytes!`, the path is relative to the file that calls the macro. A file that is truncated, or is not
/// a model of a version that this crate reads, is a compile error. Only the header is checked here;
/// [`Model::from_bytes`] checks the rest.
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
            "not a complete .emx model of a version that this edgemix-runtime reads"
        );
        let bytes: &'static [u8] = &FILE.0;
        bytes
    }};
}
