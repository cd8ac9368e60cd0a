//! Everything that depends on the machine: where the log goes, how the program ends, and how much stack it used.

#[cfg(all(feature = "emulator", feature = "nucleo-f401re"))]
compile_error!("choose one machine: for the board, build with --no-default-features --features nucleo-f401re");

pub(crate) use machine::{exit, stack_used};

#[cfg(not(feature = "nucleo-f401re"))]
mod machine {
    use core::panic::PanicInfo;

    use defmt_semihosting as _;

    /// Ends the emulator with the given exit code.
    pub(crate) fn exit(code: i32) -> ! {
        semihosting::process::exit(code)
    }

    unsafe extern "C" {
        // Defined by the linker. The stack grows down from `_stack_start`; the start-up code painted it down to `_stack_end`.
        static _stack_start: u32;
        static _stack_end: u32;
    }

    /// Number of bytes of stack that have been used so far.
    pub(crate) fn stack_used() -> usize {
        let (top, bottom) = (&raw const _stack_start, &raw const _stack_end);
        let mut lowest = bottom;
        // SAFETY: `lowest` is aligned and lies between the linker's two symbols, and the start-up code has written every
        // word in between.
        while lowest < top && unsafe { lowest.read_volatile() } == cortex_m_rt::STACK_PAINT_VALUE {
            lowest = lowest.wrapping_add(1);
        }
        top as usize - lowest as usize
    }

    #[panic_handler]
    fn panic(_: &PanicInfo) -> ! {
        exit(101)
    }
}

#[cfg(feature = "nucleo-f401re")]
mod machine {
    use {defmt_rtt as _, panic_probe as _};

    /// Logs the exit code and sleeps for ever, so that the probe can go on reading the log.
    pub(crate) fn exit(code: i32) -> ! {
        defmt::info!("done: {=i32}", code);
        loop {
            cortex_m::asm::wfi();
        }
    }

    /// Always 0: the stack is painted, and therefore measured, only under the emulator.
    pub(crate) fn stack_used() -> usize {
        0
    }
}
