//! Counts executed instructions, exactly and repeatably under emulation.

use core::hint::black_box;

/// The number of instructions that `work` executes.
pub fn count<T>(work: impl FnOnce() -> T) -> u32 {
    let begin = now();
    black_box(work());
    let end = now();
    let overhead = now();
    between(begin, end) - between(end, overhead)
}

/// The system counter of the MPS3 board with a Cortex-M55, which counts at 32 MHz. With QEMU's `-icount shift=7`, an instruction
/// takes 128 ns or 4.096 ticks.
#[cfg(feature = "mve")]
mod timer {
    /// The frame for control, where the program of the secure state sees it.
    const CONTROL: *mut u32 = 0x5810_0000 as *mut u32;
    const COUNT: *const u32 = 0x5810_0008 as *const u32;

    pub fn start() {
        // SAFETY: this is an aligned register of a device that the emulated board has and nothing else uses. It enables the
        // counter.
        unsafe { CONTROL.write_volatile(1) }
    }

    #[inline(always)]
    pub fn now() -> u32 {
        // SAFETY: reads an aligned register of the same device.
        unsafe { COUNT.read_volatile() }
    }

    pub fn between(begin: u32, end: u32) -> u32 {
        ((u64::from(end.wrapping_sub(begin)) * 125 + 256) / 512) as u32
    }
}

/// CMSDK timer 0 of the MPS2 boards, which counts down at 25 MHz, at 20 MHz on that with a Cortex-M33. With QEMU's `-icount
/// shift=7`, an instruction takes 128 ns or 3.2 ticks, 2.56 there.
#[cfg(all(target_arch = "arm", not(feature = "mve")))]
mod timer {
    /// Of the Cortex-M33's board, where the program of the secure state sees it.
    const TIMER: *mut u32 = (if cfg!(armv8m) { 0x5000_0000 } else { 0x4000_0000 }) as *mut u32;
    /// Ticks in 25 instructions.
    const TICKS: u64 = if cfg!(armv8m) { 64 } else { 80 };

    pub fn start() {
        // SAFETY: these are the aligned registers of a device that every emulated board has and nothing else uses.
        unsafe {
            TIMER.write_volatile(0);
            TIMER.add(2).write_volatile(u32::MAX);
            TIMER.add(1).write_volatile(u32::MAX);
            TIMER.write_volatile(1);
        }
    }

    #[inline(always)]
    pub fn now() -> u32 {
        // SAFETY: reads an aligned register of the same device.
        unsafe { TIMER.add(1).read_volatile() }
    }

    pub fn between(begin: u32, end: u32) -> u32 {
        ((u64::from(begin.wrapping_sub(end)) * 25 + TICKS / 2) / TICKS) as u32
    }
}

/// The counter of retired instructions, which QEMU's `-icount shift=0` makes exact.
#[cfg(target_arch = "riscv32")]
mod timer {
    pub fn start() {}

    #[inline(always)]
    pub fn now() -> u32 {
        let value: u32;
        // SAFETY: reads a counter, without side effects.
        unsafe { core::arch::asm!("csrr {}, minstret", out(reg) value) };
        value
    }

    pub fn between(begin: u32, end: u32) -> u32 {
        end.wrapping_sub(begin)
    }
}

use timer::between;
pub use timer::{now, start};
