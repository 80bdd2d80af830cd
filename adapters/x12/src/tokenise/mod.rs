//! Cuts a file into interchanges and segments as it streams by: one chunk in hand, nothing copied, whatever the size of
//! the file. What segments mean is not known here, but for the three that shape the text itself: ISA sets the delimiters,
//! IEA ends an interchange, and BIN and BDS carry bytes in which delimiters mean nothing (X12.6 section 3, X12.5).

mod binary;
mod isa;
mod junk;
#[cfg(test)]
mod tests;

use std::ops::Range;

use bytes::Bytes;
use causeway_core::{Fault, Source};
use memchr::memchr;

pub use isa::{Isa, IsaFault};

use crate::delimiters::Delimiters;

/// Bytes read at a time.
const CHUNK: u64 = 256 * 1024;
/// The longest segment that is read, BIN and BDS data apart. The longest of a claim has some 400 bytes.
pub const MAX_SEGMENT: usize = 65_000;

/// What stands at a place of the file. Tokens follow each other without a gap, so a file is the sum of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text without the terminator; of binary data only what stands before the data.
    pub text: &'a [u8],
    /// Where it begins in the file.
    pub start: u64,
    /// Where the next begins: behind the terminator and the line breaks that follow it.
    pub end: u64,
}

/// The kinds of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The header of an interchange.
    Header(Box<Isa>),
    /// A segment.
    Segment,
    /// A BIN or BDS segment and where its data stand.
    Binary(Range<u64>),
    /// A BIN or BDS segment whose length is no number or leads to no terminator; it was cut at the next terminator.
    BadBinary,
    /// A segment longer than [`MAX_SEGMENT`]; its text is the beginning.
    TooLong,
    /// A segment that the end of the file broke off.
    Broken,
    /// Bytes outside of interchanges: blank ones, a byte order mark, or something else.
    Junk {
        /// Whether they are blanks, line breaks or a byte order mark, which mean nothing.
        blank: bool,
    },
    /// What begins as an interchange header and cannot be read as one.
    BadHeader(IsaFault),
}

/// Reads tokens off a source.
#[derive(Debug)]
pub struct Tokens<'s, S: ?Sized> {
    source: &'s mut S,
    len: u64,
    chunk: Bytes,
    /// Where the chunk begins in the file.
    base: u64,
    /// Where the next token begins in the chunk.
    at: usize,
    /// Delimiters of the interchange in hand; none between interchanges.
    delimiters: Option<Delimiters>,
}

impl<'s, S: Source + ?Sized> Tokens<'s, S> {
    /// The tokens of a whole file.
    pub fn new(source: &'s mut S) -> Self {
        let len = source.len();
        Self {
            source,
            len,
            chunk: Bytes::new(),
            base: 0,
            at: 0,
            delimiters: None,
        }
    }

    /// Leaves off reading.
    pub fn pause(self) -> Paused {
        Paused {
            chunk: self.chunk,
            base: self.base,
            at: self.at,
            delimiters: self.delimiters,
        }
    }

    /// The delimiters of the interchange in hand.
    pub fn delimiters(&self) -> Option<Delimiters> {
        self.delimiters
    }

    /// The next token; none at the end of the file.
    ///
    /// # Errors
    /// A read of the source that failed.
    #[expect(clippy::should_implement_trait, reason = "a token borrows the chunk in hand")]
    pub fn next(&mut self) -> Result<Option<Token<'_>>, Fault> {
        if self.rest().is_empty() {
            self.load(self.start())?;
            if self.chunk.is_empty() {
                return Ok(None);
            }
        }
        let Some(delimiters) = self.delimiters else {
            return self.outside().map(Some);
        };
        if let Some((length, next)) = self.quick(delimiters) {
            return Ok(Some(self.quick_token(length, next)));
        }
        self.segment(delimiters).map(Some)
    }

    /// Length of the segment that begins here and where the next begins in the chunk, if it is one of the many that need
    /// no care: it ends in the chunk, and so do the line breaks behind it, and it shapes nothing.
    #[inline]
    fn quick(&self, delimiters: Delimiters) -> Option<(usize, usize)> {
        let rest = self.rest();
        if matches!(rest.first(), Some(b'I' | b'B' | b' ' | b'\t')) {
            return None;
        }
        let length = memchr(delimiters.terminator, rest)?;
        let mut next = length + 1;
        while let b'\r' | b'\n' = *rest.get(next)? {
            next += 1;
        }
        (length <= MAX_SEGMENT).then_some((length, self.at + next))
    }

    #[inline]
    fn quick_token(&mut self, length: usize, next: usize) -> Token<'_> {
        let (from, start) = (self.at, self.start());
        self.at = next;
        Token {
            kind: Kind::Segment,
            text: self.chunk.get(from..from + length).unwrap_or_default(),
            start,
            end: self.base + next as u64,
        }
    }

    /// Where the next token begins.
    fn start(&self) -> u64 {
        self.base + self.at as u64
    }

    fn rest(&self) -> &[u8] {
        self.chunk.get(self.at..).unwrap_or_default()
    }

    /// Whether the chunk reaches to the end of the file.
    fn is_last(&self) -> bool {
        self.base + self.chunk.len() as u64 >= self.len
    }

    /// Makes the chunk begin at the next token, if fewer than `wanted` bytes of it are in hand and there are more.
    fn fill(&mut self, wanted: usize) -> Result<(), Fault> {
        if self.rest().len() >= wanted || (self.is_last() && !self.chunk.is_empty()) {
            return Ok(());
        }
        self.load(self.start())
    }

    fn load(&mut self, start: u64) -> Result<(), Fault> {
        let end = start.saturating_add(CHUNK).min(self.len);
        self.chunk = self.source.slice(start.min(end)..end)?;
        self.base = start;
        self.at = 0;
        Ok(())
    }

    /// How far off the next terminator is; none if it is farther than a chunk.
    fn find(&mut self, terminator: u8) -> Result<Option<usize>, Fault> {
        let found = memchr(terminator, self.rest());
        if found.is_some() || self.is_last() {
            return Ok(found);
        }
        self.load(self.start())?;
        Ok(memchr(terminator, self.rest()))
    }

    fn segment(&mut self, delimiters: Delimiters) -> Result<Token<'_>, Fault> {
        let found = self.find(delimiters.terminator)?;
        match self.rest() {
            [b'I', b'S', b'A', separator, ..] if !separator.is_ascii_alphanumeric() => return self.header(),
            [b'B', b'I', b'N' | b'D', ..] | [b'B', b'D', b'S', ..] => {
                if let Some(token) = self.binary(delimiters)? {
                    return Ok(self.token(token));
                }
                let bad = binary::is_one(self.rest(), delimiters.element);
                let kind = if bad { Kind::BadBinary } else { Kind::Segment };
                let found = self.find(delimiters.terminator)?;
                return self.plain(kind, found, delimiters);
            }
            _ => {}
        }
        self.plain(Kind::Segment, found, delimiters)
    }

    /// A segment whose terminator stands at `found` behind its beginning.
    fn plain(&mut self, kind: Kind, found: Option<usize>, delimiters: Delimiters) -> Result<Token<'_>, Fault> {
        let cut = match found {
            Some(length) if length <= MAX_SEGMENT => {
                let end = self.after_breaks(self.at + length + 1)?;
                // The chunk may have moved on while line breaks were looked for; the token's text is in it still.
                Cut {
                    kind,
                    text: (self.at, self.at + length),
                    start: self.start(),
                    end,
                }
            }
            _ => self.too_long(delimiters)?,
        };
        let text = self
            .chunk
            .get(cut.text.0..cut.text.1)
            .unwrap_or_default()
            .trim_ascii_start();
        if text.starts_with(b"IEA") && text.get(3).is_none_or(|byte| *byte == delimiters.element) {
            self.delimiters = None;
        }
        Ok(self.token(cut))
    }

    /// The place in the file behind the line breaks that stand at `index` of the chunk.
    fn after_breaks(&mut self, index: usize) -> Result<u64, Fault> {
        let breaks = |bytes: &[u8]| bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let behind = self.chunk.get(index..).unwrap_or_default();
        let count = breaks(behind);
        if count < behind.len() || self.is_last() {
            return Ok(self.base + (index + count) as u64);
        }
        // The breaks may go on in the next chunk: begin it with this token.
        let shift = self.at;
        self.load(self.start())?;
        let index = index - shift;
        let behind = self.chunk.get(index..).unwrap_or_default();
        Ok(self.base + (index + breaks(behind)) as u64)
    }

    /// Finds the end of a segment that is too long or has none, without keeping it.
    fn too_long(&mut self, delimiters: Delimiters) -> Result<Cut, Fault> {
        let start = self.start();
        let mut at = start;
        let mut end = None;
        while at < self.len && end.is_none() {
            let until = at.saturating_add(CHUNK).min(self.len);
            let piece = self.source.slice(at..until)?;
            end = memchr(delimiters.terminator, &piece).map(|found| at + found as u64 + 1);
            at = until;
        }
        self.load(start)?;
        let limit = MAX_SEGMENT.min(self.chunk.len());
        let kind = match end {
            None if self.len - start <= MAX_SEGMENT as u64 => Kind::Broken,
            _ => Kind::TooLong,
        };
        let end = end.unwrap_or(self.len);
        let length = limit.min(usize::try_from(end - start).unwrap_or(limit));
        Ok(Cut {
            kind,
            text: (0, length),
            start,
            end,
        })
    }

    /// Steps behind a token and hands it out. Blanks that a line is indented by are no part of its text.
    fn token(&mut self, mut cut: Cut) -> Token<'_> {
        let text = self.chunk.get(cut.text.0..cut.text.1).unwrap_or_default();
        if let [b' ' | b'\t', ..] = text
            && self
                .delimiters
                .is_some_and(|delimiters| !delimiters.contains(b' ') && !delimiters.contains(b'\t'))
        {
            cut.text.0 += text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        }
        // The chunk stays; where the token ends beyond it, the next is read from there.
        let ahead = usize::try_from(cut.end - self.base).unwrap_or(usize::MAX);
        if ahead <= self.chunk.len() {
            self.at = ahead;
            return Token {
                kind: cut.kind,
                text: self.chunk.get(cut.text.0..cut.text.1).unwrap_or_default(),
                start: cut.start,
                end: cut.end,
            };
        }
        let text_end = cut.text.1.min(self.chunk.len());
        let text_start = cut.text.0.min(text_end);
        let held = self.chunk.slice(text_start..text_end);
        let length = held.len();
        self.chunk = held;
        self.base = cut.end - length as u64;
        self.at = length;
        Token {
            kind: cut.kind,
            text: &self.chunk,
            start: cut.start,
            end: cut.end,
        }
    }
}

/// A reading that was left off, to be gone on with later. What was read ahead is kept.
#[derive(Debug, Clone)]
pub struct Paused {
    chunk: Bytes,
    base: u64,
    at: usize,
    delimiters: Option<Delimiters>,
}

impl Paused {
    /// A reading that begins at a place of the file, in an interchange of these delimiters.
    pub fn at(start: u64, delimiters: Delimiters) -> Self {
        Self {
            chunk: Bytes::new(),
            base: start,
            at: 0,
            delimiters: Some(delimiters),
        }
    }

    /// Goes on reading the same source.
    pub fn resume<S: Source + ?Sized>(self, source: &mut S) -> Tokens<'_, S> {
        let len = source.len();
        Tokens {
            source,
            len,
            chunk: self.chunk,
            base: self.base,
            at: self.at,
            delimiters: self.delimiters,
        }
    }
}

/// A token as places: its text in the chunk, its beginning and end in the file.
#[derive(Debug)]
struct Cut {
    kind: Kind,
    text: (usize, usize),
    start: u64,
    end: u64,
}
