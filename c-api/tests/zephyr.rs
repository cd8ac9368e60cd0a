//! Zephyr's module builds the library that its users link elsewhere.

/// What stands between a text and the end of its line.
fn after<'t>(text: &'t str, begin: &str) -> &'t str {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(begin));
    line.unwrap_or_else(|| panic!("no line begins with {begin}"))
}

#[test]
fn its_default_features_are_those_of_the_library() {
    let library = after(include_str!("../Cargo.toml"), "default = [").trim_end_matches(']');
    let library: Vec<&str> = library.split(", ").map(|feature| feature.trim_matches('"')).collect();
    let module = include_str!("../zephyr/Kconfig").split_once("config EDGEMIX_FEATURES").unwrap().1;
    let module: Vec<&str> = after(module, "default \"").trim_end_matches('"').split(',').collect();
    assert_eq!(module, library);
}
