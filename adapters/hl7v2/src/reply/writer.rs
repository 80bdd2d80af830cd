//! Bytes of a reply in the sender's character set and with the sender's delimiters. What the segments mean is in `ack`.

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};

use crate::charset::Charset;
use crate::delims::{Delims, NEVER};
use crate::escape;

/// Segments being written. Fields are numbered from 1; those skipped stay empty.
#[derive(Debug)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    charset: Charset,
    pub(crate) delims: Delims,
    /// The field that was written last; 0 behind the segment's name.
    field: u32,
}

impl Writer {
    /// A writer with a sender's delimiters.
    pub(crate) fn new(charset: Charset, delims: Delims) -> Self {
        let mut writer = Self {
            bytes: Vec::with_capacity(512),
            charset,
            delims,
            field: 0,
        };
        writer.delimit(delims);
        // In UTF-8 a mark says nothing, and many parsers take it for the first letter of the segment.
        if charset.mark && charset.encoding != UTF_8 {
            writer.put("\u{feff}");
        }
        writer
    }

    /// Goes on with other delimiters, or with the recommended ones where a sender has not all of them.
    pub(crate) fn delimit(&mut self, delims: Delims) {
        let five = [
            delims.field,
            delims.component,
            delims.repetition,
            delims.escape,
            delims.subcomponent,
        ];
        self.delims = if five.contains(&NEVER) {
            Delims::default()
        } else {
            delims
        };
    }

    /// Begins a segment.
    pub(crate) fn segment(&mut self, name: &str) {
        self.put(name);
        self.field = 0;
    }

    /// Begins a header segment with its delimiters, which are its fields 1 and 2.
    pub(crate) fn header(&mut self, name: &str) {
        let delims = self.delims.header();
        self.put(name);
        self.put(&delims);
        self.field = 2;
    }

    /// Ends a segment.
    pub(crate) fn end(&mut self) {
        self.put("\r");
    }

    /// Moves to a field, so that what is put next stands in it.
    pub(crate) fn at(&mut self, number: u32) {
        let separator = char::from(self.delims.field).to_string();
        while self.field < number {
            self.put(&separator);
            self.field += 1;
        }
    }

    /// Writes a field of text that is escaped already, or has no need of it. An empty text leaves the field out.
    pub(crate) fn raw(&mut self, number: u32, text: &str) {
        if !text.is_empty() {
            self.at(number);
            self.put(text);
        }
    }

    /// Writes a field as a sender wrote it. A control character would end the segment, or the frame around it.
    pub(crate) fn echo(&mut self, number: u32, text: &str) {
        if text.contains(char::is_control) {
            self.raw(number, &text.replace(char::is_control, " "));
        } else {
            self.raw(number, text);
        }
    }

    /// Writes a field of text that comes from anywhere, at most `most` characters of it, escaped.
    pub(crate) fn text(&mut self, number: u32, text: &str, most: usize) {
        if !text.is_empty() {
            let escaped = self.escaped(text, most);
            self.raw(number, &escaped);
        }
    }

    /// Writes a field of components that are escaped already, without empty ones at the end.
    pub(crate) fn components(&mut self, number: u32, parts: &[&str]) {
        let last = parts
            .iter()
            .rposition(|part| !part.is_empty())
            .map_or(0, |last| last + 1);
        let separator = char::from(self.delims.component).to_string();
        let joined = parts.get(..last).unwrap_or_default().join(&separator);
        self.raw(number, &joined);
    }

    /// Text made fit to stand in a field, at most `most` characters of it.
    pub(crate) fn escaped(&self, text: &str, most: usize) -> String {
        let cut = text.char_indices().nth(most).and_then(|(at, _)| text.get(..at));
        let mut out = String::with_capacity(text.len() + 8);
        escape::encode(cut.unwrap_or(text), self.delims, &mut out);
        out
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.at(number);
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Whether every character of a text can be written.
    pub(crate) fn can(&self, text: &str) -> bool {
        if self.charset.ascii {
            return text.is_ascii();
        }
        // For UTF-16, which has no encoder there, `encode` writes UTF-8: every character can be.
        !self.charset.encoding.encode(text).2
    }

    fn put(&mut self, text: &str) {
        let set = self.charset.encoding;
        if set == UTF_16LE || set == UTF_16BE {
            let order = if set == UTF_16LE {
                u16::to_le_bytes
            } else {
                u16::to_be_bytes
            };
            self.bytes.extend(text.encode_utf16().flat_map(order));
        } else if text.is_ascii() || (set == UTF_8 && !self.charset.ascii) {
            self.bytes.extend_from_slice(text.as_bytes());
        } else {
            self.encode(text);
        }
    }

    /// A character that the set does not have becomes a question mark; a numeric reference would break the message.
    fn encode(&mut self, text: &str) {
        if self.can(text) {
            self.bytes.extend_from_slice(&self.charset.encoding.encode(text).0);
            return;
        }
        let mut buffer = [0; 4];
        for char in text.chars() {
            let char: &str = char.encode_utf8(&mut buffer);
            let known = if self.can(char) { char } else { "?" };
            self.bytes.extend_from_slice(&self.charset.encoding.encode(known).0);
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{GBK, WINDOWS_1252};

    fn written(charset: Charset, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new(charset, Delims::default());
        write(&mut writer);
        writer.into_bytes()
    }

    #[test]
    fn fields_are_counted_and_skipped() {
        let bytes = written(Charset::of(UTF_8), |writer| {
            writer.header("MSH");
            writer.raw(3, "A");
            writer.text(5, "a|b", 10);
            writer.raw(9, "");
            writer.components(7, &["x", "", "y", ""]);
            writer.end();
        });
        assert_eq!(String::from_utf8(bytes).unwrap(), "MSH|^~\\&|A||a\\F\\b||x^^y\r");
    }

    #[test]
    fn text_is_written_in_the_senders_set() {
        let name = |charset| written(charset, |writer| writer.raw(0, "张é"));
        assert_eq!(name(Charset::of(UTF_8)), "张é".as_bytes());
        assert_eq!(name(Charset::of(GBK)), b"\xD5\xC5\xA8\xA6");
        assert_eq!(name(Charset::of(WINDOWS_1252)), b"?\xE9");
        assert_eq!(name(Charset::ASCII), b"??");
        assert_eq!(
            name(Charset {
                mark: true,
                ..Charset::of(UTF_8)
            }),
            "张é".as_bytes()
        );
        assert_eq!(name(Charset::of(UTF_16LE)), [0x20, 0x5F, 0xE9, 0x00]);
        assert_eq!(
            name(Charset {
                mark: true,
                ..Charset::of(UTF_16BE)
            }),
            [0xFE, 0xFF, 0x5F, 0x20, 0x00, 0xE9]
        );
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(
            written(Charset::of(UTF_8), |writer| writer.text(0, "张伟建国", 3)),
            "张伟建".as_bytes()
        );
    }
}
