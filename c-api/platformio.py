"""PlatformIO runs this before it builds a firmware: it builds the library of Edgemix with cargo for the board's core."""

import os
import subprocess

Import("env")  # noqa: F821, PlatformIO defines it

TARGETS = {
    "cortex-m0": ("thumbv6m-none-eabi", "thumbv6m-none-eabi"),
    "cortex-m0plus": ("thumbv6m-none-eabi", "thumbv6m-none-eabi"),
    "cortex-m3": ("thumbv7m-none-eabi", "thumbv7m-none-eabi"),
    "cortex-m4": ("thumbv7em-none-eabi", "thumbv7em-none-eabihf"),
    "cortex-m7": ("thumbv7em-none-eabi", "thumbv7em-none-eabihf"),
    "cortex-m33": ("thumbv8m.main-none-eabi", "thumbv8m.main-none-eabihf"),
}


def target(cpu, flags):
    """The target of Rust for a core, and for how the compiler passes floating-point numbers."""
    if cpu.startswith("riscv") or cpu.startswith("esp32c") or any(flag.startswith("-march=rv32") for flag in flags):
        return "riscv32imc-unknown-none-elf"
    if cpu not in TARGETS:
        raise SystemExit(f"Edgemix has no library for {cpu}: see docs/c.md")
    soft, hard = TARGETS[cpu]
    return hard if "-mfloat-abi=hard" in flags else soft


folder = env.Dir(".").srcnode().abspath  # noqa: F821
chosen = target(env.BoardConfig().get("build.cpu", ""), [str(flag) for flag in env.get("CCFLAGS", [])])  # noqa: F821
build = os.path.join(env.subst("$BUILD_DIR"), "edgemix")  # noqa: F821
subprocess.check_call(
    ["cargo", "rustc", "--manifest-path", os.path.join(folder, "Cargo.toml"), "--crate-type", "staticlib"]
    + ["--profile", "small", "--target", chosen, "--target-dir", build]
)
env.Append(LIBPATH=[os.path.join(build, chosen, "small")], LIBS=["edgemix_c"])  # noqa: F821
