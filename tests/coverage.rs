//! Every id of docs/behaviour.md has a test that is named after it; and what docs/proof.md calls evidence is there.

use std::{collections::BTreeSet, fs, path::Path};

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

/// The names of all functions in `folder` and below, and whether each is a test.
fn functions(folder: &Path, names: &mut Vec<(String, bool)>) {
    for entry in fs::read_dir(folder).expect("tests are here") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).expect("readable");
            let mut is_test = false;
            for line in text.lines().map(str::trim_start) {
                if let Some((name, _)) = line.strip_prefix("fn ").and_then(|line| line.split_once('(')) {
                    names.push((name.to_owned(), is_test));
                }
                // Other attributes may stand between the word and the function.
                is_test = line.starts_with("#[test]") || is_test && line.starts_with("#[");
            }
        }
    }
}

/// The ids in the names of tests: `gau_03_s_09_what_it_says` has GAU-03 and S-09.
fn tested(ids: &[String]) -> BTreeSet<String> {
    let mut names = Vec::new();
    functions(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut names);
    let kinds: BTreeSet<_> = ids.iter().filter_map(|id| kind_and_number(id)).map(|(kind, _)| kind).collect();
    let mut found = BTreeSet::new();
    let tests = names.iter().filter(|(_, is_test)| *is_test);
    for words in tests.map(|(name, _)| name.split('_').map(str::to_uppercase).collect::<Vec<_>>()) {
        for pair in words.windows(2).filter(|pair| kinds.contains(pair[0].as_str())) {
            found.extend(pair[1].parse::<u32>().ok().map(|_| format!("{}-{}", pair[0], pair[1])));
        }
    }
    found
}

#[test]
fn s_31_every_id_has_a_test() {
    let ids = ids();
    assert!(ids.len() > 200, "only {} ids were found: the reader of the page is broken", ids.len());
    let tested = tested(&ids);
    let missing: Vec<_> = ids.iter().filter(|id| !tested.contains(*id)).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}");
    let unknown: Vec<_> = tested.iter().filter(|id| !ids.contains(id)).collect();
    assert!(unknown.is_empty(), "tests are named after {unknown:?}, which docs/behaviour.md does not have");
}

/// The claims of docs/proof.md.
const CLAIMS: [&str; 12] = ["A1", "A2", "A3", "A4", "A5", "P1", "P2", "P3", "P4", "P5", "P6", "F1"];

/// What a text names `so`.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Whether `name` is a file, a folder or a function of the tests and models, a mutant, or a type of the shim.
fn exists(name: &str, root: &Path, functions: &BTreeSet<String>, sources: &str) -> bool {
    let folders = ["loom-tests", "shuttle-tests", "tests", "tests/stress"];
    let in_file = |file: &str| {
        folders.iter().map(|folder| root.join(folder).join(file).with_extension("rs")).find(|path| path.exists())
    };
    match name.split_once("::") {
        Some((file, function)) => in_file(file)
            .and_then(|path| fs::read_to_string(path).ok())
            .is_some_and(|text| text.contains(&format!("fn {function}("))),
        None if name.contains('/') => root.join(name).exists() || root.join(name).with_extension("rs").exists(),
        None => {
            in_file(name).is_some()
                || functions.contains(name)
                || sources.contains(&format!("\"{name}\""))
                || sources.contains(&format!("pub struct {name}"))
        }
    }
}

#[test]
fn the_evidence_that_the_proof_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/proof.md")).expect("readable");
    let mut names = Vec::new();
    ["loom-tests", "shuttle-tests", "tests", "src"].iter().for_each(|folder| functions(&root.join(folder), &mut names));
    let names = names.into_iter().map(|(name, _)| name).collect();
    let mut sources = String::new();
    read_all(&root.join("src"), &mut sources);
    let (mut claimed, mut checked, mut missing) = (Vec::new(), 0, Vec::new());
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let evidence = match CLAIMS.into_iter().find(|claim| cells[1] == *claim) {
            Some(claim) => {
                assert!(quoted(cells[4]).next().is_some(), "{claim} has no model");
                claimed.push(claim);
                cells[4..].join(" ")
            }
            None => cells[2].to_owned(),
        };
        checked += quoted(&evidence).count();
        let unknown = quoted(&evidence).filter(|name| !exists(name, root, &names, &sources));
        missing.extend(unknown.map(|name| format!("{name} ({})", cells[1])));
    }
    assert!(missing.is_empty(), "docs/proof.md calls {missing:?} evidence, which does not exist");
    assert_eq!(claimed, CLAIMS);
    assert!(checked > 60, "only {checked} names were found: the reader of the page is broken");
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        match path.is_dir() {
            true => read_all(&path, text),
            false => text.push_str(&fs::read_to_string(path).expect("readable")),
        }
    }
}
