//! Where the text's segments stand in the bytes that came. Segment terminators are the same in both, in every character set
//! that is read here, so places are found by counting them. Nothing is encoded twice: what is not added is never written
//! anew.

use std::ops::Range;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use memchr::{memchr2_iter, memmem};

use crate::charset::names::is_double_byte;
use crate::charset::scan::{self, Steps};
use crate::intake::Intake;
use crate::message::Message;

/// The bytes of a body beside its text.
pub(super) struct Raw<'a> {
    intake: &'a Intake,
    text: &'a [u8],
    /// Bytes of the byte order mark.
    mark: usize,
    /// Bytes of a character of ASCII.
    unit: usize,
    /// Every carriage return and line feed: where it is in the text, and where in the bytes.
    ends: Vec<(usize, usize)>,
}

impl<'a> Raw<'a> {
    /// The bytes of a body; none where their lines are not those of the text, as in a set that shifts and is broken.
    pub(super) fn new(intake: &'a Intake) -> Option<Self> {
        let text = intake.body.outside.text.as_bytes();
        let mark = Encoding::for_bom(&intake.raw).map_or(0, |(_, length)| length);
        let set = intake.charset.encoding;
        let in_text = memchr2_iter(b'\r', b'\n', text);
        let body = intake.raw.get(mark..)?;
        let in_bytes: Vec<usize> = if set == UTF_16LE || set == UTF_16BE {
            let (pairs, _) = body.as_chunks::<2>();
            let read = if set == UTF_16LE {
                u16::from_le_bytes
            } else {
                u16::from_be_bytes
            };
            let ends = pairs.iter().enumerate();
            let ends = ends.filter(|(_, pair)| matches!(read(**pair), 0x0D | 0x0A));
            ends.map(|(number, _)| mark + number * 2).collect()
        } else {
            memchr2_iter(b'\r', b'\n', body).map(|at| mark + at).collect()
        };
        let in_text: Vec<usize> = in_text.collect();
        (in_text.len() == in_bytes.len()).then_some(())?;
        Some(Self {
            intake,
            text,
            mark,
            unit: if set == UTF_16LE || set == UTF_16BE { 2 } else { 1 },
            ends: in_text.into_iter().zip(in_bytes).collect(),
        })
    }

    /// The byte order mark, where the character set needs one.
    pub(super) fn mark(&self) -> &[u8] {
        let needed = if self.unit == 2 { self.mark } else { 0 };
        self.intake.raw.get(..needed).unwrap_or_default()
    }

    /// A text of ASCII in the body's character set.
    pub(super) fn encoded(&self, text: &str) -> Vec<u8> {
        let set = self.intake.charset.encoding;
        if self.unit == 1 {
            return text.as_bytes().to_vec();
        }
        let order = if set == UTF_16LE {
            u16::to_le_bytes
        } else {
            u16::to_be_bytes
        };
        text.encode_utf16().flat_map(order).collect()
    }

    /// The byte behind a segment that ends at `at` of the text. Between it and its terminator stand framing characters of
    /// one unit each, if anything.
    pub(super) fn end(&self, at: usize) -> Option<usize> {
        let next = self.ends.partition_point(|(text, _)| *text < at);
        let whole = (self.text.len(), self.intake.raw.len());
        let (text, bytes) = self.ends.get(next).copied().unwrap_or(whole);
        bytes.checked_sub((text - at) * self.unit)
    }

    /// The bytes of a message without its last terminator.
    pub(super) fn message(&self, message: &Message) -> Option<Range<usize>> {
        Some(self.start(message)?..self.end(message.segments.last()?.end as usize)?)
    }

    /// Where a message's MSH begins. Junk may stand before it in its line, as the text says it does.
    fn start(&self, message: &Message) -> Option<usize> {
        let start = message.segments.first()?.start as usize;
        let before = self.ends.partition_point(|(text, _)| *text < start);
        let last = before.checked_sub(1).and_then(|last| self.ends.get(last));
        let (text, bytes) = last.map_or((0, self.mark), |(text, bytes)| (text + 1, bytes + self.unit));
        let junk = self.text.get(text..start)?;
        let skip = memmem::find_iter(junk, b"MSH").count();
        let name = self.encoded("MSH");
        let line = self.intake.raw.get(bytes..)?;
        Some(bytes + memmem::find_iter(line, &name).nth(skip)?)
    }

    /// The bytes of MSH-10; none where the segment ends before it.
    pub(super) fn control_id(&self, message: &Message) -> Option<Range<usize>> {
        let value = message.field(0, 10)?;
        let start = self.start(message)?;
        if self.unit == 2 {
            let from = message.segments.first()?.start as usize;
            let units = |from: usize, to: usize| Some(message.text.get(from..to)?.encode_utf16().count() * 2);
            let first = start + units(from, value.start as usize)?;
            return Some(first..first + units(value.start as usize, value.end as usize)?);
        }
        let steps = if is_double_byte(self.intake.charset.encoding) {
            Steps::Pairs
        } else {
            Steps::Bytes
        };
        let span = scan::span(self.intake.raw.get(start..)?, 10, steps)?;
        Some(start + span.start..start + span.end)
    }
}
