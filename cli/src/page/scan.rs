//! The tokens of one line.

use super::{Labels, Sink};
use crate::page::Format;
use crate::rule;

/// What is left of a line, and where the defects in it go.
pub struct Scanner<'a, S> {
    rest: &'a str,
    pub line: usize,
    pub format: Format,
    pub sink: &'a mut S,
}

/// A line cannot be read any further; the sink knows why.
#[derive(Debug)]
pub struct Unreadable;

impl<'a, S: Sink> Scanner<'a, S> {
    pub fn new(rest: &'a str, line: usize, format: Format, sink: &'a mut S) -> Self {
        Self { rest, line, format, sink }
    }

    pub fn rest(&self) -> &'a str {
        self.rest
    }

    pub fn defect(&mut self, rule: rule::Rule, what: impl Into<String>) {
        self.sink.defect(self.line, rule, what.into());
    }

    /// Takes `prefix` if it comes next.
    pub fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes the blanks that come next. OpenMetrics has exactly `allowed` spaces there, the text format any blanks.
    pub fn blanks(&mut self, allowed: usize, place: &str) -> usize {
        let trimmed = self.rest.trim_start_matches([' ', '\t']);
        let blanks = &self.rest[..self.rest.len() - trimmed.len()];
        let surplus = blanks.len() > allowed || blanks.contains('\t');
        if surplus && self.format == Format::OpenMetrics {
            self.defect(rule::SPACE_SURPLUS, format!("{} {place}: {blanks:?}", spaces(allowed)));
        }
        self.rest = trimmed;
        blanks.len()
    }

    /// Takes what comes before the next blank.
    pub fn word(&mut self) -> &'a str {
        self.until(|letter| matches!(letter, ' ' | '\t'))
    }

    /// Takes what comes before the first letter that ends it.
    pub fn until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    /// Takes labels from their opening brace, which was taken, through the closing one.
    pub fn labels(&mut self) -> Result<Labels, Unreadable> {
        let mut labels = Labels::new();
        loop {
            self.blanks(0, "between labels");
            if self.take("}") {
                return Ok(labels);
            }
            let name = self.until(|letter| matches!(letter, '=' | '}' | ',' | '"' | ' ' | '\t'));
            self.blanks(0, "before `=`");
            if !self.take("=") {
                return self.fail(rule::LABELS_MALFORMED, format!("after label {name:?} comes no `=`"));
            }
            if !is_label_name(name) {
                self.defect(rule::LABEL_NAME_INVALID, format!("{name:?} is not [a-zA-Z_][a-zA-Z0-9_]*"));
            }
            self.blanks(0, "after `=`");
            if !self.take("\"") {
                return self.fail(rule::LABEL_UNQUOTED, format!("the value of label {name:?} has no quotes"));
            }
            let value = self.quoted(name)?;
            if labels.iter().any(|(known, _)| known == name) {
                self.defect(rule::LABEL_REPEATED, format!("label {name:?} is there twice"));
            } else {
                labels.push((name.to_owned(), value));
            }
            if self.rest.trim_start_matches([' ', '\t']).starts_with([',', '}']) {
                self.blanks(0, "after a label");
            }
            if self.take(",") {
                let comma = self.rest.trim_start_matches([' ', '\t']);
                if comma.starts_with('}') && self.format == Format::OpenMetrics {
                    self.defect(rule::LABEL_COMMA, "a comma before the closing brace");
                }
            } else if !self.rest.starts_with('}') {
                return match self.rest.contains('"') || self.rest.contains('}') {
                    // What follows looks like more of the value: its quote was meant to be part of it.
                    true => {
                        self.fail(rule::QUOTE_UNESCAPED, format!("a bare quote ends the value of label {name:?} early"))
                    }
                    false => self.fail(rule::LABELS_MALFORMED, "no closing brace"),
                };
            }
        }
    }

    /// Takes a value through its closing quote.
    fn quoted(&mut self, label: &str) -> Result<String, Unreadable> {
        let mut value = String::new();
        let mut letters = self.rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(value);
                }
                '\\' => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                    Some((_, other)) => {
                        self.sink.defect(self.line, rule::ESCAPE_UNDEFINED, format!("\\{other} in label {label:?}"));
                        value.extend(['\\', other]);
                    }
                    None => break,
                },
                _ => value.push(letter),
            }
        }
        let what = format!("the value of label {label:?} ends with its line: a line feed in it is written \\n");
        self.fail(rule::QUOTE_UNCLOSED, what)
    }

    pub fn fail<T>(&mut self, rule: rule::Rule, what: impl Into<String>) -> Result<T, Unreadable> {
        self.defect(rule, what);
        Err(Unreadable)
    }
}

pub fn is_metric_name(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '_' | ':'));
    begins && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
}

fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':')
}

fn spaces(allowed: usize) -> &'static str {
    if allowed == 0 { "no space belongs" } else { "one space belongs" }
}
