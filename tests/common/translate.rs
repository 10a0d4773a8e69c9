//! A strict reader of OpenMetrics 2.0, which says in the words of 1.0 what it read. It shares nothing with the encoder.

/// The page of 1.0 that says the same.
///
/// # Panics
/// At whatever the grammar of 2.0.0-rc0 does not have, or manometer does not write.
pub(crate) fn as_1_0(page: &str) -> String {
    let mut translated = String::new();
    // What the last `# TYPE` line told: the name in 1.0, the name in 2.0, and the type.
    let (mut stem, mut name, mut kind) = ("", "", "");
    let body = page.strip_suffix("# EOF\n").unwrap_or_else(|| panic!("no end in {page:?}"));
    for line in body.split_terminator('\n') {
        if let Some(rest) = line.strip_prefix("# ") {
            let [keyword, named, text] = words(rest);
            if keyword == "TYPE" {
                (name, kind) = (named, text);
                stem = match kind {
                    "counter" => name.strip_suffix("_total").expect("the name of a counter"),
                    "info" => name.strip_suffix("_info").expect("the name of an info"),
                    _ => name,
                };
            }
            assert!(named == name && ["TYPE", "UNIT", "HELP"].contains(&keyword), "{line:?}");
            translated += &format!("# {keyword} {stem} {text}\n");
            continue;
        }
        let mut line = Line { whole: line, rest: line };
        line.must(name);
        let labels = line.labels();
        line.must(" ");
        line.translate(stem, kind, &labels, &mut translated);
    }
    translated + "# EOF\n"
}

fn words(text: &str) -> [&str; 3] {
    let mut words = text.splitn(3, ' ');
    std::array::from_fn(|_| words.next().unwrap_or_else(|| panic!("three words, and not {text:?}")))
}

/// A line, as far as it is not read yet.
struct Line<'a> {
    whole: &'a str,
    rest: &'a str,
}

impl<'a> Line<'a> {
    /// Reads this text, if it is next.
    fn may(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn must(&mut self, text: &str) {
        assert!(self.may(text), "no {text:?} at {:?} of {:?}", self.rest, self.whole);
    }

    /// Reads what stands before one of these characters, or all that is left.
    fn until(&mut self, ends: &[char]) -> &'a str {
        let (read, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        read
    }

    /// Reads a number; its text.
    fn number(&mut self) -> &'a str {
        let text = self.until(&[',', ':', ']', '}', ' ']);
        assert!(text.parse::<f64>().is_ok(), "{text:?} is no number in {:?}", self.whole);
        text
    }

    /// Reads `{key="value",…}`, or nothing; what is between the braces.
    fn labels(&mut self) -> String {
        let mut read = String::new();
        if !self.may("{") {
            return read;
        }
        while !self.may("}") {
            if !read.is_empty() {
                self.must(",");
                read.push(',');
            }
            let key = self.until(&['=']);
            assert!(
                key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
                "{key:?} in {:?}",
                self.whole
            );
            self.must("=\"");
            read += &format!("{key}=\"");
            while !self.may("\"") {
                let escaped = self.may("\\");
                let letter = self.rest.chars().next().expect("the end of a label");
                assert!(!escaped || ['\\', '"', 'n'].contains(&letter), "an escaped {letter:?} in {:?}", self.whole);
                read.extend(escaped.then_some('\\').into_iter().chain([letter]));
                self.rest = &self.rest[letter.len_utf8()..];
            }
            read.push('"');
        }
        read
    }

    /// Reads `[key:number,…]`.
    fn pairs(&mut self) -> Vec<(&'a str, &'a str)> {
        let mut read = Vec::new();
        self.must("[");
        while !self.may("]") {
            if !read.is_empty() {
                self.must(",");
            }
            let key = self.number();
            self.must(":");
            read.push((key, self.number()));
        }
        assert!(read.is_sorted_by_key(|(key, _)| key.parse::<f64>().expect("a number")), "{:?}", self.whole);
        read
    }

    /// Reads what follows a value: the start time, and the exemplars with their values.
    fn tail(&mut self) -> (Option<&'a str>, Vec<(f64, String)>) {
        let start = self.may(" st@").then(|| self.number());
        let mut exemplars = Vec::new();
        while self.may(" # ") {
            assert!(self.rest.starts_with('{'), "{:?}", self.whole);
            let labels = self.labels();
            self.must(" ");
            let value = self.number();
            self.must(" ");
            exemplars.push((value.parse().expect("a number"), format!(" # {{{labels}}} {value} {}", self.number())));
        }
        assert_eq!(self.rest, "", "the end of {:?}", self.whole);
        (start, exemplars)
    }

    /// Reads value and tail of a metric of this type, and appends its lines.
    fn translate(&mut self, stem: &str, kind: &str, labels: &str, out: &mut String) {
        let mut sample = |suffix: &str, extra: Option<(&str, &str)>, value: &str, exemplar: &str| {
            let extra = extra.map(|(key, value)| format!("{key}=\"{value}\""));
            let all: Vec<&str> =
                [labels, extra.as_deref().unwrap_or("")].into_iter().filter(|text| !text.is_empty()).collect();
            let braces = if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) };
            *out += &format!("{stem}{suffix}{braces} {value}{exemplar}\n");
        };
        let (count_word, sum_word) = if kind == "gaugehistogram" { ("gcount", "gsum") } else { ("count", "sum") };
        let start = match kind {
            "histogram" | "gaugehistogram" | "summary" => {
                self.must(&format!("{{{count_word}:"));
                let count = self.number();
                self.must(&format!(",{sum_word}:"));
                let sum = self.number();
                self.must(if kind == "summary" { ",quantile:" } else { ",bucket:" });
                let pairs = self.pairs();
                self.must("}");
                let (start, exemplars) = self.tail();
                let mut exemplars = exemplars.into_iter().peekable();
                for (key, value) in &pairs {
                    let threshold: f64 = key.parse().expect("a number");
                    match kind {
                        "summary" => sample("", Some(("quantile", key)), value, ""),
                        _ => {
                            let exemplar = exemplars.next_if(|(value, _)| *value <= threshold);
                            sample(
                                "_bucket",
                                Some(("le", key)),
                                value,
                                &exemplar.map(|(_, text)| text).unwrap_or_default(),
                            );
                        }
                    }
                }
                assert_eq!(exemplars.next(), None, "two in one bucket, or out of order: {:?}", self.whole);
                assert!(kind == "summary" || pairs.last() == Some(&("+Inf", count)), "{:?}", self.whole);
                // 1.0 has no sum where values may be negative.
                if kind != "histogram" || !pairs[0].0.starts_with('-') {
                    sample(&format!("_{sum_word}"), None, sum, "");
                    sample(&format!("_{count_word}"), None, count, "");
                }
                start
            }
            _ => {
                let value = self.number();
                let (start, exemplars) = self.tail();
                assert!(exemplars.len() <= usize::from(kind == "counter"), "{:?}", self.whole);
                let suffix = match kind {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                sample(suffix, None, value, exemplars.first().map_or("", |(_, text)| text));
                start
            }
        };
        if let Some(start) = start {
            assert!(["counter", "histogram", "summary"].contains(&kind), "{:?}", self.whole);
            sample("_created", None, start, "");
        }
    }
}
