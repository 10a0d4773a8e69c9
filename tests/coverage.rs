//! Every id of docs/behaviour.md has a test named after it, or a reason here why it has none yet (S-31).

use std::{collections::BTreeSet, fs, path::Path};

/// What is not built, or is shown in another way. An id leaves this list when a test gets its name.
const WITHOUT_A_TEST: &[(&str, &str)] = &[
    ("GEN-08", "costs are measured by benches, never by a timed test"),
    ("NAM-11", "prefixes belong to measures and scopes, which are not built"),
    ("REG-02", "info, stateset and unknown are not built"),
    ("HIS-08", "exemplars are not built"),
    ("SUM-02 SUM-03 SUM-04 SUM-05", "quantiles are not built"),
    ("HTP-09 HTP-10 HTP-11 HTP-12 HTP-13 HTP-14 HTP-15 HTP-16 HTP-17 HTP-18 HTP-19", "access control is not built"),
    ("HTV-01 HTV-02 HTV-03 HTV-04 HTV-05", "access control is not built"),
    ("S-03 S-04 S-05 S-06 S-07 S-08 S-22 S-24 S-25 S-26", "manager, scopes and statsd are not built"),
    ("S-17 S-18 S-19", "access control is not built"),
    ("S-21", "graphs are not built"),
    ("S-29", "every example in the documentation is run as a test of its own"),
    ("S-30", "quantiles and the types of REG-02 are not built"),
];

/// Sections whose parts are not built at all: measures, scopes, manager, providers, statsd, view, compat.
const SECTIONS_WITHOUT_A_TEST: &[&str] = &["11", "12", "13", "14", "15", "16", "18", "20"];

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("readable")
}

/// The ids at the beginning of the tables' rows, in the sections that are built.
fn ids() -> BTreeSet<String> {
    let text = read("docs/behaviour.md");
    let sections = text.split("\n## ").skip(1);
    let built = sections.filter(|section| {
        let number = section.split('.').next().expect("numbered");
        !SECTIONS_WITHOUT_A_TEST.contains(&number)
    });
    let rows = built.flat_map(str::lines).filter_map(|line| line.strip_prefix("| "));
    let id = |row: &str| row.split(' ').next().unwrap_or_default().to_owned();
    let is_id = |id: &String| {
        let parts = id.split_once('-');
        parts.is_some_and(|(kind, number)| {
            kind.bytes().all(|b| b.is_ascii_uppercase())
                && number.len() == 2
                && number.bytes().all(|b| b.is_ascii_digit())
        })
    };
    rows.map(id).filter(is_id).collect()
}

/// The names of all functions under a folder.
fn functions(folder: &Path, names: &mut String) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("readable");
            let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn "));
            lines.filter_map(|line| line.split('(').next()).for_each(|name| names.extend(["_", name, "_ "]));
        }
    }
}

#[test]
fn s_31_every_id_has_a_test() {
    let ids = ids();
    assert!(ids.len() > 100, "only {} ids were found", ids.len());
    let mut names = String::new();
    for folder in ["tests", "src"] {
        functions(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut names);
    }
    let excused: BTreeSet<&str> = WITHOUT_A_TEST.iter().flat_map(|(ids, _)| ids.split(' ')).collect();
    let has_test = |id: &str| names.contains(&format!("_{}_", id.to_lowercase().replace('-', "_")));
    let missing: Vec<_> = ids.iter().filter(|id| !has_test(id) && !excused.contains(id.as_str())).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}");
    let unknown: Vec<_> = excused.iter().filter(|id| !ids.contains(**id)).collect();
    assert!(unknown.is_empty(), "docs/behaviour.md does not know {unknown:?}");
    let needless: Vec<_> = excused.iter().filter(|id| has_test(id)).collect();
    assert!(needless.is_empty(), "{needless:?} have a test and need no reason");
}
