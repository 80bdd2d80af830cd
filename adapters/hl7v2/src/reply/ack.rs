//! One acknowledgement: MSH, MSA and its errors (HL7 v2.9 2.13.1, 2.14.8, 2.14.9). Which code it carries and whether it
//! is sent at all was decided before.

use causeway_core::finding::Lang;
use causeway_core::{Actor, ActorKind, Class, Finding, Severity, Text};

use super::err::{self, About};
use super::writer::Writer;
use crate::charset::names::is_double_byte;
use crate::charset::scan::{self, Steps};
use crate::header::Version;
use crate::intake::Intake;
use crate::message::Message;

/// Errors told one by one; one more says how many were left out.
pub(super) const MOST_ERRORS: usize = 100;
/// Characters of MSA-3, the text that versions before 2.5 have (HL7 v2.4 2.16.8.3).
const MOST_MSA_TEXT: usize = 80;

/// An acknowledgement code: HL7 table 0008.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// Taken.
    Accept,
    /// Not taken: an error in the content, or the gateway cannot now.
    Error,
    /// Not taken: a message of this kind never will be.
    Reject,
}

impl Code {
    fn written(self, commit: bool) -> &'static str {
        match (self, commit) {
            (Self::Accept, false) => "AA",
            (Self::Error, false) => "AE",
            (Self::Reject, false) => "AR",
            (Self::Accept, true) => "CA",
            (Self::Error, true) => "CE",
            (Self::Reject, true) => "CR",
        }
    }
}

/// What an acknowledgement says.
#[derive(Debug)]
pub(super) struct Ack<'a> {
    pub(super) code: Code,
    pub(super) commit: bool,
    pub(super) enhanced: bool,
    /// Our own MSH-10.
    pub(super) control_id: &'a str,
    /// MSH-7.
    pub(super) time: &'a str,
    pub(super) lang: Lang,
    pub(super) findings: &'a [Finding],
}

impl Ack<'_> {
    /// Writes the acknowledgement of a message, or of what could not be read as one.
    pub(super) fn write(&self, writer: &mut Writer, intake: &Intake, message: Option<&Message>, echo: &[u8]) {
        self.header(writer, message);
        let located = message.is_none_or(|message| message.version().is_none_or(Version::has_located_errors));
        let told = self.told(located);
        writer.segment("MSA");
        writer.raw(1, self.code.written(self.commit));
        writer.bytes(2, echo);
        if let Some(first) = told.first().filter(|_| !located) {
            let text = err::sentence(writer, first, self.lang);
            writer.text(3, text, MOST_MSA_TEXT);
        }
        writer.end();
        let about = message.map(|message| About {
            body: &intake.body,
            message,
        });
        self.errors(writer, about, &told, located);
    }

    fn header(&self, writer: &mut Writer, message: Option<&Message>) {
        let raw = |number| message.and_then(|message| Some(message.raw(message.field(0, number)?)));
        let echoed = |number| raw(number).unwrap_or_default();
        let or = |number, usual| Some(echoed(number)).filter(|text| !text.is_empty()).unwrap_or(usual);
        writer.header("MSH");
        for (ours, theirs) in [(3, 5), (4, 6), (5, 3), (6, 4)] {
            writer.echo(ours, echoed(theirs));
        }
        writer.raw(7, self.time);
        let trigger = message
            .map(|message| writer.escaped(&message.trigger(), 3))
            .unwrap_or_default();
        // The structure is a component of MSH-9 since version 2.3.1 (HL7 v2.3.1 2.24.1.9).
        let structured = message
            .and_then(Message::version)
            .is_none_or(|version| version >= Version(2, 3, 1));
        let structure = if structured && !trigger.is_empty() { "ACK" } else { "" };
        writer.components(9, &["ACK", &trigger, structure]);
        writer.text(10, self.control_id, usize::MAX);
        writer.echo(11, or(11, "P"));
        writer.echo(12, or(12, "2.5"));
        if self.enhanced && !self.commit {
            // An application acknowledgement is a message of its own; nothing is asked for it in turn.
            writer.raw(15, "NE");
            writer.raw(16, "NE");
        }
        writer.echo(18, echoed(18));
        writer.end();
    }

    /// The findings that are told, gravest first. Before version 2.5 there is no way to tell what is not an error.
    fn told(&self, located: bool) -> Vec<&Finding> {
        let least = if located {
            Severity::Information
        } else {
            Severity::Error
        };
        let mut told: Vec<_> = self
            .findings
            .iter()
            .filter(|finding| finding.severity >= least && !finding.is_note())
            .collect();
        told.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        told
    }

    fn errors(&self, writer: &mut Writer, about: Option<About<'_>>, told: &[&Finding], located: bool) {
        let rest = told.len().saturating_sub(MOST_ERRORS);
        let told = told.get(..MOST_ERRORS).unwrap_or(told);
        if located {
            for finding in told {
                err::located(writer, about, finding, self.lang);
            }
            if rest > 0 {
                err::located(writer, None, &left_out(rest), self.lang);
            }
        } else if !told.is_empty() {
            err::listed(writer, about, told);
        }
    }
}

fn left_out(rest: usize) -> Finding {
    let text = Text::new(
        format!("另有 {rest} 条未列出"),
        format!("{rest} more findings are not listed"),
    );
    Finding::new(
        "more-findings",
        Severity::Information,
        Class::Business,
        Actor::new(ActorKind::Gateway, "hl7v2"),
        text,
    )
}

/// MSH-10 of a message, byte for byte as it came, for MSA-2. The decoded text serves where it is ASCII, for then its
/// bytes are the same in every set but UTF-16; else the field is cut from the raw bytes, since decoding and encoding
/// again need not give the same.
pub(super) fn control_id_bytes(intake: &Intake, message: &Message) -> Vec<u8> {
    let text = message.field(0, 10).map(|value| message.raw(value)).unwrap_or_default();
    let set = intake.charset.encoding;
    if set == encoding_rs::UTF_16LE || set == encoding_rs::UTF_16BE {
        let mut writer = Writer::new(
            crate::charset::Charset {
                mark: false,
                ..intake.charset
            },
            message.delims,
        );
        writer.raw(0, text);
        return writer.into_bytes();
    }
    let raw = if text.is_ascii() {
        None
    } else {
        raw_header(intake, message)
    };
    let steps = if is_double_byte(set) {
        Steps::Pairs
    } else {
        Steps::Bytes
    };
    raw.and_then(|line| scan::field(line, 10, steps))
        .unwrap_or(text.as_bytes())
        .to_vec()
}

/// The raw bytes from the message's MSH on. Segment terminators are the same bytes before and after decoding, so the
/// line is found by counting them.
fn raw_header<'a>(intake: &'a Intake, message: &Message) -> Option<&'a [u8]> {
    let is_end = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
    let start = message.segments.first()?.start as usize;
    let before = message.text.as_bytes().get(..start)?.iter().filter(is_end).count();
    let mut line = intake.raw.as_ref();
    for _ in 0..before {
        line = line.get(memchr::memchr2(b'\r', b'\n', line)? + 1..)?;
    }
    line.get(memchr::memmem::find(line, b"MSH")?..)
}
