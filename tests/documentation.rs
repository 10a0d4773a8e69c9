//! That the documentation is true: its examples are run, or compiled where they wait for others, and what it names is there.

use std::{collections::BTreeSet, fs, path::Path};

/// This file, which has the one example that no documentation test can run: it needs a feature.
const OWN: &str = include_str!("documentation.rs");

const README: &str = include_str!("../README.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` whose name ends so.
fn files(folder: &Path, extension: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the folder is here") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push((path.display().to_string(), fs::read_to_string(&path).expect("readable")));
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["src", "derive/src", "cli/src"] {
        files(&root().join(folder), "rs", &mut found);
    }
    assert!(found.len() > 100, "only {} sources were found", found.len());
    found
}

/// The pages for users, by name.
fn pages() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root().join("docs"), "md", &mut found);
    for page in ["README.md", "PERFORMANCE.md", "CHANGELOG.md"] {
        found.push((page.to_owned(), fs::read_to_string(root().join(page)).expect("readable")));
    }
    found
}

/// What opens the code blocks of a text, and the lines of each.
fn blocks(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut open = None;
    for line in text.lines() {
        let bare = line.trim_start().trim_start_matches("///").trim_start_matches("//!").trim_start();
        // A block that needs a feature: the attribute that opens it where there is the feature.
        let bare = if bare.starts_with("#[cfg_attr(feature") && bare.contains("doc = \"```\"") { "```" } else { bare };
        match (bare.strip_prefix("```"), &mut open) {
            (Some(word), None) => open = Some((word, Vec::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a code block without an end");
    blocks
}

/// The example of README that no documentation test can run, line by line as it stands there.
#[rustfmt::skip]
mod ignored {
    use manometer::{Counter, Histogram, Metrics as _, Registry, TypedFamily};
    use manometer_derive::{LabelEnum, LabelSet, Metrics};

    #[derive(LabelEnum)]
    enum Outcome { Hit, Miss }

    #[derive(LabelSet)]
    struct Lookup { outcome: Outcome, retried: bool }

    #[derive(Metrics)]
    #[metrics(prefix = "cache")]
    struct Cache {
        /// Look-ups, by what came of them.
        lookups: TypedFamily<Counter, Lookup>,
        /// From the question to the answer.
        #[metric(unit = "seconds", buckets = [0.0001, 0.001, 0.01])]
        latency: Histogram,
    }

    #[test]
    fn s_29_what_the_readme_says_of_derives_is_so() -> Result<(), manometer::DeclareError> {
        let registry = Registry::new();
        let cache = Cache::declare(&registry)?;
        cache.lookups.inc(&Lookup { outcome: Outcome::Hit, retried: false });
        cache.lookups.inc(&Lookup { outcome: Outcome::Miss, retried: true });
        cache.latency.observe(0.0005);
        assert_eq!((cache.lookups.view().sum(), cache.latency.count()), (2, 1));
        Ok(())
    }
}

#[test]
fn s_29_every_example_is_run_or_compiled() {
    let (mut run, mut ignored) = (0, Vec::new());
    let own = sources().into_iter().chain([("README.md".to_owned(), README.to_owned())]);
    for (file, text) in own.filter(|(file, _)| !file.contains("cli/src")) {
        for (word, lines) in blocks(&text) {
            match word {
                "" | "rust" | "no_run" | "rust,no_run" => run += 1,
                // What must not compile is compiled as well.
                word if word.starts_with("compile_fail") => run += 1,
                "text" | "sh" | "toml" => {}
                "rust,ignore" => ignored.extend(lines.into_iter().map(str::to_owned)),
                other => panic!("{file} has a code block of {other:?}, which nobody runs"),
            }
        }
    }
    assert!(run > 60, "only {run} examples were found: the reader of blocks is broken");
    // README is the crate's page, so its blocks are among those that are run.
    assert!(
        fs::read_to_string(root().join("src/lib.rs")).expect("readable").contains("include_str!(\"../README.md\")")
    );
    // The one that is ignored stands here.
    let lines: BTreeSet<_> = OWN.lines().map(str::trim).collect();
    let missing: Vec<_> = ignored.iter().filter(|line| !lines.contains(line.trim())).collect();
    assert!(ignored.len() > 10 && missing.is_empty(), "not run: {missing:?}");
}

/// What stands between single backquotes on the lines of a page that are no code.
fn quoted(page: &str) -> Vec<&str> {
    let mut in_block = false;
    let prose = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        in_block ^= fence;
        !in_block && !fence
    });
    prose.flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[test]
fn s_29_every_file_that_a_page_names_is_there() {
    const FOLDERS: [&str; 11] = [
        "docs/",
        "examples/",
        "ci/",
        "tests/",
        "benches/",
        "src/",
        "loom-tests/",
        "shuttle-tests/",
        "fuzz/",
        "cli/",
        "derive/",
    ];
    let (mut named, mut missing) = (0, Vec::new());
    for (page, text) in pages() {
        let is_file = |word: &&str| FOLDERS.iter().any(|folder| word.starts_with(folder)) && !word.contains(['*', '{']);
        let words = quoted(&text).into_iter().filter_map(|quoted| quoted.split_whitespace().next());
        for path in words.filter(is_file) {
            named += 1;
            let place = root().join(path);
            // A benchmark is called by the folder and its name; the corpus is made by who fuzzes.
            if !place.exists() && !place.with_extension("rs").exists() && path != "fuzz/corpus" {
                missing.push(format!("{path} ({page})"));
            }
        }
        for (option, folder) in [("--example ", "examples"), ("--bench ", "benches"), ("--test ", "tests")] {
            for (at, _) in text.match_indices(option) {
                let rest = &text[at + option.len()..];
                let name = &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())];
                named += 1;
                let is_there =
                    ["", "/main"].iter().any(|main| root().join(format!("{folder}/{name}{main}.rs")).exists())
                        || ["loom", "shuttle"].contains(&name);
                // A placeholder is written in capitals.
                if is_word(name) && !is_there && name != name.to_uppercase() {
                    missing.push(format!("{option}{name} ({page})"));
                }
            }
        }
    }
    assert!(named > 60, "only {named} files were found: the reader of pages is broken");
    assert!(missing.is_empty(), "{missing:?} are not there");
}

#[test]
fn s_29_every_item_that_the_readme_names_is_there() {
    let sources: String = sources().into_iter().map(|(_, text)| text).collect();
    let known: BTreeSet<&str> = sources.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut items = Vec::new();
    for text in quoted(README).into_iter().filter(|text| !text.contains(' ') || text.contains('(')) {
        // Of `a::b(c).d("e")` all words but those in quotes.
        let unquoted: String = text.split('"').step_by(2).collect();
        let is_code = unquoted.contains("::") || unquoted.contains('(');
        if is_code && !unquoted.contains(['/', '<', '*']) {
            items.extend(
                unquoted
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .filter(|word| is_word(word))
                    .map(str::to_owned),
            );
        }
    }
    assert!(items.len() >= 10, "only {} items were found: {items:?}", items.len());
    let missing: Vec<_> = items.iter().filter(|item| !known.contains(item.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?} are not in the sources");
}

/// The comment above the first line of `text` that begins so.
fn comment_above<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start}"));
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with('#'));
    above.copied().collect()
}

#[test]
fn s_30_every_type_has_its_words_and_an_example() {
    const TYPES: [(&str, &str); 10] = [
        ("Counter", "counter"),
        ("FloatCounter", "float_counter"),
        ("Gauge", "gauge"),
        ("UpDownGauge", "up_down_gauge"),
        ("Histogram", "histogram"),
        ("Summary", "summary"),
        ("Info", "info"),
        ("StateSet", "state_set"),
        ("Unknown", "unknown"),
        ("GaugeHistogram", "gauge_histogram"),
    ];
    let sources = sources();
    let instruments: Vec<_> = sources.iter().filter(|(_, text)| text.contains("\ninstrument! {")).collect();
    let declared: usize = instruments.iter().map(|(_, text)| text.matches("\ninstrument! {").count()).sum();
    assert_eq!(declared, TYPES.len(), "a type is missing here");
    let read = |file: &str| fs::read_to_string(root().join("src").join(file)).expect("readable");
    let (registry, declaration) = (read("registry.rs"), read("registry/declare.rs"));
    for (instrument, method) in TYPES {
        let own = format!("\n    {instrument}\n}}");
        let (file, text) = instruments.iter().find(|(_, text)| text.contains(&own)).expect(instrument);
        let comment = text[..text.find(&own).expect("found above")].rsplit("instrument! {").next().expect("its macro");
        assert!(comment.contains("/// # Examples"), "{instrument} in {file}");
        assert!(comment.contains(&format!(".{method}(")), "the example of {instrument} declares another type");
        assert!(!comment_above(&registry, &format!("pub fn {method}(")).is_empty(), "{method}");
    }
    for option in ["quantiles", "native", "expire_after"] {
        let comment = comment_above(&declaration, &format!("pub fn {option}")).concat();
        assert!(comment.contains("# Examples"), "{option} has no example: {comment}");
    }
}
