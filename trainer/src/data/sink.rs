//! Collecting numbers as they are read.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use super::elements::Elements;
use super::error::DataError;
use super::memory::MemoryLimit;
use super::store::{Store, Stored};

/// Collects numbers as they are read: in memory, or in a scratch file once there are more than fit into it.
pub(super) struct Sink {
    most: usize,
    len: usize,
    held: Held,
    scratch: Option<BufWriter<File>>,
}

/// Numbers in memory: bytes, until the first number that is none.
enum Held {
    Bytes(Vec<u8>),
    Numbers(Vec<f32>),
}

impl Sink {
    /// Collects in memory up to this limit, which counts four bytes for each number.
    pub(super) fn new(memory: MemoryLimit) -> Self {
        Self { most: memory.values(), len: 0, held: Held::Bytes(vec![]), scratch: None }
    }

    /// Appends numbers.
    pub(super) fn push(&mut self, values: &[f32]) -> Result<(), DataError> {
        self.len += values.len();
        if self.scratch.is_none() && self.len <= self.most {
            self.held.push(values, self.most);
            return Ok(());
        }
        let held = std::mem::replace(&mut self.held, Held::Bytes(vec![]));
        let spilled = match held {
            Held::Bytes(bytes) => self.spill(bytes.into_iter().map(f32::from)),
            Held::Numbers(numbers) => self.spill(numbers.into_iter()),
        };
        spilled.and_then(|()| self.spill(values.iter().copied())).map_err(no_scratch)
    }

    /// The scratch file has no name: the system deletes it when the program ends, however it ends.
    fn spill(&mut self, mut values: impl Iterator<Item = f32>) -> io::Result<()> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => none.insert(BufWriter::with_capacity(1 << 20, tempfile::tempfile()?)),
        };
        values.try_for_each(|x| scratch.write_all(&x.to_le_bytes()))
    }

    /// How many numbers were pushed so far.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// All numbers that were pushed.
    pub(super) fn finish(self) -> Result<Store, DataError> {
        let Some(scratch) = self.scratch else {
            return Ok(match self.held {
                Held::Bytes(mut values) => {
                    values.shrink_to_fit();
                    Store::Bytes(values)
                }
                Held::Numbers(mut values) => {
                    values.shrink_to_fit();
                    Store::Memory(values)
                }
            });
        };
        let file = scratch.into_inner().map_err(|error| no_scratch(error.into_error()))?;
        let path = std::env::temp_dir();
        let (elements, len) = (Elements::f32(), self.len);
        Ok(Store::File(Stored { path, file, offset: 0, elements, len, origins: None, is_in_place: false }))
    }
}

impl Held {
    /// Appends numbers, and takes memory for no more than `most` of them.
    fn push(&mut self, values: &[f32], most: usize) {
        if let Self::Bytes(bytes) = self {
            if values.iter().all(|&x| byte(x).is_some()) {
                make_room(bytes, values.len(), most);
                bytes.extend(values.iter().filter_map(|&x| byte(x)));
                return;
            }
            let mut numbers = Vec::new();
            make_room(&mut numbers, bytes.len() + values.len(), most);
            numbers.extend(bytes.iter().map(|&x| f32::from(x)));
            *self = Self::Numbers(numbers);
        }
        if let Self::Numbers(numbers) = self {
            make_room(numbers, values.len(), most);
            numbers.extend_from_slice(values);
        }
    }
}

/// The byte that has exactly this number's bits as f32: -0 has none.
fn byte(x: f32) -> Option<u8> {
    let byte = x as u8;
    (f32::from(byte).to_bits() == x.to_bits()).then_some(byte)
}

/// Makes room for `more` elements, by doubling up to `most` elements in all.
fn make_room<T>(held: &mut Vec<T>, more: usize, most: usize) {
    let len = held.len() + more;
    if len > held.capacity() {
        let capacity = len.max(2 * held.capacity()).min(most);
        held.reserve_exact(capacity - held.len());
    }
}

fn no_scratch(source: io::Error) -> DataError {
    DataError::Scratch { folder: std::env::temp_dir(), source }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever numbers come in whatever parts, and wherever they are held, they have their bits.
        #[test]
        fn numbers_keep_their_bits(
            parts in prop::collection::vec(prop::collection::vec(prop_oneof![
                8 => (0u8..=255).prop_map(f32::from),
                1 => prop::num::f32::ANY,
                1 => prop::sample::select(vec![-0.0, -1.0, 0.5, 256.0, f32::NAN, f32::INFINITY]),
            ], 0..9), 0..9),
            most in 0u64..60,
        ) {
            let mut sink = Sink::new(MemoryLimit(4 * most));
            let all = parts.concat();
            for part in &parts {
                sink.push(part).unwrap();
            }
            prop_assert_eq!(sink.len(), all.len());
            let store = sink.finish().unwrap();
            let mut found = vec![];
            store.read(0, store.len(), &mut found).unwrap();
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&found), bits(&all));
            let are_bytes = all.iter().all(|&x| (0..=255u8).any(|byte| f32::from(byte).to_bits() == x.to_bits()));
            prop_assert_eq!(matches!(store, Store::Bytes(_)), are_bytes && all.len() as u64 <= most);
            prop_assert_eq!(matches!(store, Store::File(_)), all.len() as u64 > most);
        }
    }
}
