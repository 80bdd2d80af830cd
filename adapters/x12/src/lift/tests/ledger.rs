//! Ledger and lineage: every populated leaf stands once, and each value says where it came from.

use std::collections::BTreeSet;

use causeway_core::ledger::LeafState;

use super::text::CLAIMS;
use super::{HASH, LIFT, walk};
use crate::lift::Ledger;

fn traced() -> (
    Vec<causeway_core::ledger::LedgerRecord>,
    Vec<causeway_core::ledger::LineageRecord>,
) {
    let lift = &*LIFT;
    let mut ledger = Ledger::default();
    let mut lineage = Vec::new();
    for part in walk::parts(CLAIMS) {
        let trace = lift.trace(part, &HASH).unwrap();
        ledger.add(trace.ledger);
        lineage.extend(trace.lineage);
    }
    (ledger.into_records(), lineage)
}

/// Counted by cutting the text at its delimiters, without the reader under test.
#[test]
fn every_populated_leaf_stands_in_the_ledger_once() {
    let (ledger, _) = traced();
    let segments = CLAIMS
        .split('~')
        .filter(|segment| !segment.is_empty() && !segment.starts_with("SE"));
    let elements = segments.flat_map(|segment| segment.split('*').skip(1));
    let leaves = elements
        .flat_map(|element| element.split(':'))
        .filter(|leaf| !leaf.is_empty())
        .count();
    let places: BTreeSet<&str> = ledger.iter().map(|record| record.place.as_str()).collect();
    assert_eq!((ledger.len(), places.len()), (leaves, leaves));
    let reported: Vec<&str> = ledger
        .iter()
        .filter(|record| record.state == LeafState::Reported)
        .map(|record| record.place.as_str())
        .collect();
    assert_eq!(reported, [""; 0]);
    let mut ignored = ledger.iter().filter(|record| record.state == LeafState::Ignored);
    let said = |reason: &String| reason.contains('(') || reason.starts_with("superseded by ");
    assert!(ignored.all(|record| record.reason.as_ref().is_some_and(said)));
}

#[test]
fn places_are_full_and_lead_back() {
    let (ledger, lineage) = traced();
    let to = |place: &str| {
        ledger
            .iter()
            .find(|record| record.place == place)
            .map(|record| record.to.clone())
    };
    let total = to("ISA[1]/ST[1]/2300[2]/CLM[1]-02.1").unwrap();
    assert!(total.iter().any(|path| path.ends_with(".total.value")), "{total:?}");
    let pointer = to("ISA[1]/ST[1]/2400[1]/SV1[1]-07.2").unwrap();
    assert!(
        pointer
            .iter()
            .any(|path| path.ends_with(".item[0].diagnosisSequence[1]")),
        "{pointer:?}"
    );
    let taken = lineage
        .iter()
        .find(|record| record.path.ends_with(".item[1].servicedPeriod.end"))
        .unwrap();
    assert_eq!(taken.from, ["ISA[1]/ST[1]/2400[2]/DTP[1]-03"]);
    assert!(taken.map.as_ref().unwrap().starts_with("2400.Claim.item.csv:"));
}
