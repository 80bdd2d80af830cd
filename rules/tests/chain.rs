//! Packs as the chain runs them: over an exchange, and with a rule that breaks.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops"
)]

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::fhir::{Limits, parse};
use causeway_core::inbox::Budget;
use causeway_core::rule::Fail;
use causeway_core::store::{Decided, Ended, Entry, Health, Late, Open, Outcome, Parts, Pending, Record, Store};
use causeway_core::{Bundle, Class, Draft, Exchange, Fault, Finding, Frame, Head, Inbox, Meta, Rule, Severity};
use causeway_rules::{Ran, Rules, Site, run};
use jiff::Timestamp;

/// A log that keeps nothing: these tests need a receipt and no disk.
struct Nowhere;

impl Store for Nowhere {
    fn receive(&self, entry: Entry) {
        entry.settle.kept();
    }
    fn want(&self, _: u64) {}
    fn answered(&self, _: Outcome) {}
    fn decided(&self, _: u64, _: Vec<Decided>) -> tokio::sync::oneshot::Receiver<()> {
        tokio::sync::oneshot::channel().1
    }
    fn decided_earlier(&self, _: u64, _: u64) -> Result<Parts, Fault> {
        Ok(Parts::default())
    }
    fn late(&self, _: Late) {}
    fn claim(&self, _: usize) -> Result<Vec<Pending>, Fault> {
        Ok(Vec::new())
    }
    fn pending(&self, _: u64, _: usize) -> Result<Vec<Pending>, Fault> {
        Ok(Vec::new())
    }
    fn read_from(&self, _: u64, _: usize) -> Result<Vec<Record>, Fault> {
        Ok(Vec::new())
    }
    fn frame(&self, _: u64) -> Result<Option<Pending>, Fault> {
        Ok(None)
    }
    fn outcome(&self, _: u64) -> Result<Option<Ended>, Fault> {
        Ok(None)
    }
    fn came_late(&self, _: u64) -> Result<Vec<Late>, Fault> {
        Ok(Vec::new())
    }
    fn deliveries(&self) -> &dyn causeway_core::store::Deliveries {
        unreachable!("no rule delivers")
    }
    fn forget(&self, _: Timestamp) -> Result<u64, Fault> {
        Ok(0)
    }
    fn health(&self) -> Health {
        Health::default()
    }
    fn open_frames(&self) -> Result<Open, Fault> {
        Ok(Open::default())
    }
    fn next_number(&self) -> u64 {
        1
    }
    fn close(&self) {}
}

fn exchange(json: &str) -> Exchange {
    let inbox = Inbox::new(Arc::new(Nowhere), Budget::default());
    let frame = Frame {
        listener: "test".into(),
        peer: "test".into(),
        received: "2026-11-24T08:00:00Z".parse().unwrap(),
        head: Head::Mllp,
        body: Bytes::new(),
    };
    let receipt = inbox.receive(frame, inbox.try_admit(0).unwrap(), "".into());
    let bundle = Bundle {
        tree: parse(json.as_bytes(), Limits::default()).unwrap(),
        ..Bundle::default()
    };
    Exchange::new(
        receipt,
        0,
        Draft {
            bundle,
            ..Draft::default()
        },
    )
}

const POTASSIUM: &str = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation",
 "code":{"coding":[{"code":"K"}]},"valueQuantity":{"value":6.8,"unit":"mmol/L"}}}]}"#;

#[test]
fn a_pack_is_a_rule() {
    let rules = Rules::load(Vec::new(), Site::default()).unwrap();
    let snapshot = rules.current();
    let ran = snapshot.run(&exchange(POTASSIUM));
    assert_eq!(ran.findings[0].code, "critical-value-high");
    assert_eq!((ran.broken, ran.defects.len()), (None, 0));
    let pack: &dyn Rule = &snapshot.packs()[0];
    assert_eq!(
        (pack.meta().id.as_str(), pack.meta().fail),
        ("critical-values", Fail::Remark)
    );
}

struct Breaks(Meta);

impl Rule for Breaks {
    fn meta(&self) -> &Meta {
        &self.0
    }

    fn check(&self, _: &Exchange) -> Vec<Finding> {
        panic!("a patient's name")
    }
}

fn broken(fail: Fail) -> Ran {
    let rule = Breaks(Meta {
        id: "privacy".into(),
        version: "7".into(),
        fail,
    });
    run(&rule, &exchange(POTASSIUM))
}

#[test]
fn a_rule_that_breaks_is_never_silent() {
    for (fail, severity) in [
        (Fail::Remark, Severity::Warning),
        (Fail::Hold, Severity::Warning),
        (Fail::Refuse, Severity::Error),
    ] {
        let ran = broken(fail);
        assert_eq!(ran.broken, Some(fail));
        let finding = &ran.findings[0];
        assert_eq!((&*finding.code, finding.class), ("rule-broken", Class::Incomplete));
        assert_eq!(finding.severity, severity);
        assert_eq!(&*finding.by.id, "privacy");
        assert!(
            !finding.text.en.contains("patient's name"),
            "what a panic says is for the log"
        );
        assert!(ran.defects[0].contains("patient's name"));
    }
}

#[test]
fn the_strictest_wish_wins() {
    for (a, b, both) in [
        (Fail::Remark, Fail::Hold, Fail::Hold),
        (Fail::Refuse, Fail::Hold, Fail::Refuse),
        (Fail::Remark, Fail::Remark, Fail::Remark),
    ] {
        let mut ran = broken(a);
        ran.join(broken(b));
        assert_eq!(ran.broken, Some(both));
        assert_eq!(ran.findings.len(), 2);
        ran.join(Ran::default());
        assert_eq!(ran.broken, Some(both));
    }
}
