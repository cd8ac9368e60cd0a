//! Valid models made from a few numbers and a seed, for tests. Feature `testing`.
//!
//! The same [`Spec`] gives the same bytes on every host. Weights and samples mean nothing; they are chosen so that
//! values spread over their ranges and saturate now and then. Scaling is exact: a raw sample and the same sample in
//! the data's unit (`origin + raw * count`, in f32) become the same integers.
//!
//! ```
//! use edgemix_format::{File, testing::Spec};
//!
//! let bytes = Spec::default().build().unwrap();
//! assert_eq!(File::from_bytes(&bytes).unwrap().latent.len, 3);
//! ```

mod build;
mod costly;
mod maker;
mod random;
mod spec;

pub use build::{assemble, repair};
pub use costly::costly;
pub use random::SplitMix64;
pub use spec::*;
