//! What starts a program on an emulated 64-bit Arm: vectors are enabled, and memory is mapped to itself, because without a map
//! it takes no address that isn't aligned.

core::arch::global_asm!(
    ".section .start, \"ax\"",
    ".global _start",
    "_start:",
    // Instructions on vectors.
    "mov x0, #(3 << 20)",
    "msr cpacr_el1, x0",
    // A block of 1 GiB of normal memory at 1 GiB, where the machine's memory begins; addresses have 39 bits.
    "ldr x1, =_map",
    "ldr x0, =0x40000701",
    "str x0, [x1, #8]",
    "msr ttbr0_el1, x1",
    "mov x0, #0xff",
    "msr mair_el1, x0",
    "ldr x0, =0x3519",
    "msr tcr_el1, x0",
    "isb",
    "mrs x0, sctlr_el1",
    "orr x0, x0, #1",
    "msr sctlr_el1, x0",
    "isb",
    "ldr x0, =_stack",
    "mov sp, x0",
    "b main",
);
