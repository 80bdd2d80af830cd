use super::*;

fn body(text: &str) -> Body {
    tokenise(&Bytes::copy_from_slice(text.as_bytes()), encoding_rs::UTF_8)
}

/// The segments of every message, one line a message, then what stands outside.
fn shape(body: &Body) -> Vec<String> {
    let names = |message: &Message| {
        let name = |segment: &Segment| format!("{}{}/{}", segment.name, segment.occurrence, segment.count);
        message.segments.iter().map(name).collect::<Vec<_>>().join(" ")
    };
    body.messages.iter().chain([&body.outside]).map(names).collect()
}

fn check(text: &str, expect: &[&str], problems: &[ProblemKind]) {
    let body = body(text);
    assert_eq!(shape(&body), expect, "{text:?}");
    assert_eq!(
        body.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(),
        problems,
        "{text:?}"
    );
}

#[test]
fn every_terminator_ends_a_segment() {
    for end in ["\r", "\n", "\r\n", "\r\r", "\n\n", "\r\n\r\n"] {
        let text = ["MSH|^~\\&|A", "PID|1|", "OBX|1", "OBX|2", ""].join(end);
        check(&text, &["MSH1/3 PID1/2 OBX1/1 OBX2/1", ""], &[]);
        check(text.trim_end(), &["MSH1/3 PID1/2 OBX1/1 OBX2/1", ""], &[]);
    }
}

#[test]
fn a_line_feed_among_carriage_returns_is_text_unless_a_segment_follows() {
    let text = "MSH|^~\\&|A\rNTE|1||one\ntwo\nthree\rNTE|2\nNTE|3\r";
    check(
        text,
        &["MSH1/3 NTE1/3 NTE2/1 NTE3/1", ""],
        &[ProblemKind::LineFeedInField],
    );
    let body = body(text);
    let message = &body.messages[0];
    assert_eq!(message.raw(message.field(1, 3).unwrap()), "one\ntwo\nthree");
    assert_eq!(body.problems[0].count, 2);
}

#[test]
fn a_header_is_one_line_whatever_stands_before_it() {
    check(
        "MSH|^~\\&|A\rPID|1\r\u{b}MSH|^~\\&|B\nPID|2",
        &["MSH1/3 PID1/1", "MSH1/3 PID1/1", ""],
        &[],
    );
}

#[test]
fn junk_around_messages_is_skipped_and_said() {
    check("\u{b}MSH|^~\\&|A\rPID|1\r\u{1c}\r", &["MSH1/3 PID1/1", ""], &[]);
    check("\u{feff}MSH|^~\\&|A\rPID|1\r\0\0\u{1a}", &["MSH1/3 PID1/1", ""], &[]);
    check("  \t\r\nMSH|^~\\&|A\r  PID|1\r", &["MSH1/3 PID1/1", ""], &[]);
    check(
        "log: MSH|^~\\&|A\rPID|1\r",
        &["MSH1/3 PID1/1", ""],
        &[ProblemKind::JunkBefore],
    );
    check("hello\rMSH|^~\\&|A\r", &["MSH1/3", ""], &[ProblemKind::JunkBefore]);
}

#[test]
fn a_body_without_a_header_has_no_message() {
    for text in ["", "\r\n", "PID|1\r", "GET / HTTP/1.1\r\n\r\n", "MSH"] {
        check(text, &[""], &[ProblemKind::NoMessage]);
    }
}

#[test]
fn several_messages_and_batches_are_told_apart() {
    let text = "FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|^~\\&|1\rPID|1\rMSH$^~\\&$2\rPID$1\rBTS|2\rFTS|1\r";
    check(
        text,
        &["MSH1/3 PID1/1", "MSH1/3 PID1/1", "FHS1/3 BHS1/3 BTS1/1 FTS1/1"],
        &[],
    );
    let body = body(text);
    assert_eq!(body.messages[1].delims.field, b'$');
    let index: Vec<u32> = body
        .messages
        .iter()
        .flat_map(|message| &message.segments)
        .map(|segment| segment.index)
        .collect();
    assert_eq!(index, [2, 3, 4, 5]);
}

#[test]
fn framing_between_messages_of_a_file_is_no_segment() {
    let text = "\u{b}MSH|^~\\&|1\rPID|1\r\u{1c}\r\u{b}MSH|^~\\&|2\rPID|1\u{1c}\r";
    check(text, &["MSH1/3 PID1/1", "MSH1/3 PID1/1", ""], &[]);
}

#[test]
fn odd_names_are_kept_and_said() {
    check(
        "MSH|^~\\&|A\rP|1\r1AB|1\rZZ1|1|2\rpid|1\r",
        &["MSH1/3 ???1/1 ???2/1 ZZ11/2 PID1/1", ""],
        &[ProblemKind::BadName, ProblemKind::BadName, ProblemKind::SmallName],
    );
    check(
        "MSH|^~\\&|A\rBTS|1\rPID|1\r",
        &["MSH1/3", "BTS1/1 PID1/1"],
        &[ProblemKind::Stray],
    );
}

#[test]
fn text_that_talks_of_headers_begins_no_message() {
    check(
        "MSH|^~\\&|A\nNTE|1||see\nMSH-2 is wrong\n",
        &["MSH1/3 NTE1/3 ???1/0", ""],
        &[ProblemKind::BadName],
    );
}

#[test]
fn departures_of_msh_2_are_said_at_msh_2() {
    check("MSH|^~\\|A", &["MSH1/3", ""], &[ProblemKind::ShortDelimiters]);
    check("MSH|^^\\&|A", &["MSH1/3", ""], &[ProblemKind::UnusableDelimiters]);
    let body = body("MSH|^~\\|A");
    assert_eq!(body.place_text(body.problems[0].place), "MSH[1]-2");
}

#[test]
fn a_line_of_separators_is_bounded() {
    let text = format!("MSH|^~\\&|A\rZZZ{}end\r", "|".repeat(5000));
    let body = body(&text);
    let message = &body.messages[0];
    assert_eq!(message.segments[1].count, u32::from(place::MAX_FIELDS) + 1);
    assert!(message.raw(message.field(1, 1023).unwrap()).ends_with("|end"));
    assert_eq!(body.problems[0].kind, ProblemKind::TooManyValues);
}

#[test]
fn a_body_of_separators_costs_no_more_than_four_times_its_size() {
    let text = format!("MSH|^~\\&|A\r{}", format!("ZZZ{}\r", "|".repeat(1000)).repeat(1000));
    let body = body(&text);
    let message = &body.messages[0];
    assert!(message.fields.len() * size_of::<(u32, u32)>() <= 4 * text.len() + 8 * 8192);
    assert_eq!(message.segments.len(), 1001);
    assert!(
        body.problems
            .iter()
            .all(|problem| problem.kind == ProblemKind::TooManyValues)
    );
    let last = message.field(1000, 1).unwrap();
    assert_eq!(message.raw(last).len(), 999);
}

#[test]
fn many_names_are_counted_right() {
    let lines = (0..200).map(|number| format!("Z{:02}|1\r", number % 100));
    let text = std::iter::once("MSH|^~\\&|A\r".to_owned())
        .chain(lines)
        .collect::<String>();
    let body = body(&text);
    assert!(
        body.messages[0].segments[1..101]
            .iter()
            .all(|segment| segment.occurrence == 1)
    );
    assert!(
        body.messages[0].segments[101..]
            .iter()
            .all(|segment| segment.occurrence == 2)
    );
}
