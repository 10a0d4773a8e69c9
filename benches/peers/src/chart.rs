//! Line charts, as SVG written by hand: both axes logarithmic, each line named at its end.

use std::fmt::Write;

const WIDTH: f64 = 920.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 640.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 464.0;

/// Between the names of two lines, at least.
const NAME: f64 = 16.0;

/// For the peers, told apart on white by hue and lightness.
const COLOURS: [&str; 12] = [
    "#b3541e", "#2e7d4f", "#8e5ba6", "#b8860b", "#c2416b", "#3d8f9c", "#7a6a53", "#6b8e23", "#a0522d", "#5f6fb0",
    "#9c3d3d", "#4f7f6f",
];

/// One line.
pub struct Line {
    /// Written at its end.
    pub name: String,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

/// A chart.
pub struct Chart<'a> {
    /// Above it.
    pub title: &'a str,
    /// Under the title.
    pub subtitle: &'a str,
    /// Under the horizontal axis.
    pub across: &'a str,
    /// The marks on the horizontal axis, and what is written there.
    pub marks: &'a [(f64, &'a str)],
    /// The unit of the vertical axis.
    pub unit: &'a str,
    /// All lines; `manometer` stands out, floors are dashed.
    pub lines: Vec<Line>,
}

impl Chart<'_> {
    /// The picture.
    pub fn svg(&self) -> String {
        let all = || self.lines.iter().flat_map(|line| &line.points);
        let values = || all().map(|point| point.1);
        let (least, most) = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
        // A tenth of a decade of air on both sides.
        let (from, to) = (least.log10() - 0.1, most.log10() + 0.1);
        let (first, last) = (self.marks[0].0.ln(), self.marks[self.marks.len() - 1].0.ln());
        let x = |at: f64| LEFT + (at.ln() - first) / (last - first) * (RIGHT - LEFT);
        let y = |at: f64| BOTTOM - (at.log10() - from) / (to - from) * (BOTTOM - TOP);

        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"13\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
        );
        text(&mut svg, LEFT, 26.0, "font-size=\"17\" font-weight=\"bold\" fill=\"#1a1a1a\"", self.title);
        text(&mut svg, LEFT, 46.0, "fill=\"#595959\"", self.subtitle);
        for exponent in from.floor() as i32..=to.ceil() as i32 {
            for (factor, colour) in [(1.0, "#c9c9c9"), (2.0, "#ececec"), (5.0, "#ececec")] {
                let value = factor * 10_f64.powi(exponent);
                if (from..=to).contains(&value.log10()) {
                    let y = y(value);
                    rule(&mut svg, LEFT, RIGHT, y, colour);
                    let label = format!("{} {}", plain(value), self.unit);
                    text(
                        &mut svg,
                        LEFT - 8.0,
                        y + 4.0,
                        "text-anchor=\"end\" font-size=\"12\" fill=\"#595959\"",
                        &label,
                    );
                }
            }
        }
        for (at, label) in self.marks {
            let middle = "text-anchor=\"middle\" font-size=\"12\" fill=\"#595959\"";
            text(&mut svg, x(*at), BOTTOM + 20.0, middle, label);
        }
        let centre = (LEFT + RIGHT) / 2.0;
        text(&mut svg, centre, BOTTOM + 42.0, "text-anchor=\"middle\" fill=\"#1a1a1a\"", self.across);

        // Highest ends first, each name pushed down by the one above it; then the whole column back up, if it left the picture.
        let mut ends: Vec<(usize, f64)> = self.lines.iter().enumerate().map(|(at, line)| (at, y(end(line)))).collect();
        ends.sort_by(|a, b| a.1.total_cmp(&b.1));
        for at in 1..ends.len() {
            ends[at].1 = ends[at].1.max(ends[at - 1].1 + NAME);
        }
        let mut limit = HEIGHT - 10.0;
        for end in ends.iter_mut().rev() {
            end.1 = end.1.min(limit);
            limit = end.1 - NAME;
        }
        let mut colours = COLOURS.iter().cycle();
        let looks: Vec<_> = self.lines.iter().map(|line| look(&line.name, &mut colours)).collect();
        for (at, name_y) in ends {
            let (line, (colour, stroke)) = (&self.lines[at], looks[at]);
            let points: Vec<String> = line.points.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
            let _ = writeln!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" {stroke} stroke-linejoin=\"round\" points=\"{}\"/>",
                points.join(" ")
            );
            for (a, b) in &line.points {
                let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>", x(*a), y(*b));
            }
            let (end_y, to) = (y(end(line)), RIGHT + 22.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{:.1} {end_y:.1} L{to:.1} {name_y:.1}\" stroke=\"{colour}\" stroke-width=\"0.7\" fill=\"none\"/>",
                RIGHT + 5.0
            );
            let weight = if line.name == "manometer" { " font-weight=\"bold\"" } else { "" };
            let label = format!("{}  {}", line.name, plain(end(line)));
            text(&mut svg, to + 3.0, name_y + 4.0, &format!("font-size=\"12\" fill=\"{colour}\"{weight}"), &label);
        }
        svg + "</svg>\n"
    }
}

fn end(line: &Line) -> f64 {
    line.points.last().map_or(1.0, |point| point.1)
}

fn look(name: &str, colours: &mut impl Iterator<Item = &'static &'static str>) -> (&'static str, &'static str) {
    match name {
        "manometer" => ("#0b4fb3", "stroke-width=\"4\""),
        _ if name.starts_with("floor") => ("#6e6e6e", "stroke-width=\"1.6\" stroke-dasharray=\"5 4\""),
        _ => (colours.next().copied().unwrap_or("#000000"), "stroke-width=\"1.6\""),
    }
}

fn text(svg: &mut String, x: f64, y: f64, how: &str, what: &str) {
    let what = what.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {how}>{what}</text>");
}

fn rule(svg: &mut String, from: f64, to: f64, y: f64, colour: &str) {
    let _ = writeln!(svg, "<line x1=\"{from}\" x2=\"{to}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\"/>");
}

/// Three digits that say something.
pub fn plain(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => trimmed(format!("{value:.1}")),
        v if v >= 0.01 || v == 0.0 => trimmed(format!("{value:.2}")),
        _ => format!("{value:.4}"),
    }
}

fn trimmed(text: String) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
