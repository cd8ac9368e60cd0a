//! A setting that was the method's, and now is that of all methods: `method.reconstruct`.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use crate::methods::ReconstructionTarget;

/// What a settings file has of the setting.
#[derive(Deserialize)]
struct Begin {
    reconstruct: Option<IgnoredAny>,
    method: Option<OfMethod>,
}

#[derive(Deserialize)]
struct OfMethod {
    name: Option<String>,
    reconstruct: Option<Spanned<ReconstructionTarget>>,
}

/// The setting of grow or DEPICT in a file that was written when it was theirs, and the text without it. What remains is in
/// the same places, so that errors have the right lines. A setting that means nothing any more remains, too, as an unknown one.
pub(super) fn taken(text: &str) -> Result<(Option<ReconstructionTarget>, String), toml::de::Error> {
    let remains = Ok((None, text.to_owned()));
    let Begin { reconstruct: None, method: Some(OfMethod { name, reconstruct: Some(target) }) } = toml::from_str(text)?
    else {
        return remains;
    };
    let now = match (name.as_deref().unwrap_or("grow"), *target.get_ref()) {
        ("grow", target) => target,
        // It was its default.
        ("depict", ReconstructionTarget::Still) => ReconstructionTarget::Auto,
        ("depict", ReconstructionTarget::Moved) => ReconstructionTarget::Moved,
        _ => return remains,
    };
    let Range { start, end } = target.span();
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    // Within a table in braces, there may be others on the line.
    if !matches!(text[begin..start].trim_end_matches([' ', '\t', '=']).trim(), "reconstruct" | "method.reconstruct") {
        return remains;
    }
    Ok((Some(now), format!("{}{}{}", &text[..begin], " ".repeat(end - begin), &text[end..])))
}
