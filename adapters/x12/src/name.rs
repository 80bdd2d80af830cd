//! The short names of the format, held in place: segment identifiers and loop identifiers. What they mean is said by the
//! guides.

use std::fmt;

/// A segment identifier of two or three capitals and digits (X12.6 section 3.7), such as `CLM` or `N3`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId([u8; 3]);

/// A loop identifier of a guide, such as `2010AA`; at most eight bytes. `ST` is the transaction set itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoopId([u8; 8]);

impl SegmentId {
    /// The identifier of a segment's first bytes up to the element separator; none if it cannot be one.
    pub fn of(text: &[u8]) -> Option<Self> {
        let good = text
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        match (good, text) {
            (true, &[a, b]) => Some(Self([a, b, 0])),
            (true, &[a, b, c]) => Some(Self([a, b, c])),
            _ => None,
        }
    }

    /// The beginning of what cannot be an identifier, for telling of it: other characters become `?`.
    pub fn like(text: &[u8]) -> Self {
        let mut held = *b"??\0";
        for (slot, byte) in held.iter_mut().zip(text) {
            let upper = byte.to_ascii_uppercase();
            *slot = if upper.is_ascii_uppercase() || upper.is_ascii_digit() {
                upper
            } else {
                b'?'
            };
        }
        Self(held)
    }

    /// An identifier of three bytes, for comparing: `SegmentId::new(b"CLM")`, `SegmentId::new(b"ST\0")`.
    pub const fn new(text: &[u8; 3]) -> Self {
        Self(*text)
    }

    /// Its bytes, zero behind a short one.
    pub(crate) fn bytes(self) -> [u8; 3] {
        self.0
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }
}

impl LoopId {
    /// The loop that is the transaction set itself.
    pub const ROOT: Self = Self(*b"ST\0\0\0\0\0\0");

    /// The identifier of a text; none if it is empty, longer than eight bytes or not printable ASCII.
    pub fn of(name: &str) -> Option<Self> {
        let bytes = name.as_bytes();
        let mut held = [0; 8];
        let good = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
        held.get_mut(..bytes.len()).filter(|_| good)?.copy_from_slice(bytes);
        Some(Self(held))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }
}

fn text(bytes: &[u8]) -> &str {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let named = bytes.get(..end).and_then(|name| std::str::from_utf8(name).ok());
    named.unwrap_or_default()
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for LoopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for LoopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        assert_eq!(SegmentId::of(b"N3"), Some(SegmentId::new(b"N3\0")));
        assert_eq!(SegmentId::of(b"N3").unwrap().to_string(), "N3");
        assert_eq!(SegmentId::of(b"nm1"), None);
        assert_eq!(SegmentId::of(b"NM10"), None);
        assert_eq!(LoopId::of("2010AA").unwrap().to_string(), "2010AA");
        assert_eq!(LoopId::of("123456789"), None);
        assert_eq!(LoopId::of("12345678").unwrap().as_str(), "12345678");
    }
}
