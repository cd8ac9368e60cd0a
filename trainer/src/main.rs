//! The `edgemix` program.
fn main() {}
