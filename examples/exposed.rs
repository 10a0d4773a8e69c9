//! Serves a few metrics as a configuration file says: where, and for whom.
//!
//! `cargo run --example exposed -- FILE`, where FILE is TOML with keys like these, each of which can be left out:
//!
//! ```toml
//! http_ports = [5280]
//! http_interfaces = ["127.0.0.1", "::1"]
//! openmetrics_allow_ips = ["127.0.0.1", "::1"]
//! openmetrics_allow_cidr = "10.0.0.0/8"
//! trusted_proxies = ["127.0.0.1"]
//! openmetrics_token = "secret"
//! ```
//!
//! It runs until its standard input ends, and then says how many requests were denied.

use std::{env, error::Error, fs, io, process::ExitCode, thread, time::Duration};

use manometer::{
    Registry,
    http::{Options, Server},
    model::Settings,
};

fn main() -> ExitCode {
    let Some(file) = env::args().nth(1) else {
        eprintln!("usage: exposed FILE");
        return ExitCode::from(2);
    };
    match run(&file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("exposed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(file: &str) -> Result<(), Box<dyn Error>> {
    let settings = Settings::from_toml(&fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?)?;
    settings.check_keys(Options::KEYS)?;

    let registry = Registry::new();
    let ticks = registry.counter("ticks").help("Tenths of a second since the start").single()?;
    let work = registry.histogram("work").unit("seconds").buckets([0.01, 0.1, 1.0]).labels(["kind"]).declare()?;
    thread::spawn(move || {
        for turn in 0_u32.. {
            thread::sleep(Duration::from_millis(100));
            ticks.inc();
            let kind = if turn % 3 == 0 { "long" } else { "short" };
            work.observe((kind,), f64::from(turn % 10) / 20.0).expect("one key");
        }
    });

    let server = Server::builder(&registry).options(Options::from_settings(&settings)?).start()?;
    for address in server.local_addrs() {
        println!("metrics: http://{address}/metrics   for people: http://{address}/stats?form=details");
    }
    io::copy(&mut io::stdin(), &mut io::sink())?;
    for (reason, count) in server.denied().iter() {
        println!("denied {}: {count}", reason.as_str());
    }
    Ok(())
}
