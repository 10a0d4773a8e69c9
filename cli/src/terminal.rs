//! Colours, where there is a terminal that shows them.

use std::{
    env,
    io::{self, IsTerminal},
};

/// What begins and ends a colour; all empty where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    pub bad: &'static str,
    pub fair: &'static str,
    pub good: &'static str,
    pub dim: &'static str,
    pub plain: &'static str,
}

impl Palette {
    /// The colours of standard output: none unless it is a terminal, and none if `NO_COLOR` is set.
    pub fn of_stdout() -> Self {
        match io::stdout().is_terminal() && is_colour_wanted() {
            true => Self { bad: "\x1b[1;31m", fair: "\x1b[33m", good: "\x1b[1;32m", dim: "\x1b[2m", plain: "\x1b[0m" },
            false => Self::default(),
        }
    }
}

/// Whether nobody has set `NO_COLOR` (<https://no-color.org>).
pub fn is_colour_wanted() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
