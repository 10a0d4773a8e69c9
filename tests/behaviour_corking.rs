//! Corks of section 15 of docs/behaviour.md.

mod common;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, OnceLock},
};

use common::managers::{disabled, manual, noting};
use manometer::{
    Manager, Registry, RegistryOptions,
    backend::{Internal, Provider},
    model::Settings,
};

#[test]
fn crk_01_crk_02_corks_nest_and_the_last_one_counts() {
    let (builder, notes) = noting();
    let manager = builder.manual().build().unwrap();
    manager.cork();
    manager.cork();
    let guard = manager.corked();
    assert_eq!(notes.take(), ["cork"], "once for all of them");
    manager.uncork();
    manager.uncork();
    assert_eq!(notes.take(), [""; 0], "the guard still holds");
    drop(guard);
    assert_eq!(notes.take(), ["uncork"]);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _cork = manager.corked();
        panic!("in the middle");
    }));
    assert!(outcome.is_err());
    assert_eq!(notes.take(), ["cork", "uncork"], "on a panic too");
}

#[test]
fn crk_02_corks_of_many_threads_reach_the_provider_in_order() {
    let (builder, notes) = noting();
    let manager = builder.manual().build().unwrap();
    common::together(4, |_| (0..500).for_each(|_| drop(manager.corked())));
    let asked = notes.take();
    let pairs = asked.chunks(2).all(|pair| pair == ["cork", "uncork"]);
    assert!(pairs && !asked.is_empty(), "a cork or uncork twice in a row");
}

#[test]
fn crk_02_what_a_provider_corks_itself_is_counted() {
    // It corks once more when it is corked, and takes that away when asked to.
    #[derive(Debug)]
    struct Corking {
        own: Internal,
        manager: Arc<OnceLock<Manager>>,
        told: Arc<Mutex<Vec<&'static str>>>,
    }
    impl Provider for Corking {
        fn registry(&self) -> &Registry {
            self.own.registry()
        }
        fn cork(&self) {
            self.told.lock().unwrap().push("cork");
            self.manager.get().unwrap().cork();
        }
        fn uncork(&self) {
            self.told.lock().unwrap().push("uncork");
        }
    }
    let (late, told) = (Arc::new(OnceLock::new()), Arc::new(Mutex::new(Vec::new())));
    let (slot, notes) = (late.clone(), told.clone());
    let make = move |_: &Settings, options: RegistryOptions| {
        let (manager, told) = (slot.clone(), notes.clone());
        Ok(Box::new(Corking { own: Internal::new(options), manager, told }) as Box<dyn Provider>)
    };
    let manager = Manager::builder().factory("corking", make).provider(":corking").manual().build().unwrap();
    late.set(manager.clone()).unwrap();
    manager.cork();
    manager.uncork();
    assert_eq!(*told.lock().unwrap(), ["cork"], "its own cork still holds");
    manager.uncork();
    assert_eq!(*told.lock().unwrap(), ["cork", "uncork"]);
}

#[test]
fn crk_03_s_03_uncork_without_a_cork_does_nothing() {
    let (builder, notes) = noting();
    let manager = builder.manual().build().unwrap();
    manager.uncork();
    manager.start().unwrap();
    manager.uncork();
    manager.collect().unwrap();
    manager.stop();
    manager.uncork();
    assert_eq!(notes.take(), ["flush", "flush", "shutdown"]);
    manual().uncork();
    disabled().uncork();
    disabled().cork();
}

#[test]
fn crk_04_a_stuck_cork_is_flushed_at_each_collection() {
    let (builder, notes) = noting();
    let manager = builder.manual().build().unwrap();
    std::mem::forget(manager.corked());
    let guard = manager.corked();
    for _ in 0..2 {
        manager.collect().unwrap();
    }
    assert_eq!(notes.take(), ["cork", "flush", "flush"]);
    drop(guard);
    assert_eq!(notes.take(), [""; 0], "the stuck one still holds");
    manager.uncork();
    assert_eq!(notes.take(), ["uncork"]);
}
