//! BIN and BDS: segments that say how many bytes of data they carry (X12.6 section 3.7.4). The data are stepped over by
//! their length and never read, and nothing is set aside by what the length says.

use causeway_core::{Fault, Source};
use memchr::memchr;

use super::{Cut, Kind, Tokens};
use crate::delimiters::Delimiters;

/// How many bytes there may be before the data: an identifier, a filter code and up to fifteen digits.
const HEAD: usize = 64;

/// Whether a segment of this identifier carries data by length.
pub(super) fn is_one(bytes: &[u8], element: u8) -> bool {
    matches!(bytes, [b'B', b'I', b'N', separator, ..] | [b'B', b'D', b'S', separator, ..] if *separator == element)
}

/// Length of what stands before the data, and of the data: `BIN*5*` or `BDS*ASC*5*`.
fn head(bytes: &[u8], element: u8) -> Option<(usize, u64)> {
    let separators = if bytes.starts_with(b"BDS") { 2 } else { 1 };
    let near = bytes.get(..HEAD.min(bytes.len()))?;
    let mut found = memchr::memchr_iter(element, near).skip(separators - 1);
    let (before, after) = (found.next()?, found.next()?);
    let digits = near.get(before + 1..after)?;
    let number = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((after + 1, number.parse().ok()?))
}

impl<S: Source + ?Sized> Tokens<'_, S> {
    /// The BIN or BDS segment that begins here; none if its length does not lead to a terminator.
    pub(super) fn binary(&mut self, delimiters: Delimiters) -> Result<Option<Cut>, Fault> {
        if !is_one(self.rest(), delimiters.element) {
            return Ok(None);
        }
        self.fill(HEAD)?;
        let Some((before, length)) = head(self.rest(), delimiters.element) else {
            return Ok(None);
        };
        let start = self.start();
        let data = start + before as u64;
        let Some(end) = data.checked_add(length).filter(|end| *end < self.len) else {
            return Ok(None);
        };
        // The terminator and the line breaks behind it, at most a few.
        let tail = self.source.slice(end..end.saturating_add(8).min(self.len))?;
        if memchr(delimiters.terminator, &tail) != Some(0) {
            return Ok(None);
        }
        let breaks = tail
            .iter()
            .skip(1)
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let text = (self.at, self.at + before);
        Ok(Some(Cut {
            kind: Kind::Binary(data..end),
            text,
            start,
            end: end + 1 + breaks as u64,
        }))
    }
}
