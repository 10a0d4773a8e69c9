//! The command line.

use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use hyper::header::{HeaderName, HeaderValue};

use crate::fetch::{Request, Target};
use crate::page::Format;

/// Looks at, judges and compares the metrics page of any OpenMetrics or Prometheus endpoint.
#[derive(Debug, Parser)]
#[command(name = "manometer", version, after_help = PLACES)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

const PLACES: &str = "A page is at http://HOST[:PORT][/PATH] (path /metrics unless given), unix:/SOCKET[:/PATH], in a FILE, or on standard \
                      input (-).\nExit status: 0 clean, 1 defects or differences, 2 trouble.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show families with their values in readable units
    Show(ShowArgs),
    /// Watch families change, full-screen
    Top(TopArgs),
    /// Judge a page by the rules of its format
    Check(CheckArgs),
    /// Compare families, types, units and labels of two pages
    Diff(DiffArgs),
    /// Write a page as JSON
    Snapshot(SnapshotArgs),
    /// List the rules that `check` knows
    Rules,
}

#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Where the page is
    pub url: Target,
    /// A regular expression that is looked for in the names of families
    pub pattern: Option<String>,
    /// Fetch twice, this long apart, and show the rates between
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub interval: Option<Duration>,
    /// Show the current value of each series as well
    #[arg(long)]
    pub details: bool,
    /// Draw how many observations fell into each bucket of a histogram
    #[arg(long, conflicts_with_all = ["interval", "details"])]
    pub histogram: bool,
    /// Draw how many observations were not above each threshold of a histogram
    #[arg(long, conflicts_with_all = ["interval", "details", "histogram"])]
    pub cumulative: bool,
    #[command(flatten)]
    pub request: RequestArgs,
}

#[derive(Debug, clap::Args)]
pub struct TopArgs {
    /// Where the page is
    pub url: Target,
    /// The time between two looks
    #[arg(long, value_parser = duration, default_value = "2s", value_name = "TIME")]
    pub interval: Duration,
    #[command(flatten)]
    pub request: RequestArgs,
}

#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Where the page is
    pub target: Target,
    /// How the verdict is written
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub format: Output,
    /// The format that an endpoint is asked for, and that a file is judged by
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    pub ask: Option<Format>,
    /// Leave out what the standard only advises
    #[arg(long)]
    pub errors_only: bool,
    /// Exit with 1 for advice, too
    #[arg(long, conflicts_with = "errors_only")]
    pub strict: bool,
    #[command(flatten)]
    pub request: RequestArgs,
}

#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// Where the old page is
    pub old: Target,
    /// Where the new page is
    pub new: Target,
    /// How the differences are written
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub format: Output,
    /// Compare help texts as well
    #[arg(long)]
    pub help_texts: bool,
    /// The format that endpoints are asked for
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    pub ask: Option<Format>,
    #[command(flatten)]
    pub request: RequestArgs,
}

#[derive(Debug, clap::Args)]
pub struct SnapshotArgs {
    /// Where the page is
    pub url: Target,
    /// The format that an endpoint is asked for
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    pub ask: Option<Format>,
    #[command(flatten)]
    pub request: RequestArgs,
}

/// How the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// How endpoints are asked.
#[derive(Debug, clap::Args)]
pub struct RequestArgs {
    /// A bearer token; in the environment, other users of the machine do not see it
    #[arg(long, env = "MANOMETER_TOKEN", hide_env_values = true, value_parser = token)]
    token: Option<String>,
    /// A further header, `Name: value`; may be given again
    #[arg(long = "header", value_parser = header, value_name = "HEADER")]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// How long an answer may take
    #[arg(long, value_parser = duration, default_value = "10s", value_name = "TIME")]
    timeout: Duration,
}

impl RequestArgs {
    /// The request, for one format or any.
    pub fn request(self, format: Option<Format>) -> Request {
        Request { token: self.token, headers: self.headers, timeout: self.timeout, format }
    }
}

/// The longest time that is taken: a year.
const MOST_SECONDS: f64 = 365.0 * 86_400.0;

/// Reads `500ms`, `2s`, `1.5m`, or a bare number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &text[number.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("{unit:?} is no unit of time: ms, s, m and h are")),
    };
    let seconds = number.parse::<f64>().map_err(|_| format!("{number:?} is no number"))? * factor;
    match seconds > 0.0 && seconds <= MOST_SECONDS {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err(format!("{text:?} is not between 0 and a year")),
    }
}

fn token(text: &str) -> Result<String, String> {
    match HeaderValue::try_from(format!("Bearer {text}")) {
        Ok(_) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("a token is one line of visible characters".to_owned()),
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("a header is `Name: value`")?;
    let name = HeaderName::try_from(name.trim()).map_err(|_| format!("{name:?} is no name of a header"))?;
    let mut value =
        HeaderValue::try_from(value.trim()).map_err(|_| format!("the value of {name} has control characters"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn times_have_units() {
        let millis = |text| duration(text).map(|time| time.as_millis());
        for (text, expected) in [("500ms", 500), ("2s", 2000), ("2", 2000), ("1.5m", 90_000), ("1h", 3_600_000)] {
            assert_eq!(millis(text), Ok(expected), "{text}");
        }
        for refused in ["", "s", "0", "-1s", "2 days", "1d", "NaN", "inf", "1e300h"] {
            assert!(millis(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn headers_and_tokens_keep_to_one_line() {
        assert!(header("X-Scope-OrgID: 7").is_ok());
        for refused in ["no colon", ": value", "a b: c", "a: b\nc: d"] {
            assert!(header(refused).is_err(), "{refused}");
        }
        assert!(token("s3cret").is_ok());
        assert!(token("two\nlines").is_err());
        assert!(token("").is_err());
    }
}
