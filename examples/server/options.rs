//! The command line.

use std::{net::SocketAddr, num::NonZeroUsize, str::FromStr, time::Duration};

pub const HELP: &str = "\
A key-value server over TCP, with its own load and its metrics.

usage: server [OPTION VALUE]...

  --listen ADDR    where clients connect [127.0.0.1:5281]; port 0 takes any that is free
  --metrics ADDR   where the metrics are, on loopback [127.0.0.1:5280]; port 0 likewise
  --threads N      connections that are served at a time [4]
  --load N         requests per second of the built-in load, over loopback [200]; 0 for none
  --seconds N      stop after so long and compare the application's totals with its metrics page; else run until killed
  --linger N       keep the metrics up for so many seconds after that [0]
  --help           print this

A line is a request: PING, GET key, SET key value, DEL key, INCR key, COUNT, QUIT.
The load has half as many clients as there are threads, and at least one.
";

/// What the user wants.
#[derive(Debug)]
pub struct Options {
    pub listen: SocketAddr,
    pub metrics: SocketAddr,
    pub threads: NonZeroUsize,
    pub load: u32,
    pub run_for: Option<Duration>,
    pub linger: Duration,
}

impl Options {
    /// Reads the arguments; `None` if they ask for help.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 5281)),
            metrics: manometer::http::DEFAULT_ADDRESS,
            threads: const { NonZeroUsize::new(4).expect("4 is not 0") },
            load: 200,
            run_for: None,
            linger: Duration::ZERO,
        };
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
            match name.as_str() {
                "--help" => return Ok(None),
                "--listen" => options.listen = read(&name, &value()?, "an address with a port")?,
                "--metrics" => options.metrics = read(&name, &value()?, "an address with a port")?,
                "--threads" => options.threads = read(&name, &value()?, "a number above 0")?,
                "--load" => options.load = read(&name, &value()?, "a number of requests per second")?,
                "--seconds" => options.run_for = Some(seconds(&name, &value()?)?),
                "--linger" => options.linger = seconds(&name, &value()?)?,
                _ => return Err(format!("there is no argument {name}")),
            }
        }
        Ok(Some(options))
    }
}

fn read<T: FromStr>(name: &str, value: &str, wanted: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name} takes {wanted}, not {value:?}"))
}

fn seconds(name: &str, value: &str) -> Result<Duration, String> {
    read(name, value, "a number of whole seconds").map(Duration::from_secs)
}
