use super::Presence::{Absent, Empty, Null, Valued};
use super::*;
use crate::message::{Body, Name};
use crate::tokenise::tokenise;
use bytes::Bytes;

const TEXT: &str = "MSH|^~\\&|LAB^1.2.3^ISO||HIS\rPID|1||A1^^^H&1.2&ISO^MR~B2||\"\"|a\\T\\b|\rOBX|1|ST|\r";

fn body(text: &str) -> Body {
    tokenise(&Bytes::copy_from_slice(text.as_bytes()), encoding_rs::UTF_8)
}

fn leaves(text: &str) -> Vec<(String, String)> {
    let body = body(text);
    let leaf = |message: &Message, value: Value| (body.place_text(value.place), message.text(value).into_owned());
    body.messages
        .iter()
        .flat_map(|message| message.leaves().map(|value| leaf(message, value)))
        .collect()
}

#[test]
fn values_are_read_by_number() {
    let body = body(TEXT);
    let message = &body.messages[0];
    let field = message.field(1, 3).unwrap();
    let second = message.repetition(field, 2).unwrap();
    assert_eq!(message.raw(second), "B2");
    assert_eq!(message.repetition(field, 3), None);
    let authority = message.component(field, 4).unwrap();
    assert_eq!(message.raw(authority), "H&1.2&ISO");
    let oid = message.subcomponent(authority, 2).unwrap();
    assert_eq!(
        (message.raw(oid), body.place_text(oid.place).as_str()),
        ("1.2", "PID[1]-3[1].4.2")
    );
    assert_eq!(
        message.subcomponent(field, 1).map(|value| message.raw(value)),
        Some("A1")
    );
    assert_eq!(message.component(field, 0), None);
    assert_eq!(message.text(message.field(1, 6).unwrap()), "a&b");
}

#[test]
fn the_header_counts_its_separator_as_field_one() {
    let body = body(TEXT);
    let message = &body.messages[0];
    let raw = |number| message.field(0, number).map(|value| message.raw(value));
    assert_eq!(
        (raw(1), raw(2), raw(3), raw(5), raw(6)),
        (Some("|"), Some("^~\\&"), Some("LAB^1.2.3^ISO"), Some("HIS"), None)
    );
    let encoding = message.field(0, 2).unwrap();
    assert_eq!(message.raw(message.component(encoding, 1).unwrap()), "^~\\&");
    assert_eq!(message.subcomponents(encoding).count(), 1);
}

#[test]
fn absent_empty_null_and_valued_are_told_apart() {
    let body = body("MSH|^~\\&\rPID|1||\"\"|^^~^|&x");
    let message = &body.messages[0];
    let presence = |number| message.presence(message.field(1, number));
    let all = [1, 2, 3, 4, 5, 6].map(presence);
    assert_eq!(all, [Valued, Empty, Null, Empty, Valued, Absent]);
}

#[test]
fn leaves_are_the_populated_subcomponents() {
    let want = [
        ("MSH[1]-3[1].1.1", "LAB"),
        ("MSH[1]-3[1].2.1", "1.2.3"),
        ("MSH[1]-3[1].3.1", "ISO"),
        ("MSH[1]-5[1].1.1", "HIS"),
        ("PID[1]-1[1].1.1", "1"),
        ("PID[1]-3[1].1.1", "A1"),
        ("PID[1]-3[1].4.1", "H"),
        ("PID[1]-3[1].4.2", "1.2"),
        ("PID[1]-3[1].4.3", "ISO"),
        ("PID[1]-3[1].5.1", "MR"),
        ("PID[1]-3[2].1.1", "B2"),
        ("PID[1]-5[1].1.1", "\"\""),
        ("PID[1]-6[1].1.1", "a&b"),
        ("OBX[1]-1[1].1.1", "1"),
        ("OBX[1]-2[1].1.1", "ST"),
    ];
    let want: Vec<_> = want
        .iter()
        .map(|(place, text)| ((*place).to_owned(), (*text).to_owned()))
        .collect();
    assert_eq!(leaves(TEXT), want);
}

#[test]
fn a_line_without_a_name_keeps_its_text_as_leaves() {
    let got = leaves("MSH|^~\\&|A\rresult follows\rTOOLONG|1|x");
    let got: Vec<_> = got
        .iter()
        .map(|(place, text)| (place.as_str(), text.as_str()))
        .collect();
    let want = [
        ("MSH[1]-3[1].1.1", "A"),
        ("???[1]", "result follows"),
        ("???[2]", "TOOLONG"),
        ("???[2]-1[1].1.1", "1"),
        ("???[2]-2[1].1.1", "x"),
    ];
    assert_eq!(got, want);
}

#[test]
fn an_escape_that_means_nothing_is_no_leaf() {
    assert_eq!(leaves("MSH|^~\\&\rNTE|\\H\\|\\H\\a").len(), 1);
}

#[test]
fn more_repetitions_than_places_stay_readable() {
    let text = format!("MSH|^~\\&\rOBX|{}z", "a~".repeat(20_000));
    let body = body(&text);
    let message = &body.messages[0];
    let last = message.leaves().last().unwrap();
    assert_eq!(
        (message.raw(last), place::spot(last.place).repetition),
        ("z", place::MAX_REPETITIONS + 1)
    );
    assert_eq!(body.problems.len(), 1);
    assert_eq!(body.problems[0].count, 20_001 - 16_382);
    assert_eq!(body.place_text(body.problems[0].place), "OBX[1]-1");
}

#[test]
fn names_are_compared_in_capitals() {
    let body = body("MSH|^~\\&\rpid|1");
    assert_eq!(body.messages[0].positions(Name(*b"PID")).count(), 1);
}
