//! How a door is: where, for whom, and in which form.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hyper::http::uri::PathAndQuery;

use super::{
    access::{Rules, Token},
    forwarded::ForwardedHeader,
    network::Network,
    page,
};
use crate::model::{ConfigError, Setting, Settings};

/// Where a server listens that was told nothing else, besides the same port of `::1`.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT);

const DEFAULT_PORT: u16 = 5280;

/// How long a client has that was told nothing else. Not one of the usual scrape intervals, so that an idle connection is not
/// closed in the very moment in which the next request is on its way.
pub const DEFAULT_CLIENT_TIMEOUT: Duration = Duration::from_secs(12);

const PAGE_RULE: &str = "false where http_paths has something else at \"/\"";

const PATH_RULE: &str = "a path: \"/\" and what a URL may have after it, without a query";

/// What a server does, and whom for.
///
/// # Examples
/// ```
/// use manometer::{http::Options, model::Settings};
///
/// let settings = Settings::new().with("http_ports", [9100]).with("openmetrics_allow_cidr", "10.0.0.0/8");
/// let options = Options::from_settings(&settings)?.client_timeout(std::time::Duration::from_secs(30));
///
/// let mistaken = Settings::new().with("openmetrics_allow_cidr", "10.0.0.0/33");
/// let error = Options::from_settings(&mistaken).unwrap_err();
/// assert!(error.to_string().starts_with("openmetrics_allow_cidr is \"10.0.0.0/33\""));
/// # Ok::<(), manometer::model::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// None means the default port of the loopback addresses, unless there are ready-made listeners.
    pub(super) addresses: Option<Vec<SocketAddr>>,
    pub(super) page_path: String,
    pub(super) view_path: String,
    pub(super) live_page: bool,
    pub(super) rules: Rules,
    pub(super) created_samples: bool,
    pub(super) client_timeout: Duration,
    pub(super) compat: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addresses: None,
            page_path: "/metrics".to_owned(),
            view_path: "/stats".to_owned(),
            live_page: false,
            rules: Rules::default(),
            created_samples: true,
            client_timeout: DEFAULT_CLIENT_TIMEOUT,
            compat: false,
        }
    }
}

impl Options {
    /// The keys that [`from_settings`](Self::from_settings) reads.
    pub const KEYS: &[&'static str] = &[
        "http_ports",
        "http_interfaces",
        "https_ports",
        "http_paths",
        "http_page",
        "openmetrics_allow_ips",
        "openmetrics_allow_cidr",
        "trusted_proxies",
        "http_legacy_x_forwarded",
        "openmetrics_require_forwarded",
        "openmetrics_token",
    ];

    /// Port 5280 of the loopback addresses, and for nobody but this machine.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a configuration says; other keys than [`KEYS`](Self::KEYS) are left to others.
    ///
    /// # Errors
    /// `Invalid` for the first key with a value that it cannot have, `UnknownKey` for a path of something unknown.
    pub fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        if settings.get("https_ports").is_some() {
            return Err(settings.invalid("https_ports", "supported: TLS belongs to a proxy in front of this server"));
        }
        let mut options = Self::default();
        let ports = ports(settings)?;
        let interfaces = interfaces(settings)?;
        if ports.is_some() || interfaces.is_some() {
            let interfaces = interfaces.unwrap_or_else(loopback);
            let ports = ports.unwrap_or_else(|| vec![DEFAULT_PORT]);
            options.addresses = Some(pairs(&ports, &interfaces));
        }
        if let Some(paths) = settings.table("http_paths")? {
            paths.check_keys(&["openmetrics", "stats"])?;
            options.page_path = path_of(paths, "openmetrics")?.unwrap_or(options.page_path);
            options.view_path = path_of(paths, "stats")?.unwrap_or(options.view_path);
            if options.page_path == options.view_path {
                return Err(settings.invalid("http_paths", "a table of paths that differ"));
            }
        }
        if settings.boolean("http_page")?.unwrap_or_default() {
            options = options.live_page(true).map_err(|_| settings.invalid("http_page", PAGE_RULE))?;
        }
        if let Some(networks) = networks(settings, "openmetrics_allow_ips")? {
            options.rules.allow_ips = networks;
        }
        if let Some(networks) = networks(settings, "openmetrics_allow_cidr")? {
            options.rules.allow_cidr = networks;
        }
        if let Some(networks) = networks(settings, "trusted_proxies")? {
            options.rules.trusted_proxies = networks;
        }
        if settings.boolean("http_legacy_x_forwarded")? == Some(false) {
            options.rules.forwarded = ForwardedHeader::Forwarded;
        }
        options.rules.require_forwarded = settings.boolean("openmetrics_require_forwarded")?.unwrap_or_default();
        match settings.get("openmetrics_token") {
            None => Ok(options),
            Some(Setting::Text(token)) => options.token(token),
            Some(_) => Err(no_token()),
        }
    }

    /// Where to listen, besides where it was told to before. Port 0 means any that is free. An IPv6 address never takes IPv4
    /// clients along, not even `::`.
    #[must_use]
    pub fn address(mut self, address: impl Into<SocketAddr>) -> Self {
        self.addresses.get_or_insert_default().push(address.into());
        self
    }

    /// The path of the page; `/metrics` unless told otherwise.
    ///
    /// # Errors
    /// `Invalid` if it is no path, or that of the view or the live page.
    pub fn page_path(self, path: &str) -> Result<Self, ConfigError> {
        let page_path = self.path("page_path", path, &self.view_path)?;
        Ok(Self { page_path, ..self })
    }

    /// The path of the operator's view; `/stats` unless told otherwise.
    ///
    /// # Errors
    /// `Invalid` if it is no path, or that of the page or the live page.
    pub fn view_path(self, path: &str) -> Result<Self, ConfigError> {
        let view_path = self.path("view_path", path, &self.page_path)?;
        Ok(Self { view_path, ..self })
    }

    /// Whether there is a live page at `/`, a document that draws in a browser what the page says; there is none unless told otherwise.
    /// It is for the addresses that are allowed. It has no metrics in it, so it needs no [token](Self::token): it asks its user for
    /// that.
    ///
    /// # Errors
    /// `Invalid` if something else is at `/`.
    pub fn live_page(self, live_page: bool) -> Result<Self, ConfigError> {
        if live_page && [&self.page_path, &self.view_path].contains(&&page::PATH.to_owned()) {
            let (key, given) = ("live_page".to_owned(), "true".to_owned());
            return Err(ConfigError::Invalid { key, given, rule: PAGE_RULE });
        }
        Ok(Self { live_page, ..self })
    }

    /// Who is allowed, instead of the loopback addresses. An empty list allows nobody.
    #[must_use]
    pub fn allow_ips(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.rules.allow_ips = networks.into_iter().collect();
        self
    }

    /// Who is allowed besides [`allow_ips`](Self::allow_ips).
    #[must_use]
    pub fn allow_cidr(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.rules.allow_cidr = networks.into_iter().collect();
        self
    }

    /// Which peers are believed when they say for whom they ask, instead of the loopback addresses.
    #[must_use]
    pub fn trusted_proxies(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.rules.trusted_proxies = networks.into_iter().collect();
        self
    }

    /// The header in which they say it.
    #[must_use]
    pub fn forwarded_header(mut self, header: ForwardedHeader) -> Self {
        self.rules.forwarded = header;
        self
    }

    /// Whether they must say it; they need not unless told otherwise.
    #[must_use]
    pub fn require_forwarded(mut self, required: bool) -> Self {
        self.rules.require_forwarded = required;
        self
    }

    /// The token that clients must have besides a place on the lists: `Authorization: Bearer` and this.
    ///
    /// # Errors
    /// `Invalid`, without the token, if a header cannot have it.
    pub fn token(mut self, token: &str) -> Result<Self, ConfigError> {
        self.rules.token = Some(Token::new(token).ok_or_else(no_token)?);
        Ok(self)
    }

    /// Whether OpenMetrics pages have `_created` samples; they do unless told otherwise. Many ingestors store each as one more
    /// series.
    #[must_use]
    pub fn created_samples(self, created_samples: bool) -> Self {
        Self { created_samples, ..self }
    }

    /// How long a client may take to send a request, and to read on when its page waits for it; 12 seconds unless told otherwise.
    /// An idle connection is closed after the same time.
    #[must_use]
    pub fn client_timeout(self, client_timeout: Duration) -> Self {
        Self { client_timeout, ..self }
    }

    /// Whether pages are those of [Prosody](crate::encode::Format::Prosody), whatever was asked for, and the view has Prosody's
    /// units and legends. Names and `le` are as the registry's [dialect](crate::RegistryOptions::dialect) has them.
    #[must_use]
    pub fn compat(self, compat: bool) -> Self {
        Self { compat, ..self }
    }

    /// Where to listen if nothing was said.
    pub(super) fn default_addresses() -> Vec<SocketAddr> {
        pairs(&[DEFAULT_PORT], &loopback())
    }

    fn path(&self, key: &str, path: &str, other: &str) -> Result<String, ConfigError> {
        let invalid = |rule| ConfigError::Invalid { key: key.to_owned(), given: format!("{path:?}"), rule };
        match is_path(path) {
            false => Err(invalid(PATH_RULE)),
            true if path == other || self.live_page && path == page::PATH => Err(invalid("a path of its own")),
            true => Ok(path.to_owned()),
        }
    }
}

fn is_path(text: &str) -> bool {
    let read: Option<PathAndQuery> = text.parse().ok();
    text.starts_with('/') && read.is_some_and(|read| read.path() == text && read.query().is_none())
}

fn path_of(paths: &Settings, key: &str) -> Result<Option<String>, ConfigError> {
    match paths.text(key)? {
        Some(path) if !is_path(path) => {
            let (key, given) = (format!("http_paths.{key}"), format!("{path:?}"));
            Err(ConfigError::Invalid { key, given, rule: PATH_RULE })
        }
        path => Ok(path.map(str::to_owned)),
    }
}

fn no_token() -> ConfigError {
    let (key, given) = ("openmetrics_token".to_owned(), "not shown".to_owned());
    ConfigError::Invalid { key, given, rule: "a text of visible ASCII characters, one at least" }
}

fn loopback() -> Vec<IpAddr> {
    vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
}

fn pairs(ports: &[u16], interfaces: &[IpAddr]) -> Vec<SocketAddr> {
    let of = |port: &u16| interfaces.iter().map(|interface| SocketAddr::new(*interface, *port)).collect::<Vec<_>>();
    ports.iter().flat_map(of).collect()
}

fn ports(settings: &Settings) -> Result<Option<Vec<u16>>, ConfigError> {
    let key = "http_ports";
    let port = |value: &Setting| match value {
        Setting::Integer(port) => u16::try_from(*port).ok(),
        _ => None,
    };
    let ports: Option<Vec<u16>> = match settings.get(key) {
        None => return Ok(None),
        Some(Setting::List(values)) => values.iter().map(port).collect(),
        Some(value) => port(value).map(|port| vec![port]),
    };
    let rule = "a port or a list of ports, whole numbers from 0 to 65535";
    ports.filter(|ports| !ports.is_empty()).map(Some).ok_or_else(|| settings.invalid(key, rule))
}

fn interfaces(settings: &Settings) -> Result<Option<Vec<IpAddr>>, ConfigError> {
    let key = "http_interfaces";
    let Some(texts) = settings.texts(key)? else {
        return Ok(None);
    };
    let interface = |text: &str| match text {
        // Prosody's word for all of IPv4.
        "*" => Some(Ipv4Addr::UNSPECIFIED.into()),
        text => text.parse().ok(),
    };
    let interfaces: Option<Vec<IpAddr>> = texts.into_iter().map(interface).collect();
    let rule = "an address or a list of addresses of this machine, \"*\" for all of IPv4, \"::\" for all of IPv6";
    interfaces.filter(|interfaces| !interfaces.is_empty()).map(Some).ok_or_else(|| settings.invalid(key, rule))
}

fn networks(settings: &Settings, key: &str) -> Result<Option<Vec<Network>>, ConfigError> {
    let Some(texts) = settings.texts(key)? else {
        return Ok(None);
    };
    let rule = "an address (192.0.2.1, 2001:db8::1), a range (192.0.2.0/24, 2001:db8::/32), or a list of them";
    // The one that is wrong, not the whole list.
    let read = |text: &str| {
        let invalid = |_| ConfigError::Invalid { key: key.to_owned(), given: format!("{text:?}"), rule };
        text.parse().map_err(invalid)
    };
    texts.into_iter().map(read).collect::<Result<_, _>>().map(Some)
}
