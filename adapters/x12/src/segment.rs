//! A segment's text cut into elements, repetitions and components by the delimiters. Nothing is copied and nothing is
//! judged here.

use memchr::memchr_iter;

use crate::delimiters::Delimiters;
use crate::name::SegmentId;

/// Elements of a segment that are looked at; LIN, the longest of the standard's claims, has 31.
pub const MAX_ELEMENTS: usize = 40;

/// A segment cut into elements.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    text: &'a [u8],
    /// Where each element ends; the first is the identifier.
    ends: [u16; MAX_ELEMENTS + 1],
    count: usize,
    delimiters: Delimiters,
}

impl<'a> Segment<'a> {
    /// Cuts a segment's text, of which the tokeniser hands out no more than a `u16` counts. Elements beyond [`MAX_ELEMENTS`] stay part of the last.
    pub fn cut(text: &'a [u8], delimiters: Delimiters) -> Self {
        let mut ends = [0; MAX_ELEMENTS + 1];
        let mut count = 0;
        let separators = memchr_iter(delimiters.element, text).take(MAX_ELEMENTS);
        for (slot, end) in ends.iter_mut().zip(separators) {
            *slot = u16::try_from(end).unwrap_or(u16::MAX);
            count += 1;
        }
        if let Some(slot) = ends.get_mut(count) {
            *slot = u16::try_from(text.len()).unwrap_or(u16::MAX);
        }
        Self {
            text,
            ends,
            count,
            delimiters,
        }
    }

    /// Its identifier; none if it cannot be one.
    pub fn id(&self) -> Option<SegmentId> {
        SegmentId::of(self.element(0))
    }

    /// How many elements it has, empty ones at the end among them.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// An element by its number, from 1; 0 is the identifier. Empty if it has none of that number.
    pub fn element(&self, number: usize) -> &'a [u8] {
        let end = self.ends.get(number).filter(|_| number <= self.count);
        let start = match number.checked_sub(1) {
            None => Some(0),
            Some(before) => self.ends.get(before).map(|end| usize::from(*end) + 1),
        };
        match (start, end) {
            (Some(start), Some(end)) => self.text.get(start..usize::from(*end)).unwrap_or_default(),
            _ => &[],
        }
    }

    /// An element as text without blanks around it; bytes that are no UTF-8 are replaced.
    pub fn text(&self, number: usize) -> String {
        String::from_utf8_lossy(self.element(number).trim_ascii()).into_owned()
    }

    /// The repetitions of an element: one, if the interchange has no repetition separator.
    pub fn repetitions(&self, number: usize) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let separator = self.delimiters.repetition;
        self.element(number).split(move |byte| Some(*byte) == separator)
    }

    /// A component of the first repetition of an element, from 1.
    pub fn component(&self, number: usize, component: usize) -> &'a [u8] {
        let first = self.repetitions(number).next().unwrap_or_default();
        let mut components = first.split(|byte| *byte == self.delimiters.component);
        component
            .checked_sub(1)
            .and_then(|skipped| components.nth(skipped))
            .unwrap_or_default()
    }

    /// The delimiters it was cut by.
    pub fn delimiters(&self) -> Delimiters {
        self.delimiters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_repetitions_and_components_are_counted_from_one() {
        let segment = Segment::cut(b"SV1*HC:99213:25*40**1^2*", Delimiters::USUAL);
        assert_eq!(segment.id(), SegmentId::of(b"SV1"));
        assert_eq!(
            (segment.len(), segment.element(2), segment.element(5)),
            (5, b"40".as_slice(), b"".as_slice())
        );
        assert_eq!(segment.component(1, 2), b"99213");
        assert_eq!(segment.component(1, 9), b"");
        assert_eq!(segment.repetitions(4).collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(segment.element(99), b"");
    }

    #[test]
    fn a_segment_of_separators_alone_is_bounded() {
        let text = [b'*'; 500];
        assert_eq!(Segment::cut(&text, Delimiters::USUAL).len(), MAX_ELEMENTS);
        assert!(Segment::cut(b"", Delimiters::USUAL).is_empty());
    }
}
