//! Configurations: any text is a table, or a syntax error; any table is a manager, or an error that names a key and a rule; and what
//! is wrong does not depend on how the value is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer::{
    Manager,
    backend::StatsdOptions,
    http,
    manager::ManagerBuilder,
    model::{ConfigError, Setting, Settings},
};

const KEYS: [&str; 10] = [
    "statistics",
    "statistics_interval",
    "statistics_config",
    "statistics_min_interval",
    "namespace",
    "max_series",
    "strict_declarations",
    "compat",
    "created_samples",
    "utf8_names",
];

fuzz_target!(|text: &str| {
    let settings = match Settings::from_toml(text) {
        Ok(settings) => settings,
        Err(ConfigError::Syntax { message }) => return assert!(!message.is_empty()),
        Err(ConfigError::Invalid { given, .. }) => return assert!(!given.is_empty(), "only times are refused here"),
        Err(other) => panic!("{other:?} is nothing that reading can meet"),
    };
    let is_known = |key: &str| KEYS.contains(&key) || http::Options::KEYS.contains(&key);
    match ManagerBuilder::from_settings(&settings) {
        Ok(_) => {
            assert!(settings.iter().all(|(key, _)| is_known(key)), "nothing unknown is taken: {text}");
            assert!(http::Options::from_settings(&settings).is_ok(), "the room alone takes what it takes here");
            build(&settings);
        }
        Err(ConfigError::UnknownKey { key, .. }) => {
            // A path of something unknown is a key of a table below.
            let below = settings.table("http_paths").ok().flatten().is_some_and(|paths| paths.get(&key).is_some());
            assert!(below || (settings.get(&key).is_some() && !is_known(&key)), "{key}");
        }
        Err(error @ ConfigError::Invalid { .. }) => names_its_culprit(&error, &settings),
        Err(other) => panic!("{other:?} for {text}"),
    }
    if let Some(statsd) = settings.table("statistics_config").ok().flatten() {
        match StatsdOptions::from_settings(statsd) {
            Ok(_) => {}
            Err(ConfigError::UnknownKey { key, .. }) => assert!(statsd.get(&key).is_some()),
            Err(error @ ConfigError::Invalid { .. }) => names_its_culprit(&error, statsd),
            Err(other) => panic!("{other:?} for {statsd:?}"),
        }
    }
});

/// Makes the manager, unless that reaches for the network.
fn build(settings: &Settings) {
    let provider = settings.text("statistics").expect("taken");
    if provider == Some("statsd") {
        return;
    }
    match Manager::new(settings) {
        Ok(manager) => {
            // A provider, or an interval alone, is what switches it on.
            let interval = settings.get("statistics_interval").filter(|when| **when != Setting::from("manual"));
            assert_eq!(manager.is_enabled(), provider.is_some() || interval.is_some());
            if let Some(registry) = manager.registry() {
                registry.counter("c").single().expect("a good name").inc();
            }
        }
        Err(ConfigError::Provider { name, .. }) => assert_eq!(Some(name.as_str()), provider),
        // The internal provider takes no settings of its own.
        Err(ConfigError::UnknownKey { key, .. }) => {
            let own = settings.table("statistics_config").expect("taken").expect("something is unknown in it");
            assert!(own.get(&key).is_some(), "{key}");
        }
        Err(other) => panic!("{other:?} for {settings:?}"),
    }
}

/// An error of a value names its key, shows its value unless it is a secret, and says the rule.
fn names_its_culprit(error: &ConfigError, settings: &Settings) {
    let ConfigError::Invalid { key, given, rule } = error else { unreachable!() };
    let top = key.split('.').next().expect("a part");
    let value = settings.get(top);
    // What is not there has a good default.
    let value = value.unwrap_or_else(|| panic!("{key} is not in {settings:?}"));
    assert!(!given.is_empty() && !rule.is_empty());
    if let ("openmetrics_token", Setting::Text(secret)) = (top, value) {
        assert_eq!(given, "not shown");
        assert!(secret.len() < 20 || !error.to_string().contains(secret.as_str()));
    }
}
