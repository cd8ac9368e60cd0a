//! The `edgemix` program.

/// Each step of training takes and gives back large tensors: glibc asks the system for them anew each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    edgemix::cli::main()
}
