//! Stands for an accelerometer's driver: replays a recording block by block, as a sensor's memory is read out. Replace it by
//! the driver of yours.
//!
//! The recording is read twice. The first time the sensor's memory overflows once. Then the sensor restarts, and from there
//! on it rattles, as if it had come loose.

/// Instants in a second.
pub(crate) const RATE: u64 = 25;
/// Counts of an instant: x, y, z.
pub(crate) const CHANNELS: usize = 3;

/// Counts of 0.02 g, little-endian.
static RECORDING: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/wearer.i16"));

/// Counts of a block: of a second, which is no multiple of a window.
const BLOCK: usize = CHANNELS * RATE as usize;
/// The block before which the memory overflows, and how many instants are lost.
const OVERFLOW: (usize, u64) = (40, 60);

/// What reading the sensor gives.
pub(crate) enum Reading<'s> {
    /// Counts, one instant after another.
    Counts(&'s [i16]),
    /// The memory was full: so many instants were lost.
    Lost(u64),
    /// The sensor was switched off and on again. Nobody knows for how long.
    Restarted,
    /// The recording is over.
    End,
}

/// The sensor.
pub(crate) struct Sensor {
    block: [i16; BLOCK],
    /// Blocks that were read.
    n_blocks: usize,
    has_lost: bool,
    is_loose: bool,
}

impl Sensor {
    pub(crate) fn new() -> Self {
        Self { block: [0; BLOCK], n_blocks: 0, has_lost: false, is_loose: false }
    }

    pub(crate) fn read(&mut self) -> Reading<'_> {
        if self.n_blocks == OVERFLOW.0 && !self.has_lost {
            self.has_lost = true;
            return Reading::Lost(OVERFLOW.1);
        }
        let Some(block) = RECORDING.chunks_exact(2 * BLOCK).nth(self.n_blocks) else {
            if self.is_loose {
                return Reading::End;
            }
            (self.n_blocks, self.is_loose) = (0, true);
            return Reading::Restarted;
        };
        self.n_blocks += 1;
        let (counts, _) = block.as_chunks::<2>();
        for ((x, &count), index) in self.block.iter_mut().zip(counts).zip(0..) {
            // Every other instant is 12 counts off.
            let rattle = if self.is_loose && index / CHANNELS % 2 == 0 { 12 } else { 0 };
            *x = i16::from_le_bytes(count) + rattle;
        }
        Reading::Counts(&self.block)
    }
}
