//! What the headers say of a page.

use crate::page::{Defect, Format, Sink};
use crate::rule;

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
