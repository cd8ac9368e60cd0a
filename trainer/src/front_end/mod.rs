//! Front ends: integer features of a raw window, which take the place of the window before it is scaled.
//!
//! The features are computed by the runtime, from raw counts, so that training sees what the chip will see, to the bit.
//! Settings say what is wanted ([`FrontEndSettings`]), and become a front end of given windows ([`FrontEnd`]).

mod bands;
mod choice;
mod error;
mod filter;
mod settings;
mod spectrum;
mod spelling;

pub use bands::Spacing;
pub use error::FrontEndError;
pub use settings::{Filtering, FrontEndKind, FrontEndSettings, Pooling, Statistic, Tapering};
pub use spectrum::FrontEnd;
