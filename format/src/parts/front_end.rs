//! Front ends: integer features of a raw window, computed before the input is scaled.
//!
//! The format has a place for them, but defines none yet: the list of every model is empty. A front end becomes a variant
//! of [`FrontEndRecord`], and its features take the place of the raw sample that [`Input`](super::input::Input) scales.

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::error::{Fault, ensure};
use crate::limits::MAX_FRONT_ENDS;

/// Front ends as the description encodes them, in the order they run.
pub type FrontEndRecords = heapless::Vec<FrontEndRecord, MAX_FRONT_ENDS>;

/// A front end as the description encodes it. This version defines none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FrontEndRecord {}

/// Decodes the list, which must be empty: this version knows no variant that could be in it.
pub(crate) fn decode(cursor: &mut Cursor) -> Result<(), Fault> {
    let n_front_ends: u32 = cursor.next()?;
    ensure(n_front_ends == 0, Fault::UnknownVariant)
}
