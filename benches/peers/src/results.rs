//! What was measured, one row for each question, peer, number of threads and measure; kept in a file between questions.

use std::{fs, io, path::Path};

use crate::clock::{median, percentile};

const HEADER: &str = "question,peer,threads,measure,median,p10,p90,rounds\n";

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was asked.
    pub question: String,
    /// Who, or which floor.
    pub peer: String,
    /// On how many threads.
    pub threads: usize,
    /// What was measured, unit included.
    pub measure: String,
    /// The middle of all rounds.
    pub median: f64,
    /// A tenth of the rounds were below this.
    pub p10: f64,
    /// A tenth of the rounds were above this.
    pub p90: f64,
    /// How many rounds.
    pub rounds: usize,
}

/// All rows there are.
#[derive(Clone, Debug, Default)]
pub struct Results(pub Vec<Row>);

impl Results {
    /// Adds what the rounds of one measure gave.
    pub fn add(&mut self, question: &str, peer: &str, threads: usize, measure: &str, mut rounds: Vec<f64>) {
        rounds.sort_by(f64::total_cmp);
        self.0.push(Row {
            question: question.to_owned(),
            peer: peer.to_owned(),
            threads,
            measure: measure.to_owned(),
            p10: percentile(&rounds, 0.1),
            p90: percentile(&rounds, 0.9),
            rounds: rounds.len(),
            median: median(rounds),
        });
    }

    /// The row of these, if it was measured.
    pub fn row(&self, question: &str, peer: &str, threads: usize, measure: &str) -> Option<&Row> {
        let asked = |row: &&Row| {
            row.question == question && row.peer == peer && row.threads == threads && row.measure == measure
        };
        self.0.iter().find(asked)
    }

    /// The median of [`row`](Self::row).
    pub fn median(&self, question: &str, peer: &str, threads: usize, measure: &str) -> Option<f64> {
        Some(self.row(question, peer, threads, measure)?.median)
    }

    /// Reads a file; one that is not there has no rows.
    pub fn load(path: &Path) -> io::Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let bad = |line: &str| io::Error::other(format!("{}: not a row: {line}", path.display()));
        let rows = text.lines().skip(1).map(|line| parse(line).ok_or_else(|| bad(line)));
        rows.collect::<io::Result<_>>().map(Self)
    }

    /// Puts these rows into the file, in place of what it has of the same questions.
    pub fn merge_into(self, path: &Path) -> io::Result<()> {
        let mut all = Self::load(path)?;
        all.0.retain(|old| !self.0.iter().any(|new| new.question == old.question));
        all.0.extend(self.0);
        all.0.sort_by(|a, b| {
            (&a.question, &a.peer, a.threads, &a.measure).cmp(&(&b.question, &b.peer, b.threads, &b.measure))
        });
        fs::write(path, all.0.iter().fold(HEADER.to_owned(), |text, row| text + &line(row)))
    }
}

// A peer's name may have a comma; a question's and a measure's have none.
fn line(row: &Row) -> String {
    let Row { question, peer, threads, measure, median, p10, p90, rounds } = row;
    format!("{question},\"{peer}\",{threads},{measure},{median:.4},{p10:.4},{p90:.4},{rounds}\n")
}

fn parse(line: &str) -> Option<Row> {
    let (question, rest) = line.split_once(",\"")?;
    let (peer, rest) = rest.split_once("\",")?;
    let fields: Vec<&str> = rest.split(',').collect();
    let &[threads, measure, median, p10, p90, rounds] = fields.as_slice() else { return None };
    Some(Row {
        question: question.to_owned(),
        peer: peer.to_owned(),
        threads: threads.parse().ok()?,
        measure: measure.to_owned(),
        median: median.parse().ok()?,
        p10: p10.parse().ok()?,
        p90: p90.parse().ok()?,
        rounds: rounds.parse().ok()?,
    })
}
