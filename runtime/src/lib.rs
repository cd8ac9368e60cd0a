//! Runs an `.emx` model.
#![no_std]
