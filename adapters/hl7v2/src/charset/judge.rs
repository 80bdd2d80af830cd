//! What the bytes themselves say about their character set, for when the sender says nothing or something untrue. The
//! thresholds are reasons, not measurements: each stands with the text that it must tell apart.

use encoding_rs::{Encoding, GB18030, UTF_8};

use super::names;

/// What one look over a body shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Characters of more than one byte, read as UTF-8.
    long: usize,
    /// Ideographs, kana, hangul and full-width signs among them, read as UTF-8.
    wide: usize,
    /// Sequences that are no UTF-8.
    broken: usize,
    /// Pairs, read as a double-byte set, of which the second is above 0xA0: the plane of GB 2312 and KS X 1001, where
    /// the usual characters are.
    upper: usize,
    /// Pairs of which the second is anything else.
    lower: usize,
    /// A high byte at the end of the body or before a control character, which begins no pair.
    single: usize,
}

impl Look {
    pub(super) fn at(body: &[u8]) -> Self {
        let mut look = Self::default();
        for chunk in body.utf8_chunks() {
            let long = chunk.valid().chars().filter(|char| !char.is_ascii());
            for char in long {
                look.long += 1;
                look.wide += usize::from(is_wide(char));
            }
            look.broken += usize::from(!chunk.invalid().is_empty());
        }
        look.pairs(body);
        look
    }

    fn pairs(&mut self, body: &[u8]) {
        let mut bytes = body.iter();
        while let Some(byte) = bytes.next() {
            if byte.is_ascii() {
                continue;
            }
            match bytes.next() {
                Some(0xA1..) => self.upper += 1,
                Some(0x30..) => self.lower += 1,
                _ => self.single += 1,
            }
        }
    }

    /// Whether the body is UTF-8, but for a few broken places. Text of another set read as UTF-8 is broken nearly
    /// everywhere.
    pub(super) fn mostly_utf8(&self) -> bool {
        self.long > 4 * self.broken
    }

    /// Whether most pairs are of the plane where a double-byte set has its usual characters.
    pub(super) fn mostly_pairs(&self) -> bool {
        self.upper > self.lower + 4 * self.single
    }

    /// Whether the body can be in a set that the sender or the listener's setting names.
    pub(super) fn fits(&self, set: &'static Encoding, body: &[u8], default: Option<&'static Encoding>) -> bool {
        if set == UTF_8 {
            return self.broken == 0;
        }
        // Chinese in UTF-8 is often well-formed in a double-byte set too, as nonsense; the other way round two or three
        // characters of a double-byte set may pass for UTF-8, but never as ideographs.
        let pretends = if names::is_single_byte(set) {
            self.broken == 0
        } else {
            self.wide > 4 * self.broken
        };
        // In a set of single bytes everything is well-formed, Chinese in a listener's own set too.
        let paired = names::is_single_byte(set) && default.is_some_and(|set| self.is_paired(set, body));
        !pretends && !paired && decodes(set, body)
    }

    /// The set of a body about which nothing true was said.
    pub(super) fn guess(&self, body: &[u8], default: Option<&'static Encoding>) -> Option<&'static Encoding> {
        let fitting = default.filter(|set| self.fits(set, body, None));
        let unicode = || (self.broken == 0).then_some(UTF_8);
        let chinese = || (!self.mostly_utf8() && self.is_paired(GB18030, body)).then_some(GB18030);
        fitting.or_else(unicode).or_else(chinese)
    }

    /// Whether the body is well-formed in a double-byte set and most pairs are of its usual plane. `café|` in 8859/1
    /// is well-formed in GBK, with the bar as half of a character.
    fn is_paired(&self, set: &'static Encoding, body: &[u8]) -> bool {
        names::is_double_byte(set) && self.upper > self.lower && self.single == 0 && decodes(set, body)
    }
}

fn decodes(set: &'static Encoding, body: &[u8]) -> bool {
    set.decode_without_bom_handling_and_without_replacement(body).is_some()
}

/// Scripts that take three bytes in UTF-8 and two in the sets of East Asia.
fn is_wide(char: char) -> bool {
    matches!(char, '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}'
        | '\u{20000}'..='\u{3FFFF}')
}
