//! The `edgemix` program.

/// Each training step allocates and frees large tensors, for which glibc asks the operating system every time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    edgemix::cli::main()
}
