//! The chain in process: what rules and services say decides on an exchange, and nothing that breaks is silent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causeway_core::inbox::Budget;
use causeway_core::rule::Fail;
use causeway_core::{
    Actor, ActorKind, Answer, Class, Draft, Exchange, Fault, FaultKind, Finding, Frame, Head, Inbox, Meta, Rule,
    Severity, Text, Verdict,
};
use causeway_server::chain::{HookSet, Parts, RuleSource, chain, no_rules};
use causeway_tests::Advisor;
use tower::ServiceExt;

fn finding(code: &'static str, severity: Severity) -> Finding {
    Finding::new(
        code,
        severity,
        Class::Business,
        Actor::new(ActorKind::Rule, "test"),
        Text::new("", ""),
    )
}

struct Says(Meta, fn() -> Vec<Finding>);

impl Rule for Says {
    fn meta(&self) -> &Meta {
        &self.0
    }

    fn check(&self, _: &Exchange) -> Vec<Finding> {
        (self.1)()
    }
}

fn meta(fail: Fail) -> Meta {
    Meta {
        id: "test".to_owned(),
        version: "1".to_owned(),
        fail,
    }
}

fn rules(fail: Fail, says: fn() -> Vec<Finding>) -> RuleSource {
    let rule = Says(meta(fail), says);
    Arc::new(move |exchange| causeway_rules::run(&rule, exchange))
}

fn hooks(advisor: &Arc<Advisor>) -> HookSet {
    HookSet {
        hooks: advisor.alone().into(),
        ..HookSet::default()
    }
}

async fn run(rules: RuleSource, hooks: HookSet) -> Answer {
    let inbox = Inbox::new(Arc::new(causeway_store::MemoryLog::new()), Budget::default());
    let frame = Frame {
        listener: Arc::from("test"),
        peer: Arc::from("test"),
        received: jiff::Timestamp::UNIX_EPOCH,
        head: Head::Mllp,
        body: Bytes::from_static(b"MSH|"),
    };
    let permits = inbox.admit(4).await.unwrap();
    let receipt = inbox.receive(frame, permits, Arc::from("snapshot"));
    let parts = Parts {
        rules,
        rules_after: no_rules(),
        hooks,
        profile: false,
        sequencer: Arc::default(),
        post: None,
    };
    let Ok(answer) = chain(parts).oneshot(Exchange::new(receipt, 0, Draft::default())).await;
    answer
}

fn codes(answer: &Answer) -> Vec<&str> {
    answer.findings.iter().map(|finding| finding.code.as_ref()).collect()
}

#[tokio::test]
async fn the_gravest_finding_decides() {
    let none = run(no_rules(), HookSet::default()).await;
    assert_eq!(none.verdict, Verdict::Accepted);
    let news = run(
        rules(Fail::Remark, || vec![finding("critical", Severity::Warning)]),
        HookSet::default(),
    )
    .await;
    assert_eq!((news.verdict, codes(&news)), (Verdict::Remarked, vec!["critical"]));
    let error = run(
        rules(Fail::Remark, || vec![finding("bad", Severity::Error)]),
        HookSet::default(),
    )
    .await;
    assert_eq!(error.verdict, Verdict::Refused);
}

#[tokio::test]
async fn a_broken_rule_is_never_silent() {
    for (fail, verdict) in [
        (Fail::Remark, Verdict::Remarked),
        (Fail::Hold, Verdict::Held),
        (Fail::Refuse, Verdict::Failed { retry: true }),
    ] {
        let answer = run(rules(fail, || panic!("broken")), HookSet::default()).await;
        assert_eq!((answer.verdict, codes(&answer)), (verdict, vec!["rule-broken"]));
    }
}

#[tokio::test]
async fn advice_is_added_after_the_rules() {
    let advisor = Advisor::new(|| async { Ok(vec![finding("advice", Severity::Warning)]) });
    let rules = rules(Fail::Remark, || vec![finding("rule", Severity::Warning)]);
    let answer = run(rules, hooks(&advisor)).await;
    assert_eq!((codes(&answer), advisor.calls()), (vec!["rule", "advice"], 1));
}

#[tokio::test]
async fn what_is_refused_already_is_shown_to_no_service() {
    let advisor = Advisor::silent();
    let rules = rules(Fail::Remark, || vec![finding("bad", Severity::Error)]);
    let answer = run(rules, hooks(&advisor)).await;
    assert_eq!((answer.verdict, advisor.calls()), (Verdict::Refused, 0));
}

#[tokio::test]
async fn nothing_found_and_not_evaluated_differ() {
    let silent = run(no_rules(), hooks(&Advisor::silent())).await;
    assert_eq!(silent.verdict, Verdict::Accepted);
    let down = Advisor::new(|| async { Err(Fault::new(FaultKind::Upstream, "down")) });
    let answer = run(no_rules(), hooks(&down)).await;
    assert_eq!(
        (answer.verdict, codes(&answer)),
        (Verdict::Remarked, vec!["not-evaluated"])
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_costs_the_budget_and_no_more() {
    let hangs = Advisor::new(std::future::pending);
    let begun = tokio::time::Instant::now();
    let answer = run(no_rules(), hooks(&hangs)).await;
    assert_eq!(codes(&answer), ["not-evaluated"]);
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_millis(300) && took < Duration::from_millis(310),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_service_that_panics_is_not_evaluated() {
    let panics = Advisor::new(|| async { panic!("lying") });
    assert_eq!(codes(&run(no_rules(), hooks(&panics)).await), ["not-evaluated"]);
}
