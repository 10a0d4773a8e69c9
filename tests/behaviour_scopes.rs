//! Section 12 of docs/behaviour.md: scopes, their preset label, their listing and their end.

mod common;

use common::{
    listed,
    managers::{Trouble, disabled, manual, noting, scraped, total},
    rows, value,
};
use manometer::{Counter, DeclareError, Gauge, Manager, Scope, model::MetricSet};

fn scope(manager: &Manager, host: &str) -> Scope {
    manager.scope("c2s").preset("host", host).open().expect("no trouble in a test")
}

fn raws(set: &MetricSet) -> Vec<&str> {
    set.families.iter().map(|family| family.metadata().name().raw()).collect()
}

#[test]
fn sco_01_the_preset_key_goes_before_the_declared_ones() {
    let manager = manual();
    let a = scope(&manager, "a.example");
    a.gauge("connections").labels(["type", "ip"]).declare().unwrap().set(("c2s", "ipv6"), 2.0).unwrap();
    a.measure("logins").rate().declare().unwrap().inc();
    let global = manager.scope("http").open().unwrap();
    global.counter("requests").labels(["status"]).declare().unwrap().inc((200,)).unwrap();
    let page = scraped(&manager);
    for line in [
        r#"prosody_mod_c2s__connections{host="a.example",type="c2s",ip="ipv6"} 2"#,
        r#"prosody_mod_c2s__logins_total{host="a.example"} 1"#,
        r#"prosody_mod_http__requests_total{status="200"} 1"#,
    ] {
        assert!(page.lines().any(|own| own == line), "no {line} in\n{page}");
    }
    let twice = a.gauge("g").labels(["type", "host"]).declare().unwrap_err();
    let expected = DeclareError::DuplicateLabel { family: "prosody_mod_c2s/g".into(), label: "host".into() };
    assert_eq!(twice, expected);
    let bad_key = manager.scope("c2s").preset("_host", "x").open().unwrap_err();
    assert!(matches!(bad_key, DeclareError::InvalidLabel { label, .. } if label == "_host"));
}

#[test]
fn sco_02_s_22_no_label_keys_beside_the_preset() {
    let manager = manual();
    let a = scope(&manager, "a");
    let view = a.gauge("up").declare().unwrap();
    view.set((), 1.0).unwrap();
    assert_eq!(a.gauge("up").single().unwrap().value(), 1.0);
    scope(&manager, "b").gauge("up").single().unwrap().set(5.0);
    assert_eq!(manager.registry().unwrap().get::<Gauge>("prosody_mod_c2s/up").unwrap().sum(), 6.0);
    let labelled = a.gauge("l").labels(["k"]).single().unwrap_err();
    assert_eq!(labelled, DeclareError::Labelled { family: "prosody_mod_c2s/l".into(), keys: 1 });
}

#[test]
fn sco_03_s_01_s_23_a_scope_gets_a_view_and_touches_nobody_else() {
    let manager = manual();
    let declare = |host| scope(&manager, host).gauge("g").labels(["kind", "state"]).declare().unwrap();
    let (a, b) = (declare("a"), declare("b"));
    b.set(("k", "up"), 7.0).unwrap();
    // A gauge that is counted afresh at each collection does not grow.
    for _ in 0..10 {
        a.clear();
        for _ in 0..3 {
            a.with_partial_label("k").unwrap().add(("up",), 1.0).unwrap();
        }
    }
    assert_eq!(a.sum(), 3.0);
    a.accumulate(|tally| tally.add(("k", "down"), 4.0)).unwrap();
    let of_a: Vec<_> =
        a.metrics().map(|(labels, gauge)| (labels.get("state").unwrap().to_owned(), gauge.value())).collect();
    assert_eq!(of_a, [("down".to_owned(), 4.0), ("up".to_owned(), 0.0)]);
    let chained = a.with_partial_label("k").unwrap().with_partial_label("up").unwrap();
    assert!(chained.with_labels(("more",)).is_err(), "one value too many");
    assert_eq!(a.remove(("k", "up")).unwrap().map(|point| value(&point)), Some(0.0));
    assert_eq!(rows(&a.remove_all()), [["a", "k", "down"]]);
    assert_eq!(b.sum(), 7.0, "the other scope's series were never touched");
}

#[test]
fn sco_04_a_preset_and_a_global_scope_cannot_share_a_name() {
    let manager = manual();
    let global = manager.scope("c2s").open().unwrap();
    let first = global.counter("n").single().unwrap();
    let refused = scope(&manager, "a").counter("n").declare().unwrap_err();
    let expected = DeclareError::Conflict {
        name: "prosody_mod_c2s/n".into(),
        field: "labels",
        standing: String::new(),
        given: "host".into(),
    };
    assert_eq!(refused, expected);
    first.inc();
    assert!(first.is_live() && first.value() == 1);
}

#[test]
fn sco_03_sco_04_no_global_scope_owns_what_a_preset_one_uses() {
    let manager = manual();
    let preset = scope(&manager, "a");
    preset.counter("n").single().unwrap().add(3);
    // The keys are the same, and yet each would take the other's series with it.
    let global = manager.scope("c2s").open().unwrap();
    let refused = global.counter("n").labels(["host"]).declare().unwrap_err();
    let [with, without] = ["host", ""].map(str::to_owned);
    let name = "prosody_mod_c2s/n".to_owned();
    let conflict = |standing, given| DeclareError::Conflict { name: name.clone(), field: "preset", standing, given };
    assert_eq!(refused, conflict(with.clone(), without.clone()));
    assert!(global.close().families.is_empty());
    assert_eq!(value(&preset.close().families[0].metrics().next().unwrap().point()), 3.0);
    // Now nobody has it.
    let global = manager.scope("c2s").open().unwrap();
    let view = global.counter("n").labels(["host"]).declare().unwrap();
    assert_eq!(scope(&manager, "a").counter("n").single().unwrap_err(), conflict(without, with));
    assert!(listed(&manager.registry().unwrap().get::<Counter>(&name).unwrap()).is_empty(), "no series was made");
    view.inc(("a",)).unwrap();
    assert_eq!(rows(&global.close().families[0]), [["a"]]);
}

#[test]
fn sco_05_what_was_declared_is_listed_in_order() {
    let manager = manual();
    let scope = scope(&manager, "a");
    scope.gauge("connections").help("Open client connections").declare().unwrap();
    scope.measure("active_sessions").amount().declare().unwrap();
    scope.measure("m").amount().unit("bytes").declare().unwrap();
    scope.measure("new").rate().declare().unwrap();
    scope.measure("wait").times().declare().unwrap();
    scope.counter("bare").unit("bytes").declare().unwrap();
    scope.gauge("connections").help("Open client connections").declare().unwrap();
    assert!(scope.gauge("").declare().is_err());
    // Another unit is another family.
    scope.gauge("bare").unit("seconds").declare().unwrap();
    let expected = [
        "connections (gauge): Open client connections",
        "active_sessions (amount)",
        "m (bytes amount)",
        "new (rate)",
        "wait (times)",
        "bare (bytes counter)",
        "bare (seconds gauge)",
    ];
    assert_eq!(scope.declarations(), expected);
}

#[test]
fn sco_06_s_28_closing_removes_what_nobody_else_uses() {
    let (builder, notes) = noting();
    let manager = builder.manual().build().unwrap();
    let registry = manager.registry().unwrap();
    let (a, b) = (scope(&manager, "a"), scope(&manager, "b"));
    let shared_a = a.counter("shared").single().unwrap();
    let shared_b = b.counter("shared").single().unwrap();
    let own = a.counter("own").labels(["k"]).declare().unwrap();
    shared_a.add(3);
    shared_b.add(5);
    own.add(("x",), 2).unwrap();
    notes.take();

    let left = a.close();
    assert_eq!(notes.take(), ["flush"], "pushed before it was removed");
    assert_eq!(raws(&left), ["prosody_mod_c2s/own", "prosody_mod_c2s/shared"]);
    assert_eq!(value(&left.families[0].metrics().next().unwrap().point()), 2.0);
    assert_eq!(value(&left.families[1].metrics().next().unwrap().point()), 3.0);
    assert!(registry.metadata("prosody_mod_c2s/own").is_none(), "no other scope uses it");
    assert_eq!(listed(&registry.get::<Counter>("prosody_mod_c2s/shared").unwrap()), [["b"]]);
    assert!(!shared_a.is_live() && shared_b.is_live() && !own.is_live());

    let refused = a.counter("again").declare().unwrap_err();
    assert_eq!(refused, DeclareError::Closed { scope: "prosody_mod_c2s/".into(), name: "again".into() });
    assert!(matches!(a.measure("again").rate().declare(), Err(DeclareError::Closed { .. })));
    assert!(a.close().families.is_empty() && a.declarations().is_empty(), "closed once");
    assert_eq!(value(&b.close().families[0].metrics().next().unwrap().point()), 5.0);
    assert!(registry.metadata("prosody_mod_c2s/shared").is_none());

    // A global scope: the whole family.
    let global = manager.scope("http").open().unwrap();
    global.counter("n").single().unwrap().add(9);
    assert_eq!(value(&global.close().families[0].metrics().next().unwrap().point()), 9.0);
    assert!(registry.metadata("prosody_mod_http/n").is_none());
    assert!(
        manager.scope("http").open().unwrap().counter("n").single().unwrap().value() == 0,
        "a new scope begins anew"
    );
}

#[test]
fn sco_06_a_reload_goes_on_counting() {
    let manager = manual();
    let registry = manager.registry().unwrap();
    for _ in 0..3 {
        let scope = scope(&manager, "a");
        scope.counter("n").single().unwrap().inc();
    }
    assert_eq!(registry.get::<Counter>("prosody_mod_c2s/n").unwrap().sum(), 3, "dropping keeps everything");
    // What dropped scopes keep, another one does not remove.
    scope(&manager, "b").counter("n").single().unwrap().inc();
    let b = scope(&manager, "b");
    b.counter("n").single().unwrap();
    b.close();
    assert_eq!(listed(&registry.get::<Counter>("prosody_mod_c2s/n").unwrap()), [["a"]]);
    // A reload whose new scope is there before the old one is closed.
    let (old, new) = (scope(&manager, "a"), scope(&manager, "a"));
    let counter = new.counter("n").single().unwrap();
    assert!(old.close().families.is_empty(), "the new one keeps the series");
    counter.inc();
    assert!(counter.is_live() && counter.value() == 4);
    assert_eq!(value(&new.close().families[0].metrics().next().unwrap().point()), 4.0);
    assert!(registry.metadata("prosody_mod_c2s/n").is_none(), "the last one of all");
}

#[test]
fn sco_06_what_others_put_in_a_family_of_the_scope_keeps_it() {
    let manager = manual();
    let a = scope(&manager, "a");
    a.counter("n").single().unwrap().inc();
    let family = manager.counter("prosody_mod_c2s/n").labels(["host"]).declare().unwrap();
    family.inc(("elsewhere",)).unwrap();
    a.close();
    assert!(family.is_live());
    assert_eq!(listed(&family), [["elsewhere"]]);
}

#[test]
fn sco_06_a_family_declared_while_scopes_close_is_never_orphaned() {
    let manager = manual();
    let rounds = 300;
    common::together(4, |thread| {
        for _ in 0..rounds {
            let scope = scope(&manager, &thread.to_string());
            let counter = scope.counter("n").single().unwrap();
            counter.inc();
            assert!(counter.is_live(), "removed under an open scope");
            assert_eq!(value(&scope.close().families[0].metrics().next().unwrap().point()), 1.0);
        }
    });
    assert!(manager.registry().unwrap().metadata("prosody_mod_c2s/n").is_none());
}

#[test]
fn sco_06_no_series_is_made_behind_a_close() {
    let manager = manual();
    let b = scope(&manager, "b");
    b.counter("n").single().unwrap(); // keeps the family
    b.measure("m").amount().declare().unwrap();
    for _ in 0..2_000 {
        let a = scope(&manager, "a");
        common::together(2, |thread| match thread {
            0 => {
                // Refused if it comes second.
                let _ = (a.counter("n").single(), a.measure("m").amount().declare());
            }
            _ => drop(a.close()),
        });
        for raw in ["prosody_mod_c2s/n", "prosody_mod_c2s/m"] {
            let set = manometer::collect(manager.registry().unwrap());
            assert_eq!(rows(common::family(&set, raw)), [["b"]], "{raw} has a series of a closed scope");
        }
    }
}

#[test]
fn sco_06_pro_04_the_last_push_of_a_scope_fails_like_any_other() {
    let (builder, notes) = noting();
    let manager = builder.manual().build().unwrap();
    let [a, b, late] = ["a", "b", "late"].map(|host| scope(&manager, host));
    let errors = || total(&manager, "prosody_stats.collector_errors", [":provider"]);
    *notes.trouble.lock().unwrap() = Trouble::Panics;
    a.close();
    assert_eq!(errors(), Some(1), "a panic is counted");
    *notes.trouble.lock().unwrap() = Trouble::Errors;
    b.close();
    assert_eq!(errors(), Some(2), "an error too");
    manager.stop();
    assert_eq!(notes.take(), ["flush", "flush", "flush", "shutdown"]);
    late.close();
    assert_eq!(notes.take(), [""; 0], "it was shut down");
}

#[test]
fn mgr_12_a_disabled_scope_checks_all_the_same() {
    let manager = disabled();
    let scope = scope(&manager, "a");
    scope.counter("n").single().unwrap().inc();
    assert!(matches!(scope.gauge("n").declare(), Err(DeclareError::Conflict { field: "type", .. })));
    let view = scope.gauge("g").labels(["k"]).declare().unwrap();
    assert!(view.set(("a", "b"), 1.0).is_err() && view.set(("a",), 1.0).is_ok());
    let left = scope.close();
    assert!(left.families.iter().all(|family| family.is_empty()), "there was nothing to hand back");
    assert!(matches!(scope.counter("x").declare(), Err(DeclareError::Closed { .. })));
}
