//! The project's own commands: `cargo xtask help` lists them.

mod bench;
mod build_graph;
mod c;
mod ci;
mod cores;
mod costs;
mod cycles;
mod deny;
mod docs;
mod firmware;
mod fuzz;
mod gpu;
mod log;
mod package;
mod process;
mod python;
mod scale;
mod setup;
mod size;
mod slow;
mod timing;

use anyhow::{Context, Result, bail};

const HELP: &str = "Usage: cargo xtask COMMAND

Tests
  test                      Run all tests, including those on an emulated Cortex-M4
  kernels [CORE]            Compare the kernels of every emulated core with their definition
  nopanic                   Prove at link time that loading and assigning cannot panic
  fuzz [--seconds 60]       Feed damaged model files to the reader
  mutations [--count 10000000]
                            Feed so many mutations of models with right checksums to the reader
  docs                      Run the commands of docs/own-data.md, docs/chip.md, docs/c.md and docs/vibration.md
  c [--bless]               Check the library for C: its header, the same results on emulated cores, its code, hostile
                            models; --bless writes the header
  c-hostile [--count 1000000]
                            Feed so many hostile models to the library for C under the C compiler's sanitizers
  python                    Build the wheel of the Python package, install it into a fresh environment, run its tests and example
  deny                      Check dependencies: known vulnerabilities, licences, duplicated versions, origins
  package                   Package the crates that can be published
  build-graph               Check that the commands of the README compile every dependency once
  ci                        Run everything that must pass before a change lands

Firmware
  setup                     Install what firmware needs: compiler, library source, emulators
  firmware [--bless]        Build the example, run it in the emulator, compare its log, print its memory use;
                            --bless makes the log the expected one
  update [--failures 100]   Update a signed model on an emulated Cortex-M4 whose power fails again and again
  emulate --model FILE --samples FILE
                            Assign raw samples on an emulated Cortex-M4: counts of 16 bits, the lower byte first, if
                            the file's name ends in .i16, and bytes otherwise

Measurements
  bench [--check | --bless] [CORE]
                            Count the runtime's instructions on emulated cores; --check fails if a count exceeds its
                            budget in bench/budgets.toml, --bless writes the counts there
  cycles                    Estimate cycles on Cortex-M3 and Cortex-M4 from the executed instructions
  costs [--bless] [CORE]    Measure what each operation of an assignment costs on each core; --bless writes the costs from
                            which the trainer estimates the time on a chip
  scale [--program FILE] [--samples 1000000]
                            Measure seconds and memory of training and assignment for more and more samples, features and
                            clusters; prints tables and writes docs/scale.svg
  slow [CORE]               Count the instructions of models that were made to be slow, for each multiply-accumulate that
                            they state; fails if there are more than docs/chip.md says

A workstation's GPU
  gpu cuda|wgpu [--small [--every-method] | --samples FILE.npz]
                            Compare operations, methods and speed on this machine's GPU with the CPU and PyTorch; --small leaves
                            out what a slow device can't bear, and all methods but two unless they are asked for
  gpu-bundle cuda|wgpu FOLDER [--samples FILE.npz]
                            Put what `gpu` runs into a folder, for a machine with a GPU and without a compiler
  gpu-run cuda|wgpu [--program FILE] [--samples FILE.npz] [--pytorch FILE] [--out FOLDER] [--seconds 600]
                            Run it there; the folder's run.sh calls this

CORE selects the cores whose name contains it, such as `m4`.";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["setup"] => setup::announce(),
        ["test"] => ci::test(),
        ["firmware"] => firmware::example(false),
        ["firmware", "--bless"] => firmware::example(true),
        ["emulate", "--model", model, "--samples", samples] => firmware::emulate(model.as_ref(), samples.as_ref()),
        ["update"] => firmware::update(100),
        ["update", "--failures", failures] => {
            let failures = failures.parse().ok().filter(|&failures| failures > 0);
            firmware::update(failures.context("--failures takes a whole number above 0")?)
        }
        ["docs"] => docs::run(),
        ["c"] => c::run(false),
        ["c", "--bless"] => c::run(true),
        ["c-hostile"] => c::hostile(1_000_000),
        ["c-hostile", "--count", count] => {
            c::hostile(count.parse().with_context(|| format!("--count takes a whole number, not `{count}`"))?)
        }
        ["python"] => python::run_all(),
        ["build-graph"] => build_graph::check(),
        ["package"] => package::check(),
        ["deny"] => deny::check(),
        ["nopanic"] => firmware::nopanic(),
        ["fuzz"] => fuzz::run(60),
        ["fuzz", "--seconds", seconds] => {
            fuzz::run(seconds.parse().with_context(|| format!("--seconds takes a whole number, not `{seconds}`"))?)
        }
        ["mutations"] => fuzz::mutations(10_000_000, None),
        ["mutations", "--count", count] => {
            let count = count.parse().with_context(|| format!("--count takes a whole number, not `{count}`"))?;
            fuzz::mutations(count, None)
        }
        ["kernels"] => cores::compare_kernels(""),
        ["kernels", core] => cores::compare_kernels(core),
        ["bench"] => bench::run(bench::Mode::Print, ""),
        ["bench", "--check"] => bench::run(bench::Mode::Check, ""),
        ["bench", "--bless"] => bench::run(bench::Mode::Bless, ""),
        ["bench", "--check", core] => bench::run(bench::Mode::Check, core),
        ["bench", "--bless", core] => bench::run(bench::Mode::Bless, core),
        ["bench", core] => bench::run(bench::Mode::Print, core),
        ["cycles"] => cycles::estimate(),
        ["costs"] => costs::run("", false),
        ["costs", "--bless"] => costs::run("", true),
        ["costs", "--bless", core] => costs::run(core, true),
        ["costs", core] => costs::run(core, false),
        ["gpu", backend] => gpu::run_here(backend, gpu::Extent::Whole, None),
        ["gpu", backend, "--small"] => gpu::run_here(backend, gpu::Extent::Small, None),
        ["gpu", backend, "--small", "--every-method"] => {
            gpu::run_here(backend, gpu::Extent::SmallWithEveryMethod, None)
        }
        ["gpu", backend, "--samples", path] => gpu::run_here(backend, gpu::Extent::Whole, Some(path.into())),
        ["gpu-bundle", backend, folder] => gpu::bundle(backend, folder.as_ref(), None),
        ["gpu-bundle", backend, folder, "--samples", path] => {
            gpu::bundle(backend, folder.as_ref(), Some(path.as_ref()))
        }
        ["gpu-run", backend, ref options @ ..] => gpu::run_bundle(backend, options),
        ["scale"] => scale::run(None, usize::MAX),
        ["scale", "--samples", most] => scale::run(None, whole("--samples", most)?),
        ["scale", "--program", program] => scale::run(Some(program.into()), usize::MAX),
        ["scale", "--program", program, "--samples", most] => {
            scale::run(Some(program.into()), whole("--samples", most)?)
        }
        ["slow"] => slow::run(""),
        ["slow", core] => slow::run(core),
        ["ci"] => ci::run_all(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => bail!("unknown command `{}`\n\n{HELP}", words.join(" ")),
    }
}

/// The whole number after an option.
fn whole(option: &str, given: &str) -> Result<usize> {
    given.parse().with_context(|| format!("{option} takes a whole number, not `{given}`"))
}
