//! Reading a header field from bytes whose character set is not known yet, or must be kept as they came. Nothing is
//! decoded here.

use std::ops::Range;

use super::names::named;
use crate::delims::Delims;
use crate::tokenise::first_header;

/// How characters of more than one byte are stepped over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steps {
    /// No byte of a longer character looks like a delimiter: ASCII, UTF-8, 8859-x.
    Bytes,
    /// A byte from 0x81 takes the next one with it: GBK, GB18030, Big5 and their like.
    Pairs,
}

/// The bytes of field `number` (3 or more) of the header segment that `line` begins with.
pub fn field(line: &[u8], number: usize, steps: Steps) -> Option<&[u8]> {
    line.get(span(line, number, steps)?)
}

/// Where field `number` stands in `line`, as [`field`].
pub fn span(line: &[u8], number: usize, steps: Steps) -> Option<Range<usize>> {
    let separator = line.get(3).copied().filter(|byte| Delims::usable(*byte))?;
    let mut start = 4;
    // The separator itself is field 1, so field 2 begins at byte 4.
    for _ in 2..number {
        start += end(line.get(start..)?, separator, steps)?.checked_add(1)?;
    }
    let rest = line.get(start..)?;
    let length = end(rest, separator, steps).unwrap_or_else(|| segment_end(rest));
    Some(start..start + length)
}

/// Where the field ends by its separator; none when the segment ends first.
fn end(bytes: &[u8], separator: u8, steps: Steps) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\r' | b'\n' => return None,
            byte if *byte == separator => return Some(at),
            0x81..=0xFE if steps == Steps::Pairs => at += 2,
            _ => at += 1,
        }
    }
    None
}

fn segment_end(bytes: &[u8]) -> usize {
    memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len())
}

/// MSH-18 of the first message of a body, as it stands there. A batch header has none; the first MSH is looked for.
pub fn declared(body: &[u8]) -> Option<&[u8]> {
    let mut line = body.get(first_header(body)?..)?;
    while !line.starts_with(b"MSH") {
        let next = segment_end(line);
        line = line.get(next + 1..)?;
        line = line.get(first_header(line)?..)?;
    }
    let header = line.get(..segment_end(line))?;
    let ascii_safe = std::str::from_utf8(header).is_ok();
    let steps = if ascii_safe { Steps::Bytes } else { Steps::Pairs };
    // Names of facilities may be in an unknown double-byte set, or in one of single bytes: the reading that finds a
    // name made of ASCII is the right one.
    let reading = |steps| field(header, 18, steps).filter(|bytes| !bytes.is_empty() && bytes.is_ascii());
    let readings = || [steps, Steps::Bytes].into_iter().filter_map(reading);
    readings()
        .find(|bytes| names_of(bytes).any(|name| named(name).is_some()))
        .or_else(|| readings().next())
}

/// The repetitions of an MSH-18: what stands between characters that no name of a set has.
pub fn names_of(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let part = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b' ' | b'/' | b'-' | b'_' | b'.' | b':');
    bytes
        .split(part)
        .filter_map(|name| std::str::from_utf8(name).ok())
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with the given MSH-3 and MSH-18, and MSH-19 after it.
    fn header(sender: &[u8], set: &[u8]) -> Vec<u8> {
        let parts: [&[u8]; 5] = [
            b"MSH|^~\\&|",
            sender,
            b"|b|c|d|7||ADT^A01|10|P|2.5||||||",
            set,
            b"|en\rPID|1\r",
        ];
        parts.concat()
    }

    fn check(body: &[u8], expect: &str) {
        let found = declared(body).map(|bytes| names_of(bytes).collect::<Vec<_>>().join("+"));
        assert_eq!(found.unwrap_or_default(), expect);
    }

    #[test]
    fn msh_18_is_found_in_raw_bytes() {
        check(&header(b"LAB", b"UNICODE UTF-8"), "UNICODE UTF-8");
        check(&header(b"LAB", b""), "");
        check(&header(b"LAB", b"~ISO IR87"), "ISO IR87");
        check(&header(b"LAB", b"ASCII~GBK"), "ASCII+GBK");
        check(&[b"BHS|^~\\&|x\r", &header(b"LAB", b"8859/1")[..]].concat(), "8859/1");
        check(&[b"\x0b", &header(b"LAB", b"8859/1")[..]].concat(), "8859/1");
        check(b"MSH|^~\\&|a\rPID||||||||||||||||||GBK\r", "");
        check(b"BHS|^~\\&|x\r", "");
        check(b"", "");
    }

    #[test]
    fn a_separator_inside_a_double_byte_character_does_not_count() {
        // 0x8B 0x7C is one character of GBK whose second byte is the vertical bar.
        check(&header(b"\x8B\x7C", b"GB 18030-2000"), "GB 18030-2000");
        // 0xE9 is a whole character of 8859/1, and the bar behind it a separator.
        check(&header(b"caf\xE9", b"8859/1"), "8859/1");
    }

    #[test]
    fn fields_are_cut_where_the_segment_ends() {
        let line = b"MSH|^~\\&|a|b\rPID|c|d";
        assert_eq!(field(line, 4, Steps::Bytes), Some(&b"b"[..]));
        assert_eq!(field(line, 5, Steps::Bytes), None);
    }
}
