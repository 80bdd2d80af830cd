//! The way back for results: a kept ORU with what was found about it. The source stays as it came, byte for byte, its
//! delimiters, character set, escapes, unknown segments and terminators among it; what is added are whole segments, and
//! MSH-10 is new where any is, since a receiver that has the original must not take this for a resend of it (HL7 v2.9
//! 2.14.9.10). MSH-3 to MSH-7 stay: codes are the laboratory's, and so is the time of the statement. Every remark becomes
//! an NTE behind the segment that it speaks of, and what rules and services say a coded OBX in the same order, too. Which
//! segment takes what is in `layout`, where it stands in the bytes in `raw`, how it is written in `write`.

mod layout;
mod raw;
#[cfg(test)]
mod tests;
mod write;

use std::ops::Range;

use causeway_core::finding::Lang;
use causeway_core::{Actor, ActorKind, Class, Finding, Parcel, Parsed, Severity, Stamp, Text};
use encoding_rs::Encoding;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::delims::NEVER;
use crate::intake::Intake;
use crate::message::Message;
use crate::reply::Settings;
use layout::Layout;
use raw::Raw;
use write::Added;

/// How remarks are written.
#[derive(Debug, Clone, Copy)]
struct Manner<'a> {
    /// The language of texts, where the character set can hold it.
    lang: Lang,
    /// The zone of OBX-14.
    zone: &'a TimeZone,
    /// When the frame was received: the time that rules ran for.
    time: Timestamp,
    /// MSH-10 of what is made.
    control_id: &'a str,
}

/// The message of a parcel with what was found about it. `supposed` is its character set where it declares none.
pub(crate) fn of_parcel(
    parcel: &Parcel<'_>,
    supposed: Option<&'static Encoding>,
    settings: &Settings,
    stamp: &Stamp,
) -> Parsed<Vec<u8>> {
    let frame = parcel.frame;
    let whole = frame.head.spooled().map(|spooled| spooled.length);
    if whole.is_some_and(|whole| whole > frame.body.len() as u64) {
        return Parsed::failed(no_way_back(
            "原文过大，未在手边",
            "only the beginning of the source is at hand",
        ));
    }
    let intake = Intake::read(frame.body.clone(), supposed);
    let manner = Manner {
        lang: settings.lang,
        zone: &settings.zone,
        time: frame.received,
        control_id: &stamp.control_id,
    };
    annotate(&intake, parcel.part as usize, parcel.findings, manner)
}

/// The message of a number, from 0, with what was found about it.
fn annotate(intake: &Intake, number: usize, findings: &[Finding], manner: Manner<'_>) -> Parsed<Vec<u8>> {
    let Some(message) = intake.body.messages.get(number) else {
        return Parsed::failed(no_way_back(
            "原文不是 HL7 v2 消息",
            "the source is no message of HL7 version 2",
        ));
    };
    if message.message_type() != "ORU" {
        let kind = message.kind();
        return Parsed::failed(no_way_back(
            format!("{kind} 不能附加结果，只能附加于 ORU"),
            format!("{kind} takes no annotations; only ORU does"),
        ));
    }
    let Some(raw) = Raw::new(intake) else {
        return Parsed::failed(no_way_back(
            "原文的字节与其文本的行数不符",
            "the lines of the source's bytes and of its text do not agree",
        ));
    };
    let mut remarks = Vec::new();
    let told: Vec<&Finding> = findings.iter().filter(|finding| !finding.is_note()).collect();
    let added = if told.is_empty() || !writable(message, &mut remarks) {
        Vec::new()
    } else {
        write::added(&Layout::of(message), intake, &told, manner, &mut remarks)
    };
    let value = spliced(intake, message, &raw, added, manner.control_id);
    Parsed {
        value,
        findings: remarks,
    }
}

/// Whether segments can be written with the message's delimiters. A sender may use a recommended delimiter for something
/// else and leave none for what it is for.
fn writable(message: &Message, remarks: &mut Vec<Finding>) -> bool {
    let delims = message.delims;
    let whole = ![delims.field, delims.component, delims.escape].contains(&NEVER);
    if !whole {
        remarks.push(remark(
            "not-annotated",
            "MSH-2 缺少成分或转义分隔符，未附加任何内容",
            "MSH-2 leaves no character to separate components or to escape; nothing was added",
        ));
    }
    whole
}

/// The source with the segments put in, each before the terminator of the one that it follows.
fn spliced(
    intake: &Intake,
    message: &Message,
    raw: &Raw<'_>,
    mut added: Vec<Added>,
    control_id: &str,
) -> Option<Vec<u8>> {
    added.sort_by_key(|added| (added.behind, added.rank));
    let alone = intake.body.messages.len() == 1 && intake.body.outside.segments.is_empty();
    let whole = if alone {
        0..intake.raw.len()
    } else {
        raw.message(message)?
    };
    let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
    if !added.is_empty()
        && let Some(range) = raw.control_id(message)
    {
        edits.push((range, raw.encoded(control_id)));
    }
    for added in added {
        let at = raw.end(message.segments.get(added.behind)?.end as usize)?;
        edits.push((at..at, added.bytes));
    }
    let mut out = if alone { Vec::new() } else { raw.mark().to_vec() };
    let mut at = whole.start;
    for (range, bytes) in edits {
        out.extend_from_slice(intake.raw.get(at..range.start)?);
        out.extend(bytes);
        at = range.end;
    }
    out.extend_from_slice(intake.raw.get(at..whole.end)?);
    if !alone {
        out.extend(raw.encoded(write::terminator(message)));
    }
    Some(out)
}

fn no_way_back(zh: impl Into<String>, en: impl Into<String>) -> Finding {
    Finding::new(
        "no-way-back",
        Severity::Error,
        Class::UnsupportedType,
        by(),
        Text::new(zh.into(), en.into()),
    )
}

fn remark(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Finding {
    Finding::new(
        code,
        Severity::Warning,
        Class::Incomplete,
        by(),
        Text::new(zh.into(), en.into()),
    )
}

fn by() -> Actor {
    Actor::new(ActorKind::Gateway, "hl7v2")
}
