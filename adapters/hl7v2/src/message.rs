//! The syntax tree of a body: its messages, their segments and the spans of their fields, all over one decoded text that
//! nothing copies. How it is made is in `tokenise`; how values are read from it is in `value`.

use std::fmt;

use bytestring::ByteString;
use causeway_core::Place;
use encoding_rs::Encoding;

use crate::delims::Delims;
use crate::place;
use crate::problem::Problem;

/// The three characters that name a segment, in capitals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub [u8; 3]);

impl Name {
    /// A line that names no segment; it is kept all the same.
    pub const UNKNOWN: Self = Self(*b"???");

    /// The name that a line begins with, when that is three letters or digits of which the first is a letter (HL7 v2.9
    /// 2.5.2). Small letters are taken for capitals.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let name: [u8; 3] = bytes.try_into().ok()?;
        let valid = name.iter().all(u8::is_ascii_alphanumeric) && name.first().is_some_and(u8::is_ascii_alphabetic);
        valid.then(|| Self(name.map(|byte| byte.to_ascii_uppercase())))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Whether MSH-1 and MSH-2 of this segment are the delimiters themselves.
    pub fn is_header(self) -> bool {
        matches!(&self.0, b"MSH" | b"BHS" | b"FHS")
    }

    /// Whether a batch or file of messages begins or ends with this segment (HL7 v2.9 2.10.3).
    pub fn is_batch(self) -> bool {
        matches!(&self.0, b"FHS" | b"BHS" | b"BTS" | b"FTS")
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

/// One segment. Spans count bytes of the body's decoded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its name.
    pub name: Name,
    /// Which of its name in the message, from 1.
    pub occurrence: u32,
    /// Its index in the body, from 0 over all messages and batch segments.
    pub index: u32,
    /// Where it begins: the first character of its name.
    pub start: u32,
    /// Where it ends: the segment terminator, or the end of the text.
    pub end: u32,
    /// Its first field in the message's list of spans.
    pub(crate) first: u32,
    /// How many fields it has.
    pub(crate) count: u32,
}

impl Segment {
    /// The segment's place.
    pub fn place(&self) -> Place {
        place::segment(self.index)
    }

    /// How many fields the segment has, empty ones among them. In MSH, BHS and FHS the field separator is field 1.
    pub fn fields(&self) -> u32 {
        self.count
    }
}

/// One message of a body.
#[derive(Debug, Clone)]
pub struct Message {
    /// The decoded text of the whole body; every span counts in it.
    pub text: ByteString,
    /// The character set the body came in, for `\X..\` escapes and for the reply.
    pub charset: &'static Encoding,
    /// The delimiters of this message.
    pub delims: Delims,
    /// Its segments in order; the first is MSH.
    pub segments: Vec<Segment>,
    /// Which message of the body, from 1.
    pub number: u32,
    pub(crate) fields: Vec<(u32, u32)>,
    /// Which delimiters stand anywhere in its values.
    pub(crate) has: Has,
}

/// Which delimiters stand anywhere in the values of a message: most messages have few of them, and what is nowhere need
/// not be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Has {
    pub(crate) repetition: bool,
    pub(crate) subcomponent: bool,
    pub(crate) escape: bool,
}

impl Has {
    /// What may be there before anybody looked.
    pub(crate) const ALL: Self = Self {
        repetition: true,
        subcomponent: true,
        escape: true,
    };
}

impl Message {
    pub(crate) fn new(text: ByteString, charset: &'static Encoding, delims: Delims, number: u32) -> Self {
        Self {
            text,
            charset,
            delims,
            segments: Vec::new(),
            number,
            fields: Vec::new(),
            has: Has::ALL,
        }
    }

    /// How many segments and fields there are.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.segments.len(), self.fields.len())
    }

    /// Looks which delimiters stand in the values, behind MSH-2, which holds them all.
    pub(crate) fn look(&mut self) {
        let start = self.fields.get(1).map_or(0, |(_, end)| *end as usize);
        let end = self.segments.last().map_or(0, |segment| segment.end as usize);
        let values = self.text.as_bytes().get(start..end).unwrap_or_default();
        self.has = Has {
            repetition: memchr::memchr(self.delims.repetition, values).is_some(),
            subcomponent: memchr::memchr(self.delims.subcomponent, values).is_some(),
            escape: memchr::memchr(self.delims.escape, values).is_some(),
        };
    }

    /// The position in `segments` of the segment that a place lies in.
    pub fn position(&self, place: Place) -> Option<usize> {
        let index = place::spot(place).segment?;
        self.segments.binary_search_by_key(&index, |segment| segment.index).ok()
    }

    /// The segment that a place lies in.
    pub fn segment_at(&self, place: Place) -> Option<&Segment> {
        self.segments.get(self.position(place)?)
    }

    /// The positions of the segments of a name, in order.
    pub fn positions(&self, name: Name) -> impl Iterator<Item = usize> {
        self.segments
            .iter()
            .enumerate()
            .filter(move |(_, segment)| segment.name == name)
            .map(|(position, _)| position)
    }
}

/// A whole body: what one frame held.
#[derive(Debug, Clone)]
pub struct Body {
    /// Its messages in order. Empty when no MSH was found.
    pub messages: Vec<Message>,
    /// What stands outside of messages: FHS, BHS, BTS, FTS and lines that belong to no message.
    pub outside: Message,
    /// What was odd about the syntax, so far as it was noted one by one.
    pub problems: Vec<Problem>,
    /// Problems beyond those.
    pub more_problems: u32,
}

impl Body {
    /// The message, or the outside of all messages, that a place lies in.
    pub fn holder(&self, place: Place) -> Option<&Message> {
        let index = place::spot(place).segment?;
        let after = self.messages.partition_point(|message| first_index(message) <= index);
        let within = after.checked_sub(1).and_then(|before| self.messages.get(before));
        within
            .into_iter()
            .chain([&self.outside])
            .find(|message| message.position(place).is_some())
    }
}

fn first_index(message: &Message) -> u32 {
    message.segments.first().map_or(u32::MAX, |segment| segment.index)
}
