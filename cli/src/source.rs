//! A page as the commands want it: fetched, understood, and with a word about what was not.

use std::{error::Error, fmt};

use crate::check::format_of;
use crate::fetch::{self, FetchError, Request, Target};
use crate::page::{Defect, Family, Format, group, printable, read};
use crate::rule::{self, Level, Rule};

/// A page that was read.
#[derive(Debug)]
pub struct Source {
    pub format: Format,
    pub families: Vec<Family>,
    /// The lines that could not be read, and why.
    pub unread: Vec<Defect>,
}

/// Why there is nothing to show.
#[derive(Debug)]
pub enum SourceError {
    /// There is no page.
    Fetch(FetchError),
    /// What came is something else.
    ContentType { target: String, content_type: String },
    /// What came cannot be read at all.
    Malformed { target: String, first: Option<(usize, String)> },
}

/// The rules whose breach costs a line.
const COSTLY: [Rule; 10] = [
    rule::COMMENT_UNKNOWN,
    rule::LABELS_MALFORMED,
    rule::LABEL_UNQUOTED,
    rule::QUOTE_UNCLOSED,
    rule::QUOTE_UNESCAPED,
    rule::METADATA_TRUNCATED,
    rule::NAME_INVALID,
    rule::NUMBER_MALFORMED,
    rule::NUMBER_RANGE,
    rule::VALUE_MISSING,
];

/// Fetches and reads a page; its format is what its content type says, or else seems to be.
///
/// # Errors
/// See [`SourceError`].
pub fn load(target: &Target, request: &Request) -> Result<Source, SourceError> {
    let page = fetch::fetch(target, request).map_err(SourceError::Fetch)?;
    let format = match &page.content_type {
        Some(Some(content_type)) => format_of(content_type).ok_or_else(|| SourceError::ContentType {
            target: target.to_string(),
            content_type: content_type.clone(),
        })?,
        Some(None) | None => request.format.unwrap_or_else(|| Format::guess(&page.body)),
    };
    let mut defects: Vec<Defect> = Vec::new();
    let items = read(&page.body, format, &mut defects);
    let mut unread: Vec<Defect> = defects
        .into_iter()
        .filter(|defect| defect.rule.level == Level::Error && COSTLY.contains(&defect.rule))
        .collect();
    unread.dedup_by_key(|defect| defect.line);
    let families = group(items, format, &mut Vec::new());
    let samples: usize = families.iter().map(|family| family.members.len()).sum();
    if samples == 0 && !unread.is_empty() {
        let first = unread.into_iter().next().map(|first| (first.line, first.what));
        return Err(SourceError::Malformed { target: target.to_string(), first });
    }
    Ok(Source { format, families, unread })
}

impl Source {
    /// A word about the lines that were not read, if there are any.
    pub fn warning(&self, target: &Target) -> Option<String> {
        let first = self.unread.first()?;
        let (count, line, what) = (self.unread.len(), first.line, printable(&first.what));
        Some(format!(
            "{target}: {count} lines could not be read, the first is line {line}: {what}; `manometer check` tells more"
        ))
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(error) => error.fmt(f),
            Self::ContentType { target, content_type } => {
                write!(f, "{target} is no metrics page: its content type is {content_type:?}")
            }
            Self::Malformed { target, first } => {
                write!(f, "{target} is no metrics page: no sample can be read")?;
                if let Some((line, what)) = first {
                    write!(f, "; line {line}: {}", printable(what))?;
                }
                Ok(())
            }
        }
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Fetch(error) => error.source(),
            _ => None,
        }
    }
}
