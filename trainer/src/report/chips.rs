//! Well-known microcontrollers and their memory.

/// A microcontroller.
pub(super) struct Chip {
    pub(super) name: &'static str,
    pub(super) core: &'static str,
    /// In bytes, according to the data sheet.
    pub(super) flash: usize,
    /// In bytes, according to the data sheet.
    pub(super) ram: usize,
}

const K: usize = 1024;

/// Sorted by memory.
pub(super) const CHIPS: [Chip; 8] = [
    Chip { name: "STM32G031", core: "Cortex-M0+", flash: 64 * K, ram: 8 * K },
    Chip { name: "nRF51822 (micro:bit 1)", core: "Cortex-M0", flash: 256 * K, ram: 16 * K },
    Chip { name: "STM32F103RC", core: "Cortex-M3", flash: 256 * K, ram: 48 * K },
    Chip { name: "nRF52832", core: "Cortex-M4F", flash: 512 * K, ram: 64 * K },
    Chip { name: "STM32F401RE", core: "Cortex-M4F", flash: 512 * K, ram: 96 * K },
    Chip { name: "nRF52840", core: "Cortex-M4F", flash: 1024 * K, ram: 256 * K },
    Chip { name: "RP2040 (Pico, 2 MiB flash)", core: "Cortex-M0+", flash: 2048 * K, ram: 264 * K },
    Chip { name: "STM32H743", core: "Cortex-M7", flash: 2048 * K, ram: 1024 * K },
];

/// Bytes of flash of the code of the firmware example, with start-up and logging, rounded up (`cargo xtask firmware`).
pub(super) const CODE: usize = 20 * K;
/// Bytes of RAM of the stack and statics of the firmware example, without the arena of the model, rounded up.
pub(super) const STACK: usize = 7 * K;
