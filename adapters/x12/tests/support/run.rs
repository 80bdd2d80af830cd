//! Everything the gateway does with a file, for tests, the chain reduced to its last stage.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops"
)]

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::{Adapter, Answer, Draft, Finding, Head, MemorySource, Reply, Severity, Stamp, Verdict};
use causeway_x12::segment::Segment;
use causeway_x12::tokenise::{Kind, Tokens};
use causeway_x12::{Delimiters, X12};

use super::one;

pub(crate) struct Run {
    /// What is said of the file as a whole.
    pub(crate) notes: Vec<Finding>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) commit: Option<Reply>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) interchanges: Vec<Seen>,
}

/// What an interchange says of itself.
pub(crate) struct Seen {
    pub(crate) control: String,
    pub(crate) asks: bool,
    pub(crate) rejected: bool,
    pub(crate) acknowledges: bool,
    /// Groups that are to be acknowledged.
    pub(crate) groups: usize,
}

pub(crate) fn stamp() -> Stamp {
    Stamp {
        time: "2026-03-01T12:30:00Z".parse().expect("a time"),
        control_id: "CW69A5D3A000000001".to_owned(),
    }
}

/// The adapter, whose maps are compiled once for all tests.
pub(crate) fn adapter() -> X12 {
    static ADAPTER: std::sync::LazyLock<X12> =
        std::sync::LazyLock::new(|| X12::new(&causeway_x12::lift::Options::default()).expect("the embedded data"));
    ADAPTER.clone()
}

/// A file run through, each part decided by `decide`; none if it holds no interchange.
fn run_decided(bytes: &[u8], decide: impl Fn(u32, &mut Draft) -> Verdict) -> Option<Run> {
    let adapter = adapter();
    let head = Head::file("claims.837");
    let mut source = MemorySource(Bytes::copy_from_slice(bytes));
    let parsed = adapter.parse(&head, &mut source);
    let (mut reading, notes) = (parsed.value?, parsed.findings);
    let commit = adapter.commit(&reading, &stamp());
    let (mut sum, mut drafts) = (causeway_x12::reply::Sum::default(), Vec::new());
    while let Some(mut draft) = adapter.next(&mut reading, &mut source, &[7; 32]) {
        let part = u32::try_from(drafts.len()).ok()?;
        let verdict = decide(part, &mut draft);
        drafts.push(draft.clone());
        let answer = Answer {
            verdict,
            part,
            bundle: Arc::new(draft.bundle),
            context: Arc::new(draft.context),
            findings: draft.findings,
            deliveries: Vec::new(),
            applied: Vec::new(),
            rules: None,
        };
        adapter.add(&mut sum, part, &answer);
    }
    let records = reading.records();
    let seen = |interchange: &causeway_x12::record::Interchange| {
        let groups = records.groups_of(interchange);
        let own = groups.iter().filter(|group| group.is_acknowledgement()).count();
        Seen {
            control: interchange.isa.value(13),
            asks: interchange.isa.value(14) == "1",
            rejected: interchange.is_rejected(),
            acknowledges: own == groups.len() && (own > 0 || interchange.has_ta1),
            groups: groups.len() - own,
        }
    };
    let interchanges = records.interchanges.iter().map(seen).collect();
    let replies = adapter.reply(&reading, sum, &stamp());
    Some(Run {
        notes,
        drafts,
        commit,
        replies,
        interchanges,
    })
}

/// A text run through, each part decided by `decide`.
pub(crate) fn run_with(text: &str, decide: impl Fn(u32, &mut Draft) -> Verdict) -> Run {
    run_decided(text.as_bytes(), decide).expect("an interchange")
}

/// A text run through, an error refuses.
pub(crate) fn run(text: &str) -> Run {
    run_bytes(text.as_bytes()).expect("an interchange")
}

/// As [`run`], for any bytes; none if they hold no interchange.
pub(crate) fn run_bytes(bytes: &[u8]) -> Option<Run> {
    run_decided(bytes, |_, draft| {
        let refused = draft.findings.iter().any(|finding| finding.severity == Severity::Error);
        if refused { Verdict::Refused } else { Verdict::Accepted }
    })
}

pub(crate) fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.bytes).into_owned()
}

/// The segments of the acknowledgement from AK2 to AK9.
pub(crate) fn acknowledged(file: &str) -> Vec<String> {
    let run = run(file);
    assert_eq!(run.replies.len(), 1);
    let text = text(&run.replies[0]);
    let segments = text
        .split("~\n")
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned);
    let kept = ["AK2", "IK3", "CTX", "IK4", "IK5", "AK9"];
    segments
        .filter(|segment| kept.iter().any(|name| segment.starts_with(name)))
        .collect()
}

/// What the acknowledgement says of one set that is rejected, between AK2 and IK5.
pub(crate) fn faults(segments: &[String]) -> Vec<String> {
    let all = acknowledged(&one(segments));
    assert!(all[0].starts_with("AK2*837*0001*005010X222A1"), "{all:?}");
    assert_eq!(all.last().unwrap(), "AK9*R*1*1*0", "{all:?}");
    assert!(all[all.len() - 2].starts_with("IK5*R*"), "{all:?}");
    all[1..all.len() - 2].to_vec()
}

/// An answer must be an interchange whose trailers agree.
pub(crate) fn well_formed(bytes: &[u8]) {
    let mut source = MemorySource(Bytes::copy_from_slice(bytes));
    let mut tokens = Tokens::new(&mut source);
    let mut delimiters: Option<Delimiters> = None;
    let (mut count, mut isa) = (0, String::new());
    while let Some(token) = tokens.next().unwrap() {
        match token.kind {
            Kind::Header(header) => {
                assert!(header.padded);
                isa = header.value(13);
                delimiters = Some(header.delimiters);
            }
            Kind::Segment => {
                let segment = Segment::cut(token.text, delimiters.unwrap());
                assert!(segment.id().is_some(), "{}", token.text.escape_ascii());
                count = if segment.element(0) == b"ST" { 1 } else { count + 1 };
                match segment.element(0) {
                    b"SE" => assert_eq!(segment.text(1), count.to_string()),
                    b"IEA" => assert_eq!(segment.text(2), isa),
                    _ => {}
                }
            }
            other => panic!("{other:?} in {}", bytes.escape_ascii()),
        }
    }
    assert!(delimiters.is_some());
}
