//! Writes segments with an interchange's delimiters and counts them. A value that holds a delimiter has it replaced: X12
//! before 007040 has no escape.

use std::fmt::Display;

use crate::delimiters::Delimiters;

/// Segments being written.
#[derive(Debug)]
pub(super) struct Writer<'b> {
    bytes: &'b mut Vec<u8>,
    delimiters: Delimiters,
    /// Elements that were skipped and are written only if another follows.
    skipped: usize,
    segments: u32,
}

impl<'b> Writer<'b> {
    pub(super) fn new(bytes: &'b mut Vec<u8>, delimiters: Delimiters) -> Self {
        Self {
            bytes,
            delimiters,
            skipped: 0,
            segments: 0,
        }
    }

    /// A segment of elements; empty ones at its end are left out.
    pub(super) fn segment(&mut self, id: &str, elements: &[&dyn Display]) {
        self.begin(id);
        for element in elements {
            self.element(element);
        }
        self.end();
    }

    /// Begins a segment.
    pub(super) fn begin(&mut self, id: &str) {
        self.bytes.extend_from_slice(id.as_bytes());
        self.skipped = 0;
        self.segments = self.segments.saturating_add(1);
    }

    /// The next element.
    pub(super) fn element(&mut self, value: &dyn Display) {
        self.parts(&[value]);
    }

    /// The next element, of components; empty ones at its end are left out.
    pub(super) fn parts(&mut self, values: &[&dyn Display]) {
        let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
        let last = texts.iter().rposition(|text| !text.is_empty());
        self.skipped += 1;
        let Some(last) = last else { return };
        self.bytes
            .extend(std::iter::repeat_n(self.delimiters.element, self.skipped));
        self.skipped = 0;
        for (number, text) in texts.iter().take(last + 1).enumerate() {
            if number > 0 {
                self.bytes.push(self.delimiters.component);
            }
            let delimiters = self.delimiters;
            let clean = |byte: u8| {
                if delimiters.contains(byte) || byte.is_ascii_control() {
                    b' '
                } else {
                    byte
                }
            };
            self.bytes.extend(text.bytes().map(clean));
        }
    }

    /// Ends a segment.
    pub(super) fn end(&mut self) {
        self.bytes.push(self.delimiters.terminator);
        if !matches!(self.delimiters.terminator, b'\r' | b'\n') {
            self.bytes.push(b'\n');
        }
    }

    /// Bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Segments written since it was asked last.
    pub(super) fn counted(&mut self) -> u32 {
        std::mem::take(&mut self.segments)
    }
}
