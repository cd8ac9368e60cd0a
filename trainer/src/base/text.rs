//! Text as people read it: nothing in it controls a terminal, long lists are cut, and one is singular.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with characters that control a terminal, or that reverse the direction of writing, spelt as JSON spells them.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_control = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_control) {
        return text.into();
    }
    let mut spelt = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_control(c) {
            // Writing to a String can't fail. All these characters have at most four digits.
            let _ = write!(spelt, "\\u{:04x}", u32::from(c));
        } else {
            spelt.push(c);
        }
    }
    spelt.into()
}

/// Names joined by commas. Of many names only the first ones are listed, and of a long name only its begin.
pub(crate) fn listed(names: &[impl AsRef<str>]) -> String {
    const MOST: usize = 10;
    const LONGEST: usize = 60;
    let short = |name: &str| match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name.to_owned(),
    };
    let first: Vec<String> = names.iter().take(MOST).map(|name| short(name.as_ref())).collect();
    match names.len().saturating_sub(MOST) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// A number with its noun, as in `1 cluster` and `2 clusters`.
pub(crate) fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// A number with four significant digits, as in `0.05` and `4096`.
pub(crate) fn significant(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_controls_the_terminal() {
        let hostile = "a\u{1b}[2J\u{7}\u{9b}31m\u{202e}\r\u{7f}\tb\nü";
        assert_eq!(printable(hostile), "a\\u001b[2J\\u0007\\u009b31m\\u202e\\u000d\\u007f\tb\nü");
        assert!(matches!(printable("plain\n"), Cow::Borrowed(_)));
        // A string of JSON keeps its meaning.
        let json = serde_json::to_string(hostile).unwrap();
        assert_eq!(serde_json::from_str::<String>(&printable(&json)).unwrap(), hostile);
    }

    #[test]
    fn long_lists_are_cut_and_one_is_singular() {
        let names: Vec<String> = (0..60_000).map(|i| format!("x{i}")).collect();
        assert_eq!(listed(&names), "x0, x1, x2, x3, x4, x5, x6, x7, x8, x9 and 59990 more");
        assert_eq!(listed(&names[..2]), "x0, x1");
        assert_eq!(listed(&["ü".repeat(1000)]), "ü".repeat(60) + "...");
        assert_eq!([counted(0, "epoch"), counted(1, "epoch")], ["0 epochs", "1 epoch"]);
    }
}
