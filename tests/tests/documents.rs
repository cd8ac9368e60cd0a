//! The pages for contributors name files that exist.

use std::path::Path;

const PAGES: [&str; 3] = ["docs/ADDING.md", "docs/ARCHITECTURE.md", "CONTRIBUTING.md"];

/// What a page puts between backticks outside its code blocks.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2))
}

/// The name of a file or folder of this repository, without placeholders such as `NAME`.
fn is_path(text: &str) -> bool {
    let is_path = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) && text.contains('/');
    is_path && !["NAME", "CORE"].iter().any(|placeholder| text.contains(placeholder))
}

#[test]
fn files_that_the_pages_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut missing = vec![];
    for page in PAGES {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let paths: Vec<&str> = quoted(&text).filter(|text| is_path(text)).collect();
        assert!(!paths.is_empty(), "{page} names no files");
        // A folder of the trainer's layers may stand without its beginning.
        let is_missing =
            |path: &&str| ![root.join(path), root.join("trainer/src").join(path)].iter().any(|p| p.exists());
        missing.extend(paths.into_iter().filter(is_missing).map(|path| format!("{page}: {path}")));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn paths_are_told_from_other_words() {
    let page = "In `a/b.rs` or `x`:\n```rust\n`not/this.rs`\n```\n`a/NAME.rs`, `cargo xtask`, `c/d/`.";
    assert_eq!(quoted(page).filter(|text| is_path(text)).collect::<Vec<_>>(), ["a/b.rs", "c/d/"]);
}
