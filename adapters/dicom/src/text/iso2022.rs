//! Decoding: sets that stand alone as a whole, all others byte by byte with the escape sequences of ISO/IEC 2022 as PS3.5
//! 6.1.2.5 restricts them. Codes below 128 belong to G0, those above to G1; both are as declared at the beginning of a
//! value, and again after each delimiter.

use encoding_rs::{EUC_JP, EUC_KR, Encoding, GB18030, GBK};

use super::names::{Coding, Set};
use crate::tag::Vr;

const ESCAPE: u8 = 0x1B;

/// A decoder for values of one representation.
#[derive(Debug)]
pub struct Decoder<'a> {
    coding: &'a Coding,
    vr: Vr,
    below: Set,
    above: Option<Set>,
    clean: bool,
}

impl<'a> Decoder<'a> {
    /// A decoder.
    pub fn new(coding: &'a Coding, vr: Vr) -> Self {
        let mut decoder = Self {
            coding,
            vr,
            below: Set::Ascii,
            above: None,
            clean: true,
        };
        decoder.reset();
        decoder
    }

    /// Decodes a whole value, all its parts and delimiters; `false` when some of its bytes are in no set.
    pub fn decode(&mut self, raw: &[u8]) -> (String, bool) {
        match self.coding.first {
            Set::Utf8 => whole(encoding_rs::UTF_8, raw),
            Set::Gb18030 => whole(GB18030, raw),
            Set::Gbk => whole(GBK, raw),
            _ => {
                let mut out = String::with_capacity(raw.len());
                self.stepwise(raw, &mut out);
                (out, self.clean)
            }
        }
    }

    fn reset(&mut self) {
        (self.below, self.above) = match self.coding.first {
            Set::JisX0201 => (Set::JisX0201, Some(Set::JisX0201)),
            set @ (Set::Latin1 | Set::Single(_)) => (Set::Ascii, Some(set)),
            _ => (Set::Ascii, None),
        };
    }

    fn stepwise(&mut self, raw: &[u8], out: &mut String) {
        let mut rest = raw;
        while let Some((byte, behind)) = rest.split_first() {
            if *byte == ESCAPE
                && let Some(size) = self.escape(behind)
            {
                rest = behind.get(size..).unwrap_or_default();
                continue;
            }
            let taken = self.character(rest, out);
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    /// Obeys an escape sequence; its length without the escape itself. One that is not known stays in the text.
    fn escape(&mut self, behind: &[u8]) -> Option<usize> {
        let (size, set, high) = sequence(behind)?;
        if high {
            self.above = Some(set);
        } else {
            self.below = set;
        }
        Some(size)
    }

    /// Decodes one character and returns how many bytes it has.
    fn character(&mut self, rest: &[u8], out: &mut String) -> usize {
        let Some(byte) = rest.first().copied() else { return 1 };
        if byte >= 0x80 {
            return self.upper(byte, rest, out);
        }
        let pair = (rest.first(), rest.get(1));
        if let (Set::JisX0208 | Set::JisX0212, (Some(0x21..=0x7E), Some(second @ 0x21..=0x7E))) = (self.below, pair) {
            let bytes = [0x8F, byte | 0x80, second | 0x80];
            let bytes = if self.below == Set::JisX0212 {
                &bytes[..]
            } else {
                bytes.get(1..).unwrap_or_default()
            };
            self.double(EUC_JP, bytes, out);
            return 2;
        }
        if self.delimits(byte) {
            self.reset();
            out.push(char::from(byte));
            return 1;
        }
        out.push(match (byte, self.below) {
            (0x5C, Set::JisX0201) => '¥',
            (0x7E, Set::JisX0201) => '‾',
            _ => char::from(byte),
        });
        1
    }

    /// Where text begins anew (PS3.5 6.1.2.5.3): controls, the backslash between values, and what parts a name.
    fn delimits(&self, byte: u8) -> bool {
        match byte {
            b'\t' | b'\n' | 0x0C | b'\r' => true,
            b'\\' => self.vr.is_multiple(),
            b'^' | b'=' => self.vr == Vr::PN,
            _ => false,
        }
    }

    fn upper(&mut self, byte: u8, rest: &[u8], out: &mut String) -> usize {
        let second = rest.get(1).copied().filter(|byte| *byte >= 0xA1);
        match (self.above, second) {
            (Some(Set::Latin1), _) => out.push(char::from(byte)),
            (Some(Set::JisX0201), _) if (0xA1..=0xDF).contains(&byte) => {
                let katakana = char::from_u32(0xFF61 + u32::from(byte - 0xA1));
                out.push(katakana.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            (Some(Set::Single(encoding)), _) => self.double(encoding, &[byte], out),
            (Some(Set::KsX1001), Some(second)) => {
                self.double(EUC_KR, &[byte, second], out);
                return 2;
            }
            (Some(Set::Gb2312), Some(second)) => {
                self.double(GBK, &[byte, second], out);
                return 2;
            }
            _ => {
                self.clean = false;
                out.push(char::REPLACEMENT_CHARACTER);
            }
        }
        1
    }

    fn double(&mut self, encoding: &'static Encoding, bytes: &[u8], out: &mut String) {
        let (text, broken) = encoding.decode_without_bom_handling(bytes);
        self.clean &= !broken;
        out.push_str(&text);
    }
}

fn whole(encoding: &'static Encoding, raw: &[u8]) -> (String, bool) {
    let (text, broken) = encoding.decode_without_bom_handling(raw);
    (text.into_owned(), !broken)
}

/// The escape sequences of PS3.3 tables C.12-3 and C.12-4: how many bytes behind the escape, the set, and whether it is
/// brought in above.
fn sequence(behind: &[u8]) -> Option<(usize, Set, bool)> {
    let three = (behind.first()?, behind.get(1)?, behind.get(2));
    Some(match three {
        (b'$', b'B', _) => (2, Set::JisX0208, false),
        (b'$', b'(', Some(b'D')) => (3, Set::JisX0212, false),
        (b'$', b')', Some(b'C')) => (3, Set::KsX1001, true),
        (b'$', b')', Some(b'A')) => (3, Set::Gb2312, true),
        (b'(', b'B', _) => (2, Set::Ascii, false),
        (b'(', b'J', _) => (2, Set::JisX0201, false),
        (b')', b'I', _) => (2, Set::JisX0201, true),
        (b'-', last, _) => (2, Set::registered(latin(*last)?)?, true),
        _ => return None,
    })
}

/// The final bytes of sets of 96 characters, as registered.
fn latin(last: u8) -> Option<u16> {
    Some(match last {
        b'A' => 100,
        b'B' => 101,
        b'C' => 109,
        b'D' => 110,
        b'F' => 126,
        b'G' => 127,
        b'H' => 138,
        b'L' => 144,
        b'M' => 148,
        b'T' => 166,
        b'b' => 203,
        _ => return None,
    })
}
