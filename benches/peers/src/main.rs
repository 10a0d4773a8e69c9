//! manometer and its peers, asked the same questions in one run.
//!
//! ```text
//! peers measure RESULTS [--rounds N] QUESTION…   measures, and puts the rows into the file
//! peers report RESULTS PERFORMANCE.md IMAGES     rewrites the tables between the markers, and the charts
//! peers list                                     the questions
//! ```
//! Each question is better asked in a process of its own: one peer's list of metrics is the process's. `run.sh` does that.

mod adapters;
mod allocations;
mod chart;
#[path = "../../support/clock.rs"]
#[allow(dead_code, reason = "shared with the benches of the crate, which use all of it")]
mod clock;
#[path = "../../support/inputs.rs"]
mod inputs;
mod peer;
mod questions;
mod report;
mod results;
mod roll;
mod turns;

use std::{env, path::Path, process::ExitCode};

use questions::{create, floors, page, record, scrape, slabs, statsd};
use results::Results;
use roll::{Entry, Side};
use turns::{Turn, in_turn};

const QUESTIONS: [&str; 12] = [
    "counter",
    "histogram",
    "labels-100",
    "labels-10000",
    "create",
    "page-1000",
    "page-10000",
    "page-100000",
    "page-histograms",
    "scrape",
    "slabs",
    "statsd",
];

/// Asked apart from those that are rounds.
const CORRECT: &str = "correct";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["measure", results, "--rounds", rounds, questions @ ..] => match rounds.parse() {
            Ok(rounds) => measure(Path::new(results), Some(rounds), questions),
            Err(_) => Err(format!("not a number of rounds: {rounds:?}").into()),
        },
        ["measure", results, questions @ ..] => measure(Path::new(results), None, questions),
        ["report", results, page, images] => report(Path::new(results), Path::new(page), Path::new(images)),
        [create::CHILD, name] => child(name),
        ["list"] => {
            println!("{} {CORRECT}", QUESTIONS.join(" "));
            Ok(())
        }
        _ => Err("usage: peers measure RESULTS [--rounds N] QUESTION… | report RESULTS PAGE IMAGES | list".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

type Done = Result<(), Box<dyn std::error::Error>>;

fn child(name: &str) -> Done {
    let peer = roll::all().into_iter().find(|peer| peer.name == name).ok_or_else(|| format!("no peer {name:?}"))?;
    (peer.create)();
    Ok(())
}

fn report(results: &Path, page: &Path, images: &Path) -> Done {
    report::write(&Results::load(results)?, &roll::all(), page, images)
}

fn measure(results: &Path, rounds: Option<usize>, questions: &[&str]) -> Done {
    for question in questions {
        ask(question, rounds)?.merge_into(results)?;
        eprintln!("{question}: measured");
    }
    Ok(())
}

/// Asks one question of everybody.
fn ask(question: &str, rounds: Option<usize>) -> Result<Results, String> {
    let peers = roll::all();
    let rounds = |usual: usize| rounds.unwrap_or(usual);
    let results = match question {
        "counter" => in_turn(question, rounds(31), counter(&peers)),
        "histogram" => in_turn(question, rounds(25), histogram(&peers)),
        "labels-100" => in_turn(question, rounds(25), labels(&peers, 100)),
        "labels-10000" => in_turn(question, rounds(25), labels(&peers, 10_000)),
        "create" => in_turn(question, rounds(9), create::turns(&peers)),
        "page-1000" => in_turn(question, rounds(25), pages(&peers, 1000)),
        "page-10000" => in_turn(question, rounds(15), pages(&peers, 10_000)),
        "page-100000" => in_turn(question, rounds(9), pages(&peers, 100_000)),
        "page-histograms" => in_turn(question, rounds(15), histogram_pages(&peers)),
        "scrape" => in_turn(question, rounds(15), scraped(&peers)),
        "slabs" => in_turn(question, rounds(25), slabs::turns()),
        "statsd" => in_turn(question, rounds(51), statsd::turns()),
        CORRECT => in_turn(question, 1, peers.iter().map(|peer| Turn::new(peer.name, 1, peer.correct)).collect()),
        _ => return Err(format!("no question {question:?}; there are {} and {CORRECT}", QUESTIONS.join(", "))),
    };
    Ok(results)
}

/// Turns of these sides, on these numbers of threads. More threads than two do fewer operations each.
fn on_threads(sides: Vec<(&str, Side)>, threads: &'static [usize], ops: u64) -> Vec<Turn<'static>> {
    let sides = sides.into_iter().map(|(name, side)| (name, std::rc::Rc::new(side)));
    let turns = sides.flat_map(|(name, side)| {
        threads.iter().map(move |&threads| {
            let side = side.clone();
            Turn::new(name, threads, move || side(threads, 2 * ops / threads.max(2) as u64))
        })
    });
    turns.collect()
}

fn counter(peers: &[Entry]) -> Vec<Turn<'_>> {
    let mut sides: Vec<(&str, Side)> = peers.iter().map(|peer| (peer.name, (peer.counter)())).collect();
    sides.push(("floor: thread-local Cell", floors::thread_local_cell()));
    sides.push(("floor: fetch_add on one word", floors::shared_fetch_add()));
    sides.push(("floor: fetch_add on a word each", floors::own_fetch_add()));
    on_threads(sides, &[1, 2, 4, 8], 400_000)
}

fn histogram(peers: &[Entry]) -> Vec<Turn<'_>> {
    let able = peers.iter().filter_map(|peer| Some((peer.name, (peer.histogram)()?)));
    let mut sides: Vec<(&str, Side)> = able.collect();
    sides.push(("floor: drawing the value", record::drawing_values()));
    on_threads(sides, &[1, 2, 4, 8], 100_000)
}

fn labels(peers: &[Entry], series: usize) -> Vec<Turn<'_>> {
    let able = peers.iter().filter_map(|peer| Some((peer.name, (peer.labels)(series)?)));
    let mut sides: Vec<(&str, Side)> = able.collect();
    sides.push(("floor: drawing the labels", record::drawing_labels(series)));
    on_threads(sides, &[1, 2], 60_000)
}

fn pages(peers: &[Entry], series: usize) -> Vec<Turn<'_>> {
    let able = peers.iter().filter_map(|peer| Some(Turn::new(peer.name, 1, (peer.counters_page)(series)?)));
    let mut turns: Vec<_> = able.collect();
    let page = page::sample::<adapters::Manometer>(series);
    turns.push(Turn::new("floor: memcpy and format", 1, floors::copy_and_format(&page)));
    turns.push(Turn::new("floor: memcpy", 1, floors::copy(page)));
    turns
}

fn histogram_pages(peers: &[Entry]) -> Vec<Turn<'_>> {
    let able = peers.iter().filter_map(|peer| Some(Turn::new(peer.name, 1, (peer.histograms_page)(2000)?)));
    able.collect()
}

fn scraped(peers: &[Entry]) -> Vec<Turn<'_>> {
    let mut turns = vec![Turn::new("floor: nothing to do", 1, scrape::noise)];
    for peer in peers {
        for (how, side) in (peer.scrape)().into_iter().flatten() {
            turns.push(Turn::new(&format!("{}: {how}", peer.name), 1, side));
        }
    }
    turns
}
