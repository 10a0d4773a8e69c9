//! Rounds: every side is measured once in each, beginning with another side each time.

use crate::results::Results;

/// What one measurement gives: measures by name.
pub type Measured = Vec<(&'static str, f64)>;

/// One side of a comparison.
pub struct Turn<'a> {
    /// Who.
    pub peer: String,
    /// On how many threads.
    pub threads: usize,
    /// Measures once.
    pub measure: Box<dyn FnMut() -> Measured + 'a>,
}

impl<'a> Turn<'a> {
    /// A side of this name.
    pub fn new(peer: &str, threads: usize, measure: impl FnMut() -> Measured + 'a) -> Self {
        Self { peer: peer.to_owned(), threads, measure: Box::new(measure) }
    }
}

/// Measures all sides, `rounds` times each.
pub fn in_turn(question: &str, rounds: usize, mut turns: Vec<Turn<'_>>) -> Results {
    let mut seen: Vec<Vec<Measured>> = turns.iter().map(|_| Vec::new()).collect();
    let sides = turns.len();
    for round in 0..rounds {
        // A step that shares no divisor with most numbers of sides, so that not always the same one comes before another.
        for turn in 0..sides {
            let at = (round * 7 + turn) % sides;
            seen[at].push((turns[at].measure)());
        }
    }
    let mut results = Results::default();
    for (turn, seen) in turns.iter().zip(&seen) {
        for (at, (measure, _)) in seen[0].iter().enumerate() {
            let values = seen.iter().map(|measured| measured[at].1).collect();
            results.add(question, &turn.peer, turn.threads, measure, values);
        }
    }
    results
}
