use super::*;
use bytes::Bytes;
use causeway_core::{Actor, ActorKind, Answer, Bundle, Context, Text, Verdict};
use encoding_rs::{GBK, UTF_8, UTF_16LE};
use std::sync::Arc;

fn stamp() -> Stamp {
    Stamp {
        time: "2026-03-01T08:30:00Z".parse().unwrap(),
        control_id: "CW1".to_owned(),
    }
}

fn answer(verdict: Verdict, findings: Vec<Finding>) -> Answer {
    Answer {
        verdict,
        part: 0,
        bundle: Arc::new(Bundle::default()),
        context: Arc::new(Context::default()),
        findings,
        deliveries: Vec::new(),
        rules: None,
        applied: Vec::new(),
    }
}

fn sum(verdict: Verdict, findings: Vec<Finding>) -> Sum {
    let mut sum = Sum::default();
    sum.add(0, &answer(verdict, findings));
    sum
}

fn finding(severity: Severity, class: Class, place: &str) -> Finding {
    let text = Text::new("血钾 6.9 危急", "potassium 6.9 | critical");
    let mut by = Actor::new(ActorKind::Rule, "critical-values/K");
    by.version = Some("1.2".into());
    Finding::new("critical-potassium", severity, class, by, text).at_place(place)
}

fn oru(version: &str, rest: &str) -> String {
    format!(
        "MSH|^~\\&|LAB|HOSP|CW|HIE|20260301||ORU^R01^ORU_R01|M1|P|{version}{rest}\rPID|1||7\rOBX|1|NM|NA||140\rOBX|2|NM|K||6.9\r"
    )
}

fn said(raw: &[u8], sum: &Sum, settings: &Settings) -> Vec<Reply> {
    reply(
        &Intake::read(Bytes::copy_from_slice(raw), settings.charset),
        sum,
        settings,
        &stamp(),
    )
}

fn check(message: &str, sum: &Sum, expect: &[&str]) {
    let replies = said(message.as_bytes(), sum, &Settings::default());
    let bytes: Vec<u8> = replies.iter().flat_map(|reply| reply.bytes.to_vec()).collect();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.split_terminator('\r').collect::<Vec<_>>(), expect);
}

const MSH: &str = "MSH|^~\\&|CW|HIE|LAB|HOSP|20260301083000+0000||ACK^R01^ACK|CW1|P|2.5.1";

#[test]
fn an_accepted_message_draws_aa() {
    check(&oru("2.5.1", ""), &sum(Verdict::Accepted, vec![]), &[MSH, "MSA|AA|M1"]);
}

#[test]
fn a_critical_value_is_news_and_names_its_obx() {
    let remark = finding(Severity::Warning, Class::Business, "OBX[2]-5[1].1.1");
    let err = "ERR||OBX^2^5^1^1^1|0^Message accepted^HL70357|W|critical-potassium^^99CAUSEWAY||critical-values/K 1.2|potassium 6.9 \\F\\ critical";
    check(
        &oru("2.5.1", ""),
        &sum(Verdict::Remarked, vec![remark]),
        &[MSH, "MSA|AA|M1", err],
    );
}

#[test]
fn an_error_is_refused_at_its_place_and_comes_first() {
    let remark = finding(Severity::Information, Class::Business, "OBX[1]");
    let error = finding(Severity::Error, Class::Value, "PID[1]-7");
    check(
        &oru("2.5.1", ""),
        &sum(Verdict::Refused, vec![remark, error]),
        &[
            MSH,
            "MSA|AE|M1",
            "ERR||PID^1^7|102^Data type error^HL70357|E|critical-potassium^^99CAUSEWAY||critical-values/K 1.2|potassium 6.9 \\F\\ critical",
            "ERR||OBX^1|0^Message accepted^HL70357|I|critical-potassium^^99CAUSEWAY||critical-values/K 1.2|potassium 6.9 \\F\\ critical",
        ],
    );
}

#[test]
fn before_2_5_an_aa_has_no_err_and_errors_use_err_1() {
    let msh = MSH.replace("2.5.1", "2.4");
    let remark = finding(Severity::Warning, Class::Business, "OBX[2]-5");
    check(
        &oru("2.4", ""),
        &sum(Verdict::Remarked, vec![remark.clone()]),
        &[&msh, "MSA|AA|M1"],
    );
    let error = |place| finding(Severity::Error, Class::Required, place);
    check(
        &oru("2.4", ""),
        &sum(Verdict::Refused, vec![error("OBX[2]-5[1]"), remark, error("OBX[1]")]),
        &[
            &msh,
            "MSA|AE|M1|potassium 6.9 \\F\\ critical",
            "ERR|OBX^2^5^101&Required field missing&HL70357~OBX^1^^101&Required field missing&HL70357",
        ],
    );
}

#[test]
fn before_2_3_1_the_message_type_has_no_structure() {
    let msh = "MSH|^~\\&|CW|HIE|LAB|HOSP|20260301083000+0000||ACK^R01|CW1|P|2.3";
    check(&oru("2.3", ""), &sum(Verdict::Accepted, vec![]), &[msh, "MSA|AA|M1"]);
}

#[test]
fn header_errors_are_rejected_and_failures_are_not_silent() {
    let codes = |verdict, findings| {
        let replies = said(
            oru("2.5.1", "").as_bytes(),
            &sum(verdict, findings),
            &Settings::default(),
        );
        let text = String::from_utf8(replies[0].bytes.to_vec()).unwrap();
        let lines: Vec<_> = text.split('\r').collect();
        let err = lines[2]
            .split('|')
            .nth(3)
            .unwrap_or_default()
            .split('^')
            .next()
            .unwrap_or_default()
            .to_owned();
        (lines[1].split('|').nth(1).unwrap().to_owned(), err, replies[0].positive)
    };
    let header = |class| vec![finding(Severity::Error, class, "MSH[1]-9")];
    let expect = |ack: &str, err: &str| (ack.to_owned(), err.to_owned(), false);
    assert_eq!(
        codes(Verdict::Refused, header(Class::UnsupportedType)),
        expect("AR", "200")
    );
    assert_eq!(
        codes(Verdict::Refused, header(Class::UnsupportedEvent)),
        expect("AR", "201")
    );
    assert_eq!(
        codes(Verdict::Refused, header(Class::ProcessingId)),
        expect("AR", "202")
    );
    assert_eq!(codes(Verdict::Refused, header(Class::Version)), expect("AR", "203"));
    assert_eq!(codes(Verdict::Failed { retry: true }, vec![]), expect("AE", "207"));
    assert_eq!(codes(Verdict::Failed { retry: false }, vec![]), expect("AR", "207"));
    assert_eq!(codes(Verdict::Refused, vec![]), expect("AE", "207"));
    assert!(!said(oru("2.5.1", "").as_bytes(), &Sum::default(), &Settings::default())[0].positive);
}

#[test]
fn enhanced_mode_commits_first_and_answers_when_asked() {
    let settings = Settings::default();
    let take = |rest: &str| Intake::read(Bytes::from(oru("2.5.1", rest)), None);
    let commit = |rest: &str| {
        let said = commit(&take(rest), &settings, &stamp(), |_| Takes::Yes);
        said.map(|reply| String::from_utf8(reply.bytes.to_vec()).unwrap())
    };
    assert_eq!(commit("|||AL|NE"), Some(format!("{MSH}\rMSA|CA|M1\r")));
    assert_eq!(commit("|||NE|AL"), None);
    assert_eq!(commit("|||ER|AL"), None);
    assert_eq!(commit(""), None);
    check(&oru("2.5.1", "|||AL|NE"), &sum(Verdict::Accepted, vec![]), &[]);
    check(&oru("2.5.1", "|||AL|ER"), &sum(Verdict::Accepted, vec![]), &[]);
    check(
        &oru("2.5.1", "|||AL|AL"),
        &sum(Verdict::Accepted, vec![]),
        &[&format!("{MSH}|||NE|NE"), "MSA|AA|M1"],
    );
}

#[test]
fn a_commit_rejects_what_the_header_alone_rules_out() {
    let take = |rest: &str| Intake::read(Bytes::from(oru("2.5.1", rest)), None);
    let settings = Settings::default();
    let say = |intake: &Intake, takes| {
        let reply = commit(intake, &settings, &stamp(), |_| takes)?;
        let text = String::from_utf8(reply.bytes.to_vec()).unwrap();
        let lines: Vec<_> = text
            .split('\r')
            .map(|line| line.chars().take(40).collect::<String>())
            .collect();
        Some((reply.positive, lines[1].clone(), lines[2].clone()))
    };
    let reject = |err: &str| Some((false, "MSA|CR|M1".to_owned(), err.to_owned()));
    let err_200 = "ERR||MSH^1^9|200^Unsupported message typ";
    assert_eq!(say(&take("|||AL|NE"), Takes::NoType), reject(err_200));
    assert_eq!(say(&take("|||ER|NE"), Takes::NoType), reject(err_200));
    assert_eq!(say(&take("|||SU|NE"), Takes::NoType), None);
    let accepted = Some((true, "MSA|CA|M1".to_owned(), String::new()));
    assert_eq!(say(&take("|||SU|NE"), Takes::Yes), accepted);
    assert_eq!(say(&take("|||ER|NE"), Takes::Yes), None);

    let rejected = || {
        let finding = finding(Severity::Error, Class::UnsupportedType, "MSH[1]-9");
        sum(Verdict::Refused, vec![finding])
    };
    let answers = |rest: &str| said(oru("2.5.1", rest).as_bytes(), &rejected(), &settings).len();
    assert_eq!(answers("|||AL|AL"), 0, "what was not accepted is not answered");
    assert_eq!((answers("|||NE|AL"), answers("|||SU|ER"), answers("")), (1, 1, 1));
}

#[test]
fn delimiters_processing_id_version_and_charset_are_echoed() {
    let message = "MSH$%*!@$A@1.2@ISO$F$CW$$7$$ORU%R01$X!F!1$D%T$2.6$$$$$$UNICODE UTF-8$\rPID$1\rOBX$1$$$$a%b\r";
    let remark = finding(Severity::Warning, Class::Business, "OBX[1]-5[1].2");
    check(
        message,
        &sum(Verdict::Remarked, vec![remark]),
        &[
            "MSH$%*!@$CW$$A@1.2@ISO$F$20260301083000+0000$$ACK%R01%ACK$CW1$D%T$2.6$$$$$$UNICODE UTF-8",
            "MSA$AA$X!F!1",
            "ERR$$OBX%1%5%1%2$0%Message accepted%HL70357$W$critical-potassium%%99CAUSEWAY$$critical-values/K 1.2$potassium 6.9 | critical",
        ],
    );
}

#[test]
fn the_reply_is_in_the_senders_set_and_msa_2_is_byte_for_byte() {
    // 0x8B 0x7C is one character of GBK whose second byte is the field separator; 0xFF is no character at all.
    let id = b"\xD5\xC5\x8B\x7C\xFF1";
    let raw = [
        b"\r\nMSH|^~\\&|\xD2\xBD\xD4\xBA|F|CW||7||ORU^R01|",
        &id[..],
        b"|P|2.5.1||||||GBK\rOBX|1\r",
    ]
    .concat();
    let settings = Settings {
        lang: Lang::Zh,
        ..Settings::default()
    };
    let replies = said(
        &raw,
        &sum(
            Verdict::Remarked,
            vec![finding(Severity::Warning, Class::Business, "OBX[1]")],
        ),
        &settings,
    );
    let lines: Vec<_> = replies[0].bytes.split(|byte| *byte == b'\r').collect();
    assert!(lines[0].starts_with(b"MSH|^~\\&|CW||\xD2\xBD\xD4\xBA|F|"));
    assert_eq!(lines[1], [b"MSA|AA|", &id[..]].concat());
    let (text, _, broken) = GBK.decode(lines[2]);
    assert!(
        !broken
            && text.ends_with(
                "critical-potassium^potassium 6.9 \\F\\ critical^99CAUSEWAY||critical-values/K 1.2|血钾 6.9 危急"
            ),
        "{text}"
    );
}

#[test]
fn chinese_is_said_only_to_those_who_can_read_it() {
    let settings = Settings {
        lang: Lang::Zh,
        ..Settings::default()
    };
    let ends = |raw: &[u8], expect: &str, set: &'static Encoding| {
        let remark = finding(Severity::Warning, Class::Business, "OBX[1]");
        let bytes = &said(raw, &sum(Verdict::Remarked, vec![remark]), &settings)[0].bytes;
        let (text, _, broken) = set.decode(bytes);
        assert!(!broken && text.trim_end().ends_with(expect), "{text}");
    };
    ends(oru("2.5.1", "").as_bytes(), "|potassium 6.9 \\F\\ critical", UTF_8);
    ends(
        oru("2.5.1", "||||||8859/1").as_bytes(),
        "|potassium 6.9 \\F\\ critical",
        UTF_8,
    );
    ends(oru("2.5.1", "||||||UNICODE UTF-8").as_bytes(), "|血钾 6.9 危急", UTF_8);
    let wide: Vec<u8> = oru("2.5.1", "").encode_utf16().flat_map(u16::to_le_bytes).collect();
    ends(&wide, "|血钾 6.9 危急", UTF_16LE);
}

#[test]
fn errors_are_bounded() {
    let many = (0..250)
        .map(|_| finding(Severity::Warning, Class::Business, "OBX[2]"))
        .collect();
    let replies = said(
        oru("2.5.1", "").as_bytes(),
        &sum(Verdict::Remarked, many),
        &Settings::default(),
    );
    let text = String::from_utf8(replies[0].bytes.to_vec()).unwrap();
    assert_eq!(text.matches("\rERR|").count(), 101);
    assert!(text.trim_end().ends_with("|150 more findings are not listed"));
}

#[test]
fn several_messages_draw_one_reply_each_or_a_batch() {
    let two = format!("{}{}", oru("2.5.1", ""), oru("2.5.1", "").replace("M1", "M2"));
    let mut both = Sum::default();
    both.add(0, &answer(Verdict::Accepted, vec![]));
    let error = finding(Severity::Error, Class::Value, "MSH[2]/OBX[2]-5");
    both.add(1, &answer(Verdict::Refused, vec![error]));
    let replies = said(two.as_bytes(), &both, &Settings::default());
    assert_eq!(replies.len(), 2);
    let text = |reply: &Reply| String::from_utf8(reply.bytes.to_vec()).unwrap();
    assert!(text(&replies[0]).contains("|CW1-1|") && text(&replies[0]).contains("MSA|AA|M1\r"));
    assert!(text(&replies[1]).contains("|CW1-2|") && text(&replies[1]).contains("MSA|AE|M2\rERR||OBX^2^5|"));

    let batch = format!("BHS|^~\\&|LAB|HOSP|CW|HIE|7||||B9\r{two}BTS|2\r");
    let replies = said(batch.as_bytes(), &both, &Settings::default());
    let lines: Vec<_> = text(&replies[0]).split('\r').map(str::to_owned).collect();
    assert_eq!(replies.len(), 1);
    assert_eq!(lines[0], "BHS|^~\\&|CW|HIE|LAB|HOSP|20260301083000+0000||||CW1|B9");
    assert_eq!((lines[2].as_str(), lines[4].as_str()), ("MSA|AA|M1", "MSA|AE|M2"));
    assert_eq!((lines[6].as_str(), lines[7].as_str()), ("BTS|2", ""));
}

fn refused(first: &[u8], class: Option<Class>) -> Vec<String> {
    let text = Text::new("太忙", "too busy");
    let by = Actor::new(ActorKind::Gateway, "mllp");
    let findings: Vec<_> = class
        .map(|class| Finding::new("busy", Severity::Error, class, by, text))
        .into_iter()
        .collect();
    let reply = refuse(first, &findings, &Settings::default(), &stamp());
    assert!(!reply.positive && reply.kind == ReplyKind::Refusal);
    String::from_utf8(reply.bytes.to_vec())
        .unwrap()
        .split_terminator('\r')
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_refusal_echoes_what_can_be_read() {
    let lines = refused(oru("2.5.1", "").as_bytes(), Some(Class::Busy));
    assert_eq!((lines[0].as_str(), lines[1].as_str()), (MSH, "MSA|AE|M1"));
    assert_eq!(
        lines[2],
        "ERR|||207^Application internal error^HL70357|E|busy^^99CAUSEWAY||mllp|too busy"
    );
    assert_eq!(
        refused(oru("2.5.1", "|||AL|AL").as_bytes(), Some(Class::Busy))[1],
        "MSA|CE|M1"
    );
    assert_eq!(
        refused(oru("2.5.1", "|||AL|AL").as_bytes(), Some(Class::TooLong))[1],
        "MSA|CR|M1"
    );
    assert_eq!(
        refused(oru("2.5.1", "|||NE|AL").as_bytes(), Some(Class::UnsupportedType))[1],
        "MSA|AR|M1"
    );
    assert_eq!(refused(oru("2.5.1", "").as_bytes(), None)[1], "MSA|AE|M1");
    assert_eq!(
        refused(oru("2.3", "").as_bytes(), Some(Class::Busy))[2],
        "ERR|^^^207&Application internal error&HL70357"
    );
}

#[test]
fn a_refusal_of_what_cannot_be_read_is_the_least_there_is() {
    let least = "MSH|^~\\&|||||20260301083000+0000||ACK|CW1|P|2.5";
    for junk in [&b""[..], b"\xFF\xFE\x00", b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0"] {
        let lines = refused(junk, Some(Class::Structure));
        assert_eq!((lines[0].as_str(), lines[1].as_str()), (least, "MSA|AR"), "{junk:?}");
        assert!(lines[2].starts_with("ERR|||100^"));
    }
    assert_eq!(
        refused(b"", None)[1..],
        [
            "MSA|AE",
            "ERR|||207^Application internal error^HL70357|E|not-processed^^99CAUSEWAY||hl7v2|it could not be processed now; send it again later"
        ]
    );
}

#[test]
fn half_a_control_id_is_not_echoed() {
    let cut = b"MSH|^~\\&|LAB|HOSP|CW|HIE|20260301||ORU^R01|M12";
    assert_eq!(refused(cut, Some(Class::Structure))[1], "MSA|AR");
    assert_eq!(
        refused(&[&cut[..], b"|"].concat(), Some(Class::Structure))[1],
        "MSA|AR|M12"
    );
}
