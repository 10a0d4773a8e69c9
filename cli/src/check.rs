//! Judges a page: what the reader found, what families do wrong together, and what each of them does wrong alone.

mod exemplars;
mod families;
mod histograms;
mod report;
mod transport;
mod values;

pub use report::{Style, write_json, write_text};
pub use transport::{format_of, judge_escaping, judge_headers};

use crate::page::{Defect, Format, group, read};

/// What was found on a page.
#[derive(Debug)]
pub struct Verdict {
    /// The format by whose rules it was judged.
    pub format: Format,
    /// How many families there are.
    pub families: usize,
    /// How many samples there are.
    pub samples: usize,
    /// Whether there are names that must be in quotes.
    pub has_quoted_names: bool,
    /// What is wrong, in the order of lines.
    pub defects: Vec<Defect>,
}

/// Judges a page by the rules of `format`. `now`, in Unix seconds, is what creation times and exemplars must not be beyond.
pub fn judge(page: &[u8], format: Format, now: f64) -> Verdict {
    let mut defects = Vec::new();
    let items = read(page, format, &mut defects);
    let families = group(items, format, &mut defects);
    families::judge(&families, format, &mut defects);
    for family in &families {
        values::judge(family, format, now, &mut defects);
        histograms::judge(family, format, &mut defects);
        exemplars::judge(family, format, now, &mut defects);
    }
    defects.sort_by_key(|defect| defect.line);
    let samples = families.iter().map(|family| family.members.len()).sum();
    let has_quoted_names = transport::has_quoted_names(&families);
    Verdict { format, families: families.len(), samples, has_quoted_names, defects }
}
