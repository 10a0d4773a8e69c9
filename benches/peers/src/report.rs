//! The tables of PERFORMANCE.md, between its markers, and the charts beside it: all from the file of results.

use std::{error::Error, fs, path::Path};

use crate::{
    chart::{Chart, Line, plain},
    peer::{Counting, version_of},
    results::{Results, Row},
    roll::Entry,
};

const OURS: &str = "manometer";

type Cells = Vec<String>;

/// Rewrites everything.
pub fn write(results: &Results, peers: &[Entry], page: &Path, images: &Path) -> Result<(), Box<dyn Error>> {
    let report = Report { results, peers };
    let mut text = fs::read_to_string(page)?;
    for (name, table) in [
        ("targets", report.targets()),
        ("counter", report.counter()),
        ("histogram", report.histogram()),
        ("labels", report.labels()),
        ("create", report.create()),
        ("pages", report.pages()),
        ("correct", report.correct()),
        ("scrape", report.scrape()),
        ("statsd", report.statsd()),
        ("slabs", report.slabs()),
    ] {
        text = replaced(&text, name, &table).ok_or_else(|| format!("{}: no marker {name:?}", page.display()))?;
    }
    fs::write(page, text)?;
    fs::create_dir_all(images)?;
    let threads = [(1.0, "1"), (2.0, "2"), (4.0, "4"), (8.0, "8")];
    let chart = Chart {
        title: "Incrementing one counter",
        subtitle: "nanoseconds of CPU time for each increment; all threads on one series; 2 cores; medians",
        across: "threads",
        marks: &threads,
        unit: "ns",
        lines: report.lines("counter", "cpu ns", &[1, 2, 4, 8]),
    };
    fs::write(images.join("counter.svg"), chart.svg())?;
    let chart = Chart {
        title: "Observing in one histogram of 11 buckets",
        subtitle: "nanoseconds of CPU time for each observation, drawing the value included; 2 cores; medians",
        lines: report.lines("histogram", "cpu ns", &[1, 2, 4, 8]),
        ..chart
    };
    fs::write(images.join("histogram.svg"), chart.svg())?;
    let chart = Chart {
        title: "Rendering a page of counters with three labels",
        subtitle: "milliseconds of CPU time for a page, values read and text written; medians",
        across: "series",
        marks: &[(1000.0, "1 000"), (10_000.0, "10 000"), (100_000.0, "100 000")],
        unit: "ms",
        lines: report.page_lines(),
    };
    fs::write(images.join("pages.svg"), chart.svg())?;
    Ok(())
}

/// The text with another table between the markers of this name.
fn replaced(text: &str, name: &str, table: &str) -> Option<String> {
    let (open, close) = (format!("<!-- peers: {name} -->\n"), "<!-- end -->");
    let from = text.find(&open)? + open.len();
    let to = from + text[from..].find(close)?;
    Some(format!("{}{table}{}", &text[..from], &text[to..]))
}

fn table(head: &[&str], rows: impl IntoIterator<Item = Cells>) -> String {
    let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<&str> = head.iter().map(|_| "---").collect();
    let rows = rows.into_iter().map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    line(head) + &line(&rule) + &rows.collect::<String>()
}

fn bold(name: &str, cell: String) -> String {
    if name == OURS { format!("**{cell}**") } else { cell }
}

/// What is compared with what, and what it must come to.
struct Target {
    what: &'static str,
    against: String,
    ratio: Option<f64>,
    limit: f64,
    at_least: bool,
}

struct Report<'a> {
    results: &'a Results,
    peers: &'a [Entry],
}

impl Report<'_> {
    fn median(&self, question: &str, peer: &str, threads: usize, measure: &str) -> Option<f64> {
        self.results.median(question, peer, threads, measure)
    }

    fn ours(&self, question: &str, threads: usize, measure: &str) -> Option<f64> {
        self.median(question, OURS, threads, measure)
    }

    /// The peer whose figure is the smallest, of those that `fits` lets through.
    fn best(&self, question: &str, threads: usize, measure: &str, fits: impl Fn(&Entry) -> bool) -> Option<&Row> {
        let others = self.peers.iter().filter(|peer| peer.name != OURS && fits(peer));
        let rows = others.filter_map(|peer| self.results.row(question, peer.name, threads, measure));
        rows.min_by(|a, b| a.median.total_cmp(&b.median))
    }

    /// Whether the harness saw no torn snapshot of this peer and missed no observation.
    fn is_consistent(&self, peer: &Entry) -> bool {
        let none = |measure| self.median("correct", peer.name, 1, measure) == Some(0.0);
        none("torn") && none("lost observations")
    }

    fn target(
        &self,
        what: &'static str,
        (question, threads, measure): (&str, usize, &str),
        limit: f64,
        fits: impl Fn(&Entry) -> bool,
    ) -> Target {
        let best = self.best(question, threads, measure, fits);
        let ours = self.ours(question, threads, measure);
        let against = best.map_or("nobody".to_owned(), |row| format!("`{}`, {}", row.peer, plain(row.median)));
        Target { what, against, ratio: ours.zip(best).map(|(ours, best)| ours / best.median), limit, at_least: false }
    }

    fn targets(&self) -> String {
        let named = |name: &'static str| move |peer: &Entry| peer.name == name;
        let consistent = |peer: &Entry| self.is_consistent(peer);
        let one_atomic = |peer: &Entry| peer.counting == Counting::OneAtomic;
        let any = |_: &Entry| true;
        let mut targets = vec![
            self.target("`inc`, 1 thread, ns", ("counter", 1, "cpu ns"), 0.40, any),
            self.target("`inc`, 2 threads on one series, ns", ("counter", 2, "cpu ns"), 0.40, any),
            self.target("the same, against one atomic", ("counter", 2, "cpu ns"), 0.08, one_atomic),
            self.target(
                "`observe`, 11 buckets, 1 thread, ns; whole snapshots",
                ("histogram", 1, "cpu ns"),
                0.35,
                consistent,
            ),
            self.target("the same, 2 threads on one histogram", ("histogram", 2, "cpu ns"), 0.12, consistent),
            self.target(
                "3 labels and `inc`, 100 series, 1 thread, ns",
                ("labels-100", 1, "cpu ns"),
                0.60,
                named("prometheus"),
            ),
            self.target("the same, 2 threads", ("labels-100", 2, "cpu ns"), 0.15, named("prometheus")),
            self.target(
                "3 labels and `inc`, 10 000 series, 1 thread, ns",
                ("labels-10000", 1, "cpu ns"),
                0.65,
                named("prometheus"),
            ),
            self.target("the same, 2 threads", ("labels-10000", 2, "cpu ns"), 0.50, named("prometheus")),
            self.target("3 labels, 100 series, 1 thread, against the fastest", ("labels-100", 1, "cpu ns"), 1.0, any),
            self.target("the same, 2 threads", ("labels-100", 2, "cpu ns"), 1.0, any),
            self.target(
                "3 labels, 10 000 series, 1 thread, against the fastest",
                ("labels-10000", 1, "cpu ns"),
                1.0,
                any,
            ),
            self.target("the same, 2 threads", ("labels-10000", 2, "cpu ns"), 1.0, any),
            self.target("creating a series, ns", ("create", 1, "cpu ns"), 1.0, any),
            self.target("bytes of a counter series", ("create", 1, "bytes"), 1.25, any),
            self.target("page of 100 000 counters, ms", ("page-100000", 1, "cpu ms"), 0.15, any),
            self.target("page of 2000 histograms, ms", ("page-histograms", 1, "cpu ms"), 0.30, any),
        ];
        let mut beside = |what, against: String, ratio, limit, at_least| {
            targets.push(Target { what, against, ratio, limit, at_least });
        };
        let floor = self.median("page-100000", "floor: memcpy and format", 1, "cpu ms");
        let ours = self.ours("page-100000", 1, "cpu ms");
        let against = floor.map_or("?".to_owned(), |floor| format!("memcpy and format, {}", plain(floor)));
        beside("page of 100 000 counters, ms", against, ours.zip(floor).map(|(a, b)| a / b), 2.0, false);
        let allocations = self.ours("page-100000", 1, "allocations");
        beside("allocations of that page", "a number".to_owned(), allocations, 0.0, false);
        let turns = |how| self.median("scrape", &format!("{OURS}: {how}"), 1, "million turns a second");
        let ratio = turns("scraped").zip(turns("alone")).map(|(a, b)| a / b);
        beside("throughput of a writer under a scraper", "itself alone".to_owned(), ratio, 0.90, true);
        let slowest = self.median("scrape", &format!("{OURS}: scraped"), 1, "p99.99 ns");
        let noise = self.median("scrape", "floor: nothing to do", 1, "p99.99 ns");
        let against = noise.map_or("?".to_owned(), |noise| format!("nothing to do, {}", plain(noise)));
        beside("p99.99 of a writer under a scraper, ns", against, slowest.zip(noise).map(|(a, b)| a / b), 2.0, false);
        let torn = self.ours("correct", 1, "torn");
        beside("torn snapshots", "a number".to_owned(), torn, 0.0, false);
        let lines = |peer| self.median("statsd", peer, 1, "million lines a second");
        let against = lines("cadence").map_or("?".to_owned(), |lines| format!("`cadence`, {}", plain(lines)));
        let ratio = lines(OURS).zip(lines("cadence")).map(|(a, b)| a / b);
        beside("statsd, million lines a second", against, ratio, 5.0, true);
        beside("collecting, 1 to 16 slabs", "the line below".to_owned(), self.fit().map(|fit| fit.2), 0.25, false);
        let rows = targets.into_iter().map(|target| {
            let met =
                target.ratio.map(|ratio| if target.at_least { ratio >= target.limit } else { ratio <= target.limit });
            let sign = if target.at_least { "≥" } else { "≤" };
            vec![
                target.what.to_owned(),
                target.against,
                target.ratio.map_or("?".to_owned(), plain),
                format!("{sign} {}", plain(target.limit)),
                met.map_or("?", |met| if met { "ok" } else { "**missed**" }).to_owned(),
            ]
        });
        table(&["What", "Against, and its figure", "Ratio", "Must be", ""], rows)
    }

    /// Peers and floors that have this row, fastest first.
    fn ranked(&self, question: &str, threads: usize, measure: &str) -> Vec<&Row> {
        let fits = |row: &&Row| row.question == question && row.threads == threads && row.measure == measure;
        let mut rows: Vec<&Row> = self.results.0.iter().filter(fits).collect();
        rows.sort_by(|a, b| a.median.total_cmp(&b.median));
        rows
    }

    fn counting(&self, name: &str) -> &'static str {
        self.peers.iter().find(|peer| peer.name == name).map_or("", |peer| peer.counting.text())
    }

    /// Median, spread and ratios, on one and on two threads.
    fn recording(&self, question: &str, floor: &str, second: &str, note: impl Fn(&str) -> String) -> String {
        let cells = |name: &str, threads| {
            let row = self.results.row(question, name, threads, "cpu ns");
            let ratio = |to: &str| {
                let to = self.median(question, to, threads, "cpu ns")?;
                Some(format!("{} ×", plain(row?.median / to)))
            };
            let ratio = |to: &str| if name == to { String::new() } else { ratio(to).unwrap_or_default() };
            let wall = self.median(question, name, threads, "wall ns");
            [row.map_or(String::new(), spread), wall.map_or(String::new(), plain), ratio(floor), ratio(OURS)]
        };
        let rows = self.ranked(question, 1, "cpu ns").into_iter().map(|row| {
            let name = row.peer.as_str();
            let ([one, _, one_floor, one_ours], [two, wall, two_floor, two_ours]) = (cells(name, 1), cells(name, 2));
            let row = [name.to_owned(), note(name), one, one_floor, one_ours, two, wall, two_floor, two_ours];
            row.map(|cell| if cell.is_empty() { cell } else { bold(name, cell) }).to_vec()
        });
        table(
            &["", second, "1 thread, ns", "/ floor", "/ manometer", "2 threads, ns", "wall", "/ floor", "/ manometer"],
            rows,
        )
    }

    fn counter(&self) -> String {
        self.recording("counter", "floor: thread-local Cell", "counts in", |name| self.counting(name).to_owned())
    }

    fn histogram(&self) -> String {
        let whole = |name: &str| match self.median("correct", name, 1, "torn") {
            Some(0.0) => "whole".to_owned(),
            Some(torn) if torn > 0.0 => "torn".to_owned(),
            _ => String::new(),
        };
        self.recording("histogram", "floor: drawing the value", "snapshots", whole)
    }

    fn labels(&self) -> String {
        let head = [
            "",
            "100 series, 1 thread, ns",
            "/ manometer",
            "2 threads, ns",
            "/ manometer",
            "10 000 series, 1 thread, ns",
            "/ manometer",
            "2 threads, ns",
            "/ manometer",
        ];
        let rows = self.ranked("labels-100", 1, "cpu ns").into_iter().map(|first| {
            let name = first.peer.as_str();
            let mut cells = vec![bold(name, name.to_owned())];
            for question in ["labels-100", "labels-10000"] {
                for threads in [1, 2] {
                    let row = self.results.row(question, name, threads, "cpu ns");
                    let ours = self.ours(question, threads, "cpu ns");
                    let ratio = row
                        .zip(ours)
                        .filter(|_| name != OURS)
                        .map(|(row, ours)| format!("{} ×", plain(row.median / ours)));
                    cells.push(row.map_or(String::new(), |row| bold(name, spread(row))));
                    cells.push(ratio.unwrap_or_default());
                }
            }
            cells
        });
        table(&head, rows)
    }

    fn create(&self) -> String {
        let rows = self.ranked("create", 1, "cpu ns").into_iter().map(|row| {
            let name = row.peer.as_str();
            let bytes =
                |measure| self.median("create", name, 1, measure).map_or(String::new(), |bytes| format!("{bytes:.0}"));
            let ratio = self
                .ours("create", 1, "cpu ns")
                .map_or(String::new(), |ours| format!("{} ×", plain(row.median / ours)));
            let row = [name.to_owned(), spread(row), ratio, bytes("bytes"), bytes("bytes after a page")];
            row.map(|cell| bold(name, cell)).to_vec()
        });
        table(&["", "a new series, ns", "/ manometer", "bytes a series", "after the first page"], rows)
    }

    fn pages(&self) -> String {
        let questions = ["page-1000", "page-10000", "page-100000", "page-histograms"];
        let rows = self.ranked("page-100000", 1, "cpu ms").into_iter().map(|first| {
            let name = first.peer.as_str();
            let mut cells = vec![name.to_owned()];
            for question in questions {
                cells.push(self.results.row(question, name, 1, "cpu ms").map_or(String::new(), spread));
            }
            let ratio = self
                .ours("page-100000", 1, "cpu ms")
                .map_or(String::new(), |ours| format!("{} ×", plain(first.median / ours)));
            cells.push(ratio);
            let count = |measure| {
                self.median("page-100000", name, 1, measure).map_or(String::new(), |count| format!("{count:.0}"))
            };
            cells.extend([count("allocations"), count("bytes")]);
            cells.into_iter().map(|cell| if cell.is_empty() { cell } else { bold(name, cell) }).collect()
        });
        let head = [
            "",
            "1000 counters, ms",
            "10 000",
            "100 000",
            "2000 histograms",
            "100 000 / manometer",
            "allocations of 100 000",
            "bytes of that page",
        ];
        table(&head, rows)
    }

    fn correct(&self) -> String {
        let measures = ["snapshots", "torn", "lost observations", "unescaped", "duplicates", "lost increments"];
        let rows = self.peers.iter().filter(|peer| peer.creates).map(|peer| {
            let value = |measure: &&str| match self.median("correct", peer.name, 1, measure) {
                Some(value) if value >= 0.0 => format!("{value:.0}"),
                _ => "not asked".to_owned(),
            };
            let mut cells = vec![bold(peer.name, peer.name.to_owned()), version_of(package(peer.name)).to_owned()];
            cells.extend(measures.iter().map(value));
            cells
        });
        let head = [
            "",
            "version",
            "snapshots looked at",
            "torn",
            "lost observations",
            "unescaped of 3",
            "duplicate series of 20 000",
            "lost increments of 40 000",
        ];
        table(&head, rows)
    }

    fn scrape(&self) -> String {
        let noise = self.results.row("scrape", "floor: nothing to do", 1, "p99.99 ns");
        let noise = noise.map(|row| {
            vec![
                "floor: nothing to do".to_owned(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                spread(row),
            ]
        });
        let rows = self.peers.iter().filter_map(|peer| {
            let row = |how, measure| self.results.row("scrape", &format!("{}: {how}", peer.name), 1, measure);
            let (alone, scraped) = (row("alone", "million turns a second")?, row("scraped", "million turns a second")?);
            let tails = [row("alone", "p99.99 ns")?, row("scraped", "p99.99 ns")?].map(spread);
            let [tail, tail_scraped] = tails;
            let cells = [
                peer.name.to_owned(),
                plain(alone.median),
                plain(scraped.median),
                plain(scraped.median / alone.median),
                tail,
                tail_scraped,
            ];
            Some(cells.map(|cell| bold(peer.name, cell)).to_vec())
        });
        table(
            &[
                "",
                "million turns a second, alone",
                "under a scraper",
                "ratio",
                "p99.99 alone, ns",
                "p99.99 under a scraper, ns",
            ],
            rows.chain(noise),
        )
    }

    fn statsd(&self) -> String {
        let rows = self.ranked("statsd", 1, "cpu ns a line").into_iter().map(|row| {
            let lines = self.median("statsd", &row.peer, 1, "million lines a second").unwrap_or_default();
            [row.peer.clone(), plain(lines), spread(row)].map(|cell| bold(&row.peer, cell)).to_vec()
        });
        table(&["", "million lines a second", "CPU a line, ns"], rows)
    }

    /// The line through the cost of a series by slabs: what it costs without slabs, what each adds, and the largest relative distance.
    fn fit(&self) -> Option<(f64, f64, f64)> {
        let at = |slabs| Some((slabs as f64, self.ours("slabs", slabs, "cpu ns a series")?));
        let points = [1, 2, 4, 8, 16].into_iter().map(at).collect::<Option<Vec<_>>>()?;
        // Relative distances count, so each point weighs as the inverse of its square.
        let sum = |of: fn(f64, f64) -> f64| points.iter().map(|(x, y)| of(*x, *y) / (y * y)).sum::<f64>();
        let (n, sx, sy) = (sum(|_, _| 1.0), sum(|x, _| x), sum(|_, y| y));
        let (sxx, sxy) = (sum(|x, _| x * x), sum(|x, y| x * y));
        let slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
        let base = (sy - slope * sx) / n;
        let off = points.iter().map(|(x, y)| (base + slope * x - y).abs() / y).fold(0.0, f64::max);
        Some((base, slope, off))
    }

    fn slabs(&self) -> String {
        let fit = self.fit();
        let rows = self.ranked("slabs", 1, "cpu ns a series").into_iter().map(|row| row.peer.clone());
        let peer = rows.into_iter().next().unwrap_or_default();
        let rows = [1, 2, 4, 8, 16].into_iter().filter_map(|slabs| {
            let row = self.results.row("slabs", &peer, slabs, "cpu ns a series")?;
            let model = fit.map(|(base, slope, _)| base + slope * slabs as f64);
            let off = model.map_or(String::new(), |model| format!("{:+.0} %", (model / row.median - 1.0) * 100.0));
            Some(vec![slabs.to_string(), spread(row), model.map_or(String::new(), plain), off])
        });
        let line = fit.map_or(String::new(), |(base, slope, _)| {
            format!("\nThe line: {} ns a series, and {} ns for each slab.\n", plain(base), plain(slope))
        });
        table(&["slabs", "collecting, ns a series", "the line", "off by"], rows) + &line
    }

    fn lines(&self, question: &str, measure: &str, threads: &[usize]) -> Vec<Line> {
        let first = self.ranked(question, threads[0], measure);
        let line = |row: &&Row| {
            let at = |&threads: &usize| Some((threads as f64, self.median(question, &row.peer, threads, measure)?));
            Line { name: row.peer.clone(), points: threads.iter().filter_map(at).collect() }
        };
        first.iter().map(line).collect()
    }

    fn page_lines(&self) -> Vec<Line> {
        let line = |row: &&Row| {
            let at =
                |series: usize| Some((series as f64, self.median(&format!("page-{series}"), &row.peer, 1, "cpu ms")?));
            Line { name: row.peer.clone(), points: [1000, 10_000, 100_000].into_iter().filter_map(at).collect() }
        };
        self.ranked("page-100000", 1, "cpu ms").iter().map(line).collect()
    }
}

fn spread(row: &Row) -> String {
    format!("{} ({}–{})", plain(row.median), plain(row.p10), plain(row.p90))
}

/// The package behind a peer's name, whose setting may follow a comma.
fn package(name: &str) -> &str {
    name.split(',').next().unwrap_or(name)
}
