//! Damaged and hostile data files, read by a process that has little memory: none may make it panic, or take more.
//!
//! `EDGEMIX_MUTATIONS=100000 cargo test --release -p edgemix --test suite damaged` reads more files than CI does.

// The address space is limited by the shell, and measured in /proc.
#![cfg(target_os = "linux")]

mod hostile;
pub(crate) mod limited;
mod mutations;
mod seeds;
