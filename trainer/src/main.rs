//! The `edgemix` program.

fn main() -> std::process::ExitCode {
    edgemix::cli::main()
}
