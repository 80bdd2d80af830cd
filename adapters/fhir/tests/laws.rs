//! What holds for any request: no bytes break the adapter, a refusal is always an OperationOutcome with a status, running a
//! request again gives the same, and what was sent is what is drafted, to the digit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use bytes::Bytes;
use causeway_core::fhir::compact;
use causeway_core::finding::Lang;
use causeway_core::{Adapter, Class, Draft, Head, HttpHead, MemorySource, NodeId, Reply, ReplyHead, Stamp};
use causeway_fhir::{Fhir, problem};
use proptest::prelude::*;
use serde_json::Value;

const BUNDLE: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
    {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","gender":"male"},"request":{"method":"POST","url":"Patient"}},
    {"resource":{"resourceType":"Observation","id":"k","subject":{"reference":"urn:uuid:1"},"valueQuantity":{"value":7.10}},
     "request":{"method":"PUT","url":"Observation/k"}},
    {"request":{"method":"DELETE","url":"Patient/old"}}]}"#;

fn head(method: &str, path: &str) -> Head {
    Head::Http(Box::new(HttpHead {
        method: method.into(),
        path: path.into(),
        base: "http://localhost/fhir".into(),
        request: "r1".into(),
        ..HttpHead::default()
    }))
}

fn stamp() -> Stamp {
    Stamp {
        time: "2026-11-24T00:15:12Z".parse().unwrap(),
        control_id: "1".into(),
    }
}

/// The drafts of a request, or its refusal.
fn run(head: &Head, body: &[u8]) -> Result<Vec<Draft>, Reply> {
    let adapter = Fhir::new(Lang::En);
    let mut source = MemorySource(Bytes::copy_from_slice(body));
    let parsed = adapter.parse(head, &mut source);
    let Some(mut message) = parsed.value else {
        return Err(adapter.refuse(head, body, &parsed.findings, &stamp()));
    };
    let next = || adapter.next(&mut message, &mut source, &[7; 32]);
    let drafts: Vec<Draft> = std::iter::from_fn(next).collect();
    assert!(drafts.len() <= body.len().max(1), "more parts than bytes");
    Ok(drafts)
}

fn status(reply: &Reply) -> u16 {
    let outcome: Value = serde_json::from_slice(&reply.bytes).unwrap();
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    assert!(
        !reply.positive && outcome["issue"][0]["diagnostics"].is_string(),
        "{outcome}"
    );
    match reply.head {
        ReplyHead::Http { status, .. } => status,
        ReplyHead::None | ReplyHead::Dimse { .. } => panic!("no status"),
    }
}

fn holds(head: &Head, body: &[u8]) {
    match run(head, body) {
        Err(refusal) => assert!((400..600).contains(&status(&refusal))),
        Ok(drafts) => {
            let again = run(head, body).expect("read before");
            let text = |draft: &Draft| compact(&draft.bundle.tree, NodeId::ROOT);
            assert_eq!(
                drafts.iter().map(text).collect::<Vec<_>>(),
                again.iter().map(text).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn a_transaction_is_drafted_with_new_ids_and_else_as_it_came() {
    let drafts = run(&head("POST", ""), BUNDLE.as_bytes()).expect("a transaction");
    assert_eq!(drafts.len(), 1);
    assert!(
        drafts[0].verbatim && drafts[0].findings.is_empty(),
        "{:?}",
        drafts[0].findings
    );
    let text = compact(&drafts[0].bundle.tree, NodeId::ROOT);
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let id = bundle["entry"][0]["resource"]["id"].as_str().unwrap();
    assert_eq!(bundle["entry"][0]["request"]["url"], format!("Patient/{id}"));
    assert_eq!(
        bundle["entry"][1]["resource"]["subject"]["reference"],
        format!("Patient/{id}")
    );
    assert!(text.contains(r#""value":7.10"#), "{text}");
    assert_eq!(drafts[0].context.patient.as_deref(), Some(id));
}

#[test]
fn a_batch_is_drafted_entry_by_entry_and_one_that_cannot_be_hinders_no_other() {
    let batch = BUNDLE.replace("transaction", "batch").replace("DELETE", "GET");
    let drafts = run(&head("POST", ""), batch.as_bytes()).expect("a batch");
    let codes: Vec<Vec<_>> = drafts
        .iter()
        .map(|draft| draft.findings.iter().map(|one| one.code.as_ref()).collect())
        .collect();
    assert_eq!(codes, [vec![], vec![], vec!["method-not-allowed"]]);
}

#[test]
fn what_cannot_be_asked_has_its_status() {
    let patient = br#"{"resourceType":"Patient","id":"1"}"#;
    for (expected, method, path, body) in [
        (400, "POST", "/Patient", &b"{"[..]),
        (400, "POST", "/Observation", patient),
        (400, "PUT", "/Patient/2", patient),
        (400, "PUT", "/Patient/a_b", patient),
        (400, "POST", "", patient),
        (404, "POST", "/patient", patient),
        (405, "PATCH", "/Patient/1", patient),
        (405, "DELETE", "/Patient", patient),
        (405, "PUT", "/metadata", patient),
    ] {
        let refusal = run(&head(method, path), body).expect_err(path);
        assert_eq!(status(&refusal), expected, "{method} {path}");
    }
}

/// What the joint and the transport say of a request that was not taken has its status too.
#[test]
fn what_could_not_be_taken_has_its_status() {
    let adapter = Fhir::new(Lang::Zh);
    for (code, expected) in [
        ("too-large", 413),
        ("timed-out", 408),
        ("unreadable", 400),
        ("overloaded", 503),
        ("not-kept", 503),
        ("held", 503),
        ("gateway-defect", 500),
        ("anything-else", 422),
    ] {
        let finding = problem(code, Class::Busy, "不行", "no");
        let refusal = adapter.refuse(&head("POST", "/Patient"), b"{", &[finding], &stamp());
        assert_eq!(status(&refusal), expected, "{code}");
        assert!(String::from_utf8_lossy(&refusal.bytes).contains("不行"));
        let ReplyHead::Http { headers, .. } = &refusal.head else {
            panic!("no head")
        };
        assert_eq!(
            headers.iter().any(|(name, _)| name == "retry-after"),
            expected == 503,
            "{code}"
        );
    }
}

fn requests() -> impl Strategy<Value = Head> {
    let method = prop::sample::select(vec!["POST", "PUT", "DELETE", "PATCH"]);
    let path = prop_oneof![
        prop::sample::select(vec![
            "",
            "/Patient",
            "/Patient/1",
            "/Observation/k",
            "/$process-message",
            "/metadata"
        ])
        .prop_map(str::to_owned),
        "(/[ -~张]{0,12}){0,5}",
    ];
    (method, path).prop_map(|(method, path)| head(method, &path))
}

proptest! {
    #[test]
    fn any_bytes(head in requests(), body: Vec<u8>) {
        holds(&head, &body);
    }

    #[test]
    fn spoilt_bundles(at in 0..BUNDLE.len(), length in 0..30_usize, with in "[\\[\\]{}\":,a-z0-9]{0,8}", kind in 0..3_usize) {
        let kind = ["transaction", "batch", "message"][kind];
        let mut body = BUNDLE.replace("transaction", kind).into_bytes();
        let at = at.min(body.len());
        let end = (at + length).min(body.len());
        body.splice(at..end, with.into_bytes());
        for head in [head("POST", ""), head("POST", "/$process-message"), Head::file("a.json")] {
            holds(&head, &body);
        }
    }
}
