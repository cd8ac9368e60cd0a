//! What a linked program needs, by section and by origin.

use anyhow::Result;
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

/// Bytes of a program.
pub(crate) struct Size {
    pub(crate) text: u64,
    pub(crate) rodata: u64,
    pub(crate) data: u64,
    pub(crate) bss: u64,
    /// Code of format and runtime, and of whatever is not in `SURROUNDINGS`: what they call in postcard and in the
    /// compiler's library, and the example's `main`, into which much of them is inlined.
    pub(crate) library: u64,
}

impl Size {
    /// Bytes of flash.
    pub(crate) fn flash(&self) -> u64 {
        self.text + self.rodata + self.data
    }

    /// Bytes of RAM that variables take; the stack comes on top.
    pub(crate) fn statics(&self) -> u64 {
        self.data + self.bss
    }
}

/// Parts of the names of functions that neither belong to format or runtime nor are called by them: the log, the start
/// and the end of the program.
const SURROUNDINGS: [&str; 8] =
    ["defmt", "semihosting", "Reset", "HardFault", "PreInit", "DefaultHandler", "rust_begin_unwind", "panicking"];

/// Measures a program, an ELF file.
pub(crate) fn measure(elf: &[u8]) -> Result<Size> {
    let file = object::File::parse(elf)?;
    let library = functions(&file).filter(|(name, _)| !contains_any(name, &SURROUNDINGS));
    Ok(Size {
        text: section_bytes(&file, &[".vector_table", ".text"]),
        rodata: section_bytes(&file, &[".rodata"]),
        data: section_bytes(&file, &[".data"]),
        bss: section_bytes(&file, &[".bss"]),
        library: library.map(|(_, bytes)| bytes).sum(),
    })
}

/// Bytes of the sections with these names.
pub(crate) fn section_bytes(file: &object::File, names: &[&str]) -> u64 {
    names.iter().filter_map(|name| file.section_by_name(name)).map(|section| section.size()).sum()
}

/// Functions of a program whose names contain one of `parts`. Inlined functions have no name any more.
pub(crate) fn functions_named(elf: &[u8], parts: &[&str]) -> Result<Vec<String>> {
    let file = object::File::parse(elf)?;
    Ok(functions(&file).map(|(name, _)| name).filter(|name| contains_any(name, parts)).collect())
}

/// Names and bytes of a program's functions.
fn functions(file: &object::File) -> impl Iterator<Item = (String, u64)> {
    let symbols = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    symbols.map(|symbol| {
        let name = rustc_demangle::demangle(symbol.name().unwrap_or_default()).to_string();
        (name, symbol.size())
    })
}

fn contains_any(name: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| name.contains(part))
}
