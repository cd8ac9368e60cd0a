//! Sums for cores whose assembly computes one tile of four rows per call: ARMv6-M and 32-bit RISC-V.
#![allow(unsafe_code)]

use super::super::blocks::{DenseKernel, tiled};
#[cfg(edgemix_core = "baseline")]
use super::baseline::tile_of_four;
#[cfg(edgemix_core = "riscv")]
use super::riscv::tile_of_four;

/// Four rows per call of the core's `tile_of_four`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FourRows;

impl DenseKernel for FourRows {
    const TILE: usize = 4;
    const MIN_INPUTS: usize = 1;
    type Sums = [i32; 48];

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let columns = x.len();
        tiled::<Self>([weights.len(), columns, bias.len(), sums.len()], |row, tiles| {
            for begin in (row..).step_by(Self::TILE).take(tiles) {
                // SAFETY: `tiled` has checked that each of the four rows from `begin` has `columns` weights, a bias and
                // a sum, and that there is at least one input.
                unsafe {
                    tile_of_four(
                        weights.as_ptr().add(begin * columns),
                        columns,
                        x.as_ptr(),
                        bias.as_ptr().add(begin),
                        sums.as_mut_ptr().add(begin),
                    );
                }
            }
        });
    }
}
