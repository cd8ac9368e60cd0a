//! Runs `.emx` models from C. `include/edgemix.h` is the interface, and `docs/c.md` the way from a model to a firmware.
//!
//! Nothing is allocated, nothing is global, and no function panics. Every function may be called from several threads or
//! interrupts at once, as long as two calls do not write to the same arena, stream, monitor or smoother.
//!
//! # Unsafe code
//!
//! Pointers that C gives cannot be checked, so this crate, unlike `edgemix-format` and `edgemix-runtime`, has `unsafe` code.
//! It stands in modules that do nothing else:
//!
//! - [`boundary`] has the exported functions. Each turns its pointers into slices and calls safe code. `signed` has that for
//!   signed models, and `smoother` for the smoother.
//! - `pointers` makes these slices, after checks for null, alignment and length.
//! - `storage` keeps Rust values in structs that C owns.
//!
//! What the caller must ensure is that a pointer points to as many elements as the length beside it says, that these live as
//! long as the header says, and that a struct was filled by the function that the header names. A null pointer, a misaligned
//! one, and a struct of zeros are refused with a status.
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs)]

// On a host, the standard library has the panic handler that a static library must have.
#[cfg(not(target_os = "none"))]
extern crate std;

#[allow(unsafe_code)]
pub mod boundary;
mod drift;
mod faults;
mod model;
#[allow(unsafe_code)]
mod pointers;
#[cfg(feature = "signature")]
#[allow(unsafe_code)]
pub mod signed;
#[cfg(feature = "smoother")]
#[allow(unsafe_code)]
pub mod smoother;
pub mod status;
#[allow(unsafe_code)]
mod storage;
mod stream;
pub mod structs;

/// A static library must define a panic handler. Nothing calls this one: `cargo xtask c` checks that it is not linked.
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
