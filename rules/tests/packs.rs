//! The packs that the binary carries: they are without a problem and every case of theirs ends as it says.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on stops")]

use causeway_rules::{Packs, Refused, Rules, Site, Snapshot, test};

fn embedded() -> Snapshot {
    match Snapshot::build(&Packs::embedded(), &Site::default()) {
        Ok(snapshot) => snapshot,
        Err(Refused(problems)) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"))
        }
    }
}

#[test]
fn the_embedded_packs_are_in_order() {
    let snapshot = embedded();
    assert_eq!(snapshot.id().len(), 64);
    for pack in snapshot.packs() {
        let report = test(pack);
        assert!(report.failures.is_empty(), "{:?}", report.failures);
        assert!(report.ran >= 3 * pack.rows().count());
        println!(
            "{}: {} rows, {} cases",
            pack.manifest().id,
            pack.rows().count(),
            report.ran
        );
    }
}

#[test]
fn the_same_files_make_the_same_snapshot() {
    let rules = Rules::load(Vec::new(), Site::default()).unwrap();
    let first = rules.current();
    let second = rules.reload().unwrap();
    assert_eq!(first.id(), second.id());
    assert_eq!(rules.current().id(), embedded().id());
}
