//! The laws that every adapter must pass, whatever its format. A new adapter says in `Known` what the trait cannot: a few
//! real frames, and how to read a reply and a place with other eyes than its own.

mod dicom;
mod hl7v2;
mod x12;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use causeway_core::ledger::{LeafState, LedgerRecord};
use causeway_core::{Adapter, Answer, Draft, Finding, Head, MemorySource, Reply, ReplyHead, ReplyKind, Stamp, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What the laws need to know of a format.
trait Known: Adapter {
    /// What means something to the format, tried more often than other bytes.
    const BYTES: &[u8];
    /// Whether replies say what they answer. Where the connection says it, they need not.
    const NAMES: bool = true;

    /// What the transport says besides.
    fn head() -> Head;

    /// Real frames.
    fn samples() -> Vec<Vec<u8>>;

    /// The id of the message that a reply says it answers.
    fn answers(reply: &Reply) -> Option<String>;

    /// Whether a place names something that stands in the frame, and is written as places are.
    fn resolves(&self, frame: &[u8], place: &str) -> bool;

    /// Whether a frame says the same twice, and that is remarked: then two leaves may have one place.
    fn repeats(_frame: &[u8], _findings: &[Finding]) -> bool {
        false
    }

    /// The places of a frame's populated leaves, by a reading that shares nothing with the adapter.
    fn leaves(frame: &[u8]) -> BTreeSet<String>;
}

/// Everything that the gateway does with a frame.
#[derive(Default)]
struct Walked {
    id: Option<String>,
    findings: Vec<Finding>,
    replies: Vec<Reply>,
    ledger: Vec<LedgerRecord>,
}

const HASH: [u8; 32] = [7; 32];

fn stamp() -> Stamp {
    Stamp {
        time: "2026-11-24T00:15:12Z".parse().expect("a time"),
        control_id: "CW1".to_owned(),
    }
}

fn answer(part: u32, draft: Draft, verdict: Verdict) -> Answer {
    Answer {
        verdict,
        part,
        bundle: Arc::new(draft.bundle),
        context: Arc::new(draft.context),
        findings: draft.findings,
        deliveries: Vec::new(),
        rules: None,
        applied: Vec::new(),
    }
}

fn walk<A: Known>(adapter: &A, frame: &[u8], verdict: Verdict) -> Walked {
    let mut source = MemorySource(Bytes::copy_from_slice(frame));
    let parsed = adapter.parse(&A::head(), &mut source);
    let mut walked = Walked {
        findings: parsed.findings,
        ..Walked::default()
    };
    let Some(mut message) = parsed.value else { return walked };
    walked.id = adapter.key(&message).map(|key| key.id);
    walked.replies.extend(adapter.commit(&message, &stamp()));
    let (mut sum, mut part) = (A::Sum::default(), 0);
    while let Some(draft) = adapter.next(&mut message, &mut source, &HASH) {
        walked.findings.extend(draft.findings.iter().cloned());
        adapter.add(&mut sum, part, &answer(part, draft, verdict));
        part += 1;
        assert!(part as usize <= frame.len(), "more parts than bytes");
    }
    walked.replies.extend(adapter.reply(&message, sum, &stamp()));
    let trace = adapter.trace(&A::head(), &mut source, &HASH);
    walked.ledger = trace.value.expect("what was read is read again").ledger;
    walked
}

/// Laws for any bytes.
fn holds_for_any<A: Known>(adapter: &A, frame: &[u8]) {
    let walked = walk(adapter, frame, Verdict::Accepted);
    let refusal = adapter.refuse(&A::head(), frame, &walked.findings, &stamp());
    let renders = !refusal.bytes.is_empty() || refusal.head != ReplyHead::None;
    assert!(!refusal.positive && renders, "a refusal always renders");
    for finding in &walked.findings {
        if let Some(place) = &finding.place {
            assert!(adapter.resolves(frame, place), "{}: {place} is nowhere", finding.code);
        }
    }
    let (mut places, repeats) = (BTreeSet::new(), A::repeats(frame, &walked.findings));
    for record in &walked.ledger {
        assert!(
            places.insert(&record.place) || repeats,
            "two records for {}",
            record.place
        );
        let said = record.reason.as_ref().is_some_and(|reason| !reason.is_empty());
        assert!(
            record.state != LeafState::Ignored || said,
            "{} is ignored without a reason",
            record.place
        );
        assert!(adapter.resolves(frame, &record.place), "{} is nowhere", record.place);
    }
}

/// Laws for well-formed frames.
fn holds_for_good<A: Known>(adapter: &A, frame: &[u8]) {
    for verdict in [Verdict::Accepted, Verdict::Refused, Verdict::Failed { retry: true }] {
        let walked = walk(adapter, frame, verdict);
        assert!(walked.id.is_some(), "no id");
        for reply in &walked.replies {
            let text = String::from_utf8_lossy(&reply.bytes);
            assert!(!A::NAMES || A::answers(reply) == walked.id, "{text}");
            let decided = reply.kind == ReplyKind::Application;
            assert!(!decided || reply.positive == verdict.is_positive(), "{text}");
        }
    }
    let walked = walk(adapter, frame, Verdict::Accepted);
    let refusal = adapter.refuse(&A::head(), frame, &[], &stamp());
    assert!(
        !A::NAMES || A::answers(&refusal) == walked.id,
        "a refusal says what it refuses"
    );
    let recorded: BTreeSet<String> = walked.ledger.into_iter().map(|record| record.place).collect();
    let leaves = A::leaves(frame);
    let missing: Vec<_> = leaves.difference(&recorded).collect();
    let invented: Vec<_> = recorded.difference(&leaves).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "lost {missing:?}, invented {invented:?}"
    );
}

/// One way to spoil a frame.
#[derive(Debug, Clone)]
enum Spoil {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
}

impl Spoil {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |index: &Index| index.index(bytes.len() + 1).min(bytes.len());
        match self {
            Self::Set(index, byte) => {
                let at = at(index);
                bytes.splice(at..(at + 1).min(bytes.len()), [*byte]);
            }
            Self::Insert(index, more) => {
                let at = at(index);
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Remove(index, count) => {
                let at = at(index);
                bytes.drain(at..(at + count).min(bytes.len()));
            }
            Self::Repeat(index, count) => {
                let at = at(index);
                let copy = bytes[at..(at + count).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            Self::Cut(index) => bytes.truncate(at(index)),
        }
    }
}

fn spoil(bytes: &'static [u8]) -> impl Strategy<Value = Spoil> {
    let byte = prop_oneof![select(bytes), any::<u8>()];
    prop_oneof![
        (any::<Index>(), byte.clone()).prop_map(|(index, byte)| Spoil::Set(index, byte)),
        (any::<Index>(), vec(byte, 1..6)).prop_map(|(index, bytes)| Spoil::Insert(index, bytes)),
        (any::<Index>(), 1..40_usize).prop_map(|(index, count)| Spoil::Remove(index, count)),
        (any::<Index>(), 1..200_usize).prop_map(|(index, count)| Spoil::Repeat(index, count)),
        any::<Index>().prop_map(Spoil::Cut),
    ]
}

/// Bytes that a failing test shows as text.
struct Frame(Vec<u8>);

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

fn spoilt<A: Known>() -> impl Strategy<Value = Frame> {
    (select(A::samples()), vec(spoil(A::BYTES), 1..8)).prop_map(|(mut frame, spoils)| {
        for spoil in &spoils {
            spoil.apply(&mut frame);
        }
        Frame(frame)
    })
}
