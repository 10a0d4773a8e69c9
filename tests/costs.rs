//! GEN-08 of docs/behaviour.md: what must cost less than in Prosody. No clock is asked, which would say how busy the machine is: what
//! `ci/instructions.sh` counts and compares is taken at one instruction a cycle, which is less than these paths reach where they do not wait for memory.
//! What times were measured is in PERFORMANCE.md.

use std::collections::HashMap;

const COUNTS: &str = include_str!("../ci/instructions.csv");

/// Nanoseconds of a cycle at the 2.5 GHz at which Prosody was measured.
const CYCLE: f64 = 0.4;

/// A counted path, how often it is gone in one turn of the count, and what the same took in Prosody, in nanoseconds.
const PATHS: [(&str, f64, f64); 9] = [
    ("counter_inc", 1.0, 110.0),
    ("float_counter_add", 1.0, 110.0),
    ("gauge_set", 1.0, 81.0),
    ("summary_observe", 1.0, 123.0),
    ("quantile_summary_observe", 1.0, 123.0),
    // Eleven buckets, where Prosody has six.
    ("histogram_observe_11", 1.0, 1304.0),
    ("native_histogram_observe", 1.0, 1304.0),
    ("family_inc_3_labels", 1.0, 505.0),
    ("scrape_1000_counters", 1000.0, 14_900.0),
];

#[test]
fn gen_08_no_path_costs_what_it_costs_in_prosody() {
    let rows = COUNTS.lines().skip(1).filter_map(|line| line.split_once(','));
    let counts: HashMap<_, f64> = rows.filter_map(|(path, count)| Some((path, count.parse().ok()?))).collect();
    for (path, times, most) in PATHS {
        let count = counts.get(path).unwrap_or_else(|| panic!("ci/instructions.csv has no {path}"));
        let cost = count / times * CYCLE;
        assert!(
            cost < most,
            "{path} takes {count} instructions, {cost:.0} ns at one a cycle, and {most} ns in Prosody"
        );
    }
}
