//! Which texts are values of a primitive, by the examples and patterns of R4 2.24.0.1.

use super::Primitive::{self, *};

fn check(primitive: Primitive, good: &[&str], bad: &[&str]) {
    for text in good {
        assert!(primitive.accepts(text), "{primitive:?} should take {text:?}");
    }
    for text in bad {
        assert!(!primitive.accepts(text), "{primitive:?} should not take {text:?}");
    }
}

#[test]
fn times_are_those_of_the_calendar() {
    check(
        Date,
        &["2018", "1973-06", "1905-08-23", "2000-02-29"],
        &[
            "",
            "18",
            "2018-13",
            "1900-02-29",
            "2018-06-31",
            "2018-6",
            "0000",
            "2018-01-01T00:00:00Z",
            "2018-",
            "2018-01-",
        ],
    );
    check(
        DateTime,
        &[
            "2018",
            "1973-06",
            "1905-08-23",
            "2015-02-07T13:28:17-05:00",
            "2017-01-01T00:00:00.000Z",
            "2016-12-31T23:59:60Z",
        ],
        &[
            "2015-02-07T13:28:17",
            "2015-02-07T13:28Z",
            "2015-02-07T24:00:00Z",
            "2015-02T10:00:00Z",
            "2015-02-07T13:28:17.Z",
            "2015-02-07T13:28:17+14:30",
            "2015-02-07T13:28:17+5:00",
            "2015-02-07 13:28:17Z",
            "20150207",
        ],
    );
    check(
        Instant,
        &["2015-02-07T13:28:17.239+02:00", "2017-01-01T00:00:00Z"],
        &["2015-02-07", "2015", "2015-02-07T13:28:17.239"],
    );
    check(
        Time,
        &["00:00:00", "23:59:59.5"],
        &["24:00:00", "12:30", "12:30:00Z", "1:02:03", "12:30:00."],
    );
}

#[test]
fn numbers_keep_their_bounds() {
    check(
        Integer,
        &["0", "-1", "2147483647", "-2147483648"],
        &["", "+1", "01", "1.0", "1e2", "2147483648", "-"],
    );
    check(UnsignedInt, &["0", "2147483647"], &["-1", "1.5"]);
    check(PositiveInt, &["1"], &["0", "-1"]);
    check(
        Decimal,
        &["0", "-0.10", "1e10", "1.5E-3", "100"],
        &["", ".5", "1.", "01.5", "1e", "NaN", "+1"],
    );
}

#[test]
fn names_and_addresses_keep_their_form() {
    check(
        Id,
        &["a", "36", "1.2-3", &"x".repeat(64)],
        &["", "a_b", "a b", &"x".repeat(65)],
    );
    check(
        Oid,
        &["urn:oid:1.2.3.4.5", "urn:oid:2.16.840.1"],
        &["1.2.3", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.02", "urn:oid:1..2"],
    );
    check(
        Uuid,
        &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
        &[
            "c757873d-ec9a-4326-a141-556f43239520",
            "urn:uuid:c757873d",
            "urn:uuid:g757873d-ec9a-4326-a141-556f43239520",
        ],
    );
    check(
        Uri,
        &[
            "http://loinc.org",
            "Patient/1",
            "urn:oid:1.2.3",
            "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
            "urn:iso:std:iso:3166",
        ],
        &[
            "",
            "http://a b",
            "oid:1.2.3",
            "urn:oid:x",
            "urn:uuid:1",
            "uuid:c757873d-ec9a-4326-a141-556f43239520",
        ],
    );
    check(
        Code,
        &["final", "entered-in-error", "a b"],
        &["", " a", "a ", "a  b", "a\t\tb"],
    );
    check(String, &["x", "一", "a\r\n\tb", " "], &["", "a\u{0}b", "\u{1b}"]);
    check(
        Base64Binary,
        &["QUJD", "QUI=", "QQ==", "QUJD\nQUJD"],
        &["", "QUJ", "Q===", "QU=D", "Q?=="],
    );
    check(
        Xhtml,
        &["<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"],
        &["", "x", "<p>x</p>"],
    );
    check(Boolean, &["true", "false"], &["True", "1", ""]);
}
