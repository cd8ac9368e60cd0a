//! The `.emx` model file: what it is, reading it, writing it, checking it.
#![no_std]
