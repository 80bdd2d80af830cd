use super::*;
use encoding_rs::{BIG5, GB18030, GBK, ISO_2022_JP, WINDOWS_1252};

/// A message with a name in PID-5, encoded by `encode`, that declares `set`.
fn message(set: &str, name: &[u8]) -> Bytes {
    let head = format!("MSH|^~\\&|LAB|H|EHR|H|20260101||ADT^A01|1|P|2.5||||||{set}|\rPID|1||1||");
    Bytes::from([head.as_bytes(), name, b"|19700101\r"].concat())
}

fn encoded(set: &'static Encoding, text: &str) -> Vec<u8> {
    let (bytes, _, unmappable) = set.encode(text);
    assert!(!unmappable);
    bytes.into_owned()
}

fn check(raw: &Bytes, default: Option<&'static Encoding>, name: &str, set: &'static Encoding, remarks: &[Remark]) {
    let decoded = decode(raw, default);
    let text = std::str::from_utf8(&decoded.text).unwrap();
    let found = text.split("PID|1||1||").nth(1).map(str::trim_end);
    assert_eq!(found, Some(format!("{name}|19700101").as_str()));
    assert_eq!(
        (decoded.charset.encoding, decoded.remarks.as_slice()),
        (set, remarks),
        "{raw:?}"
    );
}

fn wrong(name: &str) -> Remark {
    Remark::Wrong { name: name.to_owned() }
}

#[test]
fn declared_sets_are_believed_when_they_fit() {
    check(
        &message("GB 18030-2000", &encoded(GB18030, "张伟")),
        None,
        "张伟",
        GB18030,
        &[],
    );
    check(&message("GBK", &encoded(GBK, "张伟")), None, "张伟", GBK, &[]);
    check(&message("BIG-5", &encoded(BIG5, "張偉功")), None, "張偉功", BIG5, &[]);
    check(&message("UNICODE UTF-8", "张伟".as_bytes()), None, "张伟", UTF_8, &[]);
    check(&message("8859/1", b"Ren\xE9|e"), None, "René|e", WINDOWS_1252, &[]);
    check(&message("ASCII~GBK", &encoded(GBK, "张伟")), None, "张伟", GBK, &[]);
    check(
        &message("~ISO IR87", &encoded(ISO_2022_JP, "山田^太郎")),
        None,
        "山田^太郎",
        ISO_2022_JP,
        &[],
    );
}

#[test]
fn delimiters_inside_double_byte_characters_are_text() {
    // Second bytes 0x5C, 0x7C, 0x5E, 0x7E in GBK and Big5: backslash, bar, caret, tilde.
    for (set, name) in [
        (GBK, [0x8B, 0x5C, 0x8B, 0x7C, 0x8B, 0x5E, 0x8B, 0x7E]),
        (BIG5, [0xA5, 0x5C, 0xA5, 0x7C, 0xA5, 0x5E, 0xA5, 0x7E]),
    ] {
        let declared = if set == GBK { "GBK" } else { "BIG-5" };
        let decoded = decode(&message(declared, &name), None);
        let body = crate::tokenise(&decoded.text, set);
        let message = &body.messages[0];
        let value = message.field(1, 5).unwrap();
        assert_eq!(message.components(value).count(), 1);
        assert_eq!(message.repetitions(value).count(), 1);
        assert_eq!(message.text(value).chars().count(), 4);
        assert_eq!(message.text(message.field(1, 6).unwrap()), "19700101");
    }
}

#[test]
fn utf8_is_not_copied() {
    for raw in [message("", b"Smith"), message("UNICODE UTF-8", "张伟".as_bytes())] {
        let decoded = decode(&raw, None);
        assert_eq!(decoded.text.as_ptr(), raw.as_ptr());
    }
    let marked = Bytes::from([b"\xEF\xBB\xBF", &message("", "张".as_bytes())[..]].concat());
    let decoded = decode(&marked, None);
    assert_eq!(
        (decoded.text.as_ptr(), decoded.charset.mark),
        (marked[3..].as_ptr(), true)
    );
    assert_eq!(decoded.remarks, []);
}

#[test]
fn a_lying_msh_18_is_noticed_and_named() {
    check(
        &message("UNICODE UTF-8", &encoded(GB18030, "张伟建国")),
        None,
        "张伟建国",
        GB18030,
        &[wrong("UNICODE UTF-8")],
    );
    check(
        &message("GB 18030-2000", "张伟".as_bytes()),
        None,
        "张伟",
        UTF_8,
        &[wrong("GB 18030-2000")],
    );
    check(
        &message("ASCII", "张伟".as_bytes()),
        None,
        "张伟",
        UTF_8,
        &[wrong("ASCII")],
    );
    check(
        &message("ASCII", &encoded(GBK, "张伟")),
        None,
        "张伟",
        GB18030,
        &[wrong("ASCII")],
    );
    check(
        &message("8859/1", "René".as_bytes()),
        None,
        "René",
        UTF_8,
        &[wrong("8859/1")],
    );
    check(
        &message("8859/1", &encoded(GBK, "张伟")),
        Some(GBK),
        "张伟",
        GBK,
        &[wrong("8859/1")],
    );
    check(
        &message("UNICODE UTF-16", b"Smith"),
        None,
        "Smith",
        UTF_8,
        &[wrong("UNICODE UTF-16")],
    );
}

#[test]
fn an_unknown_msh_18_is_named() {
    let unknown = Remark::Unknown {
        name: "KLINGON".to_owned(),
    };
    check(
        &message("KLINGON", "张伟".as_bytes()),
        None,
        "张伟",
        UTF_8,
        std::slice::from_ref(&unknown),
    );
    check(&message("KLINGON", b"Smith"), None, "Smith", UTF_8, &[unknown]);
}

#[test]
fn without_msh_18_the_listener_decides_and_else_the_bytes() {
    check(&message("", &encoded(GBK, "张伟")), Some(GBK), "张伟", GBK, &[]);
    check(
        &message("", &encoded(GBK, "张伟")),
        None,
        "张伟",
        GB18030,
        &[Remark::Undeclared],
    );
    check(
        &message("", "张伟".as_bytes()),
        Some(GBK),
        "张伟",
        UTF_8,
        &[Remark::Undeclared],
    );
    check(
        &message("", "张伟".as_bytes()),
        None,
        "张伟",
        UTF_8,
        &[Remark::Undeclared],
    );
    check(
        &message("", b"Ren\xE9"),
        None,
        "René",
        WINDOWS_1252,
        &[Remark::Undeclared],
    );
    check(&message("", b"Ren\xE9"), Some(WINDOWS_1252), "René", WINDOWS_1252, &[]);
}

#[test]
fn two_characters_of_gbk_that_pass_for_utf8_are_believed() {
    // 0xC4 0xAA is a surname in GBK and a letter with a macron in UTF-8.
    assert!(std::str::from_utf8(b"\xC4\xAA").is_ok());
    check(&message("GBK", b"\xC4\xAA"), None, "莫", GBK, &[]);
}

#[test]
fn utf16_of_both_orders_is_read_with_and_without_a_mark() {
    let text = String::from_utf8(message("UNICODE UTF-16", "张伟".as_bytes()).to_vec()).unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    check(&Bytes::from(little.clone()), None, "张伟", UTF_16LE, &[]);
    check(&Bytes::from(big.clone()), None, "张伟", UTF_16BE, &[]);
    check(
        &Bytes::from([&b"\xFF\xFE"[..], &little].concat()),
        None,
        "张伟",
        UTF_16LE,
        &[],
    );
    check(
        &Bytes::from([&b"\xFE\xFF"[..], &big].concat()),
        None,
        "张伟",
        UTF_16BE,
        &[],
    );
}

#[test]
fn what_fits_nowhere_is_replaced_and_counted() {
    let replaced = Remark::Replaced { count: 1 };
    let broken = [&encoded(GBK, "张伟建国")[..], b"\xFF"].concat();
    check(
        &message("GBK", &broken),
        None,
        "张伟建国\u{FFFD}",
        GBK,
        std::slice::from_ref(&replaced),
    );
    let broken = ["张伟建国王李".as_bytes(), b"\xFF"].concat();
    check(
        &message("UNICODE UTF-8", &broken),
        None,
        "张伟建国王李\u{FFFD}",
        UTF_8,
        std::slice::from_ref(&replaced),
    );
    check(
        &message("GBK", &broken),
        None,
        "张伟建国王李\u{FFFD}",
        UTF_8,
        &[wrong("GBK"), replaced],
    );
}

#[test]
fn what_is_only_ascii_is_answered_in_the_declared_set() {
    let set = |declared: &str, default| decode(&message(declared, b"Smith"), default).charset;
    assert_eq!(set("GB 18030-2000", None), Charset::of(GB18030));
    assert_eq!(set("ASCII", Some(GB18030)), Charset::ASCII);
    assert_eq!(set("", Some(GB18030)), Charset::of(GB18030));
    assert_eq!(set("", None), Charset::ASCII);
}
