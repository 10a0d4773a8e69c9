//! A histogram drawn with block characters.

use super::quantity::general;
use crate::model::{Number, Sink, write_number};

/// Lines of a graph.
const ROWS: u32 = 10;

/// From nothing to a whole character in eighths.
const EIGHTHS: [char; 9] = ['-', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What is drawn.
#[derive(Debug)]
pub struct Graph<'a> {
    /// The line above.
    pub title: &'a str,
    /// One per finite threshold, and one for `+Inf`.
    pub counts: &'a [u64],
    /// The finite thresholds.
    pub thresholds: &'a [f64],
    /// Their unit.
    pub unit: &'a str,
    /// Whether thresholds that do not fit are cut, as Prosody does, and not written below one after the other.
    pub compat: bool,
}

impl Graph<'_> {
    /// Appends an empty line, the title, the graph and its legend (VIW-10, VIW-11).
    pub fn draw(&self, out: &mut String) {
        let Self { title, counts, .. } = self;
        let width = self.column();
        let most = counts.iter().copied().max().unwrap_or_default();
        out.push('\n');
        out.push_str(title);
        out.push('\n');
        out.extend(std::iter::repeat_n('_', counts.len() * width));
        out.push_str(&format!(" {most}\n"));
        for row in (1..=ROWS).rev() {
            for &count in *counts {
                out.extend(std::iter::repeat_n(EIGHTHS[eighths(count, most, row)], width));
            }
            let level = (most as f64 / f64::from(ROWS) * (f64::from(row) - 0.5)).ceil();
            out.push_str(&format!("|- {}\n", general(level, 8)));
        }
        self.write_legend(width, out);
    }

    /// The width of a column: the fewer, the wider.
    fn column(&self) -> usize {
        match self.counts.len() {
            ..8 => 8,
            8..16 => 4,
            16..32 => 2,
            _ => 1,
        }
    }

    fn write_legend(&self, width: usize, out: &mut String) {
        let room = width - 1;
        let short: Vec<String> = self.thresholds.iter().map(|threshold| general(*threshold, room)).collect();
        let fits = |(text, threshold): (&String, &f64)| text.len() <= room && text.parse() == Ok(*threshold);
        if self.compat || short.iter().zip(self.thresholds).all(fits) {
            for text in short.iter().map(String::as_str).chain(["inf"]) {
                out.push_str(&format!("{text:>room$}/"));
            }
        } else {
            for threshold in self.thresholds {
                write_number(Number::Float(*threshold), out);
                out.put("/");
            }
            out.push_str("inf/");
        }
        out.push(' ');
        out.push_str(self.unit);
        out.push('\n');
    }
}

/// How much of its character a column of `count` fills in `row`, of which the topmost is filled by `most`.
fn eighths(count: u64, most: u64, row: u32) -> usize {
    if count == 0 {
        return 0;
    }
    let height = f64::from(ROWS) / (most as f64 / count as f64);
    (8.0 * (height - f64::from(row - 1)).clamp(0.0, 1.0)).ceil() as usize
}
