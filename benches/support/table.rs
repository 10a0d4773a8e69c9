//! Claims and figures, side by side.

/// What a figure must be.
#[derive(Clone, Copy, Debug)]
pub enum Claim {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// Nothing; it is told for comparison.
    None,
}

/// The rows so far.
#[derive(Debug, Default)]
pub struct Table {
    /// The rows again, comma-separated.
    pub csv: String,
    /// Claims that were missed.
    pub missed: usize,
}

impl Table {
    /// Prints what was measured, and whether that is what was claimed.
    pub fn row(&mut self, what: &str, measured: f64, unit: &str, claim: Claim) {
        let (must, ok) = match claim {
            Claim::AtMost(limit) => (format!("<= {limit}"), Some(measured <= limit)),
            Claim::AtLeast(limit) => (format!(">= {limit}"), Some(measured >= limit)),
            Claim::None => (String::new(), None),
        };
        let verdict = ok.map_or("", |ok| if ok { "ok" } else { "MISSED" });
        self.missed += usize::from(ok == Some(false));
        println!("{what:<66} | {measured:>9.3} {unit:<6} | {must:<8} | {verdict}");
        self.csv += &format!("\"{what}\",{measured},{unit},{must},{verdict}\n");
    }
}
