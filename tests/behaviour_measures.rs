//! Sections 2 and 11 of docs/behaviour.md: names and types of measures.

mod common;

use common::managers::{disabled, gauge, manual, scraped, total};
use manometer::{
    DeclareError, Manager, Measure, MeasureType,
    model::{Setting, Settings},
};

fn help(manager: &Manager, raw: &str) -> String {
    manager.registry().expect("enabled").metadata(raw).unwrap_or_else(|| panic!("no family {raw}")).help().to_owned()
}

fn thresholds(manager: &Manager, raw: &str) -> Vec<f64> {
    manager.registry().expect("enabled").metadata(raw).expect("declared").thresholds().to_vec()
}

#[test]
fn nam_11_measures_have_the_namespace_and_metrics_have_nothing() {
    let manager = Manager::builder().provider("internal").manual().namespace("shop").build().unwrap();
    manager.counter("plain").single().unwrap();
    manager.measure("orders").rate().declare().unwrap();
    let scope = manager.scope("cart").open().unwrap();
    scope.gauge("items").single().unwrap();
    scope.measure("value").amount().declare().unwrap();
    let page = scraped(&manager);
    for line in ["plain_total 0", "shop_orders_total 0", "shop_mod_cart__items 0", "shop_mod_cart__value 0"] {
        assert!(page.lines().any(|own| own == line), "no {line} in\n{page}");
    }
    assert!(manager.registry().unwrap().metadata("shop_mod_cart/items").is_some(), "the raw name has the slash");
    manual().measure("x").rate().declare().unwrap();
    let bad_module = manager.scope("a\nb").open().unwrap_err();
    assert_eq!(bad_module, DeclareError::InvalidName { name: "a\nb".into(), at: 1 });
    assert_eq!(manager.scope("").open().unwrap_err(), DeclareError::EmptyName);
    // Behind a prefix, too, a name has to be one.
    assert_eq!(manager.measure("").amount().declare().unwrap_err(), DeclareError::EmptyName);
    assert_eq!(manager.measure("_total").counter().declare().unwrap_err(), DeclareError::EmptyName);
    assert_eq!(scope.gauge("").declare().unwrap_err(), DeclareError::EmptyName);
}

#[test]
fn mea_01_an_amount_is_a_gauge_that_each_declaration_sets() {
    let manager = manual();
    let amount = manager.measure("a").amount().initial(3.0).unit("bytes").declare().unwrap();
    assert_eq!(gauge(&manager, "prosody_a_bytes"), 3.0);
    amount.set(9.0);
    manager.measure("a").amount().initial(3.0).unit("bytes").declare().unwrap();
    assert_eq!(gauge(&manager, "prosody_a_bytes"), 3.0, "a repeated declaration sets it again");
    manager.measure("b").amount().declare().unwrap().set(-2.5);
    assert_eq!(gauge(&manager, "prosody_b"), -2.5);
    manager.measure("b").configured(MeasureType::Amount, 7).unwrap();
    assert_eq!(gauge(&manager, "prosody_b"), 7.0, "a bare number is the initial value");
    let options = Settings::new().with("initial", 1.5).with("unit", "bytes").with("description", "What");
    manager.measure("c").configured("amount".parse().unwrap(), options).unwrap();
    assert_eq!((gauge(&manager, "prosody_c_bytes"), help(&manager, "prosody_c_bytes").as_str()), (1.5, "What"));
}

#[test]
fn mea_02_s_12_repeating_a_counter_leaves_total_and_creation_alone() {
    let manager = manual();
    let counter = manager.measure("n").counter().unit("bytes").declare().unwrap();
    counter.add(5);
    let created = counter.instrument().created();
    common::next_millisecond();
    let again = manager.measure("n").configured(MeasureType::Counter, Settings::new().with("unit", "bytes")).unwrap();
    let Measure::Counter(again) = again else { panic!("a counter was asked for") };
    assert_eq!((again.instrument().value(), again.instrument().created()), (5, created));
    manager.measure("bare").configured(MeasureType::Counter, 17).unwrap();
    assert_eq!(total(&manager, "prosody_bare", []), Some(0), "a bare number means nothing here");
}

#[test]
fn mea_03_a_rate_counts_by_one() {
    let manager = manual();
    let rate = manager.measure("r").rate().declare().unwrap();
    rate.inc();
    rate.inc();
    assert_eq!(total(&manager, "prosody_r", []), Some(2));
    manager.measure("r").configured(MeasureType::Rate, 4.5).unwrap();
    assert_eq!(total(&manager, "prosody_r", []), Some(2));
}

#[test]
fn mea_04_times_are_a_histogram_of_seconds() {
    let manager = manual();
    let times = manager.measure("t").times().declare().unwrap();
    let took = times.start().stop();
    let point = times.instrument().point();
    assert_eq!((point.count(), point.sum), (1, took.as_secs_f64()));
    assert_eq!(thresholds(&manager, "prosody_t_seconds"), [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]);
    manager.measure("u").times().buckets([1.0, 2.0]).declare().unwrap();
    assert_eq!(thresholds(&manager, "prosody_u_seconds"), [1.0, 2.0]);
    manager.measure("v").configured(MeasureType::Times, Settings::new().with("buckets", [0.5, 2.0])).unwrap();
    assert_eq!(thresholds(&manager, "prosody_v_seconds"), [0.5, 2.0]);
    assert!(matches!(
        manager.measure("w").times().buckets([2.0, 1.0]).declare(),
        Err(DeclareError::InvalidBuckets { .. })
    ));
}

#[test]
fn mea_05_sizes_are_a_histogram_of_bytes() {
    let manager = manual();
    let sizes = manager.measure("s").sizes().declare().unwrap();
    sizes.observe(1024.0);
    sizes.observe(5e9);
    let expected = [1024.0, 4096.0, 32768.0, 131072.0, 1048576.0, 4194304.0, 33554432.0, 134217728.0, 1073741824.0];
    assert_eq!(thresholds(&manager, "prosody_s_bytes"), expected);
    assert_eq!(sizes.instrument().point().cumulative, [1, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
}

#[test]
fn mea_06_a_distribution_is_a_summary() {
    let manager = manual();
    let distribution = manager.measure("d").distribution().unit("stanzas").declare().unwrap();
    distribution.observe(4.0);
    distribution.observe(-1.0);
    assert_eq!((distribution.instrument().count(), distribution.instrument().sum()), (1, 4.0), "negative is refused");
    manager.measure("e").configured(MeasureType::Distribution, "stanzas").unwrap();
    assert!(manager.registry().unwrap().metadata("prosody_e_stanzas").is_some(), "a bare text is the unit");
}

#[test]
fn mea_07_the_description_is_name_and_kind_unless_given() {
    let manager = manual();
    let scope = manager.scope("bosh").open().unwrap();
    scope.measure("new_sid").rate().declare().unwrap();
    assert_eq!(help(&manager, "prosody_mod_bosh/new_sid"), "mod_bosh/new_sid counter");
    let cases = [
        ("amount", "prosody_amount", "amount"),
        ("counter", "prosody_counter", "counter"),
        ("rate", "prosody_rate", "counter"),
        ("times", "prosody_times_seconds", "times"),
        ("sizes", "prosody_sizes_bytes", "sizes"),
        ("distribution", "prosody_distribution", "distribution"),
    ];
    for (kind, raw, described) in cases {
        let measure = manager.measure(kind).configured(kind.parse().unwrap(), Settings::new()).unwrap();
        assert_eq!(measure.measure_type().as_str(), kind);
        assert_eq!(help(&manager, raw), format!("{kind} {described}"));
    }
    manager.measure("own").times().help("Mine").declare().unwrap();
    assert_eq!(help(&manager, "prosody_own_seconds"), "Mine");
}

#[test]
fn mea_08_what_a_type_does_not_take_is_refused_by_name() {
    // A disabled manager refuses the same.
    for manager in [manual(), disabled()] {
        let declare = |kind: &str, options: Setting| manager.measure("m").configured(kind.parse()?, options).map(drop);
        let unknown = DeclareError::UnknownType { given: "gauge".into() };
        assert_eq!(declare("gauge", Settings::new().into()), Err(unknown));
        for kind in ["amount", "counter", "rate", "distribution"] {
            let refused = declare(kind, Settings::new().with("units", "bytes").into()).unwrap_err();
            assert!(matches!(&refused, DeclareError::UnknownOption { hint: Some("unit"), .. }), "{refused:?}");
            assert!(refused.to_string().ends_with("; \"unit\" may be meant"), "{refused}");
        }
        let refused = declare("times", Settings::new().with("unit", "hours").into()).unwrap_err();
        let expected = "measure \"prosody_m\" of type times takes no \"unit\", but buckets, description";
        assert_eq!(refused.to_string(), expected);
        let bare = [
            ("times", Setting::from(5), "5"),
            ("sizes", Setting::from(5), "5"),
            ("distribution", Setting::from(0.5), "0.5"),
            ("amount", Setting::from("bytes"), "\"bytes\""),
            ("rate", Setting::from("bytes"), "\"bytes\""),
            ("amount", Setting::from(true), "true"),
        ];
        for (kind, setting, shown) in bare {
            match declare(kind, setting).unwrap_err() {
                DeclareError::UnknownOption { option, .. } => assert_eq!(option, shown, "bare value for {kind}"),
                other => panic!("{other:?}"),
            }
        }
        let options = [
            (
                "amount",
                Settings::new().with("initial", "3"),
                "option initial of measure \"prosody_m\" is \"3\", which is not a number",
            ),
            ("amount", Settings::new().with("unit", 3), "option unit of measure \"prosody_m\" is 3, which is not text"),
            (
                "times",
                Settings::new().with("buckets", ["a"]),
                "option buckets of measure \"prosody_m\" is [\"a\"], which is not a list of numbers",
            ),
        ];
        for (kind, options, text) in options {
            assert_eq!(declare(kind, options.into()).unwrap_err().to_string(), text);
        }
        assert_eq!(
            declare("amount", Settings::new().with("unit", "m/s").into()),
            Err(DeclareError::InvalidUnit { unit: "m/s".into(), rule: manometer::model::UnitRule::Characters })
        );
        if let Some(registry) = manager.registry() {
            assert!(registry.metadata("prosody_m").is_none(), "nothing was declared");
        }
    }
}
