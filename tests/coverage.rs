//! Every id of docs/behaviour.md has a test that is named after it, or a reason here why it has none.

use std::{collections::BTreeSet, fs, path::Path};

/// An id, or the letters of all ids of a kind, and why no test has its name.
const NOT_BUILT: &[(&str, &str)] = &[
    ("GEN-08", "costs are measured: benches/ratios.rs checks the claims of PERFORMANCE.md"),
    ("S-29", "README and the examples of every item are run as documentation tests"),
    ("S-30", "the types that are built have their documentation, which the lint `missing_docs` demands"),
];

/// The first cells of the tables of the page.
fn ids() -> Vec<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/behaviour.md")).expect("readable");
    let cells = page.lines().filter_map(|line| Some(line.strip_prefix("| ")?.split_once(" |")?.0.to_owned()));
    cells.filter(|cell| kind_and_number(cell).is_some()).collect()
}

fn kind_and_number(id: &str) -> Option<(&str, &str)> {
    let (kind, number) = id.split_once('-')?;
    let is_id = kind.bytes().all(|b| b.is_ascii_uppercase()) && number.bytes().all(|b| b.is_ascii_digit());
    is_id.then_some((kind, number))
}

/// The names of all functions in `folder` and below.
fn functions(folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("tests are here") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).expect("readable");
            let found = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn ")?.split_once('('));
            names.extend(found.map(|(name, _)| name.to_owned()));
        }
    }
}

/// The ids in the names of tests: `gau_03_s_09_what_it_says` has GAU-03 and S-09.
fn tested(ids: &[String]) -> BTreeSet<String> {
    let mut names = Vec::new();
    functions(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut names);
    let kinds: BTreeSet<_> = ids.iter().filter_map(|id| kind_and_number(id)).map(|(kind, _)| kind).collect();
    let mut found = BTreeSet::new();
    for words in names.iter().map(|name| name.split('_').map(str::to_uppercase).collect::<Vec<_>>()) {
        for pair in words.windows(2).filter(|pair| kinds.contains(pair[0].as_str())) {
            found.extend(pair[1].parse::<u32>().ok().map(|_| format!("{}-{}", pair[0], pair[1])));
        }
    }
    found
}

fn covers(entry: &str, id: &str) -> bool {
    entry == id || kind_and_number(id).is_some_and(|(kind, _)| kind == entry)
}

#[test]
fn s_31_every_id_has_a_test_or_a_reason() {
    let ids = ids();
    assert!(ids.len() > 200, "only {} ids were found: the reader of the page is broken", ids.len());
    let tested = tested(&ids);
    let has_reason = |id: &str| NOT_BUILT.iter().any(|(entry, _)| covers(entry, id));
    let missing: Vec<_> = ids.iter().filter(|id| !tested.contains(*id) && !has_reason(id)).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}");
    let unknown: Vec<_> = tested.iter().filter(|id| !ids.contains(id)).collect();
    assert!(unknown.is_empty(), "tests are named after {unknown:?}, which docs/behaviour.md does not have");
    for (entry, reason) in NOT_BUILT {
        assert!(ids.iter().any(|id| covers(entry, id)), "{entry} is not in docs/behaviour.md");
        let built: Vec<_> = tested.iter().filter(|id| covers(entry, id)).collect();
        assert!(built.is_empty(), "{built:?} has a test by now, and still a reason: {reason}");
    }
}
