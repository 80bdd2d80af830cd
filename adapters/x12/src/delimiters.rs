//! The four delimiters of an interchange, as its ISA sets them. Which bytes an ISA has is read in `tokenise`.

/// What separates the parts of an interchange. Any byte may be one, control characters too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiters {
    /// Between elements: the fourth byte of ISA.
    pub element: u8,
    /// Between repetitions of an element: ISA11, if ISA12 is `00402` or later; else there is none.
    pub repetition: Option<u8>,
    /// Between components of a composite: ISA16.
    pub component: u8,
    /// After a segment: the byte behind ISA16.
    pub terminator: u8,
}

impl Delimiters {
    /// The usual ones: `*`, `^`, `:`, `~`.
    pub const USUAL: Self = Self {
        element: b'*',
        repetition: Some(b'^'),
        component: b':',
        terminator: b'~',
    };

    /// Whether a byte is one of them, and so cannot stand in a value: X12 before 007040 has no escape.
    pub fn contains(&self, byte: u8) -> bool {
        byte == self.element || byte == self.component || byte == self.terminator || self.repetition == Some(byte)
    }
}
