//! `cargo xtask c`: the library for C. Its header is current; a program in C finds on every emulated core what it finds on the
//! host; nothing that is linked can panic or allocate; and hostile models find no fault.

mod header;
mod hostile;
mod library;
mod models;
mod programs;

use anyhow::{Result, ensure};

use crate::cores::{CORES, CORTEX_M4, Core};
use crate::process::output;
use crate::setup;

/// Bytes of code that the library may need on a Cortex-M4 for dense layers and a diagonal mixture, with the program's own.
const MOST_CODE: u64 = 13 * 1024;
/// Assignments of samples that the chip must print.
const LEAST_SAMPLES: usize = 500;
/// What picolibc writes to the console goes to the standard output as well.
const CONSOLE: [&str; 4] =
    ["-chardev", "stdio,id=console", "-semihosting-config", "enable=on,target=native,chardev=console"];
/// Mutated models of the check that always runs.
const MUTATIONS: u64 = 20_000;

/// Compares the header, or writes it, and runs all checks.
pub(crate) fn run(bless: bool) -> Result<()> {
    header::check(bless)?;
    setup::install_c()?;
    emulate()?;
    measure()?;
    hostile(MUTATIONS)
}

/// Feeds so many mutated models to the library under the sanitizers of the C compiler.
pub(crate) fn hostile(count: u64) -> Result<()> {
    hostile::run_all(count)
}

/// Compares what the emulated cores print with what the host prints.
fn emulate() -> Result<()> {
    let folder = models::write()?;
    let expected = output(&mut programs::for_host("parity.c", &folder)?)?;
    let samples = expected.lines().filter(|line| line.starts_with("digit ")).count();
    ensure!(samples >= LEAST_SAMPLES, "the host printed {samples} assignments, not {LEAST_SAMPLES}");
    for core in CORES.iter().filter(|core| core.compiler.is_some()) {
        let library = library::for_core(core, library::Features::All)?;
        let program = programs::for_core(core, "parity.c", &folder, &library, &[])?;
        let printed = output(core.emulator(&program).args(CONSOLE))?;
        let same = printed.lines().zip(expected.lines()).take_while(|(chip, host)| chip == host).count();
        let line = |text: &str| text.lines().nth(same).unwrap_or("nothing").to_owned();
        let (chip, host) = (line(&printed), line(&expected));
        ensure!(chip == host, "{}, line {}: printed `{chip}`, but the host `{host}`", core.name, same + 1);
        programs::check_symbols(&program)?;
        println!("{}: {same} lines as on the host, {samples} of them assignments of samples", core.name);
    }
    Ok(())
}

/// Measures the code of the library with no optional feature and with all, and shows that a panic would be seen.
fn measure() -> Result<()> {
    let folder = models::write()?;
    let least = |core: &Core, features, more: &[&str]| {
        let library = library::for_core(core, features)?;
        programs::for_core(core, "least.c", &folder, &library, more)
    };
    let small = least(&CORTEX_M4, library::Features::None, &[])?;
    programs::check_symbols(&small)?;
    let code = programs::code(&small)?;
    println!("cortex-m4: {code} bytes of code for dense layers and a diagonal mixture, of {MOST_CODE}");
    ensure!(code <= MOST_CODE, "the limit is {MOST_CODE} bytes");
    let all = programs::code(&least(&CORTEX_M4, library::Features::All, &[])?)?;
    println!("cortex-m4: {all} bytes of code for all kinds of models");
    let panicking = least(&CORTEX_M4, library::Features::ReachablePanic, &["-DREACHABLE_PANIC"])?;
    ensure!(programs::check_symbols(&panicking).is_err(), "a reachable panic is not seen, so the check proves nothing");
    Ok(())
}
