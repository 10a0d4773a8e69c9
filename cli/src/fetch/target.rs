//! What a person may name as the place of a page.

use std::{fmt, path::PathBuf, str::FromStr};

use hyper::Uri;

/// The place of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// An endpoint over TCP.
    Http {
        /// Host and port, as in `Host`.
        authority: String,
        /// For a connection: the host without brackets.
        host: String,
        port: u16,
        /// Path and query.
        path: String,
    },
    /// An endpoint at a Unix socket.
    Unix { socket: PathBuf, path: String },
}

/// Where pages are, unless a URL says otherwise.
const PATH: &str = "/metrics";

impl Target {
    /// Whether it can be asked again and again.
    pub fn is_endpoint(&self) -> bool {
        matches!(self, Self::Http { .. } | Self::Unix { .. })
    }
}

impl FromStr for Target {
    type Err = String;

    /// `-`, `http://host[:port][/path]`, `unix:/path/of/socket[:/path]`, or a file.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if let Some(rest) = text.strip_prefix("unix:") {
            let (socket, path) =
                rest.split_once(":/").map_or((rest, PATH.to_owned()), |(socket, path)| (socket, format!("/{path}")));
            if socket.is_empty() {
                return Err("`unix:` is followed by the path of a socket, as in unix:/run/app.sock".to_owned());
            }
            return Ok(Self::Unix { socket: socket.into(), path });
        }
        if text.starts_with("https://") {
            return Err(format!("https is not spoken here: let curl fetch it, `curl -s {text} | manometer check -`"));
        }
        if let Some((scheme, _)) = text.split_once("://").filter(|(scheme, _)| *scheme != "http") {
            return Err(format!("{scheme:?} is no scheme known here: http:// and unix: are"));
        }
        if !text.starts_with("http://") {
            return Ok(Self::File(text.into()));
        }
        let uri: Uri = text.parse().map_err(|error| format!("no URL: {error}"))?;
        let authority = uri.authority().ok_or("the URL names no host")?;
        if authority.as_str().contains('@') {
            return Err("a URL with a password is not taken: give --header \"Authorization: Basic ...\"".to_owned());
        }
        let is_bare = text.strip_prefix("http://").is_some_and(|rest| !rest.contains('/'));
        let path = match uri.path_and_query() {
            Some(path) if !is_bare => path.as_str().to_owned(),
            Some(path) => format!("{PATH}{}", path.query().map_or(String::new(), |query| format!("?{query}"))),
            None => PATH.to_owned(),
        };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        Ok(Self::Http { authority: authority.to_string(), host, port: authority.port_u16().unwrap_or(80), path })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("stdin"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Http { authority, path, .. } => write!(f, "http://{authority}{path}"),
            Self::Unix { socket, path } => write!(f, "unix:{}:{path}", socket.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_its_form_says() {
        let shown = |text: &str| text.parse::<Target>().map(|target| target.to_string());
        let cases = [
            ("-", "stdin"),
            ("page.txt", "page.txt"),
            ("http://localhost:9090", "http://localhost:9090/metrics"),
            ("http://localhost:9090/", "http://localhost:9090/"),
            ("http://localhost?x=1", "http://localhost/metrics?x=1"),
            ("http://[::1]:80/a?b=c", "http://[::1]:80/a?b=c"),
            ("unix:/run/app.sock", "unix:/run/app.sock:/metrics"),
            ("unix:/run/app.sock:/stats", "unix:/run/app.sock:/stats"),
        ];
        for (given, expected) in cases {
            assert_eq!(shown(given).as_deref(), Ok(expected), "{given}");
        }
        for refused in ["https://x/", "ftp://x", "http://", "http://a b/", "unix:", "http://u:p@h/"] {
            assert!(shown(refused).is_err(), "{refused}");
        }
        let Ok(Target::Http { host, port, .. }) = "http://[::1]/".parse() else { panic!("an endpoint") };
        assert_eq!((host.as_str(), port), ("::1", 80));
    }
}
