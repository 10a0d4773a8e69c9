//! `top`: an endpoint watched full-screen.
//!
//! One thread looks at the endpoint, this one draws and listens. [`board`] holds what was seen, [`state`] where the watcher is in
//! it, [`draw`] puts both on the screen.

mod board;
mod draw;
mod estimate;
mod state;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use self::state::{Flow, State};
use crate::fetch::{Request, Target};
use crate::source::{Source, SourceError, load};
use crate::terminal::is_colour_wanted;

/// How often keys are looked for.
const PATIENCE: Duration = Duration::from_millis(100);

/// One look at the endpoint.
#[derive(Debug)]
pub struct Look {
    /// When it was taken.
    pub at: Instant,
    /// How long it took.
    pub took: Duration,
    pub result: Result<Source, SourceError>,
}

/// Watches until the watcher leaves.
///
/// # Errors
/// Where there is no terminal, no endpoint, or nothing to see at the first look.
pub fn run(target: Target, request: Request, interval: Duration) -> Result<(), Box<dyn Error>> {
    if !target.is_endpoint() {
        return Err("top wants an endpoint: a file does not change".into());
    }
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err("top wants a terminal; `manometer show` writes to anything".into());
    }
    // What does not work at all is told on the ordinary screen.
    let mut state = State::new(target.to_string(), interval, is_colour_wanted());
    let begin = Instant::now();
    let first = load(&target, &request)?;
    state.take(Look { at: begin, took: begin.elapsed(), result: Ok(first) });

    let (sender, looks) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("looks".to_owned())
        .spawn(move || look_on(&target, &request, interval, begin, &sender))?;
    let mut terminal = ratatui::try_init()?;
    let watched = watch(&mut terminal, &mut state, &looks);
    ratatui::restore();
    Ok(watched?)
}

/// Looks every `interval` since `begin`, until nobody takes the looks any more.
fn look_on(target: &Target, request: &Request, interval: Duration, begin: Instant, looks: &SyncSender<Look>) {
    let mut next = begin;
    loop {
        // Looks that would have been due while one took long are left out.
        next = (next + interval).max(Instant::now());
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let at = Instant::now();
        let result = load(target, request);
        if looks.send(Look { at, took: at.elapsed(), result }).is_err() {
            return;
        }
    }
}

fn watch(terminal: &mut DefaultTerminal, state: &mut State, looks: &mpsc::Receiver<Look>) -> io::Result<()> {
    loop {
        terminal.draw(|frame| draw::draw(frame, state))?;
        loop {
            let mut is_new = false;
            for look in looks.try_iter() {
                state.take(look);
                is_new = true;
            }
            if event::poll(if is_new { Duration::ZERO } else { PATIENCE })? {
                match event::read()? {
                    Event::Key(key) if key.kind != KeyEventKind::Release => match state.press(key) {
                        Flow::Stay => is_new = true,
                        Flow::Leave => return Ok(()),
                    },
                    Event::Resize(..) => is_new = true,
                    _ => {}
                }
            }
            if is_new {
                break;
            }
        }
    }
}
