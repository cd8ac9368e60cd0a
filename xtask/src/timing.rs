//! How long a core takes for an instruction, from its code.
//!
//! Where a manual gives a range, the estimate takes
//!
//! - 2 cycles for the pipeline refill after a taken branch of Cortex-M3 and M4 (1 to 3),
//! - 12 cycles for a division (2 to 12),
//! - the most for a long multiplication on Cortex-M3,
//! - 2 cycles for a load or store of one register, and 1 directly after another one, on Cortex-M3 and M4,
//! - 1 cycle for a multiplication on Cortex-M0+, whose makers choose between 1 and 32.
//!
//! Arm publishes no timings of the Cortex-M33: those of the Cortex-M4 stand for them. A RISC-V core with a pipeline that keeps
//! the order, such as that of the ESP32-C3, is taken to need a cycle for an instruction, 2 more after a taken branch, and 32
//! more for a division.

/// How long an instruction takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    /// One cycle, and a refill if the instruction branches.
    Plain,
    /// A load or store of one register, which is shorter directly after another one.
    Single,
    /// This many cycles, and a refill if the instruction branches.
    Cycles(u32),
}

/// The timings of a kind of core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// Cortex-M3.
    M3,
    /// Cortex-M4, and in its place Cortex-M33.
    M4,
    /// Cortex-M0+.
    M0Plus,
    /// RV32IMC.
    RiscV,
}

impl Model {
    /// Cycles of the refill after a taken branch.
    pub(crate) fn refill(self) -> u32 {
        if self == Self::M0Plus { 1 } else { 2 }
    }

    /// Bytes of an instruction whose first half-word this is.
    pub(crate) fn length(self, first: u16) -> u32 {
        let is_long = if self == Self::RiscV { first & 3 == 3 } else { first >> 11 >= 0b11101 };
        if is_long { 4 } else { 2 }
    }

    /// The timing of an instruction.
    pub(crate) fn decode(self, first: u16, second: u16) -> Timing {
        match (self, self.length(first)) {
            (Self::RiscV, 4) => decode_riscv(first, second),
            (Self::RiscV, _) => Timing::Plain,
            // The only long instructions of Cortex-M0+ that programs execute often are calls.
            (Self::M0Plus, 4) => Timing::Cycles(2),
            (_, 4) => decode_long(self == Self::M3, first, second),
            _ => match decode_short(first) {
                Timing::Single if self == Self::M0Plus => Timing::Cycles(2),
                timing => timing,
            },
        }
    }
}

fn decode_short(first: u16) -> Timing {
    let registers = |mask: u16| Timing::Cycles(1 + (first & mask).count_ones());
    match first >> 12 {
        // Loads and stores with a register, an immediate, or relative to the stack; loads of constants.
        0b0101..=0b1001 => Timing::Single,
        0b0100 if first >> 11 == 0b01001 => Timing::Single,
        0b1011 if first & 0x0600 == 0x0400 => registers(0x01ff),
        0b1100 => registers(0x00ff),
        _ => Timing::Plain,
    }
}

fn decode_long(is_m3: bool, first: u16, second: u16) -> Timing {
    match first {
        _ if first & 0xfe40 == 0xe800 => Timing::Cycles(1 + second.count_ones()),
        _ if first & 0xfe40 == 0xe840 => Timing::Cycles(3),
        _ if first & 0xfe00 == 0xf800 => Timing::Single,
        // Multiplication with an addend.
        _ if first & 0xff80 == 0xfb00 && is_m3 && second >> 12 != 15 => Timing::Cycles(2),
        _ if first & 0xff80 == 0xfb80 => match (first >> 4) & 7 {
            1 | 3 => Timing::Cycles(12),
            0 | 2 if is_m3 => Timing::Cycles(5),
            _ if is_m3 => Timing::Cycles(7),
            _ => Timing::Plain,
        },
        _ => Timing::Plain,
    }
}

fn decode_riscv(first: u16, second: u16) -> Timing {
    let (opcode, kind, function) = (first & 0x7f, first >> 12 & 7, second >> 9);
    // Divisions and remainders of the extension M.
    if opcode == 0x33 && function == 1 && kind >= 4 { Timing::Cycles(33) } else { Timing::Plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_take_what_the_manuals_say() {
        let m4 = |first, second| Model::M4.decode(first, second);
        assert_eq!(m4(0xe8b3, 0x0780), Timing::Cycles(5), "ldm r3!, {{r7-r10}}");
        assert_eq!(m4(0xe8f0, 0xbc02), Timing::Cycles(3), "ldrd r11, r12, [r0], #8");
        assert_eq!(m4(0xfb2e, 0x4407), Timing::Plain, "smlad r4, lr, r7, r4");
        assert_eq!(m4(0xf855, 0x3b04), Timing::Single, "ldr r3, [r5], #4");
        assert_eq!(m4(0xbdf0, 0), Timing::Cycles(6), "pop {{r4-r7, pc}}");
        assert_eq!(Model::M3.decode(0xfb08, 0x4409), Timing::Cycles(2), "mla r4, r8, r9, r4");
        assert_eq!(Model::M3.decode(0xfbc7, 0x4507), Timing::Cycles(7), "smlal r4, r5, r7, r7");
        assert_eq!(m4(0xd1fe, 0), Timing::Plain, "bne");
        assert_eq!(Model::M0Plus.decode(0x6818, 0), Timing::Cycles(2), "ldr r0, [r3]");
        assert_eq!(Model::M0Plus.decode(0xf000, 0xf800), Timing::Cycles(2), "bl");
        assert_eq!(Model::RiscV.decode(0x5533, 0x02b5), Timing::Cycles(33), "divu a0, a0, a1");
        assert_eq!(Model::RiscV.decode(0x0533, 0x02b5), Timing::Plain, "mul a0, a0, a1");
        assert_eq!((Model::RiscV.length(0x0533), Model::RiscV.length(0x4501)), (4, 2));
    }
}
