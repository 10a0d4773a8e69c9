//! View patterns: a pattern is read or refused at a place in it; what it selects is what another engine selects; and any query gets
//! an answer.
#![no_main]

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manometer::{
    MetricSet, Registry, collect,
    http::{Door, Options, Peer},
    view::{Pattern, ShowOptions, ViewError, Viewer, show},
};
use manometer_fuzz::ask;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    pattern: &'a str,
    haystacks: Vec<&'a str>,
    query: &'a [u8],
}

const NAMES: [&str; 6] = ["cache_hits", "cache/misses", "latency_seconds", "a.b", "Über", "x9"];

static REGISTRY: LazyLock<(Registry, Arc<MetricSet>)> = LazyLock::new(|| {
    let registry = Registry::new();
    for name in NAMES {
        registry.gauge(name).single().expect("a good name").set(1.0);
    }
    registry.histogram("h").buckets([1.0]).single().expect("a good name").observe(0.5);
    let set = Arc::new(collect(&registry));
    (registry, set)
});

fuzz_target!(|input: Input<'_>| {
    let (registry, set) = &*REGISTRY;
    match Pattern::new(input.pattern) {
        Ok(pattern) => {
            let other = same_in_both(input.pattern).then(|| regex_lite::Regex::new(input.pattern).ok()).flatten();
            for haystack in input.haystacks.iter().copied().chain(NAMES).filter(|haystack| haystack.is_ascii()) {
                if let Some(other) = &other {
                    assert_eq!(
                        pattern.matches(haystack),
                        other.is_match(haystack),
                        "{:?} in {haystack:?}",
                        input.pattern
                    );
                }
            }
            let options = ShowOptions::new().matching(input.pattern).expect("it was read before");
            let shown = show(set, &options);
            let names = NAMES.iter().chain(&["h"]).filter(|name| pattern.matches(name));
            let expected: BTreeSet<&str> = names.copied().collect();
            let lines = shown.lines().filter(|line| !line.ends_with(" statistics displayed"));
            let found: BTreeSet<&str> = lines.filter_map(|line| line.split_whitespace().next()).collect();
            assert_eq!(found, expected, "{shown}");
            assert!(shown.ends_with(&format!("{} statistics displayed\n", expected.len())), "{shown}");
        }
        Err(ViewError::Malformed { pattern, position, reason }) => {
            assert_eq!(pattern, input.pattern);
            assert!(pattern.is_char_boundary(position), "byte {position} of {pattern:?}");
            assert!(!reason.is_empty());
            assert!(Viewer::of(registry).show(&pattern).is_err());
        }
        Err(ViewError::TooLarge { pattern }) => assert_eq!(pattern, input.pattern),
        Err(other) => panic!("{other:?}"),
    }
    let query: String =
        input.query.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '+' }).collect();
    let door = Door::new(registry, Options::new());
    if let Some((status, ..)) = ask(&door, &format!("/stats?{query}"), &[], Peer::Address([127, 0, 0, 1].into())) {
        assert!([200, 400].contains(&status), "{status} for {query}");
    }
});

/// Whether both engines mean the same by it, when they look at ASCII: classes of Unicode and what the smaller engine takes for other
/// than syntax are left out.
fn same_in_both(pattern: &str) -> bool {
    pattern.is_ascii() && !pattern.contains("\\") && !pattern.contains("[") && !pattern.contains("(?")
}
