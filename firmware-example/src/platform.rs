//! What the machine decides: where the log goes, how the program ends, and how much stack it used.

#[cfg(all(feature = "emulator", feature = "nucleo-f401re"))]
compile_error!("one machine at a time: --no-default-features --features nucleo-f401re");

pub(crate) use machine::{exit, stack_used};

#[cfg(not(feature = "nucleo-f401re"))]
mod machine {
    use core::panic::PanicInfo;

    use defmt_semihosting as _;

    /// Ends the emulator with this exit code.
    pub(crate) fn exit(code: i32) -> ! {
        semihosting::process::exit(code)
    }

    unsafe extern "C" {
        // The linker's: the stack grows down from the start, and was painted down to the end before the program began.
        static _stack_start: u32;
        static _stack_end: u32;
    }

    /// Bytes of stack that have been used so far.
    pub(crate) fn stack_used() -> usize {
        let (top, bottom) = (&raw const _stack_start, &raw const _stack_end);
        let mut lowest = bottom;
        // SAFETY: all words from bottom to top are RAM that the start-up code has written.
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

    /// Sleeps; the probe goes on reading the log.
    pub(crate) fn exit(code: i32) -> ! {
        defmt::info!("done: {=i32}", code);
        loop {
            cortex_m::asm::wfi();
        }
    }

    /// Not measured here: painting is for the emulator, where nothing else writes to RAM.
    pub(crate) fn stack_used() -> usize {
        0
    }
}
