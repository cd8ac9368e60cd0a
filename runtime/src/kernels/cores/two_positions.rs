//! Convolutions on cores with the DSP extension: two positions and two filters at a time, so that the weights and inputs of a
//! step are loaded and widened once for two products each.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use edgemix_format::view::Conv2d;

use super::super::Width;
use super::super::blocks;
use super::super::gather::{gather, positions};
use super::dsp::Dsp;

/// Number of columns per step.
const STEP: usize = 4;
/// Number of filters whose sums lie on the stack. The assembly knows the size of these.
const ROWS: usize = 64;

/// Computes a convolution as [`portable::convolution`](super::super::portable::convolution) does. `patch` has an element for each
/// weight of a filter. Returns false, and computes nothing, if there are too few filters, weights or positions.
pub(super) fn run(layer: &Conv2d, width: Width, input: &[i16], output: &mut [i16], patch: &mut [i16]) -> bool {
    let (taps, n_filters) = (layer.filters.inputs, layer.filters.bias.len());
    if taps < STEP || n_filters < 2 || patch.len() != taps || output.len() < 2 * n_filters {
        return false;
    }
    let mut positions = positions(&layer.window);
    let mut pairs = output.chunks_exact_mut((2 * n_filters).max(1));
    for outputs in &mut pairs {
        let Some((both, (first, second))) =
            positions.next().zip(positions.next()).zip(outputs.split_at_mut_checked(n_filters))
        else {
            return true;
        };
        // Inputs are int8 and there is room for them twice.
        let patches: &mut [i8] = bytemuck::cast_slice_mut(patch);
        for (patch, (row, column)) in patches.chunks_exact_mut(taps).zip([both.0, both.1]) {
            gather(layer, row, column, input, patch, |x| x as i8);
        }
        if pair(layer, width, patches, first, second).is_none() {
            return true;
        }
    }
    if let Some((row, column)) = positions.next() {
        gather(layer, row, column, input, patch, |x| x);
        blocks::dense::<Dsp>(&layer.filters, width, patch, pairs.into_remainder());
    }
    true
}

/// Computes the outputs of two positions, whose inputs are in `patches`. `None` if a filter lacks something, which a checked
/// file rules out.
fn pair(layer: &Conv2d, width: Width, patches: &[i8], first: &mut [i16], second: &mut [i16]) -> Option<()> {
    let filters = &layer.filters;
    let mut sums = [[0; ROWS]; 2];
    let mut row = 0;
    while row < filters.bias.len() {
        let rows = row..filters.bias.len().min(row + ROWS);
        let weights = filters.weights.get(row * filters.inputs..rows.end * filters.inputs)?;
        pair_of_sums(weights, patches, filters.bias.get(rows.clone())?, &mut sums);
        let [a, b] = &sums;
        for (sums, output) in [(a, &mut *first), (b, &mut *second)] {
            let (sums, output) = (sums.get(..rows.len())?, output.get_mut(rows.clone())?);
            blocks::outputs::<Dsp>(filters, width, sums, output, rows.clone())?;
        }
        row = rows.end;
    }
    Some(())
}

/// `sums[p][i] = bias[i] + sum_j weights[i][j] * patches[p][j]` for up to [`ROWS`] filters.
fn pair_of_sums(weights: &[i8], patches: &[i8], bias: &[i32], sums: &mut [[i32; ROWS]; 2]) {
    let (rows, columns) = (bias.len(), patches.len() / 2);
    if rows > ROWS || columns < STEP || rows.checked_mul(columns) != Some(weights.len()) {
        return;
    }
    let mut rows_from = |row: usize, rows: usize| {
        let (steps, sums) = (columns / STEP * STEP, sums.as_mut_ptr().cast::<i32>());
        // SAFETY: there are weights and a bias for each of the `rows` rows from `row`, at most `ROWS` of them, and two
        // patches of at least one step. The callers below name an even number of rows, not 0.
        unsafe {
            let (weights, x) = (weights.as_ptr().add(row * columns), patches.as_ptr());
            let sums = sums.add(row);
            pairs_of_rows(weights, columns, x, x.add(steps), bias.as_ptr().add(row), sums, sums.add(rows));
        }
    };
    match rows {
        0 => {}
        // A single filter after a whole block.
        1 => {
            for (patch, sums) in patches.chunks_exact(columns).zip(sums) {
                let products = weights.iter().zip(patch).map(|(&w, &x)| i32::from(w) * i32::from(x));
                if let ([sum, ..], [bias]) = (sums, bias) {
                    *sum = bias + products.sum::<i32>();
                }
            }
        }
        _ => {
            rows_from(0, rows / 2 * 2);
            if rows % 2 > 0 {
                rows_from(rows - 2, 2);
            }
        }
    }
}

/// One step, 80 bytes: r0 points to the weights of the first row and r2 to the inputs of the first position; r1 is the length
/// of both. r4 and r5 are the sums of the first row, r6 and r7 those of the second.
macro_rules! step {
    () => {
        "ldr.w r9, [r0, r1]
        ldr.w r11, [r2, r1]
        ldr.w r8, [r0], #4
        ldr.w r10, [r2], #4
        sxtb16 r3, r10
        sxtb16 r12, r11
        sxtb16 lr, r8
        smlad r4, lr, r3, r4
        smlad r5, lr, r12, r5
        sxtb16 lr, r9
        smlad r6, lr, r3, r6
        smlad r7, lr, r12, r7
        sxtb16 r10, r10, ror #8
        sxtb16 r11, r11, ror #8
        sxtb16 r8, r8, ror #8
        sxtb16 r9, r9, ror #8
        smlad r4, r8, r10, r4
        smlad r5, r8, r11, r5
        smlad r6, r9, r10, r6
        smlad r7, r9, r11, r7
        "
    };
}

/// `sums[i] = bias[i] + sum_j weights[i][j] * x[j]`, and the same of the second position, 256 bytes after.
///
/// LDR needs no aligned address, unless unaligned loads trap, and then compiled Rust traps as well.
///
/// # Safety
/// Between `sums` and `sums_end` lie `n` elements, where `n` is even and not 0, and 256 bytes after them as many. `bias` points
/// to `n` elements, `weights` to `n` rows of `columns` weights, and `x` to two rows of `columns` inputs; `x_end` is a multiple of
/// 4 after `x`, not 0 and at most `columns`. The pointers are aligned for their types.
#[unsafe(naked)]
unsafe extern "C" fn pairs_of_rows(
    weights: *const i8,
    columns: usize,
    x: *const i8,
    x_end: *const i8,
    bias: *const i32,
    sums: *mut i32,
    sums_end: *const i32,
) {
    naked_asm!(
        extension!(),
        // On the stack: 0 the loop's entry, 8 x, 12 x_end, 16 saved registers, 52 bias, 56 sums, 60 sums_end.
        "push {{r0-r11, lr}}",
        // The loop does eight steps of 80 bytes each. If the number of steps is not a multiple of eight, the first round is
        // entered late.
        "sub r12, r3, r2",
        "lsr r12, r12, #2",
        "rsb r12, r12, #0",
        "and r12, r12, #7",
        "mov r7, #80",
        "adr r8, 3f",
        "mla r12, r12, r7, r8",
        "orr r12, r12, #1",
        "str r12, [sp]",
        "2:",
        "ldr lr, [sp, #52]",
        "ldr r2, [sp, #8]",
        "ldr r12, [sp]",
        "ldr r4, [lr], #4",
        "ldr r6, [lr], #4",
        "str lr, [sp, #52]",
        "mov r5, r4",
        "mov r7, r6",
        "bx r12",
        ".p2align 2",
        "3:",
        step!(),
        step!(),
        step!(),
        step!(),
        step!(),
        step!(),
        step!(),
        step!(),
        "ldr lr, [sp, #12]",
        "cmp r2, lr",
        "bne 3b",
        // The columns that don't fill a step.
        "ldr r3, [sp, #8]",
        "add r3, r3, r1",
        "4:",
        "cmp r2, r3",
        "beq 5f",
        "ldrsb r9, [r0, r1]",
        "ldrsb r11, [r2, r1]",
        "ldrsb r8, [r0], #1",
        "ldrsb r10, [r2], #1",
        "mla r4, r8, r10, r4",
        "mla r5, r8, r11, r5",
        "mla r6, r9, r10, r6",
        "mla r7, r9, r11, r7",
        "b 4b",
        "5:",
        "ldr r8, [sp, #56]",
        "ldr r9, [sp, #60]",
        "add r0, r0, r1",
        "str r5, [r8, #256]",
        "str r7, [r8, #260]",
        "str r4, [r8], #4",
        "str r6, [r8], #4",
        "str r8, [sp, #56]",
        "cmp r8, r9",
        "bne 2b",
        "add sp, sp, #16",
        "pop {{r4-r11, pc}}",
    )
}
