//! Annotated results. Where segments stand follows HL7 v2.5.1 and v2.9 7.3.1, what is in them 2.13.10 and 7.4.2; the laws
//! are that the source stays byte for byte and that nothing is said twice.

use std::sync::OnceLock;

use bytes::Bytes;
use causeway_core::finding::Lang;
use causeway_core::{
    Actor, ActorKind, Adapter, Bundle, Class, Finding, Frame, Head, Parcel, Parsed, Severity, Stamp, Text,
};
use proptest::prelude::*;

use crate::{Config, Hl7v2};

const HEADER: &str = "MSH|^~\\&|LIS|LAB|EHR|HOSP|20260301||ORU^R01^ORU_R01|L1|P|2.5.1||||||UNICODE UTF-8";

/// Compiling the maps takes a while, and every case of a law needs them.
fn adapter(lang: Lang) -> &'static Hl7v2 {
    static ADAPTERS: OnceLock<[Hl7v2; 2]> = OnceLock::new();
    let of = |lang| {
        Hl7v2::new(Config {
            lang,
            ..Config::default()
        })
    };
    let [en, zh] = ADAPTERS.get_or_init(|| [of(Lang::En).unwrap(), of(Lang::Zh).unwrap()]);
    if lang == Lang::Zh { zh } else { en }
}

fn rule(code: &'static str, place: &str, en: &'static str) -> Finding {
    let by = Actor::new(ActorKind::Rule, "pack/row");
    let text = Text::new(format!("中文{en}"), en);
    let finding = Finding::new(code, Severity::Warning, Class::Business, by, text);
    if place.is_empty() {
        finding
    } else {
        finding.at_place(place)
    }
}

fn rendered(adapter: &Hl7v2, source: &[u8], part: u32, findings: &[Finding]) -> Parsed<Vec<u8>> {
    let frame = Frame {
        listener: "lab".into(),
        peer: "p".into(),
        received: "2026-03-01T08:30:00Z".parse().unwrap(),
        head: Head::Mllp,
        body: Bytes::copy_from_slice(source),
    };
    let parcel = Parcel {
        frame: &frame,
        part,
        bundle: &Bundle::default(),
        findings,
    };
    let stamp = Stamp {
        time: "2026-03-01T08:31:00Z".parse().unwrap(),
        control_id: "CW1".to_owned(),
    };
    adapter.from_fhir(&parcel, &stamp)
}

/// The annotated message as text, in English.
fn annotated(source: &str, findings: &[Finding]) -> String {
    let parsed = rendered(adapter(Lang::En), source.as_bytes(), 0, findings);
    assert_eq!(parsed.findings, []);
    String::from_utf8(parsed.value.unwrap()).unwrap()
}

/// The segments that a receiver knows to be added, taken out again; what MSH-10 was, put back.
fn without(annotated: &str) -> String {
    let ours = |line: &&str| line.contains("99CAUSEWAY") && (line.starts_with("NTE|") || line.starts_with("OBX|"));
    let lines: Vec<&str> = annotated.split('\r').filter(|line| !ours(line)).collect();
    lines.join("\r").replacen("|CW1|", "|L1|", 1)
}

fn names(message: &str) -> Vec<&str> {
    message.split('\r').filter_map(|line| line.get(..3)).collect()
}

fn lines(segments: &[&str]) -> String {
    let mut text = format!("{HEADER}\r{}", segments.join("\r"));
    text.push('\r');
    text
}

#[test]
fn a_remark_stands_behind_the_result_that_it_speaks_of() {
    let source = lines(&[
        "PID|1||7^^^H",
        "OBR|1||F1|PANEL^Panel^L|||20260301",
        "OBX|1|NM|NA^Sodium^L||140|mmol/L",
        "OBX|2|NM|K^Potassium^L|3|7.1|mmol/L",
        "NTE|1|L|haemolysed?",
        "OBX|3|NM|CL^Chloride^L||100|mmol/L",
    ]);
    let out = annotated(
        &source,
        &[rule("critical-value", "OBX[2]-5[1]", "7.1 > 6.5 | critical")],
    );
    let expect = lines(&[
        "PID|1||7^^^H",
        "OBR|1||F1|PANEL^Panel^L|||20260301",
        "OBX|1|NM|NA^Sodium^L||140|mmol/L",
        "OBX|2|NM|K^Potassium^L|3|7.1|mmol/L",
        "NTE|1|L|haemolysed?",
        "NTE|2|O|7.1 > 6.5 \\F\\ critical [pack/row]|RE^Remark^HL70364^critical-value^critical value^99CAUSEWAY",
        "OBX|3|NM|CL^Chloride^L||100|mmol/L",
        "OBX|4|TX|critical-value^critical value^99CAUSEWAY|3|7.1 > 6.5 \\F\\ critical [pack/row]|||A|||F|||\
         20260301083000+0000|CAUSEWAY^Causeway^99CAUSEWAY||pack/row^^99CAUSEWAY",
    ]);
    assert_eq!(out, expect.replacen("|L1|", "|CW1|", 1));
    assert_eq!(without(&out), source);
}

#[test]
fn every_segment_has_a_place_for_what_is_said_of_it() {
    let source = lines(&[
        "PID|1",
        "PD1|",
        "NTE|1||of the patient",
        "NK1|1",
        "PV1|1",
        "ORC|RE",
        "OBR|1||A|P^P^L",
        "NTE|1||of the order",
        "OBX|1|NM|A^A^L||1",
        "ZBX|1",
        "SPM|1",
        "OBX|1|NM|V^Volume^L||2",
        "OBR|2||B|P^P^L",
    ]);
    let said = |place: &str| names(&annotated(&source, &[rule("c", place, "t")])).join(" ");
    let patient = "MSH PID PD1 NTE NTE NK1 PV1 ORC OBR NTE OBX ZBX OBX SPM OBX OBR";
    let order = "MSH PID PD1 NTE NK1 PV1 ORC OBR NTE NTE OBX ZBX OBX SPM OBX OBR";
    for place in ["PID[1]-5", "PD1[1]", "NK1[1]", "PV1[1]-3", "NTE[1]-3"] {
        assert_eq!(said(place), patient, "{place}");
    }
    for place in [
        "",
        "MSH[1]-18",
        "ORC[1]",
        "OBR[1]-4",
        "NTE[2]",
        "SPM[1]",
        "OBX[2]-5",
        "OBX[99]-5",
    ] {
        assert_eq!(said(place), order, "{place}");
    }
    let result = "MSH PID PD1 NTE NK1 PV1 ORC OBR NTE OBX NTE ZBX OBX SPM OBX OBR";
    assert_eq!(
        (said("OBX[1]-5"), said("ZBX[1]-1")),
        (result.to_owned(), result.to_owned())
    );
    assert!(said("OBR[2]").ends_with("SPM OBX OBR NTE OBX"));
}

#[test]
fn nothing_found_is_the_source_as_it_came() {
    let mut note = rule("odd", "OBX[1]", "a note");
    note.by.kind = ActorKind::Map;
    note.severity = Severity::Information;
    let source = format!("junk {HEADER}\rOBR|1||\rOBX|1|ST|A||b||||\r\n\r\n\u{1c}");
    assert_eq!(annotated(&source, &[note]), source);
    assert_eq!(annotated(&source, &[]), source);
}

#[test]
fn what_is_wrong_with_the_message_is_no_result_of_the_patient() {
    let mut wrong = rule("value-not-valid", "OBX[1]-5", "no number");
    wrong.by.kind = ActorKind::Map;
    assert_eq!(
        names(&annotated(&lines(&["OBR|1", "OBX|1|NM|A||b"]), &[wrong])),
        ["MSH", "OBR", "OBX", "NTE"]
    );
    let mut silent = rule("not-evaluated", "", "the service did not answer");
    silent.class = Class::Incomplete;
    let out = annotated(&lines(&["OBR|1", "OBX|1|NM|A||b"]), &[silent]);
    assert_eq!(names(&out), ["MSH", "OBR", "NTE", "OBX", "OBX"]);
    assert!(out.contains("|TX|not-evaluated^not evaluated^99CAUSEWAY||the service did not answer [pack/row]||||||F|"));
}

#[test]
fn the_senders_own_delimiters_and_terminators_are_kept() {
    let source = "MSH$%*!@$LIS$LAB$$$$$ORU%R01$L1$P$2.3\nPID$1\nOBR$1$$F\nOBX$7$NM$K%K%L$$7$$$\nZZZ$a$$";
    let out = annotated(source, &[rule("c", "OBX[1]-5", "5$ 10% !")]);
    let expect = "MSH$%*!@$LIS$LAB$$$$$ORU%R01$CW1$P$2.3\nPID$1\nOBR$1$$F\nOBX$7$NM$K%K%L$$7$$$\n\
        NTE$1$O$5!F! 10!S! !E! [pack/row]$RE%Remark%HL70364%c%c%99CAUSEWAY\nZZZ$a$$\n\
        OBX$8$TX$c%c%99CAUSEWAY$$5!F! 10!S! !E! [pack/row]$$$A$$$F$$$20260301083000+0000$CAUSEWAY%Causeway%99CAUSEWAY\
        $$pack/row%%99CAUSEWAY";
    assert_eq!(out, expect);
}

#[test]
fn texts_are_in_the_messages_own_character_set() {
    let chinese = adapter(Lang::Zh);
    let text =
        lines(&["PID|1||7||张伟", "OBR|1||F", "OBX|1|ST|丙|1|镕\\F\\"]).replace("UNICODE UTF-8", "GB 18030-2000");
    let (source, _, _) = encoding_rs::GB18030.encode(&text);
    let out = rendered(chinese, &source, 0, &[rule("c", "OBX[1]-5", "七镕")])
        .value
        .unwrap();
    let (read, broken) = encoding_rs::GB18030.decode_without_bom_handling(&out);
    assert!(
        !broken && read.contains("|中文七镕 [pack/row]|") && read.contains("|CW1|"),
        "{read}"
    );
    let comment = b"NTE|1|O|\xD6\xD0\xCE\xC4\xC6\xDF\xE9F [pack/row]"; // GB 18030: 中 D6D0, 文 CEC4, 七 C6DF, 镕 E946
    assert!(memchr::memmem::find(&out, comment).is_some(), "{}", out.escape_ascii());
    assert_eq!(without(&read), text);

    let latin = lines(&["OBR|1||F", "OBX|1|ST|é||b"]).replace("UNICODE UTF-8", "8859/1");
    let (source, _, _) = encoding_rs::WINDOWS_1252.encode(&latin);
    let mut finding = rule("c", "OBX[1]-5", "µ 张");
    let parsed = rendered(chinese, &source, 0, std::slice::from_ref(&finding));
    let out = parsed.value.unwrap();
    assert!(
        memchr::memmem::find(&out, b"|\xB5 <U+5F20> [pack/row]|").is_some(),
        "{}",
        out.escape_ascii()
    );
    assert_eq!(
        parsed.findings.iter().map(|found| &*found.code).collect::<Vec<_>>(),
        ["characters-escaped"]
    );
    finding.text.en = "plain".into();
    let parsed = rendered(chinese, &source, 0, &[finding]);
    assert_eq!(parsed.findings, []);
    assert!(memchr::memmem::find(&parsed.value.unwrap(), b"|plain [pack/row]|").is_some());
}

#[test]
fn two_bytes_a_character_are_no_trouble() {
    let text = lines(&["PID|1||7||张伟", "OBR|1||F", "OBX|1|ST|A||b"]).replace("UNICODE UTF-8", "UNICODE UTF-16");
    for mark in ["\u{feff}", ""] {
        let source: Vec<u8> = format!("{mark}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let out = rendered(adapter(Lang::Zh), &source, 0, &[rule("c", "OBX[1]-5", "七")])
            .value
            .unwrap();
        let units: Vec<u16> = out
            .chunks(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        let read = String::from_utf16(&units).unwrap();
        assert!(read.contains("|中文七 [pack/row]|"), "{read}");
        assert_eq!(without(&read), format!("{mark}{text}"));
    }
}

#[test]
fn of_a_batch_only_the_message_itself_is_sent() {
    let one = lines(&["OBR|1||F1", "OBX|1|ST|A||b"]);
    let two = lines(&["OBR|1||F2", "OBX|1|ST|A||b"]);
    let batch = format!("BHS|^~\\&|LIS\r{one}{two}BTS|2\r");
    let parsed = rendered(
        adapter(Lang::En),
        batch.as_bytes(),
        1,
        &[rule("c", "MSH[2]/OBX[1]", "t")],
    );
    let out = String::from_utf8(parsed.value.unwrap()).unwrap();
    assert_eq!(without(&out), two);
    assert_eq!(names(&out), ["MSH", "OBR", "OBX", "NTE", "OBX"]);
    let parsed = rendered(adapter(Lang::En), batch.as_bytes(), 0, &[]);
    assert_eq!(String::from_utf8(parsed.value.unwrap()).unwrap(), one);
}

#[test]
fn what_is_no_result_message_is_named() {
    let failed = |source: &str, part| {
        let parsed = rendered(adapter(Lang::En), source.as_bytes(), part, &[]);
        assert_eq!(parsed.value, None);
        let finding = &parsed.findings[0];
        assert_eq!(finding.code, "no-way-back");
        finding.text.en.to_string()
    };
    assert!(failed(&HEADER.replace("ORU^R01^ORU_R01", "ADT^A01"), 0).starts_with("ADT^A01 "));
    assert!(failed("{\"resourceType\":\"Bundle\"}", 0).contains("no message of HL7"));
    assert!(failed(HEADER, 7).contains("no message of HL7"));
}

#[test]
fn what_was_said_by_a_gateway_before_is_not_said_again() {
    let source = lines(&["PID|1", "OBR|1||F", "OBX|1|NM|K||7.1", "OBX|2|NM|K||7.1"]);
    let findings = [
        rule("c", "OBX[1]-5", "high"),
        rule("c", "OBX[2]-5", "high"),
        rule("c", "PID[1]", "old"),
    ];
    let once = annotated(&source, &findings);
    assert_eq!(
        names(&once),
        ["MSH", "PID", "NTE", "OBR", "OBX", "NTE", "OBX", "NTE", "OBX", "OBX"]
    );
    assert_eq!(annotated(&once, &findings), once);
    let other = annotated(&once, &[rule("d", "OBX[2]-5", "high")]);
    assert!(
        other.contains("NTE|2|O|high [pack/row]|RE^Remark^HL70364^d^d^99CAUSEWAY"),
        "{other}"
    );
}

fn segment() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "PID", "PD1", "NK1", "PV1", "ORC", "OBR", "OBX", "NTE", "SPM", "TQ1", "PRT", "ZZ1", "DSC", "???",
    ]);
    (name, "[ -~张\\n]{0,20}").prop_map(|(name, rest)| format!("{name}|{rest}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(500), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_result_message_stays_as_it_was_but_for_what_is_added(
        segments in prop::collection::vec(segment(), 0..12),
        places in prop::collection::vec(("(PID|OBR|OBX|NTE|SPM|ORC|ZZ1|MSH)", 1..3u8), 0..4),
        text in any::<String>(),
        end in prop::sample::select(vec!["\r", "\r\n", "\r\u{1c}\r", ""]),
    ) {
        let source = format!("{HEADER}\r{}{end}", segments.join("\r"));
        let by = Actor::new(ActorKind::Hook, "service");
        let finding = |place| Finding::new("c", Severity::Error, Class::Business, by.clone(), Text::new(text.clone(), text.clone())).at_place(place);
        let findings: Vec<Finding> = places.iter().map(|(name, number)| finding(format!("{name}[{number}]"))).collect();
        let adapter = adapter(Lang::En);
        let parsed = rendered(adapter, source.as_bytes(), 0, &findings);
        let out = String::from_utf8(parsed.value.unwrap()).unwrap();
        // No added segment holds a terminator, and each stands before the terminator of the one that it follows.
        let added = stripped(&out);
        prop_assert_eq!(added.replacen("|CW1|", "|L1|", 1), source);
        let intake = crate::Intake::read(Bytes::from(out.clone()), None);
        prop_assert_eq!(intake.body.messages.len(), 1);
        let again = rendered(adapter, out.as_bytes(), 0, &[]).value.unwrap();
        prop_assert_eq!(again, out.into_bytes());
    }
}

/// What is left when each added segment is taken out with the terminator before it.
fn stripped(annotated: &str) -> String {
    let mut rest = annotated;
    let mut out = String::new();
    while let Some(at) = ["\rNTE|", "\rOBX|"].iter().filter_map(|name| rest.find(name)).min() {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let mut ends = from.match_indices(['\r', '\n', '\u{1c}']).map(|(end, _)| end);
        let length = ends.find(|end| *end > 0).unwrap_or(from.len());
        let (segment, after) = from.split_at(length);
        if !segment.contains("99CAUSEWAY") {
            out.push_str(segment);
        }
        rest = after;
    }
    out + rest
}
