//! Outputs of dense layers for Cortex-M3 and above, four at a time.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::super::Width;
use super::super::blocks::Rescaling;

/// Converts the first sums to outputs, as [`DenseKernel::outputs`](super::super::blocks::DenseKernel::outputs) says.
pub(super) fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
    let rows = sums.len().min(by.multipliers.len()).min(by.shifts.len()).min(outputs.len());
    let Some(shifts @ [_, ..]) = by.shifts.get(..rows / 4 * 4) else { return 0 };
    let of_four = match (by.width, by.is_relu) {
        (Width::Narrow, false) => identity_outputs,
        (Width::Narrow, true) => relu_outputs,
        (Width::Wide, false) => wide_outputs,
        (Width::Wide, true) => return 0,
    };
    let shifts = shifts.as_ptr_range();
    // SAFETY: there are as many sums, multipliers and outputs as these shifts, a multiple of 4 and not 0.
    let end = unsafe {
        of_four(
            sums.as_ptr(),
            by.multipliers.as_ptr(),
            shifts.start,
            outputs.as_mut_ptr(),
            shifts.end,
            by.zero_point.into(),
        )
    };
    end.addr() - shifts.start.addr()
}

/// The upper half of the product of `$sum` and `$multiplier`, in `$sum`. May change `$multiplier`.
#[cfg(edgemix_has = "dsp")]
macro_rules! upper_half {
    ($sum:literal, $multiplier:literal) => {
        concat!("smmul ", $sum, ", ", $sum, ", ", $multiplier)
    };
}
#[cfg(not(edgemix_has = "dsp"))]
macro_rules! upper_half {
    ($sum:literal, $multiplier:literal) => {
        concat!("smull ", $multiplier, ", ", $sum, ", ", $sum, ", ", $multiplier)
    };
}

/// One output: `$sum` is its sum, `$multiplier` its multiplier, the lowest byte of r12 its shift less 32, and lr the
/// zero point. The last bit that is shifted out lands in the carry, and adding the carry rounds.
macro_rules! output {
    ($sum:literal, $multiplier:literal, $bits:literal, $negative:literal) => {
        concat!(
            upper_half!($sum, $multiplier),
            "\n",
            $negative,
            "\nasrs ",
            $sum,
            ", ",
            $sum,
            ", r12\nadc ",
            $sum,
            ", ",
            $sum,
            ", lr\nssat ",
            $sum,
            ", #",
            $bits,
            ", ",
            $sum,
            "\n",
        )
    };
}

/// Defines a function that computes outputs of `$bits` bits, four at a time. The remaining arguments are instructions
/// that treat the negative values of each of the four.
macro_rules! outputs_of_four {
    ($name:ident, $bits:literal, $first:literal, $second:literal, $third:literal, $fourth:literal) => {
        /// [`requantize`](super::super::wide::requantize) of many sums, for shifts of at most 62, as the format has them.
        /// Returns the position in `shifts` at which it stopped: the end, or the first four shifts of which one is
        /// below 33.
        ///
        /// # Safety
        /// Between `shifts` and `shifts_end` lie `n` elements, where `n` is a multiple of 4 and not 0. `sums`,
        /// `multipliers` and `outputs` point to `n` elements each and are aligned for their types.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            sums: *const i32,
            multipliers: *const i32,
            shifts: *const u8,
            outputs: *mut i16,
            shifts_end: *const u8,
            zero_point: i32,
        ) -> *const u8 {
            naked_asm!(
                extension!(),
                // On the stack: 0 saved registers, 36 shifts_end, 40 zero point.
                "push {{r4-r11, lr}}",
                "ldr lr, [sp, #40]",
                "2:",
                "ldr r12, [r2], #4",
                "ldm r0!, {{r4-r7}}",
                "ldm r1!, {{r8-r11}}",
                // Four shifts less 33 in one subtraction. The lowest one that is below 33 sets its own highest bit.
                "sub r12, r12, #0x21212121",
                "tst r12, #0x80808080",
                "bne 3f",
                "add r12, r12, #0x01010101",
                output!("r4", "r8", $bits, $first),
                "lsr r12, r12, #8",
                output!("r5", "r9", $bits, $second),
                "lsr r12, r12, #8",
                output!("r6", "r10", $bits, $third),
                "lsr r12, r12, #8",
                output!("r7", "r11", $bits, $fourth),
                "strh r4, [r3]",
                "strh r5, [r3, #2]",
                "strh r6, [r3, #4]",
                "strh r7, [r3, #6]",
                "ldr r12, [sp, #36]",
                "add r3, r3, #8",
                "cmp r2, r12",
                "bne 2b",
                "mov r0, r2",
                "pop {{r4-r11, pc}}",
                "3:",
                "sub r0, r2, #4",
                "pop {{r4-r11, pc}}",
            )
        }
    };
}

outputs_of_four!(identity_outputs, "8", "", "", "", "");
outputs_of_four!(wide_outputs, "16", "", "", "", "");
outputs_of_four!(
    relu_outputs,
    "8",
    "bic r4, r4, r4, asr #31",
    "bic r5, r5, r5, asr #31",
    "bic r6, r6, r6, asr #31",
    "bic r7, r7, r7, asr #31"
);
