//! A mixture's scores for Cortex-M3 and above: one loop over all components, with 64-bit sums in registers.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use edgemix_format::view::Mixture;

/// The pointers with which the loops begin, in the order in which the assembly loads them.
#[repr(C)]
struct Pointers {
    coefficients: *const i16,
    offsets: *const i32,
    latent: *const i16,
    latent_end: *const i16,
    shifts: *const u8,
    constants: *const i32,
    scores: *mut i32,
    scores_end: *mut i32,
}

/// The pointers into a mixture with so many `coefficients` and `shifts` per component. `None` if there is no component
/// or no dimension, or if a tensor is too short. The unsafe code relies on this check.
fn pointers(
    mixture: &Mixture,
    latent: &[i16],
    scores: &mut [i32],
    coefficients: usize,
    shifts: usize,
) -> Option<Pointers> {
    let (components, dims) = (scores.len(), latent.len());
    let holds = |each: usize, length: usize| components.checked_mul(each).is_some_and(|needed| needed <= length);
    let is_whole = components > 0
        && dims > 0
        && holds(1, mixture.constants.len())
        && holds(dims, mixture.offsets.len())
        && holds(coefficients, mixture.coefficients.len())
        && holds(shifts, mixture.shifts.len());
    let (latent, scores) = (latent.as_ptr_range(), scores.as_mut_ptr_range());
    is_whole.then_some(Pointers {
        coefficients: mixture.coefficients.as_ptr(),
        offsets: mixture.offsets.as_ptr(),
        latent: latent.start,
        latent_end: latent.end,
        shifts: mixture.shifts.as_ptr(),
        constants: mixture.constants.as_ptr(),
        scores: scores.start,
        scores_end: scores.end,
    })
}

/// Gives the scores of the definition, [`super::super::mixture::diagonal`].
pub(crate) fn diagonal(mixture: &Mixture, latent: &[i16], scores: &mut [i32]) {
    if let Some(pointers) = pointers(mixture, latent, scores, latent.len(), 1) {
        // SAFETY: `pointers` has checked that there are scores and latents, and for each score a constant, a shift, and
        // as many coefficients and offsets as latents.
        unsafe { diagonal_scores(&pointers) }
    }
}

/// Gives the scores of the definition, [`super::super::mixture::full`].
pub(crate) fn full(mixture: &Mixture, latent: &[i16], scores: &mut [i32]) {
    let dims = latent.len();
    let Some(triangle) = dims.checked_mul(dims + 1) else { return };
    if let Some(pointers) = pointers(mixture, latent, scores, triangle / 2, dims) {
        // SAFETY: `pointers` has checked that there are scores and latents, and for each score a constant, a triangle
        // of coefficients, and as many offsets and shifts as latents.
        unsafe { full_scores(&pointers) }
    }
}

/// Turns the sum of squares in `$low` and `$high` and the constant at r11 into the score in `$low`. Clobbers `$high`,
/// r8 and r10.
macro_rules! finish {
    ($low:literal, $high:literal) => {
        concat!(
            "adds ",
            $low,
            ", ",
            $low,
            ", #2048\n",
            "adc ",
            $high,
            ", ",
            $high,
            ", #0\n",
            "lsr ",
            $low,
            ", ",
            $low,
            ", #12\n",
            "orr ",
            $low,
            ", ",
            $low,
            ", ",
            $high,
            ", lsl #20\n",
            "asr ",
            $high,
            ", ",
            $high,
            ", #12\n",
            "ldr r8, [r11], #4\n",
            "asr r10, r8, #31\n",
            "subs ",
            $low,
            ", r8, ",
            $low,
            "\n",
            "sbc ",
            $high,
            ", r10, ",
            $high,
            "\n",
            // The difference can leave the range of 32 bits only downwards.
            "cmp ",
            $high,
            ", ",
            $low,
            ", asr #31\n",
            "it ne\n",
            "movne ",
            $low,
            ", #0x80000000\n",
        )
    };
}

/// One dimension, 24 bytes: r4 and r5 hold the sum of squares.
macro_rules! dimension {
    () => {
        "ldrsh r7, [r0], #2
        ldrsh r8, [r2], #2
        ldr r6, [r1], #4
        mla r7, r7, r8, r6
        asr.w r7, r7, r12
        smlal r4, r5, r7, r7
        "
    };
}

/// # Safety
/// For each score there are a constant, a shift, and as many coefficients and offsets as the latent has elements.
/// Neither the scores nor the latent are empty.
#[unsafe(naked)]
unsafe extern "C" fn diagonal_scores(pointers: &Pointers) {
    naked_asm!(
        "push {{r4-r11, lr}}",
        // On the stack: 0 latent, 4 scores_end.
        "ldr r4, [r0, #8]",
        "ldr r5, [r0, #28]",
        "push {{r4, r5}}",
        "ldm r0, {{r0-r3, r9, r11, lr}}",
        // The loop does four dimensions of 24 bytes each. If their number is not a multiple of four, the first round is
        // entered late.
        "sub r4, r3, r2",
        "lsr r4, r4, #1",
        "rsb r4, r4, #0",
        "and r4, r4, #3",
        "mov r5, #24",
        "adr r6, 3f",
        "mla r6, r4, r5, r6",
        "orr r6, r6, #1",
        "push {{r6}}",
        "2:",
        "ldr r8, [sp]",
        "ldr r2, [sp, #4]",
        "ldrb r12, [r9], #1",
        "mov r4, #0",
        "mov r5, #0",
        "bx r8",
        ".p2align 2",
        "3:",
        dimension!(),
        dimension!(),
        dimension!(),
        dimension!(),
        "cmp r2, r3",
        "bne 3b",
        finish!("r4", "r5"),
        "str r4, [lr], #4",
        "ldr r6, [sp, #8]",
        "cmp lr, r6",
        "bne 2b",
        "add sp, sp, #12",
        "pop {{r4-r11, pc}}",
    )
}

/// Adds the products of a row, whose latents lie from r2 to r3, to r4 and r5. Clobbers r8, r10 and lr. Loads pairs of
/// int16, which need not be aligned to words.
#[cfg(edgemix_has = "dsp")]
macro_rules! products {
    () => {
        "sub r8, r3, r2
        lsrs r8, r8, #3
        beq 6f
        5:
        ldr r10, [r0], #4
        ldr lr, [r2], #4
        smlald r4, r5, r10, lr
        ldr r10, [r0], #4
        ldr lr, [r2], #4
        smlald r4, r5, r10, lr
        subs r8, r8, #1
        bne 5b
        6:
        sub r8, r3, r2
        lsls r8, r8, #30
        bcc 7f
        ldr r10, [r0], #4
        ldr lr, [r2], #4
        smlald r4, r5, r10, lr
        7:
        bpl 8f
        ldrsh r10, [r0], #2
        ldrsh lr, [r2], #2
        smlalbb r4, r5, r10, lr
        8:
        "
    };
}

/// The same without the DSP extension, with a loop over four columns of 12 bytes each whose first round is entered
/// late.
#[cfg(not(edgemix_has = "dsp"))]
macro_rules! products {
    () => {
        "sub r8, r2, r3
        and r8, r8, #6
        add r8, r8, r8, lsl #1
        adr r10, 5f
        add r8, r10, r8, lsl #1
        orr r8, r8, #1
        bx r8
        .p2align 2
        5:
        ldrsh r10, [r0], #2
        ldrsh lr, [r2], #2
        smlal r4, r5, r10, lr
        ldrsh r10, [r0], #2
        ldrsh lr, [r2], #2
        smlal r4, r5, r10, lr
        ldrsh r10, [r0], #2
        ldrsh lr, [r2], #2
        smlal r4, r5, r10, lr
        ldrsh r10, [r0], #2
        ldrsh lr, [r2], #2
        smlal r4, r5, r10, lr
        cmp r2, r3
        bne 5b
        "
    };
}

/// # Safety
/// For each score there are a constant, a triangle of coefficients, and as many offsets and shifts as the latent has
/// elements. Neither the scores nor the latent are empty.
#[unsafe(naked)]
unsafe extern "C" fn full_scores(pointers: &Pointers) {
    naked_asm!(
        extension!(),
        "push {{r4-r11, lr}}",
        // On the stack: 0 latent_end, 4 scores, 8 scores_end.
        "ldr r4, [r0, #12]",
        "ldr r5, [r0, #24]",
        "ldr r6, [r0, #28]",
        "push {{r4-r6}}",
        "ldm r0, {{r0-r3, r9, r11, lr}}",
        "mov r12, r2",
        "2:",
        "mov r3, r12",
        "mov r6, #0",
        "mov r7, #0",
        // Each row is one element longer than the one before.
        "4:",
        "add r3, r3, #2",
        "ldr r4, [r1], #4",
        "mov r2, r12",
        "asr r5, r4, #31",
        products!(),
        // A 64-bit shift for shifts below 32 and for the others. Shifts by registers are taken modulo 256, and those by
        // 32 or more give 0 or the sign.
        "ldrb r8, [r9], #1",
        "rsb r10, r8, #32",
        "lsl r10, r5, r10",
        "lsr r4, r4, r8",
        "orr r4, r4, r10",
        "subs r10, r8, #32",
        "it pl",
        "asrpl r4, r5, r10",
        "asr r5, r5, r8",
        // Saturate, first to 32 bits, then to 2^26.
        "cmp r5, r4, asr #31",
        "beq 9f",
        "mvn r10, #0x80000000",
        "eor r4, r10, r5, asr #31",
        "9:",
        "cmp r4, #0x4000000",
        "it gt",
        "movgt r4, #0x4000000",
        "cmn r4, #0x4000000",
        "it lt",
        "movlt r4, #0xfc000000",
        "smlal r6, r7, r4, r4",
        "ldr r8, [sp]",
        "cmp r3, r8",
        "bne 4b",
        finish!("r6", "r7"),
        "ldr r4, [sp, #4]",
        "ldr r5, [sp, #8]",
        "str r6, [r4], #4",
        "str r4, [sp, #4]",
        "cmp r4, r5",
        "bne 2b",
        "add sp, sp, #12",
        "pop {{r4-r11, pc}}",
    )
}
