//! Lines become items: metadata and samples.

use std::str;

use super::scan::{Scanner, Unreadable, is_metric_name};
use super::{Exemplar, Figure, Format, Sample, Sink, number, printable};
use crate::rule;

/// What a line of metadata tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    Type,
    Unit,
    Help,
}

/// A line that says something.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `# TYPE name text` and its like; help with its escapes undone.
    Metadata { line: usize, keyword: Keyword, name: String, text: String },
    /// A value.
    Sample(Sample),
}

/// Text timestamps before this are seconds where milliseconds belong: they would be of the year 1973 and before.
const LEAST_MILLIS: f64 = 1e11;

/// OpenMetrics timestamps from this on are milliseconds where seconds belong: they would be of the year 5138 and after.
const MOST_SECONDS: f64 = 1e11;

/// Reads a whole page, line by line; a line that cannot be read costs itself alone.
pub fn read(page: &[u8], format: Format, sink: &mut impl Sink) -> Vec<Item> {
    let page = match page.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => {
            sink.defect(1, rule::BYTE_ORDER_MARK, "the page begins with a byte order mark".to_owned());
            rest
        }
        None => page,
    };
    let mut items = Vec::new();
    let mut end = None;
    let mut lines = page.split(|byte| *byte == b'\n').enumerate().peekable();
    let mut last = 1;
    while let Some((position, bytes)) = lines.next() {
        let line = position + 1;
        let is_ended = lines.peek().is_some();
        if !is_ended && bytes.is_empty() {
            break;
        }
        last = line;
        let text = str::from_utf8(bytes);
        if let Err(error) = text {
            sink.defect(line, rule::UTF8_INVALID, format!("byte {} of the line is not UTF-8", error.valid_up_to() + 1));
        }
        let lossy = String::from_utf8_lossy(bytes);
        let text = lossy.strip_suffix('\r').unwrap_or(&lossy);
        if text.len() < lossy.len() {
            sink.defect(line, rule::CARRIAGE_RETURN, "the line ends with a carriage return".to_owned());
        }
        if let Some(end) = end {
            sink.defect(line, rule::EOF_FOLLOWED, format!("`# EOF` was in line {end}"));
            break;
        }
        if format == Format::OpenMetrics && text == "# EOF" {
            end = Some(line);
            if !is_ended {
                sink.defect(line, rule::EOF_UNENDED, "the last line has no line feed".to_owned());
            }
            continue;
        }
        if format == Format::Text && !is_ended {
            sink.defect(line, rule::LINE_UNENDED, "the last line has no line feed".to_owned());
        }
        // An unreadable line has told its defect.
        items.extend(read_line(&mut Scanner::new(text, line, format, sink)).ok().flatten());
    }
    if format == Format::OpenMetrics && end.is_none() {
        sink.defect(last, rule::EOF_MISSING, "the page ends without `# EOF`".to_owned());
    }
    items
}

fn read_line<S: Sink>(line: &mut Scanner<'_, S>) -> Result<Option<Item>, Unreadable> {
    if line.rest().trim_matches([' ', '\t']).is_empty() {
        if line.format == Format::OpenMetrics {
            line.defect(rule::LINE_BLANK, "a blank line");
        }
        return Ok(None);
    }
    line.blanks(0, "before the line");
    if line.rest().starts_with('#') {
        return read_comment(line);
    }
    read_sample(line).map(|sample| Some(Item::Sample(sample)))
}

fn read_comment<S: Sink>(line: &mut Scanner<'_, S>) -> Result<Option<Item>, Unreadable> {
    let whole = line.rest();
    line.take("#");
    let spaced = line.blanks(1, "after `#`") > 0;
    let keyword = match line.word() {
        "TYPE" if spaced => Keyword::Type,
        "HELP" if spaced => Keyword::Help,
        "UNIT" if spaced && line.format == Format::OpenMetrics => Keyword::Unit,
        _ if line.format == Format::Text => return Ok(None),
        _ => {
            let what = format!("{:?} is neither TYPE, UNIT, HELP nor EOF", printable(whole));
            return line.fail(rule::COMMENT_UNKNOWN, what);
        }
    };
    line.blanks(1, "before the name");
    let (name, is_quoted) = line.name(|letter| matches!(letter, ' ' | '\t'))?;
    if name.is_empty() && !is_quoted {
        return line.fail(rule::METADATA_TRUNCATED, "the line names no metric");
    }
    judge_name(line, &name, is_quoted);
    // The text of a help line begins after one space, whatever it begins with.
    let is_spaced = match keyword {
        Keyword::Help => line.take(" ") || line.take("\t"),
        Keyword::Type | Keyword::Unit => line.blanks(1, "after the name") > 0,
    };
    if !is_spaced && (line.format == Format::OpenMetrics || keyword == Keyword::Type) {
        return line.fail(rule::METADATA_TRUNCATED, format!("nothing follows the name {name:?}, not even a space"));
    }
    let text = match keyword {
        Keyword::Help => read_help(line),
        Keyword::Type | Keyword::Unit => {
            let word = line.word();
            end_line(line);
            word.to_owned()
        }
    };
    if keyword == Keyword::Unit && !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
    {
        line.defect(rule::UNIT_INVALID, format!("unit {text:?} is not made of [a-zA-Z0-9_:]"));
    }
    Ok(Some(Item::Metadata { line: line.line, keyword, name, text }))
}

fn read_help<S: Sink>(line: &mut Scanner<'_, S>) -> String {
    let mut help = String::new();
    let mut letters = line.rest().chars();
    let mut bare = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if line.format == Format::OpenMetrics => {
                bare = true;
                help.push('"');
            }
            '\\' => match letters.next() {
                Some('n') => help.push('\n'),
                Some('\\') => help.push('\\'),
                Some('"') if line.format == Format::OpenMetrics => help.push('"'),
                other => {
                    line.defect(
                        rule::ESCAPE_UNDEFINED,
                        format!("\\{} in the help", other.map_or(String::new(), String::from)),
                    );
                    help.push('\\');
                    help.extend(other);
                }
            },
            _ => help.push(letter),
        }
    }
    if bare {
        line.defect(rule::HELP_QUOTE, "a quote in the help is written \\\"");
    }
    help
}

/// In quotes a name may be any that is not empty.
fn judge_name<S: Sink>(line: &mut Scanner<'_, S>, name: &str, is_quoted: bool) {
    if is_quoted && name.is_empty() {
        line.defect(rule::NAME_INVALID, "the name in quotes is empty");
    } else if !is_quoted && !is_metric_name(name) {
        let what = format!("{name:?} is not [a-zA-Z_:][a-zA-Z0-9_:]*, and other names are in quotes");
        line.defect(rule::NAME_INVALID, what);
    }
}

fn read_sample<S: Sink>(line: &mut Scanner<'_, S>) -> Result<Sample, Unreadable> {
    let bare = line.until(|letter| matches!(letter, '{' | ' ' | '\t')).to_owned();
    let may_be_quoted = bare.is_empty() && line.rest().starts_with('{');
    if !may_be_quoted {
        judge_name(line, &bare, false);
        if bare.is_empty() {
            return Err(Unreadable);
        }
    }
    let text_may_be_spaced =
        line.format == Format::Text && line.rest().trim_start_matches([' ', '\t']).starts_with('{');
    if text_may_be_spaced {
        line.blanks(0, "before the labels");
    }
    let (quoted, labels) = if line.take("{") { line.braces()? } else { Default::default() };
    let name = match quoted {
        Some(quoted) if may_be_quoted => {
            judge_name(line, &quoted, true);
            quoted
        }
        None if !may_be_quoted => bare,
        Some(quoted) => return line.fail(rule::NAME_INVALID, format!("{bare:?} and {quoted:?} are two names")),
        None => return line.fail(rule::NAME_INVALID, "there is no name before the labels, nor in quotes among them"),
    };
    line.blanks(1, "before the value");
    let value = line.word();
    if matches!(value, "" | "#") {
        return line.fail(rule::VALUE_MISSING, format!("{name} has no value"));
    }
    let value = number::parse(value, line.line, rule::NUMBER_MALFORMED, line.sink).ok_or(Unreadable)?;
    let mut sample = Sample { line: line.line, name, labels, value, timestamp: None, exemplar: None };
    if after_space(line) && !line.rest().starts_with('#') {
        sample.timestamp = read_timestamp(line);
        after_space(line);
    }
    if line.rest().starts_with('#') {
        if line.format == Format::Text {
            line.defect(rule::EXEMPLAR_IN_TEXT, "the text format has no exemplars, nor comments after a value");
        } else {
            sample.exemplar = read_exemplar(line).ok();
        }
    } else if !line.rest().is_empty() {
        line.defect(rule::LINE_TRAILING, format!("{:?} follows the sample", printable(line.rest())));
    }
    Ok(sample)
}

/// Takes the space before a further part of a line; false, and told, if the line ends with it.
fn after_space<S: Sink>(line: &mut Scanner<'_, S>) -> bool {
    if line.rest().trim_matches([' ', '\t']).is_empty() {
        end_line(line);
        return false;
    }
    line.blanks(1, "between two parts");
    true
}

/// Takes what is left of a line, which should be nothing.
fn end_line<S: Sink>(line: &mut Scanner<'_, S>) {
    line.blanks(0, "at the end");
    if !line.rest().is_empty() {
        let what = format!("{:?} is too much", printable(line.rest()));
        line.defect(rule::LINE_TRAILING, what);
    }
}

fn read_timestamp<S: Sink>(line: &mut Scanner<'_, S>) -> Option<Figure> {
    let text = line.word();
    if line.format == Format::Text {
        let Ok(millis) = text.parse::<i64>() else {
            line.defect(rule::TIMESTAMP_MALFORMED, format!("{text:?} is no whole number of milliseconds"));
            return None;
        };
        let value = millis as f64;
        if millis != 0 && value.abs() < LEAST_MILLIS {
            line.defect(
                rule::TIMESTAMP_SCALE,
                format!("{text} would be before 1974: the text format has milliseconds"),
            );
        }
        return Some(Figure { text: text.to_owned(), value });
    }
    let figure = number::parse(text, line.line, rule::TIMESTAMP_MALFORMED, line.sink)?;
    if !figure.value.is_finite() {
        line.defect(rule::TIMESTAMP_NOT_FINITE, format!("{text} is no time"));
        return None;
    }
    if text.contains(['e', 'E']) {
        line.defect(rule::TIMESTAMP_EXPONENT, format!("{text} is written without an exponent"));
    }
    if figure.value.abs() >= MOST_SECONDS {
        line.defect(rule::TIMESTAMP_SCALE, format!("{text} would be after 5138: OpenMetrics has seconds"));
    }
    Some(figure)
}

fn read_exemplar<S: Sink>(line: &mut Scanner<'_, S>) -> Result<Exemplar, Unreadable> {
    line.take("#");
    line.blanks(1, "after `#`");
    if !line.take("{") {
        return line.fail(rule::EXEMPLAR_MALFORMED, "an exemplar begins with its labels in braces");
    }
    let labels = line.labels()?;
    line.blanks(1, "before the value");
    let value = line.word();
    if value.is_empty() {
        return line.fail(rule::EXEMPLAR_MALFORMED, "the exemplar has no value");
    }
    let value = number::parse(value, line.line, rule::EXEMPLAR_MALFORMED, line.sink).ok_or(Unreadable)?;
    let timestamp = if after_space(line) { read_timestamp(line) } else { None };
    end_line(line);
    Ok(Exemplar { labels, value, timestamp })
}
