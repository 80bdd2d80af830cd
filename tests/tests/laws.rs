//! The laws that every adapter must pass, whatever its format. A new adapter says in `Known` what the trait cannot: a few
//! real frames, and how to read a reply and a place with other eyes than its own.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use causeway_core::ledger::{LeafState, LedgerRecord};
use causeway_core::{Adapter, Answer, Draft, Finding, Head, MemorySource, Reply, Stamp, Verdict};
use causeway_hl7v2::{Config, Hl7v2, Intake};
use causeway_tests::{EXAMPLE, message};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What the laws need to know of a format.
trait Known: Adapter {
    const HEAD: Head;

    /// Real frames.
    fn samples() -> Vec<Vec<u8>>;

    /// The id of the message that a reply says it answers.
    fn answers(reply: &Reply) -> Option<String>;

    /// Whether a place names something that stands in the frame, and is written as places are.
    fn resolves(&self, frame: &[u8], place: &str) -> bool;

    /// The places of a frame's populated leaves, by a reading that shares nothing with the adapter.
    fn leaves(frame: &str) -> BTreeSet<String>;
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
    let parsed = adapter.parse(&A::HEAD, &mut source);
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
    let trace = adapter.trace(&A::HEAD, &mut source, &HASH);
    walked.ledger = trace.value.expect("what was read is read again").ledger;
    walked
}

/// Laws for any bytes.
fn holds_for_any<A: Known>(adapter: &A, frame: &[u8]) {
    let walked = walk(adapter, frame, Verdict::Accepted);
    let refusal = adapter.refuse(&A::HEAD, frame, &walked.findings, &stamp());
    assert!(
        !refusal.positive && !refusal.bytes.is_empty(),
        "a refusal always renders"
    );
    for finding in &walked.findings {
        if let Some(place) = &finding.place {
            assert!(adapter.resolves(frame, place), "{}: {place} is nowhere", finding.code);
        }
    }
    let mut places = BTreeSet::new();
    for record in &walked.ledger {
        assert!(places.insert(&record.place), "two records for {}", record.place);
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
fn holds_for_good<A: Known>(adapter: &A, frame: &str) {
    for verdict in [Verdict::Accepted, Verdict::Refused, Verdict::Failed { retry: true }] {
        let walked = walk(adapter, frame.as_bytes(), verdict);
        assert!(walked.id.is_some(), "no id");
        for reply in &walked.replies {
            assert_eq!(
                A::answers(reply),
                walked.id,
                "{}",
                String::from_utf8_lossy(&reply.bytes)
            );
        }
        let positive = walked
            .replies
            .iter()
            .filter(|reply| reply.kind == causeway_core::ReplyKind::Application);
        for reply in positive {
            assert_eq!(
                reply.positive,
                verdict.is_positive(),
                "{}",
                String::from_utf8_lossy(&reply.bytes)
            );
        }
    }
    let refusal = adapter.refuse(&A::HEAD, frame.as_bytes(), &[], &stamp());
    let id = walk(adapter, frame.as_bytes(), Verdict::Accepted).id;
    assert_eq!(A::answers(&refusal), id, "a refusal says what it refuses");
    let ledger = walk(adapter, frame.as_bytes(), Verdict::Accepted).ledger;
    let recorded: BTreeSet<String> = ledger.into_iter().map(|record| record.place).collect();
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

fn spoil() -> impl Strategy<Value = Spoil> {
    // What means something to formats is tried more often than the rest.
    let byte = prop_oneof![select(b"|^~\\&\r\n\x0b\x1c\"*:' 0ZM".to_vec()), any::<u8>()];
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
    (select(A::samples()), vec(spoil(), 1..8)).prop_map(|(mut frame, spoils)| {
        for spoil in &spoils {
            spoil.apply(&mut frame);
        }
        Frame(frame)
    })
}

// HL7 version 2

static HL7V2: LazyLock<Hl7v2> = LazyLock::new(|| Hl7v2::new(Config::default()).expect("the embedded maps"));

impl Known for Hl7v2 {
    const HEAD: Head = Head::Mllp;

    fn samples() -> Vec<Vec<u8>> {
        let admission = message(&[
            "MSH|^~\\&|ADT|HOSP|CAUSEWAY|HIS|20261124081512+0800||ADT^A01^ADT_A01|A4|P|2.5.1|||AL|NE",
            "EVN||20261124081500+0800",
            "PID|1||P4^^^HOSP^MR||Li^Na||19880102|F",
            "NK1|1|Li^Gang|FTH^Father^HL70063",
            "PV1|1|I|W1^R2^B3^HOSP||||||||||||||||V4^^^HOSP^VN",
            "AL1|1|DA|^Penicillin|SV|Rash",
            "ZPX|local|\\F\\|&",
        ]);
        let odd = message(&[
            "MSH!@$%*!LIS!!!!202611!!ORU@R01!Q1!P!2.3",
            "PID!1!!77@@@X$78",
            "OBR!1",
            "OBX!1!SN!a@b!!>@7",
        ]);
        let batch = format!(
            "FHS|^~\\&\rBHS|^~\\&\r{}{admission}BTS|2\rFTS|1\r",
            EXAMPLE.replace('\n', "\r")
        );
        let gbk = encoding_rs::GBK
            .encode(&EXAMPLE.replace("UNICODE UTF-8", "GB 18030-2000"))
            .0
            .into_owned();
        let unknown = batch.replace("ORU^R01^ORU_R01", "XYZ^Q99");
        vec![
            EXAMPLE.into(),
            admission.into(),
            odd.into(),
            batch.into(),
            unknown.into(),
            gbk,
            b"MSH|^~\\&".to_vec(),
        ]
    }

    fn answers(reply: &Reply) -> Option<String> {
        let text = String::from_utf8(reply.bytes.to_vec()).ok()?;
        let msa = text.split('\r').find(|segment| segment.starts_with("MSA"))?;
        msa.split('|').nth(2).map(str::to_owned)
    }

    fn resolves(&self, frame: &[u8], place: &str) -> bool {
        let body = Intake::read(Bytes::copy_from_slice(frame), None).body;
        body.place_of(place)
            .is_some_and(|found| body.place_text(found) == place)
    }

    fn leaves(frame: &str) -> BTreeSet<String> {
        let (mut seen, mut leaves) = (std::collections::BTreeMap::<&str, u32>::new(), BTreeSet::new());
        for segment in frame.split('\r').filter(|segment| !segment.is_empty()) {
            let mut fields = segment.split('|');
            let name = fields.next().expect("a name");
            let occurrence = *seen.entry(name).and_modify(|count| *count += 1).or_insert(1);
            let first = if name == "MSH" { 2 } else { 1 }; // MSH-1 is the separator itself
            for (field, text) in (first..).zip(fields).filter(|(field, _)| name != "MSH" || *field > 2) {
                for (repetition, text) in (1..).zip(text.split('~')) {
                    for (component, text) in (1..).zip(text.split('^')) {
                        for (sub, _) in (1..).zip(text.split('&')).filter(|(_, text)| !text.is_empty()) {
                            leaves.insert(format!("{name}[{occurrence}]-{field}[{repetition}].{component}.{sub}"));
                        }
                    }
                }
            }
        }
        leaves
    }
}

/// A value as senders write them, with repetitions, components and subcomponents, or none.
fn value() -> impl Strategy<Value = String> {
    let special = vec!["\"\"", "\\F\\x", "张", "20261124", "7.1", "<5"];
    let leaf = move || {
        prop_oneof![
            3 => Just(String::new()),
            2 => "[A-Za-z0-9.+ -]{0,6}[a-z0-9]",
            1 => select(special.clone()).prop_map(str::to_owned),
        ]
    };
    prop_oneof![
        4 => leaf(),
        1 => vec(leaf(), 1..4).prop_map(|all| all.join("^")),
        1 => vec(vec(leaf(), 1..3).prop_map(|all| all.join("&")), 1..3).prop_map(|all| all.join("^")),
        1 => vec(leaf(), 1..3).prop_map(|all| all.join("~")),
    ]
}

fn hl7v2() -> impl Strategy<Value = String> {
    let names = vec![
        "PID", "PD1", "NK1", "PV1", "PV2", "AL1", "DG1", "OBR", "OBX", "NTE", "ORC", "SPM", "IN1", "ZQQ",
    ];
    let segment = (select(names), vec(value(), 1..20)).prop_map(|(name, mut fields)| {
        if name == "OBX" && fields.len() > 1 {
            "ST".clone_into(&mut fields[1]); // encapsulated data is no leaf
        }
        format!("{name}|{}\r", fields.join("|"))
    });
    let kind = select(vec!["ADT^A01^ADT_A01", "ADT^A08", "ORU^R01^ORU_R01"]);
    (kind, "[A-Za-z0-9_.-]{1,30}", vec(segment, 0..8)).prop_map(|(kind, id, segments)| {
        format!(
            "MSH|^~\\&|LIS|LAB|||20261124081512+0800||{kind}|{id}|P|2.5.1\r{}",
            segments.concat()
        )
    })
}

#[test]
fn real_frames_of_hl7v2() {
    for frame in Hl7v2::samples() {
        holds_for_any(&*HL7V2, &frame);
    }
    holds_for_good(&*HL7V2, &EXAMPLE.replace('\n', "\r"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_of_hl7v2(frame in vec(any::<u8>(), 0..300)) {
        holds_for_any(&*HL7V2, &frame);
    }

    #[test]
    fn spoilt_frames_of_hl7v2(frame in spoilt::<Hl7v2>()) {
        holds_for_any(&*HL7V2, &frame.0);
    }

    #[test]
    fn well_formed_frames_of_hl7v2(frame in hl7v2()) {
        holds_for_any(&*HL7V2, frame.as_bytes());
        holds_for_good(&*HL7V2, &frame);
    }
}
