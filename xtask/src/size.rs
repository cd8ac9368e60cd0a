//! What a linked program needs, by kind and by origin.

use anyhow::Result;
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

/// Bytes of a program.
pub(crate) struct Size {
    pub(crate) text: u64,
    pub(crate) rodata: u64,
    pub(crate) data: u64,
    pub(crate) bss: u64,
    /// Code of format and runtime, with everything that is not known to be the example's own surroundings: what they
    /// call of postcard and of the compiler's library, and the example's `main`, into which much of them is inlined.
    pub(crate) library: u64,
}

/// Whose functions are neither format's nor runtime's, nor called by them: the log, start-up, the way out.
const SURROUNDINGS: [&str; 8] =
    ["defmt", "semihosting", "Reset", "HardFault", "PreInit", "DefaultHandler", "rust_begin_unwind", "panicking"];

/// Of an ELF file.
pub(crate) fn of(elf: &[u8]) -> Result<Size> {
    let file = object::File::parse(elf)?;
    let sections =
        |names: &[&str]| -> u64 { names.iter().filter_map(|n| file.section_by_name(n)).map(|s| s.size()).sum() };
    let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    let library = functions.filter(|symbol| {
        let name = rustc_demangle::demangle(symbol.name().unwrap_or_default()).to_string();
        !SURROUNDINGS.iter().any(|other| name.contains(other))
    });
    Ok(Size {
        text: sections(&[".vector_table", ".text"]),
        rodata: sections(&[".rodata"]),
        data: sections(&[".data"]),
        bss: sections(&[".bss"]),
        library: library.map(|symbol| symbol.size()).sum(),
    })
}

/// Functions of a program whose names contain one of `parts`. What was inlined into others has no name left.
pub(crate) fn linked(elf: &[u8], parts: &[&str]) -> Result<Vec<String>> {
    let file = object::File::parse(elf)?;
    let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    let names = functions.map(|symbol| rustc_demangle::demangle(symbol.name().unwrap_or_default()).to_string());
    Ok(names.filter(|name| parts.iter().any(|part| name.contains(part))).collect())
}
