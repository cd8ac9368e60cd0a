//! Sums in plain Rust for cores without vector or DSP instructions: four rows at a time, so that each input is loaded
//! once for four products.

use super::blocks::DenseKernel;

/// Four rows at a time in plain Rust.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

impl DenseKernel for Scalar {
    const TILE: usize = 4;
    const MIN_INPUTS: usize = 1;
    type Sums = [i32; 48];

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let columns = x.len().max(1);
        let (bias, last_bias) = bias.as_chunks::<4>();
        let (sums, last_sums) = sums.as_chunks_mut::<4>();
        let mut tiles = weights.chunks_exact(4 * columns);
        for ((sums, bias), tile) in sums.iter_mut().zip(bias).zip(&mut tiles) {
            if let Some(four) = tile_of_four(tile, x, *bias) {
                *sums = four;
            }
        }
        let rows = tiles.remainder().chunks_exact(columns);
        for ((sum, &bias), row) in last_sums.iter_mut().zip(last_bias).zip(rows) {
            *sum = bias + row.iter().zip(x).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum::<i32>();
        }
    }
}

/// Number of columns per step. Their addresses differ by constants, so that pointers advance once per step.
const STEP: usize = 8;

/// The sums of a tile. `None` if it does not have four rows of the length of `x`.
#[inline]
fn tile_of_four(tile: &[i8], x: &[i16], mut sums: [i32; 4]) -> Option<[i32; 4]> {
    let n = x.len();
    let (first, rest) = tile.split_at_checked(n)?;
    let (second, rest) = rest.split_at_checked(n)?;
    let (third, fourth) = rest.split_at_checked(n)?;
    let rows = [first, second, third, fourth].map(<[i8]>::as_chunks::<STEP>);
    let (x, last_x) = x.as_chunks::<STEP>();
    let [(a, last_a), (b, last_b), (c, last_c), (d, last_d)] = rows;
    for ((((a, b), c), d), x) in a.iter().zip(b).zip(c).zip(d).zip(x) {
        add(&mut sums, [a, b, c, d], x);
    }
    add(&mut sums, [last_a, last_b, last_c, last_d], last_x);
    Some(sums)
}

#[inline(always)]
fn add([a, b, c, d]: &mut [i32; 4], [p, q, r, s]: [&[i8]; 4], x: &[i16]) {
    for ((((&p, &q), &r), &s), &x) in p.iter().zip(q).zip(r).zip(s).zip(x) {
        let x = i32::from(x);
        *a += i32::from(p) * x;
        *b += i32::from(q) * x;
        *c += i32::from(r) * x;
        *d += i32::from(s) * x;
    }
}
