//! The batch protocol: what FHS, BHS, BTS and FTS say about the messages between them (HL7 v2.9 2.10.3, 2.14.1 to
//! 2.14.7). Batches without headers are common and fine; a wrong count is a warning and never stops a message.

use causeway_core::{Finding, Severity, Text};

use crate::intake::finding;
use crate::message::{Body, Segment};
use crate::place;

/// Whether the sender wrapped its messages in a batch, and so gets a batch of acknowledgements.
pub fn is_batch(body: &Body) -> bool {
    body.outside
        .segments
        .iter()
        .any(|segment| segment.name == "BHS" || segment.name == "FHS")
}

/// Compares BTS-1 with the messages of each batch and FTS-1 with the batches of each file.
pub fn check(body: &Body) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut batch, mut file) = (Span::default(), Span::default());
    for segment in &body.outside.segments {
        match &segment.name.0 {
            b"FHS" => {
                file = Span {
                    from: segment.index,
                    batches: 0,
                }
            }
            b"BHS" => batch.from = segment.index,
            b"BTS" => {
                findings.extend(compare(
                    body,
                    segment,
                    messages(body, batch.from, segment.index),
                    "messages",
                    "消息",
                ));
                batch.from = segment.index;
                file.batches += 1;
            }
            b"FTS" => findings.extend(compare(body, segment, file.batches.max(1), "batches", "批次")),
            _ => {}
        }
    }
    findings
}

#[derive(Default)]
struct Span {
    /// Index of the segment it began with.
    from: u32,
    batches: u32,
}

fn messages(body: &Body, from: u32, to: u32) -> u32 {
    let start = |segments: &[Segment]| segments.first().map_or(0, |segment| segment.index);
    let within = |index: u32| (from..to).contains(&index);
    let count = body
        .messages
        .iter()
        .filter(|message| within(start(&message.segments)))
        .count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A count that is not given, or is no number, says nothing.
fn compare(body: &Body, trailer: &Segment, found: u32, what: &str, zh: &str) -> Option<Finding> {
    let value = body.outside.field_of(trailer, 1)?;
    let said: u32 = body.outside.text(value).trim().parse().ok()?;
    let name = trailer.name;
    let text = Text::new(
        format!("{name}-1 声明 {said} 个{zh}，实际 {found} 个"),
        format!("{name}-1 says {said} {what}, there are {found}"),
    );
    let finding = finding("wrong-batch-count", Severity::Warning, text);
    (said != found).then(|| finding.at_place(body.place_text(place::field(trailer.place(), 1))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn check_counts(text: &str, expect: &[&str]) {
        let body = crate::tokenise(&Bytes::copy_from_slice(text.as_bytes()), encoding_rs::UTF_8);
        let found: Vec<_> = check(&body)
            .into_iter()
            .map(|found| found.text.en.into_owned())
            .collect();
        assert_eq!(found, expect, "{text}");
    }

    const MESSAGE: &str = "MSH|^~\\&|A\rPID|1\r";

    #[test]
    fn counts_are_compared_with_what_is_there() {
        let two = format!("BHS|^~\\&|A\r{MESSAGE}{MESSAGE}");
        check_counts(&format!("{two}BTS|2\r"), &[]);
        check_counts(&format!("{two}BTS|3\r"), &["BTS-1 says 3 messages, there are 2"]);
        check_counts(&format!("{two}BTS\r"), &[]);
        check_counts(&format!("{two}BTS|many\r"), &[]);
        check_counts(&format!("FHS|^~\\&\r{two}BTS|2\r{two}BTS|2\rFTS|2\r"), &[]);
        check_counts(
            &format!("FHS|^~\\&\r{two}BTS|2\rFTS|4\r"),
            &["FTS-1 says 4 batches, there are 1"],
        );
        check_counts(&format!("{MESSAGE}{MESSAGE}"), &[]);
    }

    #[test]
    fn only_a_header_makes_a_batch() {
        let body = |text: &str| crate::tokenise(&Bytes::copy_from_slice(text.as_bytes()), encoding_rs::UTF_8);
        assert!(is_batch(&body(&format!("BHS|^~\\&\r{MESSAGE}"))));
        assert!(!is_batch(&body(&format!("{MESSAGE}{MESSAGE}BTS|2\r"))));
    }
}
