//! A frame's bytes, read: decoded, split, with what was odd said as findings. The joint between `charset`, `tokenise`,
//! `batch` and the rest of the crate. It never refuses; nothing here knows of maps.

use bytes::Bytes;
use causeway_core::{Actor, ActorKind, Class, Finding, Severity, Stamp, Text};
use encoding_rs::Encoding;
use jiff::Timestamp;

use crate::batch;
use crate::charset::{self, Charset, Remark};
use crate::header;
use crate::message::Body;
use crate::place;
use crate::problem::{Problem, ProblemKind};
use crate::reply::{self, Settings};
use crate::tokenise::tokenise;

/// A frame's bytes, read.
#[derive(Debug, Clone)]
pub struct Intake {
    /// The bytes as they came.
    pub raw: Bytes,
    /// The character set to answer in.
    pub charset: Charset,
    /// The syntax tree over the decoded text.
    pub body: Body,
    /// What was odd about MSH-18.
    pub remarks: Vec<Remark>,
}

impl Intake {
    /// Reads a frame's bytes. `default` is the listener's character set for senders that declare none.
    pub fn read(raw: Bytes, default: Option<&'static Encoding>) -> Self {
        let decoded = charset::decode(&raw, default);
        let body = tokenise(&decoded.text, decoded.charset.encoding);
        Self {
            raw,
            charset: decoded.charset,
            body,
            remarks: decoded.remarks,
        }
    }

    /// Everything odd about character set, syntax and batch counts.
    pub fn findings(&self) -> Vec<Finding> {
        let charset = self.remarks.iter().map(|remark| self.of_remark(remark));
        let syntax = self.body.problems.iter().map(|problem| self.of_problem(problem));
        let more = self.body.more_problems;
        let rest = (more > 0).then(|| {
            let text = Text::new(
                format!("另有 {more} 处语法问题"),
                format!("{more} more problems of syntax"),
            );
            finding("more-syntax-problems", Severity::Warning, text)
        });
        charset
            .chain(syntax)
            .chain(rest)
            .chain(batch::check(&self.body))
            .collect()
    }

    fn of_remark(&self, remark: &Remark) -> Finding {
        let used = self.charset.name();
        let (code, severity, text) = match remark {
            Remark::Unknown { name } => (
                "unknown-charset",
                Severity::Warning,
                Text::new(
                    format!("MSH-18 的字符集“{name}”不认识，已按 {used} 读取"),
                    format!("MSH-18 names an unknown character set, {name}; the message was read as {used}"),
                ),
            ),
            Remark::Wrong { name } => (
                "wrong-charset",
                Severity::Warning,
                Text::new(
                    format!("MSH-18 声明 {name}，但内容并非如此，已按 {used} 读取"),
                    format!("MSH-18 says {name}, but the bytes are not; the message was read as {used}"),
                ),
            ),
            Remark::Undeclared => (
                "undeclared-charset",
                Severity::Information,
                Text::new(
                    format!("MSH-18 未声明字符集，已按 {used} 读取"),
                    format!("MSH-18 declares no character set; the message was read as {used}"),
                ),
            ),
            Remark::Replaced { count } => (
                "broken-characters",
                Severity::Warning,
                Text::new(
                    format!("有 {count} 个字符无法按 {used}（MSH-18）解码，已用 U+FFFD 代替"),
                    format!("{count} characters are no {used} (MSH-18) and were replaced by U+FFFD"),
                ),
            ),
        };
        let first = self.body.messages.first().and_then(|message| message.segments.first());
        let finding = Finding::new(code, severity, Class::Value, parser(), text);
        match first {
            Some(header) => finding.at_place(self.body.place_text(place::field(header.place(), 18))),
            None => finding,
        }
    }

    fn of_problem(&self, problem: &Problem) -> Finding {
        let count = problem.count;
        let (code, severity, zh, en) = sentence(problem.kind);
        let fill = |sentence: &str| sentence.replace("{n}", &count.to_string());
        let finding = finding(code, severity, Text::new(fill(zh), fill(en)));
        let place = self.body.place_text(problem.place);
        if place.is_empty() {
            finding
        } else {
            finding.at_place(place)
        }
    }
}

/// Does with any bytes what a gateway does with a frame, up to the refusal: for fuzzing and for laws.
///
/// # Panics
/// Never; that is what is looked for.
pub fn fuzz_parse(bytes: &[u8]) {
    let intake = Intake::read(Bytes::copy_from_slice(bytes), None);
    let mut findings = intake.findings();
    for message in intake.body.messages.iter().chain([&intake.body.outside]) {
        findings.extend(header::check(&intake.body, message, |_, _| header::Takes::Yes));
        for leaf in message.leaves() {
            let place = intake.body.place_text(leaf.place);
            std::hint::black_box((intake.body.place_of(&place), message.text(leaf)));
        }
    }
    let stamp = Stamp {
        time: Timestamp::UNIX_EPOCH,
        control_id: "1".to_owned(),
    };
    std::hint::black_box(reply::refuse(bytes, &findings, &Settings::default(), &stamp));
}

fn parser() -> Actor {
    Actor::new(ActorKind::Parser, "hl7v2")
}

pub(crate) fn finding(code: &'static str, severity: Severity, text: Text) -> Finding {
    Finding::new(code, severity, Class::Structure, parser(), text)
}

/// Code, severity and sentences of a problem; `{n}` is its count.
fn sentence(kind: ProblemKind) -> (&'static str, Severity, &'static str, &'static str) {
    use Severity::{Error, Information, Warning};
    match kind {
        ProblemKind::NoMessage => (
            "no-message",
            Error,
            "找不到 MSH 段，不是 HL7 v2 消息",
            "no MSH segment: not HL7 version 2",
        ),
        ProblemKind::JunkBefore => (
            "junk-before-message",
            Information,
            "首个消息头之前有 {n} 个多余字节，已跳过",
            "{n} bytes before the first header segment were skipped",
        ),
        ProblemKind::Stray => (
            "stray-segment",
            Warning,
            "此段不属于任何消息",
            "this segment belongs to no message",
        ),
        ProblemKind::BadName => (
            "bad-segment-name",
            Warning,
            "此行不以段名开头",
            "this line does not begin with a segment name",
        ),
        ProblemKind::SmallName => (
            "small-segment-name",
            Information,
            "段名为小写，按大写读取",
            "the segment name is in small letters",
        ),
        ProblemKind::ShortDelimiters => (
            "short-delimiters",
            Information,
            "MSH-2 不足四个字符，缺少的按推荐值读取",
            "MSH-2 has fewer than four characters; the recommended ones were taken for the rest",
        ),
        ProblemKind::UnusableDelimiters => (
            "unusable-delimiters",
            Warning,
            "MSH-2 中有不能作分隔符或重复的字符，已略过",
            "MSH-2 has a character that cannot delimit or stands there twice; it was passed over",
        ),
        ProblemKind::LineFeedInField => (
            "line-feed-in-field",
            Information,
            "字段中有 {n} 个换行符，已作为文本保留",
            "{n} line feeds inside fields were kept as text",
        ),
        ProblemKind::TooManySegments => (
            "too-many-segments",
            Error,
            "段数超过上限，其余未读取",
            "too many segments; the rest was not read",
        ),
        ProblemKind::TooManyValues => (
            "too-many-values",
            Warning,
            "有 {n} 个值超出可定位的上限，它们共用最后一个位置",
            "{n} values lie beyond those that have a place of their own; they share the last",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &[u8], expect: &[(&str, Option<&str>)]) {
        let findings = Intake::read(Bytes::copy_from_slice(raw), None).findings();
        let found: Vec<_> = findings
            .iter()
            .map(|found| (found.code.as_ref(), found.place.as_deref()))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn what_is_odd_is_said_at_its_place() {
        check(b"MSH|^~\\&|A||||7||ORU^R01|1|P|2.5\r", &[]);
        check(
            b"MSH|^~\\&|A||||7||ORU^R01|1|P|2.5||||||GBK\rPID|||||\xE5\xBC\xA0\r",
            &[("wrong-charset", Some("MSH[1]-18"))],
        );
        check(
            b"x MSH|^~|A\rwhat is this\r",
            &[
                ("junk-before-message", Some("MSH[1]")),
                ("short-delimiters", Some("MSH[1]-2")),
                ("bad-segment-name", Some("???[1]")),
            ],
        );
        check(b"hello", &[("no-message", None)]);
    }

    #[test]
    fn a_flood_of_problems_is_counted_and_not_listed() {
        let raw = [b"MSH|^~\\&|A\r".to_vec(), b"?|\r".repeat(1000)].concat();
        let findings = Intake::read(Bytes::from(raw), None).findings();
        assert_eq!(findings.len(), 201);
        assert_eq!(
            findings.last().map(|found| found.text.en.as_ref()),
            Some("800 more problems of syntax")
        );
    }
}
