//! Tests of the trainer from outside: the library as other programs call it, and the program as people do.
//!
//! They are one program, because each program of tests links the whole trainer: `cargo test --release -p edgemix --test
//! suite tampered` runs those of one file.

mod answers;
mod chips;
mod damaged;
mod directories;
mod encoders;
mod far_values;
mod fine_tuning;
mod front_end;
mod generate;
mod hostile_encoders;
mod import;
mod interrupted;
mod jobs;
mod missing;
mod pooling;
mod program;
mod quantized_mixture;
mod random_tables;
mod storages;
pub(crate) mod tampered;
mod wrong_inputs;
