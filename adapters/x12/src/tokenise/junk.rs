//! What stands between interchanges: nothing, line breaks, a byte order mark, or bytes that are no X12 and are skipped up
//! to the next interchange header.

use causeway_core::{Fault, Source};
use memchr::memmem;

use super::{Cut, Kind, Token, Tokens};

/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

impl<S: Source + ?Sized> Tokens<'_, S> {
    /// The next token outside of an interchange.
    pub(super) fn outside(&mut self) -> Result<Token<'_>, Fault> {
        self.fill(8)?;
        if begins(self.rest()) {
            return self.header();
        }
        let blank = blanks(self.rest());
        let (length, blank) = if blank > 0 {
            (blank, true)
        } else {
            (skipped(self.rest(), self.is_last()), false)
        };
        let (text, start) = ((self.at, self.at + length), self.start());
        Ok(self.token(Cut {
            kind: Kind::Junk { blank },
            text,
            start,
            end: start + length as u64,
        }))
    }
}

/// Whether an interchange header begins here.
fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [b'I', b'S', b'A', separator, ..] if !separator.is_ascii_alphanumeric())
}

/// How many bytes here mean nothing: white space, NUL, the end-of-file sign of old systems, a byte order mark.
fn blanks(bytes: &[u8]) -> usize {
    let mark = if bytes.starts_with(MARK) { MARK.len() } else { 0 };
    let rest = bytes.get(mark..).unwrap_or_default();
    mark + rest
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x1a))
        .count()
}

/// How many bytes are no interchange; at least one, and never up into a header that may be cut by the chunk's end.
fn skipped(bytes: &[u8], last: bool) -> usize {
    let found = memmem::find_iter(bytes, b"ISA").find(|at| *at > 0 && bytes.get(*at..).is_some_and(begins));
    let kept = if last { 0 } else { 3 };
    found.unwrap_or(bytes.len().saturating_sub(kept)).max(1)
}
