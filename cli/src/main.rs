//! `manometer`: looks at, judges and compares the metrics page of any OpenMetrics or Prometheus endpoint.
//!
//! Rooms, from the ground up: `rule` (what a page is judged by) and `terminal`; `page` (a page of either format, read line by line);
//! `fetch`; `check`; `source` and `set` (a page as the other commands want it); `show`, `diff`, `snapshot`, `top`; and
//! this one, with `args`.

mod args;
mod check;
mod diff;
mod fetch;
mod page;
mod rule;
mod set;
mod show;
mod snapshot;
mod source;
mod terminal;
mod top;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use manometer::view::{Form, ShowOptions};

use crate::args::{Args, CheckArgs, Command, DiffArgs, Output, ShowArgs};
use crate::page::{Format, printable};
use crate::rule::Level;
use crate::terminal::Palette;

/// What could not be done at all.
const TROUBLE: u8 = 2;

/// What a command found.
enum Outcome {
    /// Nothing to complain of.
    Clean,
    /// Defects, or differences.
    Found,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::FAILURE,
        // Whoever reads the output has seen enough.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manometer: {}", printable(&error.to_string()));
            ExitCode::from(TROUBLE)
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

fn run(args: Args) -> Result<Outcome, Box<dyn Error>> {
    match args.command {
        Command::Show(args) => show(args),
        Command::Top(args) => top::run(args.url, args.request.request(None), args.interval).map(|()| Outcome::Clean),
        Command::Check(args) => check(args),
        Command::Diff(args) => diff(args),
        Command::Snapshot(args) => {
            let source = source::load(&args.url, &args.request.request(args.ask))?;
            warn(source.warning(&args.url));
            let mut out = io::BufWriter::new(io::stdout().lock());
            snapshot::write(&source, &args.url.to_string(), &mut out)?;
            out.flush()?;
            Ok(Outcome::Clean)
        }
        Command::Rules => {
            let mut out = io::stdout().lock();
            for rule in rule::ALL {
                let level = if rule.level == Level::Error { "error" } else { "advice" };
                writeln!(out, "{:<22} {level:<6}  {} ({})", rule.id, rule.section, rule.checklist)?;
                writeln!(out, "{:<22}         scraper: {}", "", rule.scraper)?;
            }
            Ok(Outcome::Clean)
        }
    }
}

fn warn(warnings: impl IntoIterator<Item = String>) {
    for warning in warnings {
        eprintln!("manometer: {warning}");
    }
}

fn show(args: ShowArgs) -> Result<Outcome, Box<dyn Error>> {
    let form = match (args.histogram, args.cumulative, args.details) {
        (true, _, _) => Form::Histogram,
        (_, true, _) => Form::Cumulative,
        (_, _, true) => Form::Details,
        _ => Form::Values,
    };
    let options = ShowOptions::new().matching(args.pattern.as_deref().unwrap_or_default())?.form(form);
    if args.interval.is_some() && !args.url.is_endpoint() {
        return Err("--interval wants an endpoint: a file does not change".into());
    }
    let shown = show::show(&args.url, &args.request.request(None), args.interval, options)?;
    warn(shown.warnings);
    io::stdout().lock().write_all(shown.text.as_bytes())?;
    Ok(Outcome::Clean)
}

fn check(args: CheckArgs) -> Result<Outcome, Box<dyn Error>> {
    let page = fetch::fetch(&args.target, &args.request.request(args.ask))?;
    let mut defects = Vec::new();
    let announced = match &page.content_type {
        Some(content_type) => {
            check::judge_headers(content_type.as_deref(), &mut defects);
            content_type.as_deref().and_then(check::format_of)
        }
        None => args.ask,
    };
    let format = announced.unwrap_or_else(|| Format::guess(&page.body));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let mut verdict = check::judge(&page.body, format, now);
    if let Some(Some(content_type)) = &page.content_type {
        check::judge_escaping(content_type, verdict.has_quoted_names, &mut defects);
    }
    verdict.defects.splice(0..0, defects);

    let source = args.target.to_string();
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        Output::Text => {
            let style = check::Style { palette: Palette::of_stdout(), errors_only: args.errors_only };
            check::write_text(&verdict, &source, style, &mut out)?;
        }
        Output::Json => check::write_json(&verdict, &source, args.errors_only, &mut out)?,
    }
    out.flush()?;
    let is_found = verdict.count(Level::Error) > 0 || (args.strict && !verdict.defects.is_empty());
    Ok(if is_found { Outcome::Found } else { Outcome::Clean })
}

fn diff(args: DiffArgs) -> Result<Outcome, Box<dyn Error>> {
    let request = args.request.request(args.ask);
    let (old, new) = (source::load(&args.old, &request)?, source::load(&args.new, &request)?);
    warn(old.warning(&args.old));
    warn(new.warning(&args.new));
    let mut differences = diff::diff(&old.families, &new.families);
    if !args.help_texts {
        differences = differences.without_help();
    }
    if old.format != new.format {
        differences = differences.without_units();
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        Output::Text => differences.write_text(Palette::of_stdout(), &mut out)?,
        Output::Json => differences.write_json(&mut out)?,
    }
    out.flush()?;
    Ok(if differences.is_empty() { Outcome::Clean } else { Outcome::Found })
}
