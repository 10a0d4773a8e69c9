//! What a watcher sees, on a screen of memory.

use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Look;
use super::draw::{draw, spark};
use super::state::{Flow, Order, State};
use crate::page::{Format, group, read};
use crate::source::{Source, SourceError};

/// A page on which counter `a` has `total`, and histogram `lat_seconds` as many observations.
fn page(total: u32) -> String {
    format!(
        "# TYPE a counter\na_total{{m=\"GET\"}} {total}\na_total{{m=\"PUT\"}} 5\n# TYPE still gauge\n# HELP still Nothing moves\nstill 3\n\
         # TYPE lat_seconds histogram\n# UNIT lat_seconds seconds\nlat_seconds_bucket{{le=\"0.1\"}} {total}\n\
         lat_seconds_bucket{{le=\"+Inf\"}} {total}\nlat_seconds_sum 1.5\nlat_seconds_count {total}\n# EOF\n"
    )
}

fn look(page: &str, at: Instant) -> Look {
    let items = read(page.as_bytes(), Format::OpenMetrics, &mut Vec::new());
    let families = group(items, Format::OpenMetrics, &mut Vec::new());
    let source = Source { format: Format::OpenMetrics, families, unread: Vec::new() };
    Look { at, took: Duration::from_millis(3), result: Ok(source) }
}

/// A watcher who has looked twice, two seconds apart.
fn watcher() -> State {
    let mut state = State::new("http://x/metrics".to_owned(), Duration::from_secs(2), false);
    let begin = Instant::now();
    state.take(look(&page(100), begin));
    state.take(look(&page(120), begin + Duration::from_secs(2)));
    state
}

fn screen(state: &mut State) -> String {
    let mut terminal = Terminal::new(TestBackend::new(110, 24)).expect("memory");
    terminal.draw(|frame| draw(frame, state)).expect("memory");
    let buffer = terminal.backend().buffer();
    let rows = buffer.content().chunks(110);
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned() + "\n").collect()
}

fn press(state: &mut State, code: KeyCode) -> Flow {
    state.press(KeyEvent::new(code, KeyModifiers::NONE))
}

fn type_in(state: &mut State, text: &str) {
    for letter in text.chars() {
        press(state, KeyCode::Char(letter));
    }
}

fn line_of<'a>(screen: &'a str, word: &str) -> &'a str {
    screen.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("no {word:?} on\n{screen}"))
}

#[test]
fn families_come_by_change_with_rates() {
    let mut state = watcher();
    let shown = screen(&mut state);
    let names: Vec<_> = state.families().iter().map(|family| family.name.clone()).collect();
    assert_eq!(names, ["lat_seconds", "a", "still"]);
    assert!(shown.contains("3 families, 4 series"), "{shown}");
    let counter = line_of(&shown, "counter");
    assert!(counter.contains("125") && counter.contains("10 /s") && counter.contains("16.00%"), "{counter}");
    assert!(line_of(&shown, "histogram").contains("10 obs./s"), "{shown}");
    assert!(!line_of(&shown, "still").contains('%'), "{shown}");
}

#[test]
fn a_reset_is_no_negative_rate() {
    let mut state = watcher();
    let later = Instant::now() + Duration::from_secs(60);
    state.take(look(&page(4), later));
    let rates: Vec<_> = state.board.families.iter().filter_map(|family| family.rate).collect();
    assert!(rates.iter().all(|rate| *rate >= 0.0), "{rates:?}");
}

#[test]
fn a_family_opens_to_its_series_and_closes_again() {
    let mut state = watcher();
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    let shown = screen(&mut state);
    assert!(line_of(&shown, "m=GET").contains("10 /s"), "{shown}");
    assert!(shown.find("m=GET") < shown.find("m=PUT"), "the busier one first\n{shown}");
    assert!(line_of(&shown, "  m").contains("2  m"), "two values of m\n{shown}");
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state).contains("still"));
}

#[test]
fn a_histogram_opens_to_its_buckets_and_quantiles() {
    let mut state = watcher();
    press(&mut state, KeyCode::Enter);
    let shown = screen(&mut state);
    assert!(line_of(&shown, "watched ").contains("observations"), "{shown}");
    assert!(shown.contains("p50 ≈ 50 ms") && shown.contains("p99 ≈ 99 ms"), "{shown}");
    assert!(line_of(&shown, "100 ms").contains("20 █"), "{shown}");
}

#[test]
fn a_search_is_a_pattern_and_says_when_it_is_none() {
    let mut state = watcher();
    type_in(&mut state, "/st.ll");
    assert_eq!(state.families().len(), 1);
    assert!(screen(&mut state).contains("/st.ll"));
    type_in(&mut state, "[");
    assert!(screen(&mut state).contains("malformed"), "{}", screen(&mut state));
    press(&mut state, KeyCode::Backspace);
    press(&mut state, KeyCode::Enter);
    assert_eq!(press(&mut state, KeyCode::Esc), Flow::Stay);
    assert_eq!((state.families().len(), state.search.as_str()), (3, ""));
}

#[test]
fn the_cursor_follows_its_family_and_stays_on_the_page() {
    let mut state = watcher();
    press(&mut state, KeyCode::End);
    assert_eq!(state.selected().map(|family| family.name.as_str()), Some("still"));
    press(&mut state, KeyCode::Down);
    assert_eq!(state.list.selected(), Some(2));
    while state.order != Order::Name {
        press(&mut state, KeyCode::Char('s'));
    }
    press(&mut state, KeyCode::Home);
    press(&mut state, KeyCode::PageUp);
    assert_eq!(state.selected().map(|family| family.name.as_str()), Some("a"));
}

#[test]
fn trouble_is_told_and_what_was_seen_stays() {
    let mut state = watcher();
    let error = SourceError::ContentType { target: "x".to_owned(), content_type: "text/html\u{1b}[2J".to_owned() };
    state.take(Look { at: Instant::now(), took: Duration::ZERO, result: Err(error) });
    let shown = screen(&mut state);
    assert!(shown.contains("is no metrics page") && shown.contains("still"), "{shown}");
    press(&mut state, KeyCode::Char('p'));
    state.take(look("# EOF\n", Instant::now()));
    assert!(screen(&mut state).contains("still"), "paused");
    assert_eq!(press(&mut state, KeyCode::Char('q')), Flow::Leave);
}

#[test]
fn a_small_terminal_is_no_trouble() {
    let mut state = watcher();
    for (width, height) in [(1, 1), (10, 3), (30, 8), (300, 100)] {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory");
        terminal.draw(|frame| draw(frame, &mut state)).expect("memory");
        press(&mut state, KeyCode::Enter);
        terminal.draw(|frame| draw(frame, &mut state)).expect("memory");
        press(&mut state, KeyCode::Esc);
    }
}

#[test]
fn a_spark_goes_from_the_least_to_the_most() {
    assert_eq!(spark(&[0.0, 7.0, 3.0, f64::NAN].into(), 10), "▁█▄ ");
    assert_eq!(spark(&[5.0, 5.0].into(), 10), "▁▁");
    assert_eq!(spark(&[1.0, 2.0, 3.0].into(), 2), "▁█");
}
