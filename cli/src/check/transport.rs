//! What the headers say of a page.

use crate::page::{Defect, Family, Format, Sink, is_label_name, is_metric_name};
use crate::rule;

/// What the parameter `escaping` may say.
const SCHEMES: [&str; 4] = ["allow-utf-8", "underscores", "dots", "values"];

/// A content type taken apart: the media type and its parameters, all in lower case.
fn parts(content_type: &str) -> (String, Vec<(String, String)>) {
    let mut pieces = content_type.split(';').map(|piece| piece.trim().to_ascii_lowercase());
    let media = pieces.next().unwrap_or_default();
    let parameter = |piece: String| {
        let (name, value) = piece.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
    };
    (media, pieces.filter_map(parameter).collect())
}

/// The format that a content type announces; None if it is none of a metrics page.
pub fn format_of(content_type: &str) -> Option<Format> {
    match parts(content_type).0.as_str() {
        "application/openmetrics-text" => Some(Format::OpenMetrics),
        "text/plain" => Some(Format::Text),
        _ => None,
    }
}

/// Whether a page has names that must be in quotes.
pub fn has_quoted_names(families: &[Family]) -> bool {
    let samples = || families.iter().flat_map(|family| &family.members).map(|member| &member.sample);
    families.iter().any(|family| !is_metric_name(&family.name))
        || samples().any(|sample| sample.labels.iter().any(|(name, _)| !is_label_name(name)))
}

/// Judges what the `Content-Type` says of names; its defects are of line 0.
pub fn judge_escaping(content_type: &str, has_quoted_names: bool, defects: &mut Vec<Defect>) {
    let (_, parameters) = parts(content_type);
    let scheme = parameters.iter().find_map(|(name, value)| (name == "escaping").then_some(value.as_str()));
    let what = match scheme {
        Some(scheme) if !SCHEMES.contains(&scheme) => format!("{scheme:?} is none of {}", SCHEMES.join(", ")),
        None | Some("underscores" | "dots" | "values") if has_quoted_names => {
            format!("names are in quotes, and {content_type:?} does not say escaping=allow-utf-8")
        }
        _ => return,
    };
    defects.defect(0, rule::CONTENT_TYPE_ESCAPING, what);
}

/// Judges the `Content-Type` of a page; its defects are of line 0.
pub fn judge_headers(content_type: Option<&str>, defects: &mut Vec<Defect>) {
    let Some(content_type) = content_type else {
        return defects.defect(0, rule::CONTENT_TYPE_MISSING, "the answer has no Content-Type".to_owned());
    };
    let Some(format) = format_of(content_type) else {
        let what = format!("{content_type:?} is neither application/openmetrics-text nor text/plain");
        return defects.defect(0, rule::CONTENT_TYPE_UNKNOWN, what);
    };
    let (_, parameters) = parts(content_type);
    let find = |name: &str| parameters.iter().find_map(|(known, value)| (known == name).then_some(value.as_str()));
    let versions: &[&str] = match format {
        Format::OpenMetrics => &["1.0.0", "0.0.1"],
        Format::Text => &["0.0.4", "1.0.0"],
    };
    match find("version") {
        Some(version) if !versions.contains(&version) => {
            let what = format!("{content_type:?}: version {version:?} is none of {}", versions.join(", "));
            defects.defect(0, rule::CONTENT_TYPE_VERSION, what);
        }
        None if format == Format::OpenMetrics => {
            defects.defect(0, rule::CONTENT_TYPE_VERSION, format!("{content_type:?} names no version"));
        }
        _ => {}
    }
    if find("charset").is_none_or(|charset| charset != "utf-8") {
        defects.defect(0, rule::CONTENT_TYPE_CHARSET, format!("{content_type:?} does not say charset=utf-8"));
    }
}
