//! The tokens of one line.

use std::fmt;

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

    /// Takes a name: what is in quotes, or what comes before the first letter that ends it. True if it was in quotes.
    pub fn name(&mut self, ends: impl Fn(char) -> bool) -> Result<(String, bool), Unreadable> {
        match self.take("\"") {
            true => self.quoted(format_args!("a name")).map(|name| (name, true)),
            false => Ok((self.until(ends).to_owned(), false)),
        }
    }

    /// Takes labels from their opening brace, which was taken, through the closing one.
    pub fn labels(&mut self) -> Result<Labels, Unreadable> {
        match self.braces()? {
            (None, labels) => Ok(labels),
            (Some(name), _) => self.fail(rule::LABELS_MALFORMED, format!("after label {name:?} comes no `=`")),
        }
    }

    /// Takes what is between braces, of which the opening one was taken: the name of the metric, if it is there in quotes, and labels.
    pub fn braces(&mut self) -> Result<(Option<String>, Labels), Unreadable> {
        let (mut metric, mut labels) = (None, Labels::new());
        loop {
            self.blanks(0, "between labels");
            if self.take("}") {
                return Ok((metric, labels));
            }
            let (name, is_quoted) = self.name(|letter| matches!(letter, '=' | '}' | ',' | '"' | ' ' | '\t'))?;
            self.blanks(0, "before `=`");
            if self.take("=") {
                self.label(name, is_quoted, &mut labels)?;
            } else if is_quoted && metric.is_none() && labels.is_empty() {
                metric = Some(name);
            } else {
                return self.fail(rule::LABELS_MALFORMED, format!("after label {name:?} comes no `=`"));
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
                    true => self.fail(rule::QUOTE_UNESCAPED, "a bare quote ends a name or a value early"),
                    false => self.fail(rule::LABELS_MALFORMED, "no closing brace"),
                };
            }
        }
    }

    /// Takes the value of a label whose name and `=` were taken.
    fn label(&mut self, name: String, is_quoted: bool, labels: &mut Labels) -> Result<(), Unreadable> {
        if is_quoted && name.is_empty() {
            self.defect(rule::LABEL_NAME_INVALID, "the name in quotes is empty");
        } else if !is_quoted && !is_label_name(&name) {
            let what = format!("{name:?} is not [a-zA-Z_][a-zA-Z0-9_]*, and other names are in quotes");
            self.defect(rule::LABEL_NAME_INVALID, what);
        }
        self.blanks(0, "after `=`");
        if !self.take("\"") {
            return self.fail(rule::LABEL_UNQUOTED, format!("the value of label {name:?} has no quotes"));
        }
        let value = self.quoted(format_args!("the value of label {name:?}"))?;
        if labels.iter().any(|(known, _)| *known == name) {
            self.defect(rule::LABEL_REPEATED, format!("label {name:?} is there twice"));
        } else {
            labels.push((name, value));
        }
        Ok(())
    }

    /// Takes a text through its closing quote; the opening one was taken. `place` says what it is.
    fn quoted(&mut self, place: fmt::Arguments<'_>) -> Result<String, Unreadable> {
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
                        self.sink.defect(self.line, rule::ESCAPE_UNDEFINED, format!("\\{other} in {place}"));
                        value.extend(['\\', other]);
                    }
                    None => break,
                },
                _ => value.push(letter),
            }
        }
        let what = format!("{place} ends with its line: a line feed in it is written \\n");
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

pub fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':')
}

fn spaces(allowed: usize) -> &'static str {
    if allowed == 0 { "no space belongs" } else { "one space belongs" }
}
