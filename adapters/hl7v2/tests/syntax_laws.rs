//! Laws of the syntax and of the acknowledgements, over any bytes and over bytes that look like HL7: nothing panics, every
//! span lies on character boundaries, parts join back to what was sent, places are read back, replies can be parsed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "the lints know tests by their attribute, and the checks here stand beside it"
)]

use bytes::Bytes;
use causeway_core::{Actor, ActorKind, Answer, Bundle, Class, Context, Finding, Severity, Stamp, Text, Verdict};
use causeway_hl7v2::header::Takes;
use causeway_hl7v2::reply::{self, Mode, Settings, Sum};
use causeway_hl7v2::{Intake, Message, Value, place};
use proptest::prelude::*;
use std::sync::Arc;

/// Bytes that come near to HL7, in pieces that make trouble.
fn near_hl7() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"MSH|^~\\&|A|B|C|D|7||ORU^R01^ORU_R01|ID1|P|2.5.1",
        b"MSH|^~\\&|A|B|C|D|7||ADT^A01|ID2|P|2.3||||AL|NE||GBK",
        b"MSH|^~\\&|A|||||||||||||||UNICODE UTF-8",
        b"MSH$%*!@",
        b"MSH|",
        b"BHS|^~\\&|x",
        b"FHS|^~\\&",
        b"BTS|1",
        b"FTS|2",
        b"\rPID|1||A^^^H&1.2&ISO^MR~B",
        b"\rOBX|1|ST|",
        b"\r",
        b"\n",
        b"|",
        b"^",
        b"~",
        b"&",
        b"\\",
        b"\"\"",
        b"\\F\\",
        b"\\X41\\",
        b"\\XD5\\\\XC5\\",
        b"\\.br\\",
        b"\\.sp9\\",
        b"\\H\\",
        b"\x0b",
        b"\x1c",
        b"\0",
        b" ",
        b"text",
        b"\xE5\xBC\xA0",
        b"\xD5\xC5",
        b"\x8B\x7C",
        b"\xEF\xBB\xBF",
        b"\xFF\xFE",
        b"\xE9",
    ];
    let piece = prop_oneof![
        8 => proptest::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let header = near_hl7().prop_map(|rest| [&b"MSH|^~\\&|A|B|C|D|7||ORU^R01|ID1|P|2.5.1||||||\r"[..], &rest].concat());
    prop_oneof![proptest::collection::vec(any::<u8>(), 0..300), near_hl7(), header]
}

fn all(intake: &Intake) -> impl Iterator<Item = &Message> {
    intake.body.messages.iter().chain([&intake.body.outside])
}

/// The parts between delimiters, joined again.
fn join(message: &Message, parts: impl Iterator<Item = Value>, by: u8) -> Vec<u8> {
    let parts: Vec<_> = parts.map(|part| message.raw(part).as_bytes().to_vec()).collect();
    parts.join(&by)
}

fn check_spans(message: &Message) {
    let text = &*message.text;
    for segment in &message.segments {
        assert!(text.get(segment.start as usize..segment.end as usize).is_some());
        for field in message.fields_of(segment) {
            assert!(text.get(field.start as usize..field.end as usize).is_some());
            assert!(segment.start <= field.start && field.end <= segment.end);
        }
    }
}

fn check_joining(message: &Message) {
    let text = &*message.text;
    for segment in &message.segments {
        let raw = &text[segment.start as usize..segment.end as usize];
        let delims = message.delims;
        let skip = usize::from(segment.name.is_header());
        let fields = join(message, message.fields_of(segment).skip(skip), delims.field);
        assert!(raw.as_bytes().ends_with(&fields), "{raw:?}");
        for field in message.fields_of(segment).skip(skip * 2) {
            let by_repetition = join(message, message.repetitions(field), delims.repetition);
            assert_eq!(by_repetition, message.raw(field).as_bytes());
            for repetition in message.repetitions(field) {
                assert_eq!(
                    join(message, message.components(repetition), delims.component),
                    message.raw(repetition).as_bytes()
                );
                for component in message.components(repetition) {
                    let joined = join(message, message.subcomponents(component), delims.subcomponent);
                    assert_eq!(joined, message.raw(component).as_bytes());
                }
            }
        }
    }
}

/// Leaves are what splitting level by level finds, less what says nothing.
fn check_leaves(message: &Message) {
    for segment in &message.segments {
        let skip = if segment.name.is_header() { 2 } else { 0 };
        let split = message.fields_of(segment).skip(skip).flat_map(|field| {
            message
                .repetitions(field)
                .flat_map(|repetition| message.components(repetition))
                .flat_map(|component| message.subcomponents(component))
        });
        let expect: Vec<_> = split.filter(|value| !message.text(*value).is_empty()).collect();
        let found: Vec<_> = message
            .leaves_of(segment)
            .filter(|leaf| place::spot(leaf.place).field > 0)
            .collect();
        assert_eq!(found, expect);
    }
}

fn check_places(intake: &Intake) {
    for message in all(intake) {
        for leaf in message.leaves() {
            let text = intake.body.place_text(leaf.place);
            assert_eq!(intake.body.place_of(&text), Some(leaf.place), "{text}");
        }
    }
}

fn stamp() -> Stamp {
    Stamp {
        time: "2026-03-01T08:30:00Z".parse().unwrap(),
        control_id: "CW1".to_owned(),
    }
}

fn finding(text: &str, place: String) -> Finding {
    let by = Actor::new(ActorKind::Rule, "rule");
    Finding::new(
        "a-code",
        Severity::Error,
        Class::Value,
        by,
        Text::new(text.to_owned(), text.to_owned()),
    )
    .at_place(place)
}

fn answers(intake: &Intake, text: &str) -> Sum {
    let mut sum = Sum::default();
    for (number, message) in (0u32..).zip(&intake.body.messages) {
        let place = message
            .leaves()
            .last()
            .map(|leaf| intake.body.place_text(leaf.place))
            .unwrap_or_default();
        let answer = Answer {
            verdict: Verdict::Refused,
            part: number,
            bundle: Arc::new(Bundle::default()),
            context: Arc::new(Context::default()),
            findings: vec![finding(text, place)],
            deliveries: Vec::new(),
            rules: None,
            applied: Vec::new(),
        };
        sum.add(number, &answer);
    }
    sum
}

/// What a reply says, read as a sender would: the MSA of each message.
fn acknowledged(bytes: &Bytes) -> Vec<String> {
    let intake = Intake::read(bytes.clone(), None);
    let odd = intake
        .body
        .problems
        .iter()
        .map(|problem| problem.kind)
        .collect::<Vec<_>>();
    assert_eq!(odd, [], "{bytes:?}");
    let msa = |message: &Message| {
        message
            .segments
            .iter()
            .position(|segment| segment.name == "MSA")
            .map(|at| message.first(at, 1).into_owned())
    };
    let found: Option<Vec<_>> = intake.body.messages.iter().map(msa).collect();
    found.expect("every message of a reply has an MSA")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_loss(raw in bodies()) {
        let intake = Intake::read(Bytes::from(raw), None);
        let _findings = intake.findings();
        for message in all(&intake) {
            check_spans(message);
            check_joining(message);
            check_leaves(message);
        }
        check_places(&intake);
    }

    #[test]
    fn what_a_gateway_does_with_any_bytes_does_not_panic(raw in bodies()) {
        causeway_hl7v2::intake::fuzz_parse(&raw);
    }

    #[test]
    fn no_setting_of_the_character_set_panics(raw in bodies(), label in "[a-zA-Z0-9/ -]{0,12}") {
        let set = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::GB18030);
        let intake = Intake::read(Bytes::from(raw), Some(set));
        prop_assert!(!intake.body.outside.text.is_empty() || intake.raw.is_empty() || intake.body.messages.is_empty());
    }

    #[test]
    fn every_reply_can_be_read(raw in bodies(), text in any::<String>()) {
        let intake = Intake::read(Bytes::from(raw.clone()), None);
        let settings = Settings { mode: Mode::Enhanced, ..Settings::default() };
        let plain = Settings { mode: Mode::Original, ..Settings::default() };
        let refused = reply::refuse(&raw, &[finding(&text, "PID[1]-3".to_owned())], &settings, &stamp());
        prop_assert!(!refused.positive);
        // A sender whose delimiters are odd gets them back, which is odd again; the rest must be clean.
        if !intake.body.problems.is_empty() {
            return Ok(());
        }
        prop_assert_eq!(acknowledged(&refused.bytes).len(), 1);
        for reply in reply::reply(&intake, &answers(&intake, &text), &plain, &stamp()) {
            prop_assert!(acknowledged(&reply.bytes).iter().all(|code| code == "AE"));
        }
        if let Some(commit) = reply::commit(&intake, &settings, &stamp(), |_| Takes::Yes) {
            prop_assert!(acknowledged(&commit.bytes).iter().all(|code| code == "CA"));
        }
    }
}

/// Real messages, when a folder of them is named by `CAUSEWAY_CORPUS`.
#[test]
fn real_messages_keep_the_laws() {
    let Some(folder) = std::env::var_os("CAUSEWAY_CORPUS") else {
        eprintln!("skipped: CAUSEWAY_CORPUS names no folder of .hl7 files");
        return;
    };
    let mut folders = vec![std::path::PathBuf::from(folder)];
    let (mut files, mut messages) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "hl7") {
                files += 1;
                messages += check_file(&path);
            }
        }
    }
    eprintln!("{files} files, {messages} messages");
    assert!(files > 0);
}

fn check_file(path: &std::path::Path) -> usize {
    let intake = Intake::read(Bytes::from(std::fs::read(path).unwrap()), None);
    for finding in intake.findings() {
        eprintln!(
            "{}: {} {:?} {}",
            path.display(),
            finding.code,
            finding.place,
            finding.text.en
        );
    }
    for message in all(&intake) {
        check_spans(message);
        check_joining(message);
        check_leaves(message);
    }
    check_places(&intake);
    assert!(!intake.body.messages.is_empty(), "{}", path.display());
    intake.body.messages.len()
}
