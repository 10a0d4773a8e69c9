//! Section 15 of docs/behaviour.md: providers. (Corks have a file of their own, and so has statsd.)

mod common;

use std::{
    error::Error,
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use common::managers::{Trouble, gauge, manual, noting, scraped, total};
use manometer::{
    Manager, RegistryOptions, Source,
    backend::{Internal, Provider, PushError, PushReport},
    model::{ConfigError, Settings},
    register_provider,
};

#[test]
fn pro_01_internal_keeps_values_to_be_pulled() {
    let manager = manual();
    let counter = manager.counter("c").single().unwrap();
    manager.cork();
    counter.inc();
    assert!(scraped(&manager).contains("\nc_total 1\n"), "pulled output is never held back");
    manager.uncork();
    assert!(scraped(&manager).contains("\nc_total 1\n"));
}

#[test]
fn pro_03_an_external_provider_is_found_by_its_name() {
    let make =
        |settings: &Settings, options: RegistryOptions| -> Result<Box<dyn Provider>, Box<dyn Error + Send + Sync>> {
            match settings.boolean("fail")? {
                Some(true) => Err(io::Error::other("no such place").into()),
                _ => Ok(Box::new(Internal::new(options))),
            }
        };
    register_provider("pro_03", make).unwrap();
    let taken = register_provider("pro_03", make).unwrap_err();
    assert_eq!(taken.to_string(), r#"provider "pro_03" cannot be used: the name is taken"#);
    for name in ["", ":pro_03", "a:b", ":"] {
        let refused = register_provider(name, make).unwrap_err();
        let expected =
            format!("provider {name:?} cannot be used: a name is registered without a colon, and is not empty");
        assert_eq!(refused.to_string(), expected);
        let own = Manager::builder().provider("internal").factory(name, make).build().unwrap_err();
        assert_eq!(own.to_string(), expected);
    }
    let settings = Settings::new().with("statistics", ":pro_03").with("max_series", 7);
    let manager = Manager::new(&settings).unwrap();
    assert_eq!(manager.counter("c").labels(["k"]).declare().unwrap().max_series(), 7, "the options reach it");
    let failing = settings.with("statistics_config", Settings::new().with("fail", true));
    let refused = Manager::new(&failing).unwrap_err();
    assert_eq!(refused.to_string(), r#"provider ":pro_03" cannot be used: no such place"#);
    assert!(refused.source().is_some_and(|cause| cause.downcast_ref::<io::Error>().is_some()), "the cause itself");
    // A manager's own factories come first, and nobody else has them.
    let (builder, notes) = noting();
    builder.manual().build().unwrap().collect().unwrap();
    assert_eq!(notes.take(), ["flush", "flush", "shutdown"], "collected, and dropped");
    let elsewhere = Manager::builder().provider(":noting").build().unwrap_err();
    assert_eq!(elsewhere.to_string(), r#"provider ":noting" cannot be used: none of this name was registered"#);
}

#[test]
fn pro_04_a_provider_that_goes_wrong_harms_nobody() {
    let (builder, notes) = noting();
    let manager = builder.manual().build().unwrap();
    let counter = manager.counter("c").single().unwrap();
    for (trouble, errors) in [(Trouble::Errors, 1), (Trouble::Panics, 2)] {
        *notes.trouble.lock().unwrap() = trouble;
        counter.inc();
        manager.collect().unwrap();
        assert_eq!(notes.take(), ["flush"]);
        let counted = total(&manager, "prosody_stats.collector_errors", [":provider"]);
        assert_eq!(counted, Some(errors), "{trouble:?}");
    }
    manager.cork();
    manager.uncork();
    assert_eq!(notes.take(), ["cork", "uncork"], "both panicked, and the count of corks is right");
    assert!(scraped(&manager).contains("\nc_total 2\n"));
    notes.take();
    manager.stop();
    assert_eq!(notes.take(), ["flush", "shutdown"], "to the end");
}

/// An error whose text cannot be made.
#[derive(Debug)]
struct Mute;

impl std::fmt::Display for Mute {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("no words");
    }
}

impl Error for Mute {}

/// Makes the text of all that is logged, and throws it away.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        drop(record.args().to_string());
    }
    fn flush(&self) {}
}

#[test]
fn pro_04_pro_05_an_error_without_words_harms_nobody() {
    log::set_logger(&Logger).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    #[derive(Debug)]
    struct Wordless(Internal);
    impl Provider for Wordless {
        fn registry(&self) -> &manometer::Registry {
            self.0.registry()
        }
        fn flush(&self) -> Result<(), PushError> {
            Err(PushError::Send { server: "nowhere".to_owned(), source: io::Error::other(Mute) })
        }
    }
    let make =
        |_: &Settings, options: RegistryOptions| Ok(Box::new(Wordless(Internal::new(options))) as Box<dyn Provider>);
    let manager = Manager::builder().factory("wordless", make).provider(":wordless").manual().build().unwrap();
    manager.on_openmetrics_updated("after", 0, |_| ());
    manager.collect().unwrap();
    assert_eq!(manager.handlers()[0].runs, 1, "no step was skipped");
    assert_eq!(total(&manager, "prosody_stats.collector_errors", [":provider"]), Some(1));
    manager.stop();

    let fails = |_: &Settings, _: RegistryOptions| -> Result<Box<dyn Provider>, Box<dyn Error + Send + Sync>> {
        Err(Mute.into())
    };
    register_provider("mute", fails).unwrap();
    assert!(!Manager::new_or_disabled(&Settings::new().with("statistics", ":mute")).is_enabled());
}

#[test]
fn pro_04_what_a_provider_leaves_out_does_nothing() {
    #[derive(Debug)]
    struct Least(manometer::Registry);
    impl Provider for Least {
        fn registry(&self) -> &manometer::Registry {
            &self.0
        }
    }
    let make = |_: &Settings, options: RegistryOptions| Ok(Box::new(Least(options.build())) as Box<dyn Provider>);
    let manager = Manager::builder().factory("least", make).provider(":least").manual().build().unwrap();
    manager.cork();
    manager.uncork();
    manager.collect().unwrap();
    assert!(manager.registry().unwrap().metadata("prosody_stats.queue_used").is_none(), "there is no queue");
    manager.stop();
}

#[test]
fn pro_05_an_unknown_or_failing_provider_is_an_error_with_its_name() {
    for name in ["graphite", "", ":", ":nobody"] {
        match Manager::builder().provider(name).build() {
            Err(ConfigError::Provider { name: named, .. }) => assert_eq!(named, name),
            other => panic!("{other:?}"),
        }
        let manager = Manager::new_or_disabled(&Settings::new().with("statistics", name));
        manager.counter("c").single().unwrap().inc();
        assert!(!manager.is_enabled());
    }
    let panics = |_: &Settings, _: RegistryOptions| -> Result<Box<dyn Provider>, Box<dyn Error + Send + Sync>> {
        panic!("out of ideas");
    };
    let refused = Manager::builder().factory("p", panics).provider(":p").build().unwrap_err();
    assert_eq!(refused.to_string(), r#"provider ":p" cannot be used: its factory panicked: out of ideas"#);
    // One whose registry cannot hold the manager's own metrics.
    let taken = |_: &Settings, options: RegistryOptions| {
        let provider = Internal::new(options);
        provider.registry().gauge("prosody_stats.collection_seconds").declare()?;
        Ok(Box::new(provider) as Box<dyn Provider>)
    };
    let refused = Manager::builder().factory("t", taken).provider(":t").build().unwrap_err().to_string();
    assert!(
        refused.starts_with(r#"provider ":t" cannot be used: family "prosody_stats.collection_seconds" stands"#),
        "{refused}"
    );
}

#[test]
fn pro_04_pro_05_a_provider_that_is_turned_away_is_shut_down() {
    for trouble in [Trouble::None, Trouble::Panics] {
        let (builder, notes) = noting();
        let own = notes.clone();
        // A registry that cannot hold the manager's own metrics.
        let taken = move |_: &Settings, options: RegistryOptions| {
            let provider = own.provider(options);
            provider.registry().gauge("prosody_stats.collection_seconds").declare()?;
            Ok(Box::new(provider) as Box<dyn Provider>)
        };
        *notes.trouble.lock().unwrap() = trouble;
        let refused = builder.factory("taken", taken).provider(":taken").build().unwrap_err();
        assert!(matches!(&refused, ConfigError::Provider { name, .. } if name == ":taken"), "{refused}");
        assert_eq!(notes.take(), ["shutdown"], "{trouble:?}");
    }
}

/// A provider that asks its own manager whenever it is asked itself.
#[derive(Debug)]
struct Curious {
    own: Internal,
    manager: Arc<OnceLock<Manager>>,
    asking: AtomicBool,
}

impl Curious {
    fn ask(&self) {
        // Only once from inside itself: what it asks asks it again.
        if let Some(manager) = self.manager.get().filter(|_| !self.asking.swap(true, Ordering::SeqCst)) {
            let _cork = manager.corked();
            // Inside a collection it is refused, and before the end it is not.
            let _ = manager.collect();
            manager.scrape();
            manager.cork();
            manager.uncork();
            manager.handlers();
            manager.scope("asked").open().expect("a good name").close();
            self.asking.store(false, Ordering::SeqCst);
        }
    }
}

impl Provider for Curious {
    fn registry(&self) -> &manometer::Registry {
        self.own.registry()
    }
    fn cork(&self) {
        self.ask();
    }
    fn uncork(&self) {
        self.ask();
    }
    fn flush(&self) -> Result<(), PushError> {
        self.ask();
        Ok(())
    }
    fn shutdown(&self) {
        self.ask();
    }
    fn push_report(&self) -> Option<PushReport> {
        self.ask();
        Some(PushReport::default())
    }
}

#[test]
fn pro_04_crk_02_a_provider_may_ask_its_own_manager() {
    let late = Arc::new(OnceLock::new());
    let manager = late.clone();
    let make = move |_: &Settings, options: RegistryOptions| {
        let (own, manager) = (Internal::new(options), manager.clone());
        Ok(Box::new(Curious { own, manager, asking: AtomicBool::new(false) }) as Box<dyn Provider>)
    };
    let manager = Manager::builder().factory("curious", make).provider(":curious").manual().build().unwrap();
    late.set(manager.clone()).expect("set once");
    let (done, is_done) = mpsc::channel();
    let work = move || {
        let counter = manager.counter("c").single().expect("a free name");
        for _ in 0..20 {
            counter.inc();
            drop(manager.corked());
            manager.collect().expect("a manual one");
            scraped(&manager);
        }
        assert!(scraped(&manager).contains("\nc_total 20\n"));
        manager.stop();
        done.send(()).expect("somebody waits");
    };
    std::thread::spawn(work);
    is_done.recv_timeout(Duration::from_secs(30)).expect("nobody waits for himself");
}

#[test]
fn mgr_14_what_a_provider_pushed_is_told() {
    let (builder, _) = noting();
    let manager = builder.manual().build().unwrap();
    manager.collect().unwrap();
    let pushed =
        ["datagrams", "errors", "dropped"].map(|what| total(&manager, &format!("prosody_stats.push_{what}"), []));
    assert_eq!(pushed, [Some(7), Some(5), Some(3)]);
    assert_eq!(gauge(&manager, "prosody_stats.queue_used"), 2.0);
}
