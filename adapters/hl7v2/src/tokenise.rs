//! From decoded text to segments and field spans, in one pass and without copying (HL7 v2.9 2.5, 2.10.3 for batches).
//! It refuses nothing: any terminator, any delimiters, several messages and batch segments in one body, junk around them.
//! Character sets were dealt with before; what stands inside a field is split later, in `value`.

mod counts;
mod hits;
mod lines;

use bytes::Bytes;
use bytestring::ByteString;
use causeway_core::Place;
use encoding_rs::Encoding;

use crate::delims::{DelimFault, Delims};
use crate::message::{Body, Message, Name, Segment};
use crate::place;
use crate::problem::{Problem, ProblemKind};
use counts::Counts;
pub(crate) use lines::first_header;
use lines::{Line, Lines};

/// Problems of a body that are noted one by one.
const MOST_PROBLEMS: usize = 200;

/// Fields that a body may have whatever its length.
const FEW_FIELDS: usize = 4096;

/// Splits a decoded body. `charset` is what the body came in. Bytes beyond 4 GiB are not looked at; no listener takes
/// a body of that size into memory.
pub fn tokenise(text: &Bytes, charset: &'static Encoding) -> Body {
    // Decoded text is UTF-8; should it not be, what is no character is replaced before anything is counted.
    let string = ByteString::try_from(text.clone());
    let string = string.unwrap_or_else(|_| ByteString::from(String::from_utf8_lossy(text).into_owned()));
    let text = &string.clone().into_bytes();
    let outside = Message::new(string.clone(), charset, Delims::default(), 0);
    let body = Body {
        messages: Vec::new(),
        outside,
        problems: Vec::new(),
        more_problems: 0,
    };
    let (counts, outside) = (Counts::default(), Counts::default());
    let mut work = Tokeniser {
        text,
        string,
        charset,
        body,
        counts,
        outside,
        index: 0,
        open: false,
        feeds: 0,
        room: text.len() / 2 + FEW_FIELDS,
    };
    work.run();
    work.body
}

struct Tokeniser<'a> {
    text: &'a Bytes,
    string: ByteString,
    charset: &'static Encoding,
    body: Body,
    /// Names seen in the last message.
    counts: Counts,
    /// Names seen outside of messages.
    outside: Counts,
    /// Index in the body of the next segment.
    index: u32,
    /// Whether lines belong to the last message.
    open: bool,
    /// Fields that may still be told apart. A span takes eight bytes; a real body has more than two bytes a field.
    room: usize,
    /// Line feeds seen inside fields of the last message.
    feeds: u32,
}

impl Tokeniser<'_> {
    fn run(&mut self) {
        let text = self.text.clone();
        let start = lines::first_header(&text);
        self.before(&text, start);
        let mut lines = Lines::new(&text, start.unwrap_or(text.len()));
        while let Some(line) = lines.next(self.delims().field) {
            if self.index >= place::MAX_SEGMENTS {
                self.problem(ProblemKind::TooManySegments, self.index, 1);
                break;
            }
            self.line(&text, line);
        }
        self.close();
    }

    fn before(&mut self, text: &[u8], start: Option<usize>) {
        let junk = text.get(..start.unwrap_or(text.len())).unwrap_or_default();
        let count = lines::junk(junk);
        if count > 0 && start.is_some() {
            self.problem(ProblemKind::JunkBefore, self.index, count);
        }
        if start.is_none() {
            self.push(ProblemKind::NoMessage, Place(0), 1);
        }
    }

    fn delims(&self) -> Delims {
        self.open
            .then(|| self.body.messages.last())
            .flatten()
            .map_or(self.body.outside.delims, |last| last.delims)
    }

    fn line(&mut self, text: &[u8], line: Line) {
        let content = text.get(line.start..line.end).unwrap_or_default();
        let head = content.get(..3).and_then(Name::read);
        match head.filter(|name| name.is_header() && lines::is_header(content)) {
            Some(name) if name == "MSH" => self.begin(content),
            Some(_) => self.wrap(content),
            None if head.is_some_and(Name::is_batch) => self.close(),
            None => {}
        }
        self.feeds = self.feeds.saturating_add(line.feeds);
        self.segment(text, line);
    }

    fn begin(&mut self, content: &[u8]) {
        self.close();
        let (delims, fault) = Delims::read(content);
        let number = small(self.body.messages.len() + 1);
        let mut message = Message::new(self.string.clone(), self.charset, delims, number);
        // Messages of one body are much alike; the first is taken for a result of some tests.
        let (segments, fields) = self.body.messages.last().map_or((32, 320), Message::sizes);
        message.segments.reserve(segments);
        message.fields.reserve(fields);
        self.body.messages.push(message);
        self.open = true;
        self.counts = Counts::default();
        self.delimiter_fault(fault);
    }

    fn wrap(&mut self, content: &[u8]) {
        self.close();
        let (delims, fault) = Delims::read(content);
        self.body.outside.delims = delims;
        self.delimiter_fault(fault);
    }

    fn close(&mut self) {
        let feeds = std::mem::take(&mut self.feeds);
        if self.open && feeds > 0 {
            let first = self
                .body
                .messages
                .last()
                .and_then(|last| last.segments.first())
                .map_or(0, |first| first.index);
            self.problem(ProblemKind::LineFeedInField, first, feeds as usize);
        }
        self.open = false;
    }

    fn delimiter_fault(&mut self, fault: Option<DelimFault>) {
        let kind = match fault {
            None => return,
            Some(DelimFault::Short) => ProblemKind::ShortDelimiters,
            Some(DelimFault::Unusable) => ProblemKind::UnusableDelimiters,
        };
        let place = place::field(place::segment(self.index), 2);
        self.push(kind, place, 1);
    }

    fn problem(&mut self, kind: ProblemKind, index: u32, count: usize) {
        self.push(kind, place::segment(index), small(count));
    }

    /// Notes a problem. A body with a problem in every line must not cost more than the body.
    fn push(&mut self, kind: ProblemKind, place: Place, count: u32) {
        if self.body.problems.len() < MOST_PROBLEMS {
            self.body.problems.push(Problem { kind, place, count });
        } else {
            self.body.more_problems = self.body.more_problems.saturating_add(1);
        }
    }

    /// Adds the segment of a line to the open message, or to what stands outside.
    fn segment(&mut self, text: &[u8], line: Line) {
        let delims = self.delims();
        let content = text.get(line.start..line.end).unwrap_or_default();
        let head = memchr::memchr(delims.field, content).unwrap_or(content.len());
        let written = content.get(..head).unwrap_or_default();
        let name = Name::read(written.trim_ascii_end()).unwrap_or(Name::UNKNOWN);
        self.remark_name(name, written);
        let index = self.index;
        self.index += 1;
        let counts = if self.open { &mut self.counts } else { &mut self.outside };
        let occurrence = counts.next(name);
        let target = if self.open { self.body.messages.last_mut() } else { None };
        let target = target.unwrap_or(&mut self.body.outside);
        let first = small(target.fields.len());
        if name.is_header() {
            target.fields.push((small(line.start + 3), small(line.start + 4)));
        }
        let most = first as usize + usize::from(place::MAX_FIELDS).min(self.room);
        let longest = spans(content, head, line.start, delims.field, most, &mut target.fields);
        let count = small(target.fields.len()) - first;
        self.room = self.room.saturating_sub(count as usize);
        let segment = Segment {
            name,
            occurrence,
            index,
            start: small(line.start),
            end: small(line.end),
            first,
            count,
        };
        target.segments.push(segment);
        if count > u32::from(place::MAX_FIELDS) || longest > usize::from(place::MAX_COMPONENTS) {
            self.check_limits(text, &segment, delims);
        } else if self.room == 0 {
            self.problem(ProblemKind::TooManyValues, index, 1);
        }
    }

    fn remark_name(&mut self, name: Name, written: &[u8]) {
        if name == Name::UNKNOWN {
            self.problem(ProblemKind::BadName, self.index, 1);
        } else if written.iter().any(u8::is_ascii_lowercase) {
            self.problem(ProblemKind::SmallName, self.index, 1);
        } else if !self.open && !name.is_batch() {
            self.problem(ProblemKind::Stray, self.index, 1);
        }
    }

    /// Says where a segment has more values than have places. Looked at only where a field is long enough for that.
    fn check_limits(&mut self, text: &[u8], segment: &Segment, delims: Delims) {
        let target = if self.open {
            self.body.messages.last()
        } else {
            Some(&self.body.outside)
        };
        let Some(target) = target else { return };
        let first = segment.first as usize;
        let spans = target
            .fields
            .get(first..first + segment.count as usize)
            .unwrap_or_default();
        let mut found = Vec::new();
        for (number, (start, end)) in (1u32..).zip(spans) {
            let value = text.get(*start as usize..*end as usize).unwrap_or_default();
            let excess = excess(value, number, delims);
            if excess > 0 {
                let place = place::field(segment.place(), number);
                found.push(Problem {
                    kind: ProblemKind::TooManyValues,
                    place,
                    count: small(excess),
                });
            }
        }
        for Problem { kind, place, count } in found {
            self.push(kind, place, count);
        }
    }
}

/// How many values of a field lie beyond the places there are.
fn excess(value: &[u8], number: u32, delims: Delims) -> usize {
    let limit = usize::from(place::MAX_COMPONENTS);
    if number > u32::from(place::MAX_FIELDS) {
        return memchr::memchr_iter(delims.field, value).count() + 1;
    }
    if value.len() <= limit {
        return 0;
    }
    let split = |value, by| memchr::memchr_iter(by, value).count() + 1;
    let mut excess = split(value, delims.repetition).saturating_sub(usize::from(place::MAX_REPETITIONS));
    for repetition in value
        .split(|byte| *byte == delims.repetition)
        .filter(|part| part.len() > limit)
    {
        excess += split(repetition, delims.component).saturating_sub(limit);
        for component in repetition
            .split(|byte| *byte == delims.component)
            .filter(|part| part.len() > limit)
        {
            excess += split(component, delims.subcomponent).saturating_sub(limit);
        }
    }
    excess
}

/// Pushes the spans of the fields behind the separator at `head` and returns the length of the longest. Once `fields` holds
/// `most`, the next field takes all the rest of the line, so that a line of separators costs little.
fn spans(content: &[u8], head: usize, base: usize, separator: u8, most: usize, fields: &mut Vec<(u32, u32)>) -> usize {
    if head >= content.len() {
        return 0;
    }
    let (mut longest, mut start) = (0, head + 1);
    hits::each(content.get(start..).unwrap_or_default(), separator, |at| {
        let end = head + 1 + at;
        if fields.len() < most {
            longest = longest.max(end - start);
            fields.push((small(base + start), small(base + end)));
            start = end + 1;
        }
    });
    fields.push((small(base + start), small(base + content.len())));
    longest.max(content.len() - start)
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
