//! Where the watcher is: which screen, which row, which search, which order.

use std::time::Duration;

use manometer::view::Pattern;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::widgets::TableState;

use super::Look;
use super::board::{Board, FamilyRow, SeriesRow};

/// How far a page key goes.
const PAGE: i64 = 10;

/// What comes after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Stay,
    Leave,
}

/// By what rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Change,
    Rate,
    Series,
    Name,
}

impl Order {
    fn next(self) -> Self {
        match self {
            Self::Change => Self::Rate,
            Self::Rate => Self::Series,
            Self::Series => Self::Name,
            Self::Name => Self::Change,
        }
    }

    /// How the screen calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Rate => "rate",
            Self::Series => "series",
            Self::Name => "name",
        }
    }
}

/// Everything that is drawn.
#[derive(Debug)]
pub struct State {
    pub target: String,
    pub interval: Duration,
    pub colour: bool,
    pub board: Board,
    /// How long the last look took, and why it saw nothing if it did not.
    pub took: Duration,
    pub trouble: Option<String>,
    pub paused: bool,
    pub order: Order,
    pub search: String,
    pub searching: bool,
    /// Why the search is no pattern.
    pub malformed: Option<String>,
    pattern: Pattern,
    /// The family that is looked into, if one is.
    pub opened: Option<String>,
    pub list: TableState,
    pub inside: TableState,
}

impl State {
    /// Before the first look.
    pub fn new(target: String, interval: Duration, colour: bool) -> Self {
        Self {
            target,
            interval,
            colour,
            board: Board::default(),
            took: Duration::ZERO,
            trouble: None,
            paused: false,
            order: Order::Change,
            search: String::new(),
            searching: false,
            malformed: None,
            pattern: Pattern::default(),
            opened: None,
            list: TableState::new().with_selected(0),
            inside: TableState::new().with_selected(0),
        }
    }

    /// Takes a look; one that saw nothing leaves what was seen before.
    pub fn take(&mut self, look: Look) {
        if self.paused {
            return;
        }
        self.took = look.took;
        match look.result {
            Ok(source) => {
                let selected = self.selected().map(|family| family.name.clone());
                self.board.update(&source.families, look.at);
                self.trouble = source.unread.first().map(|first| {
                    format!("{} lines could not be read, the first is line {}", source.unread.len(), first.line)
                });
                // The watcher's eye is on a family, not on a place. On the first row it is on whatever comes first.
                if let (Some(name), Some(1..)) = (selected, self.list.selected()) {
                    let place = self.families().iter().position(|family| family.name == name);
                    self.list.select(place.or(Some(0)));
                }
            }
            Err(error) => self.trouble = Some(error.to_string()),
        }
    }

    /// The families that match, in their order.
    pub fn families(&self) -> Vec<&FamilyRow> {
        let mut families: Vec<&FamilyRow> =
            self.board.families.iter().filter(|family| self.pattern.matches(&family.name)).collect();
        let rate = |family: &FamilyRow| family.rate.unwrap_or(0.0);
        families.sort_by(|left, right| {
            let by = match self.order {
                Order::Change => right.change.total_cmp(&left.change),
                Order::Rate => rate(right).total_cmp(&rate(left)),
                Order::Series => right.series.len().cmp(&left.series.len()),
                Order::Name => std::cmp::Ordering::Equal,
            };
            by.then_with(|| left.name.cmp(&right.name))
        });
        families
    }

    /// The series of a family, those that do most first.
    pub fn series<'a>(&self, family: &'a FamilyRow) -> Vec<&'a SeriesRow> {
        let mut series: Vec<&SeriesRow> = family.series.iter().collect();
        let key = |row: &SeriesRow| row.rate.unwrap_or(row.now.abs());
        match self.order {
            Order::Name => series.sort_by(|left, right| left.labels.cmp(&right.labels)),
            _ => series
                .sort_by(|left, right| key(right).total_cmp(&key(left)).then_with(|| left.labels.cmp(&right.labels))),
        }
        series
    }

    /// The family under the cursor.
    pub fn selected(&self) -> Option<&FamilyRow> {
        self.families().get(self.list.selected()?).copied()
    }

    /// The family that is looked into, while it is on the page.
    pub fn inside(&self) -> Option<&FamilyRow> {
        self.board.family(self.opened.as_ref()?)
    }

    /// Does what a key says.
    pub fn press(&mut self, key: KeyEvent) -> Flow {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        if is_control && key.code == KeyCode::Char('c') {
            return Flow::Leave;
        }
        if self.searching {
            self.type_search(key.code);
            return Flow::Stay;
        }
        match key.code {
            KeyCode::Char('q') => return Flow::Leave,
            KeyCode::Down | KeyCode::Char('j') => self.walk(1),
            KeyCode::Up | KeyCode::Char('k') => self.walk(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.walk(PAGE),
            KeyCode::PageUp => self.walk(-PAGE),
            KeyCode::Home | KeyCode::Char('g') => self.walk(i64::MIN / 2),
            KeyCode::End | KeyCode::Char('G') => self.walk(i64::MAX / 2),
            KeyCode::Char('s') => self.order = self.order.next(),
            KeyCode::Char('p') => self.paused = !self.paused,
            KeyCode::Char('/') if self.opened.is_none() => self.searching = true,
            KeyCode::Enter | KeyCode::Right | KeyCode::Char('l') if self.opened.is_none() => {
                self.opened = self.selected().map(|family| family.name.clone());
                self.inside.select(Some(0));
            }
            KeyCode::Esc | KeyCode::Left | KeyCode::Backspace | KeyCode::Char('h') if self.opened.is_some() => {
                self.opened = None;
            }
            KeyCode::Esc => self.set_search(String::new()),
            _ => {}
        }
        Flow::Stay
    }

    fn type_search(&mut self, key: KeyCode) {
        let mut search = self.search.clone();
        match key {
            KeyCode::Enter => return self.searching = false,
            KeyCode::Esc => {
                self.searching = false;
                search.clear();
            }
            KeyCode::Backspace => drop(search.pop()),
            KeyCode::Char(letter) => search.push(letter),
            _ => return,
        }
        self.set_search(search);
    }

    fn set_search(&mut self, search: String) {
        match Pattern::new(&search) {
            Ok(pattern) => (self.pattern, self.malformed) = (pattern, None),
            // The rows stay as they are until it is one.
            Err(error) => self.malformed = Some(error.to_string()),
        }
        self.search = search;
        self.list.select(Some(0));
    }

    fn walk(&mut self, by: i64) {
        let rows = match self.opened {
            Some(_) => self.inside().map_or(0, |family| family.series.len()),
            None => self.families().len(),
        };
        let cursor = if self.opened.is_some() { &mut self.inside } else { &mut self.list };
        let last = rows.saturating_sub(1) as i64;
        let place = (cursor.selected().unwrap_or(0) as i64).saturating_add(by).clamp(0, last);
        cursor.select(Some(place as usize));
    }
}
