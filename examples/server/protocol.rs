//! What is said on a connection: commands, how they end, and what can be wrong with them.

use crate::store::Store;

/// A command. What is none of the known ones is `Unknown`, so that no client can make up label values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Ping,
    Get,
    Set,
    Del,
    Incr,
    Count,
    Quit,
    Unknown,
}

impl Command {
    pub const ALL: [Self; 8] =
        [Self::Ping, Self::Get, Self::Set, Self::Del, Self::Incr, Self::Count, Self::Quit, Self::Unknown];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ping => "PING",
            Self::Get => "GET",
            Self::Set => "SET",
            Self::Del => "DEL",
            Self::Incr => "INCR",
            Self::Count => "COUNT",
            Self::Quit => "QUIT",
            Self::Unknown => "unknown",
        }
    }

    /// The command of a line, and the rest of the line.
    pub fn split(line: &str) -> (Self, &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let known = Self::ALL.into_iter().find(|command| command.name().eq_ignore_ascii_case(word));
        (known.unwrap_or(Self::Unknown), rest)
    }

    /// Does what the line asks for, and appends the reply.
    pub fn execute(self, arguments: &str, store: &Store, reply: &mut String) -> Result<Status, Problem> {
        let key = || match arguments {
            key if key.is_empty() || key.contains(' ') => Err(Problem::BadArguments),
            key => Ok(key),
        };
        let found = match self {
            Self::Ping | Self::Quit => Some("OK".to_owned()),
            Self::Get => store.get(key()?),
            Self::Set => {
                let (key, value) = arguments.split_once(' ').ok_or(Problem::BadArguments)?;
                store.set(key, value);
                Some("OK".to_owned())
            }
            Self::Del => store.remove(key()?).then(|| "OK".to_owned()),
            Self::Incr => Some(store.increment(key()?).ok_or(Problem::NotANumber)?.to_string()),
            Self::Count => Some(store.size().0.to_string()),
            Self::Unknown => return Err(Problem::UnknownCommand),
        };
        reply.push_str(found.as_deref().unwrap_or("NONE"));
        Ok(if found.is_some() { Status::Ok } else { Status::Miss })
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    Miss,
    Error,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Ok, Self::Miss, Self::Error];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Miss => "miss",
            Self::Error => "error",
        }
    }
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    UnknownCommand,
    BadArguments,
    NotANumber,
    NotText,
    LineTooLong,
    Connection,
}

impl Problem {
    pub const ALL: [Self; 6] = [
        Self::UnknownCommand,
        Self::BadArguments,
        Self::NotANumber,
        Self::NotText,
        Self::LineTooLong,
        Self::Connection,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownCommand => "unknown_command",
            Self::BadArguments => "bad_arguments",
            Self::NotANumber => "not_a_number",
            Self::NotText => "not_text",
            Self::LineTooLong => "line_too_long",
            Self::Connection => "connection",
        }
    }
}
