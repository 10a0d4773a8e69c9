//! The screen.

use std::collections::VecDeque;

use manometer::view::{binary, decimal};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Table, Wrap};

use super::board::{FamilyRow, SeriesRow};
use super::estimate::quantile;
use super::state::State;
use crate::page::{Kind, printable};

/// From nothing to a whole character in eighths.
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How wide the last minutes are in a table.
const SPARK_COLUMNS: u16 = 24;

/// The quantiles that are estimated.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// The styles, all plain without colour.
struct Look {
    head: Style,
    dim: Style,
    good: Style,
    bad: Style,
    cursor: Style,
}

impl Look {
    fn new(colour: bool) -> Self {
        let (plain, bold) = (Style::new(), Style::new().add_modifier(Modifier::BOLD));
        match colour {
            true => Self {
                head: bold.fg(Color::Cyan),
                dim: plain.fg(Color::DarkGray),
                good: plain.fg(Color::Green),
                bad: bold.fg(Color::Red),
                cursor: plain.bg(Color::Indexed(237)),
            },
            false => {
                Self { head: bold, dim: plain, good: plain, bad: bold, cursor: plain.add_modifier(Modifier::REVERSED) }
            }
        }
    }
}

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, state: &mut State) {
    let look = Look::new(state.colour);
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(2), Constraint::Min(3), Constraint::Length(1)]).areas(frame.area());
    draw_head(frame, head, state, &look);
    match state.opened {
        Some(_) => draw_inside(frame, body, state, &look),
        None => draw_list(frame, body, state, &look),
    }
    draw_foot(frame, foot, state, &look);
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let (families, series) = (state.board.families.len(), state.board.series());
    let name = Line::from(vec![Span::styled("manometer top ", look.head), Span::raw(state.target.clone())]);
    let pace = if state.paused { "paused".to_owned() } else { format!("every {:?}", state.interval) };
    let facts =
        format!("{families} families, {series} series, {pace}, page in {:.1?}, by {}", state.took, state.order.name());
    let second = match &state.trouble {
        Some(trouble) => Line::styled(printable(trouble), look.bad),
        None => Line::styled(facts, look.dim),
    };
    frame.render_widget(Paragraph::new(vec![name, second]), area);
}

fn draw_foot(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let line = match (&state.malformed, state.searching) {
        (Some(why), _) => {
            Line::from(vec![Span::raw(format!("/{}  ", state.search)), Span::styled(printable(why), look.bad)])
        }
        (None, true) => {
            Line::from(vec![Span::raw(format!("/{}▏ ", state.search)), Span::styled("enter keep  esc clear", look.dim)])
        }
        (None, false) if state.opened.is_some() => {
            Line::styled("esc back  ↑↓ series  s order  p pause  q quit", look.dim)
        }
        (None, false) if !state.search.is_empty() => Line::from(vec![
            Span::raw(format!("/{}  ", state.search)),
            Span::styled("esc clear  enter open  s order  p pause  q quit", look.dim),
        ]),
        (None, false) => Line::styled("/ search  ↑↓ move  enter open  s order  p pause  q quit", look.dim),
    };
    frame.render_widget(Paragraph::new(line), area);
}

fn draw_list(frame: &mut Frame<'_>, area: Rect, state: &mut State, look: &Look) {
    let rows: Vec<Row<'_>> = state.families().into_iter().map(|family| family_row(family, look)).collect();
    let head = ["family", "type", "series", "now", "per second", "change", "last minutes"];
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(9),
        Constraint::Length(6),
        Constraint::Length(13),
        Constraint::Length(14),
        Constraint::Length(7),
        Constraint::Length(SPARK_COLUMNS),
    ];
    let table = Table::new(rows, widths).header(Row::new(head).style(look.head)).row_highlight_style(look.cursor);
    let mut cursor = state.list;
    frame.render_stateful_widget(table, area, &mut cursor);
    state.list = cursor;
}

fn family_row<'a>(family: &'a FamilyRow, look: &Look) -> Row<'a> {
    let kind = if family.kind == Kind::GaugeHistogram { "gaugehist" } else { family.kind.name() };
    let change = match family.change {
        0.0 => Cell::from(""),
        share if share < 0.0001 => Cell::from("<0.01%"),
        share => Cell::from(Span::styled(format!("{:.2}%", share * 100.0), look.good)),
    };
    Row::new([
        Cell::from(printable(&family.name)),
        Cell::from(Span::styled(kind, look.dim)),
        Cell::from(family.series.len().to_string()),
        Cell::from(amount(family, family.now)),
        Cell::from(family.rate.map_or(String::new(), |rate| per_second(family, rate))),
        change,
        Cell::from(Span::styled(spark(&family.track, SPARK_COLUMNS), look.good)),
    ])
}

fn draw_inside(frame: &mut Frame<'_>, area: Rect, state: &mut State, look: &Look) {
    let Some(family) = state.inside() else {
        let gone = format!("{} is not on the page any more", state.opened.as_deref().unwrap_or_default());
        return frame.render_widget(Paragraph::new(printable(&gone)), area);
    };
    // Half of the room is for the series, unless a histogram has more buckets than lines in the other half.
    let buckets = family.series.first().map_or(0, |series| series.buckets.len());
    let wanted = u16::try_from(buckets + 3).unwrap_or(u16::MAX);
    let lower = wanted.max(area.height / 2).min(area.height.saturating_sub(8));
    let [title, table_area, below] =
        Layout::vertical([Constraint::Length(2), Constraint::Fill(1), Constraint::Length(lower)]).areas(area);
    let unit = if family.unit.is_empty() { String::new() } else { format!(", in {}", family.unit) };
    let name = Line::from(vec![
        Span::styled(printable(&family.name), look.head),
        Span::raw(format!("  {}{unit}", family.kind.name())),
    ]);
    let help = if family.help.is_empty() { "(no help)" } else { &family.help };
    frame.render_widget(Paragraph::new(vec![name, Line::styled(help.to_owned(), look.dim)]), title);

    let series = state.series(family);
    let rows: Vec<Row<'_>> = series.iter().map(|series| series_row(family, series, look)).collect();
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(13),
        Constraint::Length(14),
        Constraint::Length(14),
        Constraint::Length(SPARK_COLUMNS),
    ];
    let head = Row::new(["series", "now", "per second", "average", "last minutes"]).style(look.head);
    let table = Table::new(rows, widths).header(head).row_highlight_style(look.cursor);

    let chosen = state.inside.selected().and_then(|place| series.get(place)).copied();
    let [left, right] = Layout::horizontal([Constraint::Fill(2), Constraint::Fill(1)]).areas(below);
    if let Some(chosen) = chosen {
        draw_series(frame, left, family, chosen, look);
    }
    draw_cardinality(frame, right, family, look);
    let mut cursor = state.inside;
    frame.render_stateful_widget(table, table_area, &mut cursor);
    state.inside = cursor;
}

fn series_row<'a>(family: &FamilyRow, series: &SeriesRow, look: &Look) -> Row<'a> {
    let labels = if series.labels.is_empty() { "(no labels)".to_owned() } else { series.shown() };
    let average = series.sum.filter(|_| series.now > 0.0).map(|sum| decimal(sum / series.now, symbol(&family.unit)));
    Row::new([
        Cell::from(labels),
        Cell::from(amount(family, series.now)),
        Cell::from(series.rate.map_or(String::new(), |rate| per_second(family, rate))),
        Cell::from(average.unwrap_or_default()),
        Cell::from(Span::styled(spark(&series.track, SPARK_COLUMNS), look.good)),
    ])
}

/// The distribution of a series where it has one, or else how it went.
fn draw_series(frame: &mut Frame<'_>, area: Rect, family: &FamilyRow, series: &SeriesRow, look: &Look) {
    let block = Block::new().borders(Borders::TOP).border_style(look.dim);
    let inner = block.inner(area);
    if series.buckets.is_empty() {
        let mut lines = chart(&series.track, inner.width, inner.height.saturating_sub(1), look);
        for (q, value) in &series.quantiles {
            lines.push(Line::raw(format!("q {q:<6} {}", decimal(*value, symbol(&family.unit)))));
        }
        frame.render_widget(Paragraph::new(lines).block(block.title(" last minutes ")), area);
        return;
    }
    let watched = series.watched();
    // What came while we watched, or all there is if nothing came.
    let is_watched = watched.last().is_some_and(|last| last.1 > 0.0);
    let counts = if is_watched { &watched } else { &series.buckets };
    let mut lines = vec![quantile_line("watched", &watched, family), quantile_line("all", &series.buckets, family)];
    let own = counts.iter().scan(0.0, |below, bucket| {
        let own = (bucket.1 - *below).max(0.0);
        *below = bucket.1;
        Some(own)
    });
    let own: Vec<f64> = own.collect();
    let most = own.iter().copied().fold(0.0, f64::max);
    let room = f64::from(inner.width.saturating_sub(26));
    for ((threshold, _), count) in counts.iter().zip(own) {
        let le = if threshold.is_finite() { decimal(*threshold, symbol(&family.unit)) } else { "+Inf".to_owned() };
        let bar = if most > 0.0 { (count / most * room).ceil() as usize } else { 0 };
        lines.push(Line::from(vec![
            Span::styled(format!("≤ {le:>10} "), look.dim),
            Span::raw(format!("{:>9} ", decimal(count, "").trim_end())),
            Span::styled("█".repeat(bar), look.good),
        ]));
    }
    let title = if is_watched { " observations while watched " } else { " all observations " };
    frame.render_widget(Paragraph::new(lines).block(block.title(title)), area);
}

fn quantile_line<'a>(name: &'a str, buckets: &[(f64, f64)], family: &FamilyRow) -> Line<'a> {
    let mut text = format!("{name:<8}");
    for q in QUANTILES {
        let value = quantile(buckets, q).map_or("-".to_owned(), |value| decimal(value, symbol(&family.unit)));
        text.push_str(&format!(" p{} ≈ {value} ", q * 100.0));
    }
    Line::raw(text)
}

fn draw_cardinality(frame: &mut Frame<'_>, area: Rect, family: &FamilyRow, look: &Look) {
    let block = Block::new().borders(Borders::TOP | Borders::LEFT).border_style(look.dim).title(" values per label ");
    let labels = family.cardinality();
    let mut lines: Vec<Line<'_>> =
        labels.iter().map(|(label, values)| Line::raw(format!(" {values:>7}  {}", printable(label)))).collect();
    if lines.is_empty() {
        lines.push(Line::styled(" no labels", look.dim));
    }
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(block), area);
}

/// The last numbers as one line of blocks, from the least to the most of them.
pub fn spark(track: &VecDeque<f64>, columns: u16) -> String {
    let shown = last(track, usize::from(columns));
    let (least, most) = range(&shown);
    let block = |value: &f64| match value.is_finite() {
        true if most > least => EIGHTHS[((value - least) / (most - least) * 7.0).round() as usize],
        true => EIGHTHS[0],
        false => ' ',
    };
    shown.iter().map(block).collect()
}

/// The same, several lines high.
fn chart<'a>(track: &VecDeque<f64>, columns: u16, rows: u16, look: &Look) -> Vec<Line<'a>> {
    let shown = last(track, usize::from(columns.saturating_sub(14)));
    let (least, most) = range(&shown);
    let rows = rows.clamp(1, 8);
    let height = |value: f64| if most > least { (value - least) / (most - least) * f64::from(rows) } else { 0.1 };
    let line = |row: u16| {
        let bar = |value: &f64| {
            let eighths = ((height(*value) - f64::from(row)).clamp(0.0, 1.0) * 8.0).ceil() as usize;
            if eighths == 0 { ' ' } else { EIGHTHS[eighths - 1] }
        };
        let bars: String = shown.iter().map(bar).collect();
        let label = match row {
            row if row + 1 == rows => decimal(most, ""),
            0 => decimal(least, ""),
            _ => String::new(),
        };
        Line::from(vec![Span::styled(format!("{label:>12} "), look.dim), Span::styled(bars, look.good)])
    };
    (0..rows).rev().map(line).collect()
}

fn last(track: &VecDeque<f64>, most: usize) -> Vec<f64> {
    track.iter().skip(track.len().saturating_sub(most)).copied().collect()
}

fn range(values: &[f64]) -> (f64, f64) {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)))
}

/// What a number of a family is, in its unit.
fn amount(family: &FamilyRow, value: f64) -> String {
    let text = match (family.kind, family.unit.as_str()) {
        (Kind::Histogram | Kind::GaugeHistogram | Kind::Summary, _) => decimal(value, "obs."),
        (Kind::Gauge, "bytes") => binary(value, "B"),
        (_, unit) => decimal(value, symbol(unit)),
    };
    text.trim_end().to_owned()
}

fn per_second(family: &FamilyRow, rate: f64) -> String {
    match (family.kind, family.unit.as_str()) {
        (Kind::Counter, unit) => decimal(rate, &format!("{}/s", symbol(unit))),
        _ => decimal(rate, "obs./s"),
    }
}

/// The short form of a unit.
fn symbol(unit: &str) -> &str {
    match unit {
        "seconds" => "s",
        "bytes" => "B",
        unit => unit,
    }
}
