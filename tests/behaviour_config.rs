//! Section 13 of docs/behaviour.md: the keys, what they accept, and which provider and mode come of them.

mod common;

use std::{cell::RefCell, time::Duration};

use common::managers::{HandClock, scraped, until};
use manometer::{
    CollectError, DeclareError, Manager, Source,
    manager::{ManagerBuilder, SHORTEST_INTERVAL},
    model::{ConfigError, Setting, Settings},
};

thread_local! {
    /// What this thread has logged: tests run beside each other.
    static LOGGED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        LOGGED.with_borrow_mut(|logged| logged.push(format!("{}: {}", record.level(), record.args())));
    }
    fn flush(&self) {}
}

/// What `act` logs, on this thread.
fn logged<R>(act: impl FnOnce() -> R) -> (R, Vec<String>) {
    log::set_max_level(log::LevelFilter::Info);
    let _ = log::set_logger(&Logger);
    LOGGED.take();
    let result = act();
    (result, LOGGED.take())
}

fn with(key: &str, value: impl Into<Setting>) -> Settings {
    Settings::new().with(key, value)
}

fn on(key: &str, value: impl Into<Setting>) -> Settings {
    with("statistics", "internal").with(key, value)
}

/// The key, the value and the rule of a refusal.
fn invalid(settings: &Settings) -> (String, String, &'static str) {
    match Manager::new(settings) {
        Err(ConfigError::Invalid { key, given, rule }) => (key, given, rule),
        other => panic!("{settings:?} gave {other:?}"),
    }
}

#[test]
fn cfg_01_statistics_names_a_provider() {
    assert!(Manager::new(&with("statistics", "internal")).unwrap().is_enabled());
    assert_eq!(invalid(&with("statistics", 5)).0, "statistics");
}

#[test]
fn cfg_02_s_06_s_07_an_interval_means_what_it_says() {
    for good in [Setting::from(5), 0.5.into(), "5".into(), "0.25".into(), "manual".into(), 0.001.into()] {
        assert!(Manager::new(&on("statistics_interval", good.clone())).is_ok(), "{good}");
    }
    let bad = [
        Setting::from(0),
        0.0.into(),
        (-1).into(),
        (-0.5).into(),
        f64::NAN.into(),
        f64::INFINITY.into(),
        1e300.into(),
        1e-12.into(),
        0.000999.into(),
        "1e-9".into(),
        "0".into(),
        "foo".into(),
        "1 minute".into(),
        "inf".into(),
        "".into(),
        "Manual".into(),
        true.into(),
        [5].into(),
    ];
    for bad in bad {
        let settings = on("statistics_interval", bad.clone());
        let expected =
            ("statistics_interval".to_owned(), bad.to_string(), "a number of seconds, 0.001 or more, or \"manual\"");
        assert_eq!(invalid(&settings), expected);
        // Nothing runs instead, and certainly not every 60 seconds.
        let manager = Manager::new_or_disabled(&settings);
        manager.start().unwrap();
        assert!(!manager.is_enabled() && manager.registry().is_none(), "{bad}");
        assert_eq!(manager.collect().unwrap_err(), CollectError::Disabled);
    }
    for (short, given) in [(Duration::ZERO, "0"), (SHORTEST_INTERVAL - Duration::from_nanos(1), "0.000999999")] {
        let refused = Manager::builder().provider("internal").interval(short).build().unwrap_err();
        let expected =
            format!("statistics_interval is {given}, which is not a number of seconds, 0.001 or more, or \"manual\"");
        assert_eq!(refused.to_string(), expected);
    }
    assert!(Manager::builder().provider("internal").interval(SHORTEST_INTERVAL).build().is_ok());
}

#[test]
fn cfg_02_the_interval_can_be_changed_and_is_checked_again() {
    let clock = HandClock::default();
    let manager =
        ManagerBuilder::from_settings(&on("statistics_interval", 10)).unwrap().clock(clock.clone()).build().unwrap();
    assert!(manager.set_interval(SHORTEST_INTERVAL / 2).is_err());
    assert_eq!(manager.interval(), Some(Duration::from_secs(10)));
    let runs = || common::managers::count(&manager, "prosody_stats.collection_seconds");
    manager.start().unwrap();
    until("the collection at start", || runs() == 1);
    manager.set_interval(Duration::from_secs(2)).unwrap();
    std::thread::sleep(Duration::from_millis(20)); // it is heard by then, or the next line only makes it later
    clock.advance(2.0);
    until("a tick of the new interval", || {
        clock.advance(0.001);
        runs() == 2
    });
    let manual = Manager::new(&on("statistics_interval", "manual")).unwrap();
    let refused = manual.set_interval(Duration::from_secs(1)).unwrap_err();
    assert_eq!(refused.to_string(), "statistics_interval is 1, which is not for this manager, which has no schedule");
    assert_eq!((manager.interval(), manual.interval()), (Some(Duration::from_secs(2)), None));
}

#[test]
fn cfg_03_pro_05_the_provider_gets_its_table_and_says_what_is_wrong_with_it() {
    let table = Settings::new().with("colour", "green").with("n", 3);
    let settings = Settings::new().with("statistics", ":picky").with("statistics_config", table.clone());
    let build = |settings: &Settings, expected: Settings| {
        let factory = move |given: &Settings, options: manometer::RegistryOptions| {
            if *given != expected {
                return Err(given.invalid("colour", "the colour that was asked for").into());
            }
            Ok(Box::new(manometer::backend::Internal::new(options)) as _)
        };
        ManagerBuilder::from_settings(settings).unwrap().factory("picky", factory).build()
    };
    assert!(build(&settings, table).unwrap().is_enabled(), "unchanged");
    let refused = build(&settings, Settings::new()).unwrap_err().to_string();
    let expected = r#"provider ":picky" cannot be used: colour is "green", which is not the colour that was asked for"#;
    assert_eq!(refused, expected);
    assert_eq!(invalid(&on("statistics_config", "text")).2, "a table");
}

#[test]
fn cfg_04_the_least_interval_is_a_number_from_0_on() {
    for good in [Setting::from(0), 1.5.into(), "2".into()] {
        assert!(Manager::new(&on("statistics_min_interval", good)).is_ok());
    }
    for bad in [Setting::from(-1), f64::NAN.into(), "soon".into(), f64::INFINITY.into()] {
        let expected = ("statistics_min_interval".to_owned(), bad.to_string(), "a number of seconds, 0 or more");
        assert_eq!(invalid(&on("statistics_min_interval", bad)), expected);
    }
}

#[test]
fn cfg_05_namespace_series_limit_and_strictness() {
    let settings = on("namespace", "shop").with("max_series", 2).with("strict_declarations", true);
    let manager = Manager::new(&settings.with("statistics_interval", "manual")).unwrap();
    manager.measure("m").rate().declare().unwrap();
    let family = manager.counter("c").labels(["k"]).declare().unwrap();
    for value in ["a", "b", "c"] {
        family.inc([value]).unwrap();
    }
    let page = scraped(&manager);
    assert!(page.contains("\nshop_m_total 0\n") && page.contains("c_total{k=\":overflow\"} 1\n"), "{page}");
    let differs = manager.counter("c").labels(["k"]).help("New").declare().unwrap_err();
    assert!(matches!(differs, DeclareError::Conflict { field: "description", .. }));

    for bad in [Setting::from(""), "a\nb".into(), 5.into()] {
        assert_eq!(invalid(&on("namespace", bad)).0, "namespace");
    }
    assert!(matches!(Manager::builder().namespace("").build(), Err(ConfigError::Invalid { .. })));
    for bad in [Setting::from(0), (-3).into(), 1.5.into(), "many".into()] {
        assert_eq!(invalid(&on("max_series", bad)).0, "max_series");
    }
    assert_eq!(invalid(&on("strict_declarations", "yes")).2, "true or false");
}

#[test]
fn cfg_06_compat_is_prosody_or_nothing() {
    assert!(Manager::new(&on("compat", "prosody")).is_ok());
    let expected = ("compat".to_owned(), "\"Prosody\"".to_owned(), "\"prosody\"");
    assert_eq!(invalid(&on("compat", "Prosody")), expected);
    assert_eq!(invalid(&on("compat", true)).0, "compat");
}

#[test]
fn cfg_07_created_samples_can_be_left_off_pages() {
    let manager = |created: bool| {
        let settings = on("statistics_interval", "manual").with("created_samples", created);
        let manager = Manager::new(&settings).unwrap();
        manager.counter("c").single().unwrap();
        manager
    };
    assert!(scraped(&manager(true)).contains("\nc_created "));
    let without = manager(false);
    assert!(!scraped(&without).contains("_created"));
    let counter = without.registry().unwrap().get::<manometer::Counter>("c").unwrap().with_labels(()).unwrap();
    assert!(counter.created().millis() > 0, "the API keeps it");
    let set = without.scrape();
    let point = set.family("c").unwrap().metric(0).unwrap().point();
    let manometer::MetricPoint::Counter(point) = point else { panic!("{point:?}") };
    assert!(point.created.is_some(), "so do collected values");
    assert_eq!(invalid(&on("created_samples", 1)).2, "true or false");
}

#[test]
fn gen_01_unknown_keys_are_refused_with_the_nearest_one() {
    match Manager::new(&on("statistic_interval", 5)) {
        Err(ConfigError::UnknownKey { key, nearest }) => {
            assert_eq!((key.as_str(), nearest), ("statistic_interval", Some("statistics_interval")));
        }
        other => panic!("{other:?}"),
    }
    assert!(!Manager::new_or_disabled(&on("statistic_interval", 5)).is_enabled());
}

/// What a selection comes to.
#[derive(Debug, PartialEq)]
enum Runs {
    Nothing,
    OnASchedule,
    OnRequest,
}

fn runs(settings: &Settings) -> Runs {
    let manager = Manager::new(settings).expect("a good table");
    let runs = match manager.collect() {
        Err(CollectError::Disabled) => Runs::Nothing,
        Err(CollectError::Scheduled) => Runs::OnASchedule,
        Ok(collected) => {
            assert_eq!(collected.interval, None);
            Runs::OnRequest
        }
        Err(other) => panic!("{other}"),
    };
    assert_eq!(manager.registry().is_some(), runs != Runs::Nothing);
    assert_eq!(Source::is_enabled(&manager), runs != Runs::Nothing);
    runs
}

#[test]
fn sel_01_sel_02_sel_03_without_a_provider() {
    assert_eq!(runs(&Settings::new()), Runs::Nothing);
    assert_eq!(runs(&with("statistics_interval", 5)), Runs::OnASchedule);
    assert_eq!(runs(&with("statistics_interval", "manual")), Runs::Nothing);
}

#[test]
fn sel_04_sel_05_sel_06_with_a_provider() {
    assert_eq!(runs(&with("statistics", "internal")), Runs::OnASchedule);
    assert_eq!(runs(&on("statistics_interval", 5)), Runs::OnASchedule);
    assert_eq!(runs(&on("statistics_interval", "manual")), Runs::OnRequest);
    let (_, lines) = logged(|| Manager::new(&with("statistics", "internal")).unwrap());
    assert_eq!(lines, [r#"INFO: statistics: provider "internal", a collection every 60 seconds once started"#]);
}

#[test]
fn sel_07_mgr_15_an_unusable_provider_disables_and_says_so_in_one_line() {
    let settings = with("statistics", "graphite");
    let (manager, lines) = logged(|| Manager::new_or_disabled(&settings));
    assert!(!manager.is_enabled());
    let cause = "none of this name is built in; one of the program's own begins with a colon";
    assert_eq!(lines, [format!(r#"ERROR: statistics are disabled: provider "graphite" cannot be used: {cause}"#)]);
}

#[test]
fn sel_07_what_is_declared_is_checked_as_the_table_says_without_a_provider() {
    let settings = with("statistics", ":nobody").with("strict_declarations", true).with("namespace", "shop");
    let manager = Manager::new_or_disabled(&settings);
    manager.counter("c").help("One").declare().unwrap();
    assert!(matches!(manager.counter("c").help("Another").declare(), Err(DeclareError::Conflict { .. })));
    assert_eq!(manager.scope("m").open().unwrap().prefix(), "shop_mod_m/");
}

#[test]
fn mgr_15_one_true_line_says_what_runs() {
    let (_, lines) = logged(|| Manager::new(&Settings::new()).unwrap());
    assert_eq!(lines, ["INFO: statistics: disabled"]);
    let (builder, _) = common::managers::noting();
    let (_, lines) = logged(|| builder.manual().build().unwrap());
    assert_eq!(lines, [r#"INFO: statistics: provider "a noting one", no schedule: collected when asked"#]);
    let (builder, _) = common::managers::noting();
    let (_, lines) = logged(|| builder.interval(Duration::from_millis(2500)).build().unwrap());
    assert_eq!(lines, [r#"INFO: statistics: provider "a noting one", a collection every 2.5 seconds once started"#]);
}

#[cfg(feature = "config")]
#[test]
fn cfg_01_a_table_may_come_from_toml() {
    let text = "statistics = \"internal\"\nstatistics_interval = \"manual\"\nnamespace = \"shop\"\n";
    let manager = Manager::new(&Settings::from_toml(text).unwrap()).unwrap();
    manager.measure("m").rate().declare().unwrap();
    assert!(manager.registry().unwrap().metadata("shop_m").is_some());
}
