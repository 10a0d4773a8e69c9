//! A process that holds all the words of metrics it can: nothing panics, nothing half-made is left, and room comes back.

mod common;

use common::{page, registry, samples};
use manometer::{DeclareError, Histogram, NativeOptions, Registry, ValueError, encode::Format};

/// Takes every word that is left, in pieces from the largest down.
fn fill(filler: &Registry) {
    let bounds = (0..251).map(f64::from);
    let large = filler.histogram("large").buckets(bounds).labels(["k"]).max_series(usize::MAX).declare();
    let large = large.expect("the first of the process");
    for key in 0.. {
        large.with_labels((key,)).expect("one value for one key");
        if large.overflowed() > 0 {
            break;
        }
    }
    assert!(large.series_count() > 60_000, "only {} series", large.series_count());
    for piece in 0.. {
        match filler.counter(&format!("piece{piece}")).declare() {
            Ok(_) => {}
            Err(error) => return assert_eq!(error, DeclareError::Full { family: format!("piece{piece}") }),
        }
    }
}

#[test]
fn gen_01_a_full_process_refuses_and_goes_on() {
    let registry = registry();
    let counter = registry.counter("counter").declare().unwrap();
    let labelled = registry.counter("labelled").labels(["k"]).declare().unwrap();
    let histogram = registry.histogram("histogram").buckets([1.0, 2.0]).declare().unwrap();
    let held: (_, Histogram) = (counter.with_labels(()).unwrap(), histogram.with_labels(()).unwrap());
    labelled.inc(("first",)).unwrap();
    let native = registry.histogram("native").native(NativeOptions::new()).single().unwrap();
    native.observe(1.0);

    let filler = Registry::new();
    fill(&filler);
    let full = |family: &str| DeclareError::Full { family: family.into() };
    assert_eq!(registry.counter("late").single().unwrap_err(), full("late"));
    assert_eq!(registry.summary("late").labels(["k"]).declare().unwrap_err(), full("late"));
    assert_eq!(registry.up_down_gauge("labelled").replace().unwrap_err(), full("labelled"));
    assert!(registry.metadata("late").is_none() && labelled.is_live());

    // A native histogram counts on where it has counted; a value of a range that it never met is refused and counted.
    for exponent in -100..100 {
        native.observe(f64::from(exponent).exp2());
    }
    let refused = registry.health().rejected_no_room;
    assert!(refused > 100 && refused + native.count() == 201, "{refused} refused, {} counted", native.count());
    assert_eq!(native.try_observe(1.0), Ok(()));
    assert_eq!(native.try_observe(1e300), Err(ValueError::NoRoom));
    assert_eq!((registry.health().rejected_no_room, native.count()), (refused, 202 - refused));

    // New series end in the overflow series once the family's own room is used up; nothing is lost.
    for key in 0..1000 {
        labelled.inc((key,)).unwrap();
    }
    assert_eq!(labelled.sum(), 1001);
    assert!(labelled.overflowed() > 900 && labelled.overflowed() == registry.health().series_overflow);

    // A single series that is removed while it is held has no room to come back to: what follows goes unseen.
    held.0.inc();
    held.1.observe(1.5);
    counter.remove(()).unwrap().unwrap();
    histogram.remove(()).unwrap().unwrap();
    for _ in 0..10 {
        counter.inc(()).unwrap();
        histogram.observe((), 1.5).unwrap();
        histogram.with_labels(()).unwrap().observe_many(0.5, 3);
        let lost = histogram.with_labels(()).unwrap();
        assert!(!lost.is_live() && lost.point().cumulative == [0, 0, 0] && lost.reset().sum == 0.0);
    }
    assert_eq!((held.0.value(), held.1.count()), (1, 1), "what is held stays as it was");
    assert_eq!(
        samples(&registry).iter().filter(|line| line.starts_with("labelled")).count(),
        labelled.metrics().count()
    );
    assert!(page(&registry, Format::OpenMetrics).ends_with("# EOF\n"));

    drop(filler);
    assert_eq!(native.try_observe(1e300), Ok(()), "room came back");
    registry.counter("late").single().unwrap().inc();
    assert!(samples(&registry).contains(&"late_total 1".to_owned()));
    drop(held);
    let counter = counter.with_labels(()).unwrap();
    counter.inc();
    assert!(counter.is_live() && samples(&registry).contains(&format!("counter_total {}", counter.value())));
}
