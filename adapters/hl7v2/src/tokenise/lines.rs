//! Where segments begin and end in the text: the terminators that senders really use, padding and framing bytes left
//! around lines, and line feeds that belong to a value. What a line means is not known here.

use memchr::{memchr2, memmem};

use crate::delims::Delims;
use crate::message::Name;

/// One line without its terminator and padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Line feeds inside the line, taken as part of a value.
    pub(super) feeds: u32,
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Blanks and control characters, among them the VT, FS and NUL that careless framing leaves in a file.
pub(super) fn is_padding(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7F
}

/// Whether a line is a header segment, so that its fourth byte separates fields. With another separator than `|` the
/// next three bytes must look like delimiters too: `MSH-2 is wrong` in a text begins no message.
pub(super) fn is_header(line: &[u8]) -> bool {
    let name = line.get(..3).and_then(Name::read).is_some_and(Name::is_header);
    let Some(separator) = line.get(3).copied().filter(|byte| Delims::usable(*byte)) else {
        return false;
    };
    let rest = line.get(4..7).unwrap_or_default();
    name && (separator == b'|' || (rest.len() == 3 && rest.iter().all(|byte| Delims::usable(*byte))))
}

/// Where the first header segment begins: at the start of a line, or after junk in its line when the delimiters behind
/// `MSH` leave no doubt.
pub(crate) fn first_header(text: &[u8]) -> Option<usize> {
    let at_line = line_starts(text).find(|start| is_header(text.get(*start..).unwrap_or_default()));
    let before = text.get(..at_line.unwrap_or(text.len())).unwrap_or_default();
    let clear = |at: &usize| {
        text.get(at + 3..at + 7)
            .is_some_and(|four| four.iter().all(|byte| Delims::usable(*byte)))
    };
    memmem::find_iter(before, b"MSH").find(clear).or(at_line)
}

/// How many bytes are neither padding nor a byte order mark.
pub(super) fn junk(text: &[u8]) -> usize {
    let marks = memmem::find_iter(text, BYTE_ORDER_MARK).count() * BYTE_ORDER_MARK.len();
    text.iter().filter(|byte| !is_padding(**byte)).count() - marks
}

/// The first byte of every line that is not padding.
fn line_starts(text: &[u8]) -> impl Iterator<Item = usize> {
    let terminators = memchr::memchr2_iter(b'\r', b'\n', text).map(|at| at + 1);
    std::iter::once(0)
        .chain(terminators)
        .map(|start| start + padding(text.get(start..).unwrap_or_default()))
}

/// How many padding bytes and byte order marks a line begins with. Terminators are not padding.
fn padding(line: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = line.get(at..).unwrap_or_default();
        match rest.first() {
            Some(b'\r' | b'\n') | None => return at,
            Some(byte) if is_padding(*byte) => at += 1,
            _ if rest.starts_with(BYTE_ORDER_MARK) => at += BYTE_ORDER_MARK.len(),
            _ => return at,
        }
    }
}

/// The lines of a text.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether the segments of this message end with a carriage return, so that a lone line feed may be text.
    returns: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a [u8], at: usize) -> Self {
        Self {
            text,
            at,
            returns: false,
        }
    }

    /// The next line that is not blank. `field` separates the fields of the message at hand; it tells whether what
    /// follows a line feed is a segment.
    pub(super) fn next(&mut self, field: u8) -> Option<Line> {
        while self.at < self.text.len() {
            let line = self.raw(field);
            if let Some(line) = self.trimmed(line, field) {
                return Some(line);
            }
        }
        None
    }

    fn raw(&mut self, field: u8) -> Line {
        let start = self.at;
        let header = is_header(self.rest(start + padding(self.rest(start))));
        let mut feeds = 0u32;
        let mut from = start;
        loop {
            let Some(end) = memchr2(b'\r', b'\n', self.rest(from)).map(|at| from + at) else {
                self.at = self.text.len();
                return Line {
                    start,
                    end: self.at,
                    feeds,
                };
            };
            let feed = self.text.get(end) == Some(&b'\n');
            if header {
                self.returns = !feed;
            }
            self.at = end + 1;
            if !feed && self.text.get(self.at) == Some(&b'\n') {
                self.at += 1;
            }
            if !feed || !self.returns || begins_segment(self.rest(self.at), field) {
                return Line { start, end, feeds };
            }
            feeds = feeds.saturating_add(1);
            from = self.at;
        }
    }

    fn trimmed(&self, line: Line, field: u8) -> Option<Line> {
        let content = self.text.get(line.start..line.end).unwrap_or_default();
        let lead = padding(content);
        if lead >= content.len() {
            return None;
        }
        let begins = lead > 0 && begins_segment(content.get(lead..).unwrap_or_default(), field);
        let start = line.start + if begins { lead } else { 0 };
        let framing = content
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, 0x1C | 0x1A | 0x0B | 0))
            .count();
        Some(Line {
            start,
            end: line.end - framing,
            ..line
        })
    }

    fn rest(&self, from: usize) -> &'a [u8] {
        self.text.get(from..).unwrap_or_default()
    }
}

/// Whether a text begins with a segment: a name and the field separator, a header, or nothing more but padding.
fn begins_segment(text: &[u8], field: u8) -> bool {
    let text = text.get(padding(text)..).unwrap_or_default();
    let named = text.get(..3).and_then(Name::read).is_some();
    text.is_empty() || is_header(text) || (named && text.get(3) == Some(&field))
}
