//! What the other layers stand on: random streams, arrays, comparisons of clusterings, names that a user misspelt, and text.
//! Nothing here imports from the rest of the crate.

pub(crate) mod array_serde;
pub(crate) mod arrays;
pub mod metrics;
pub(crate) mod names;
pub mod random;
pub mod stop;
pub(crate) mod text;
pub mod variant;
