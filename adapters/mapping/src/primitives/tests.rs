use super::*;

fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn check(primitive: Primitive, text: &str, expect: (Made, &str)) {
    let zone = shanghai();
    let around = Around {
        offset: None,
        zone: Some(&zone),
    };
    let mut out = String::new();
    let made = primitive.write(text, around, &mut out);
    let out = if made == Made::Wrong || made == Made::Nothing {
        String::new()
    } else {
        out
    };
    assert_eq!((made, out.as_str()), expect, "{text}");
}

#[test]
fn times_keep_precision_and_offset() {
    let check = |text, made, expect| check(Primitive::DateTime, text, (made, expect));
    check("2023", Made::Text, "2023");
    check("202302", Made::Text, "2023-02");
    check("20230228", Made::Text, "2023-02-28");
    check("202302281405+0800", Made::Text, "2023-02-28T14:05:00+08:00");
    check("20230228140506.1234-0430", Made::Text, "2023-02-28T14:05:06.1234-04:30");
    check("20230228140506", Made::Completed, "2023-02-28T14:05:06+08:00");
    check("20230228140506+00", Made::Text, "2023-02-28T14:05:06+00:00");
    check("202302282400", Made::Completed, "2023-03-01T00:00:00+08:00");
    check("00000000", Made::Nothing, "");
    check("20230230", Made::Wrong, "");
    check("not a date", Made::Wrong, "");
    check("2023022825", Made::Wrong, "");
}

#[test]
fn a_summer_time_is_that_of_its_day() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let around = Around {
        offset: None,
        zone: Some(&zone),
    };
    for (text, expect) in [
        ("202307011200", "2023-07-01T12:00:00+02:00"),
        ("202301011200", "2023-01-01T12:00:00+01:00"),
    ] {
        let mut out = String::new();
        Primitive::DateTime.write(text, around, &mut out);
        assert_eq!(out, expect);
    }
}

#[test]
fn the_documents_offset_goes_before_the_zone() {
    let zone = shanghai();
    let around = Around {
        offset: Some("-05:00"),
        zone: Some(&zone),
    };
    let mut out = String::new();
    assert_eq!(
        Primitive::DateTime.write("20230228140506", around, &mut out),
        Made::Text
    );
    assert_eq!(out, "2023-02-28T14:05:06-05:00");
}

#[test]
fn an_instant_is_whole_or_nothing() {
    check(
        Primitive::Instant,
        "20230228140506",
        (Made::Completed, "2023-02-28T14:05:06+08:00"),
    );
    check(Primitive::Instant, "202302281405", (Made::Nothing, ""));
    check(Primitive::Date, "20230228140506", (Made::Text, "2023-02-28"));
    check(Primitive::Time, "140506", (Made::Text, "14:05:06"));
    check(Primitive::Time, "1405", (Made::Text, "14:05:00"));
    check(Primitive::Time, "20230228140506", (Made::Text, "14:05:06"));
    check(Primitive::Time, "2505", (Made::Wrong, ""));
}

#[test]
fn numbers_keep_their_digits() {
    let check = |text, made, expect| check(Primitive::Decimal, text, (made, expect));
    check("5.0", Made::Number, "5.0");
    check("+7", Made::Number, "7");
    check("-.50", Made::Number, "-0.50");
    check("007.10", Made::Number, "7.10");
    check("3.", Made::Number, "3");
    check("1e-3", Made::Number, "1e-3");
    check("5,0", Made::Wrong, "");
    check("<5", Made::Wrong, "");
    check(".", Made::Wrong, "");
    check("", Made::Nothing, "");
}

#[test]
fn a_period_is_in_order_when_that_is_sure() {
    use super::in_order;
    assert!(in_order("2024-01-01T01:00:00Z", "2024-01-01T09:00:00+08:00"));
    assert!(!in_order("2024-01-01T01:00:00Z", "2024-01-01T08:00:00+08:00"));
    assert!(in_order("2023", "2024-01-01"));
    assert!(in_order("2024-01-01", "2024-01-01"));
    assert!(!in_order("2024-01-31", "2024-01"));
    assert!(!in_order("2024-01-01T10:00:00Z", "2024-01-01"));
}

#[test]
fn a_measure_is_a_comparator_and_a_number() {
    let check = |text, comparator, (made, number)| {
        check(Primitive::Comparator, text, comparator);
        check(Primitive::Measured, text, (made, number));
    };
    check("10", (Made::Nothing, ""), (Made::Number, "10"));
    check("<10", (Made::Text, "<"), (Made::Number, "10"));
    check(">= 5.0", (Made::Text, ">="), (Made::Number, "5.0"));
    check("≥5.0", (Made::Text, ">="), (Made::Number, "5.0"));
    check("＜0.50", (Made::Text, "<"), (Made::Number, "0.50"));
    check("+", (Made::Nothing, ""), (Made::Wrong, ""));
    check("1:40", (Made::Nothing, ""), (Made::Wrong, ""));
    check("阴性", (Made::Nothing, ""), (Made::Wrong, ""));
}

#[test]
fn whole_numbers_have_their_bounds() {
    check(Primitive::PositiveInt, "0", (Made::Wrong, ""));
    check(Primitive::PositiveInt, "3.0", (Made::Number, "3"));
    check(Primitive::UnsignedInt, "0", (Made::Number, "0"));
    check(Primitive::Integer, "-12", (Made::Number, "-12"));
    check(Primitive::Integer, "99999999999", (Made::Wrong, ""));
}

#[test]
fn texts_are_cleaned() {
    check(Primitive::String, " a\u{1}b\nc ", (Made::Text, "ab\nc"));
    check(Primitive::Code, "  L   N ", (Made::Text, "L N"));
    check(Primitive::Uri, " urn:oid:1.2 ", (Made::Text, "urn:oid:1.2"));
}
