//! The house of docs/design.md, section 2: imports run downward only, and atomics have one door.

use std::{fs, path::Path};

/// The rooms from the ground up. Rooms on one floor do not know each other.
const FLOORS: &[&[&str]] = &[
    &["model", "sync"],
    &["arena"],
    &["encode", "tuple", "cell"],
    &["instrument"],
    &["family", "schedule"],
    &["registry"],
    &["collect", "scope"],
    &["backend", "measure", "view"],
    &["http"],
    &["manager"],
    &["lib"],
];

fn floor(room: &str) -> usize {
    let floor = FLOORS.iter().position(|rooms| rooms.contains(&room));
    floor.unwrap_or_else(|| panic!("room {room:?} is on no floor: add it to FLOORS and to docs/design.md"))
}

/// Every file under `src/`, with the name of its room.
fn files(folder: &Path, room: Option<&str>, found: &mut Vec<(String, String, String)>) {
    for entry in fs::read_dir(folder).expect("src is here") {
        let path = entry.expect("readable").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("named in ASCII").to_owned();
        let room = room.unwrap_or(&name);
        if path.is_dir() {
            files(&path, Some(room), found);
        } else {
            let text = fs::read_to_string(&path).expect("readable");
            found.push((path.display().to_string(), room.to_owned(), text));
        }
    }
}

fn house() -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), None, &mut found);
    assert!(found.len() > 40, "only {} files were read", found.len());
    found
}

/// The rooms named by `crate::x` in code, and by `crate::{x, y::z, ..}`.
fn imports(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            rooms.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && c.is_alphabetic() => {
                    rooms.push(word(&list[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    rooms
}

#[test]
fn imports_run_downward_only() {
    let mut arrows = 0;
    for (file, room, text) in house() {
        for import in imports(&text).iter().filter(|import| **import != room) {
            arrows += 1;
            assert!(floor(import) < floor(&room), "{file} looks up or sideways, at {import}");
        }
    }
    assert!(arrows > 50, "only {arrows} imports were found: the reader of imports is broken");
}

#[test]
fn atomics_and_thread_locals_come_through_sync() {
    for (file, room, text) in house() {
        // An example in the documentation is a user's code.
        let text: String = text.lines().filter(|line| !line.trim_start().starts_with("///")).collect();
        for word in ["std::sync::atomic", "core::sync::atomic", "thread_local!", "loom::"] {
            assert!(room == "sync" || !text.contains(word), "{file} names {word}");
        }
        let words_only = room == "model" || room == "encode";
        assert!(!words_only || !text.contains("Ordering::Relaxed") && !text.contains("Atomic"), "{file} has state");
    }
}

#[test]
fn the_locks_of_the_engine_pass_the_gate() {
    let mut gated = 0;
    for (file, room, text) in house() {
        if ["arena", "tuple", "cell", "instrument", "family", "registry", "collect", "scope"].contains(&&*room) {
            let locks = text.matches("Mutex").count();
            let through = text.matches("GatedMutex").count();
            assert_eq!(
                locks, through,
                "{file} has a lock that a fork may leave held in the child: see sync::GatedMutex"
            );
            gated += through;
        }
    }
    assert!(gated > 5, "only {gated} locks were found");
}

/// Orderings that no model shows to be needed, and why they stay.
const ARGUED: &[(&str, &str, &str)] = &[
    (
        "manager/state.rs",
        "let seen = self.flight.ended.load(Ordering::Acquire);",
        "weaker, it may be read under the lock that follows, which costs a second collection and nothing else",
    ),
    ("manager/state.rs", "if self.flight.ended.load(Ordering::Acquire) > seen {", "the lock orders it already"),
    ("manager/state.rs", "self.flight.ended.fetch_add(1, Ordering::Release);", "the partner of the first"),
];

const WORDS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// What stands around each ordering of a file's own code: the paragraph up to its line, and the orderings that the line names.
fn orderings(text: &str) -> Vec<(Vec<&str>, Vec<&'static str>)> {
    let own = text.split("#[cfg(test)]").next().and_then(|text| text.split("#[cfg(all(test").next()).unwrap_or(text);
    let lines: Vec<_> = own.lines().collect();
    // Neither words about code nor a step that only a mutant takes.
    let is_no_code =
        |line: &str| line.trim_start().starts_with("//") || line.contains("mutant!(") && line.contains("\" =>");
    let named = |line: &str| WORDS.into_iter().filter(|word| line.contains(&format!("Ordering::{word}"))).collect();
    let found = lines.iter().enumerate().filter(|(_, line)| !is_no_code(line));
    found
        .map(|(at, line)| {
            let begin = lines[..at].iter().rposition(|line| line.trim().is_empty()).map_or(0, |blank| blank + 1);
            (lines[begin..=at].to_vec(), named(line))
        })
        .filter(|(_, named): &(_, Vec<_>)| !named.is_empty())
        .collect()
}

/// The reason for an ordering is among so many lines that end with it: one of the same call may lie between.
const NEAR: usize = 3;

/// The comment that stands next to the last line of a paragraph, above it; nothing if there is none that near.
fn comment_beside(paragraph: &[&str]) -> String {
    let is_comment = |line: &&str| line.trim_start().starts_with("// ");
    let near = paragraph.len().saturating_sub(NEAR);
    let Some(last) = paragraph.iter().rposition(is_comment).filter(|last| *last >= near) else {
        return String::new();
    };
    let first = paragraph[..last].iter().rposition(|line| !is_comment(line)).map_or(0, |code| code + 1);
    paragraph[first..=last].concat()
}

#[test]
fn every_ordering_says_why_and_names_its_partner() {
    let mut seen = 0;
    for (file, _, text) in house().into_iter().filter(|(file, ..)| !file.contains("sync/mocked/")) {
        for (paragraph, named) in orderings(&text) {
            seen += 1;
            let line = paragraph.last().expect("the line itself").trim();
            let comment = comment_beside(&paragraph);
            // A mutant's twin is no ordering of the code.
            let own = named.iter().filter(|word| named.len() == 1 || **word != "Relaxed");
            for word in own {
                let above = if *word == "Relaxed" {
                    WORDS.iter().any(|word| comment.contains(word))
                } else {
                    comment.contains(word)
                };
                assert!(above, "{file}: no comment near {line:?} says why it is {word}");
            }
            let partner = ["pair", "partner", "head", "as in", "as above", "see `", "hands over", "compiler"];
            let orders = named.iter().any(|word| *word != "Relaxed");
            assert!(!orders || partner.iter().any(|word| comment.contains(word)), "{file}: {line:?} names no partner");
        }
    }
    assert!(seen > 150, "only {seen} orderings were found: the reader of orderings is broken");
}

#[test]
fn every_ordering_has_a_mutant() {
    let (mut seen, mut excused) = (0, 0);
    for (file, _, text) in house() {
        // The shim itself: what is mocked is never weakened, and a fence for the compiler is nothing to a model.
        if file.contains("sync/mocked") || file.ends_with("sync/native.rs") {
            continue;
        }
        for (paragraph, _) in
            orderings(&text).into_iter().filter(|(_, named)| named.iter().any(|word| *word != "Relaxed"))
        {
            seen += 1;
            let line = paragraph.last().expect("the line itself").trim();
            if ARGUED.iter().any(|(end, own, _)| file.ends_with(end) && *own == line) {
                excused += 1;
                continue;
            }
            // In the same call, or under an `if` of it with a comment between.
            let call = paragraph.iter().rev().take(3).any(|line| line.contains("mutant!("));
            assert!(call, "{file}: nothing shows that {line:?} is needed: give it a mutant and a model");
        }
    }
    assert_eq!(excused, ARGUED.len(), "an excuse is not needed any more");
    assert!(seen > 30, "only {seen} orderings were found: the reader of orderings is broken");
}

#[test]
fn the_reader_of_orderings_takes_the_comment_that_is_near() {
    let far = ["// Release: pairs with nothing here.", "one();", "two();", "word.store(1, Ordering::Release);"];
    assert_eq!(comment_beside(&far), "");
    assert_eq!(comment_beside(&far[..3]), far[0]);
    assert_eq!(comment_beside(&["// one", "code", "// two,", "// three", "code", "end"]), "// two,// three");
    let text =
        "fn f() {\n    // Relaxed: one.\n    w.load(Ordering::Relaxed);\n\n    w.store(1, Ordering::Release);\n}";
    let found = orderings(text);
    assert_eq!(found.iter().map(|(_, named)| named[0]).collect::<Vec<_>>(), ["Relaxed", "Release"]);
    assert_eq!(comment_beside(&found[1].0), "", "the reason of another paragraph is none");
}

#[test]
fn the_reader_of_imports_sees_what_there_is() {
    let text = "use crate::{\n    arena::{self, Slot},\n    model::Points,\n};\nlet x = crate::sync::cores();\n// crate::http\n";
    assert_eq!(imports(text), ["arena", "model", "sync"]);
}
