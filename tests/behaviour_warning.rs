//! What is logged: its own binary, since a process has one logger.

use std::sync::Mutex;

use log::{Level, LevelFilter, Log, Metadata, Record};
use manometer::{RegistryOptions, collect};

struct Lines(Mutex<Vec<(Level, String)>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0.lock().expect("no panic while logging").push((record.level(), record.args().to_string()));
    }

    fn flush(&self) {}
}

#[test]
fn reg_06_s_14_one_warning_names_both_values() {
    log::set_logger(&LINES).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let logged = || std::mem::take(&mut *LINES.0.lock().unwrap());

    let registry = RegistryOptions::new().build();
    let declare = |unit: &str, help: &str, bound: f64| {
        let name = if unit.is_empty() { "h_bytes" } else { "h" };
        registry.histogram(name).unit(unit).help(help).buckets([bound]).declare().unwrap()
    };
    declare("", "First", 1.0);
    declare("", "First", 1.0);
    assert_eq!(logged(), [], "nothing differs");

    for (unit, help, bound, field, standing, given) in [
        ("", "Second", 1.0, "description", "First", "Second"),
        ("", "First", 2.5, "buckets", "[1.0]", "[2.5]"),
        ("bytes", "First", 1.0, "unit", "", "bytes"),
    ] {
        declare(unit, help, bound);
        let text =
            format!("family \"h_bytes\" stands with {field} {standing:?}, not {given:?}; the first declaration stands");
        assert_eq!(logged(), [(Level::Warn, text)]);
    }

    let both = registry.histogram("h_bytes").help("Second").buckets([2.5]).declare();
    assert!(both.is_ok());
    let lines = logged();
    assert_eq!(lines.len(), 1, "one warning for one declaration: {lines:?}");
    for value in ["First", "Second", "[1.0]", "[2.5]"] {
        assert!(lines[0].1.contains(value), "{value} is not in {lines:?}");
    }

    let strict = RegistryOptions::new().strict_declarations(true).build();
    strict.gauge("g").help("First").declare().unwrap();
    strict.gauge("g").help("Second").declare().unwrap_err();
    strict.counter("g").declare().unwrap_err();
    strict.gauge("g").single().unwrap_err();
    let gauge = strict.gauge("other").single().unwrap();
    gauge.add(f64::NAN);
    collect(&strict);
    assert_eq!(logged(), [], "an error that is returned is not logged as well, a refused value never");
}
