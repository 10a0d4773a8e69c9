//! What new series cost: 100 000 counters with three labels, made by one thread in an empty family of a fresh process.

use std::{env, process::Command};

use crate::{
    clock::{resident_bytes, thread_cpu_ns},
    inputs::{borrowed, label_sets},
    peer::Peer,
    roll::Entry,
    turns::{Measured, Turn},
};

/// Makes this program create the series of a peer, print what they cost, and end.
pub const CHILD: &str = "child";

const SERIES: usize = 100_000;

/// What the child does.
pub fn child<P: Peer>() {
    let sets = label_sets(SERIES);
    let mut peer = P::new(SERIES);
    let counters = peer.counters().expect("the parent asks only those who have them");
    let (before, begun) = (resident_bytes(), thread_cpu_ns());
    for set in &sets {
        P::inc_by(&counters, borrowed(set));
    }
    let (nanos, created) = ((thread_cpu_ns() - begun) as f64, resident_bytes());
    let mut page = peer.page().expect("the same");
    let text = peer.render(&mut page);
    let lines = text.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"http_requests")).count();
    // The page itself is not part of a series.
    let bytes = text.len() as u64;
    let rendered = resident_bytes().saturating_sub(bytes).max(created);
    let each = |bytes: u64| (bytes - before) as f64 / SERIES as f64;
    println!("{} {} {} {lines}", nanos / SERIES as f64, each(created), each(rendered));
}

/// A side for each peer that has series and a page: a process each time.
pub fn turns(peers: &[Entry]) -> Vec<Turn<'static>> {
    let able = peers.iter().filter(|peer| peer.creates);
    able.map(|peer| {
        let name = peer.name;
        Turn::new(name, 1, move || measure(name))
    })
    .collect()
}

fn measure(peer: &str) -> Measured {
    let this = env::current_exe().expect("this program is a file");
    let output = Command::new(this).args([CHILD, peer]).output().expect("it can be started again");
    let text = String::from_utf8(output.stdout).expect("it prints numbers");
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().expect("a number")).collect();
    let &[nanos, created, rendered, lines] = numbers.as_slice() else { panic!("{peer} printed {text:?}") };
    assert_eq!(lines, SERIES as f64, "{peer} does not expose every series");
    vec![("cpu ns", nanos), ("bytes", created), ("bytes after a page", rendered)]
}
