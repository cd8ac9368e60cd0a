//! Mutations that keep to the structure of a file: they change a number of the description, a field of the header or some
//! bytes of a tensor, and mend what hangs together. Most results still reach the checks of tensors, and many are models.

use std::ops::Range;

use edgemix_format::header::HEADER_LEN;
use edgemix_format::testing::{SplitMix64, repair};
use edgemix_format::write::{AlignedBytes, mend};

/// Places of the header's fields that are not lengths: arena, multiply-accumulates and counts.
const FIELDS: Range<usize> = 28..HEADER_LEN;

/// A file that differs from `bytes` in one to three ways and has at most `most` bytes. Bytes that are no model are returned
/// as they are.
pub fn mutate(bytes: &[u8], random: &mut SplitMix64, most: usize) -> AlignedBytes {
    let Some(mut file) = Parts::of(bytes) else { return AlignedBytes::from(bytes) };
    let mut is_whole = true;
    for _ in 0..random.between(1, 3) {
        match random.between(0, 15) {
            0..=7 => file.change_number(random),
            8 => file.repeat_description(random),
            9 => file.resize_blob(random),
            10 => {
                // A header that says something else than the description.
                let at = random.between(FIELDS.start as i32, FIELDS.end as i32 - 1) as usize;
                file.header[at] = random.next_u64() as u8;
                is_whole = false;
            }
            _ => file.change_tensors(random),
        }
    }
    let mut changed = file.join();
    if changed.len() > most {
        return AlignedBytes::from(bytes);
    }
    if is_whole {
        repair(changed.as_mut());
    } else {
        mend(changed.as_mut());
    }
    changed
}

/// The three sections of a file.
struct Parts {
    header: [u8; HEADER_LEN],
    description: Vec<u8>,
    blob: Vec<u8>,
}

impl Parts {
    /// Whatever the header says of them; `None` if it says what cannot be.
    fn of(bytes: &[u8]) -> Option<Self> {
        let header = *bytes.first_chunk::<HEADER_LEN>()?;
        let word = |at: usize| header.get(at..)?.first_chunk().map(|word| u32::from_le_bytes(*word) as usize);
        let description = bytes.get(HEADER_LEN..HEADER_LEN.checked_add(word(16)?)?)?.to_vec();
        let start = word(20)?;
        let blob = bytes.get(start..start.checked_add(word(24)?)?)?.to_vec();
        Some(Self { header, description, blob })
    }

    /// A file with the right lengths.
    fn join(mut self) -> AlignedBytes {
        let start = (HEADER_LEN + self.description.len()).next_multiple_of(16);
        let total = start + self.blob.len();
        for (at, length) in [(8, total), (16, self.description.len()), (20, start), (24, self.blob.len())] {
            self.header[at..at + 4].copy_from_slice(&(length as u32).to_le_bytes());
        }
        let mut bytes = AlignedBytes::zeroed(total);
        let place = bytes.as_mut();
        place[..HEADER_LEN].copy_from_slice(&self.header);
        place[HEADER_LEN..HEADER_LEN + self.description.len()].copy_from_slice(&self.description);
        place[start..].copy_from_slice(&self.blob);
        bytes
    }

    /// Puts another number in the place of one of the description: a size, an offset, a tag or a count.
    fn change_number(&mut self, random: &mut SplitMix64) {
        let at = index(random, self.description.len());
        let Some((number, len)) = self.description.get(at..).and_then(decode) else { return };
        let number = self.other_number(number, random);
        self.description.splice(at..at + len, encode(number));
    }

    /// A number that is likely to be on the other side of a limit.
    fn other_number(&self, number: u32, random: &mut SplitMix64) -> u32 {
        const LIMITS: [u32; 16] =
            [0, 1, 2, 15, 16, 127, 128, 255, 256, 257, 1024, 1025, 65535, 65536, i32::MAX as u32, u32::MAX];
        let blob = self.blob.len() as u32;
        match random.between(0, 9) {
            0..=2 => LIMITS[index(random, LIMITS.len())],
            3 => number.wrapping_add(1),
            4 => number.wrapping_sub(1),
            5 => number.wrapping_mul(2),
            6 => number / 2,
            7 => blob,
            // The place of another tensor.
            8 => random.between(0, (blob / 16) as i32) as u32 * 16,
            _ => random.next_u64() as u32,
        }
    }

    /// Repeats a part of the description, such as a layer, or leaves it out.
    fn repeat_description(&mut self, random: &mut SplitMix64) {
        let mut ends = [index(random, self.description.len()), index(random, self.description.len())];
        ends.sort_unstable();
        let part = self.description[ends[0]..ends[1]].to_vec();
        if random.between(0, 1) == 0 {
            self.description.splice(ends[0]..ends[0], part);
        } else {
            self.description.drain(ends[0]..ends[1]);
        }
    }

    /// Cuts the blob, or adds zeros.
    fn resize_blob(&mut self, random: &mut SplitMix64) {
        let len = random.between(0, 2 * self.blob.len() as i32) as usize;
        self.blob.resize(len, 0);
    }

    /// Sets some bytes of the tensors to one value.
    fn change_tensors(&mut self, random: &mut SplitMix64) {
        const EXTREMES: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
        let start = index(random, self.blob.len());
        let len = 1 << random.between(0, 6);
        let value = EXTREMES[index(random, EXTREMES.len())];
        self.blob.iter_mut().skip(start).take(len).for_each(|byte| *byte = value);
    }
}

/// An index below `len`; 0 if there is none.
fn index(random: &mut SplitMix64, len: usize) -> usize {
    (random.next_u64() as usize).checked_rem(len).unwrap_or(0)
}

/// The varint at the beginning, and its bytes.
fn decode(bytes: &[u8]) -> Option<(u32, usize)> {
    let len = 1 + bytes.iter().take(4).take_while(|&&byte| byte >= 0x80).count();
    let groups = bytes.get(..len)?.iter().rev();
    let number = groups.fold(0u64, |number, &byte| number << 7 | u64::from(byte & 0x7f));
    Some((number as u32, len))
}

fn encode(mut number: u32) -> Vec<u8> {
    let mut bytes = vec![];
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MOST_BYTES, base, exercise};

    #[test]
    fn numbers_are_encoded_as_they_are_decoded() {
        for number in [0, 1, 127, 128, 300, 65535, 65536, u32::MAX] {
            let bytes = encode(number);
            assert_eq!(decode(&bytes), Some((number, bytes.len())));
        }
    }

    /// Mutations that were all refused at the first check would test nothing.
    #[test]
    fn many_mutations_are_models_and_many_are_not() {
        let mut random = SplitMix64::new(1);
        let outcomes: Vec<bool> = (0..500)
            .map(|_| {
                let bytes = base(&mut random, MOST_BYTES);
                exercise(&mutate(&bytes, &mut random, MOST_BYTES)).is_model
            })
            .collect();
        let models = outcomes.iter().filter(|&&is_model| is_model).count();
        assert!((50..400).contains(&models), "{models} of {} are models", outcomes.len());
    }
}
