//! Places of a part: which segment of the transaction set, element, repetition and component, packed into the 64 bits of a
//! [`Place`]. Their texts are made in `document`.
//!
//! Layout from the high bits: segment's number in the transaction set 32 | element 10 | repetition 12 | component 10.
//! Numbers count from 1, so places sort in the order of the text; 0 means not narrowed to that level. The highest number
//! of a level means "that many or more".

use causeway_core::Place;

const SEGMENT: (u32, u64) = (32, 0xFFFF_FFFF);
const ELEMENT: (u32, u64) = (22, 0x3FF);
const REPETITION: (u32, u64) = (10, 0xFFF);
const COMPONENT: (u32, u64) = (0, 0x3FF);

fn get(place: Place, (shift, mask): (u32, u64)) -> u32 {
    u32::try_from((place.0 >> shift) & mask).unwrap_or(u32::MAX)
}

fn narrow(place: Place, number: u32, (shift, mask): (u32, u64)) -> Place {
    let below = (1u64 << shift) - 1;
    let keep = !(below | (mask << shift));
    Place((place.0 & keep) | (u64::from(number).min(mask) << shift))
}

/// The segment of a number in the transaction set, from 1.
pub(crate) fn segment(position: u32) -> Place {
    narrow(Place(0), position, SEGMENT)
}

pub(super) fn element(place: Place, number: u32) -> Place {
    narrow(place, number, ELEMENT)
}

pub(super) fn repetition(place: Place, number: u32) -> Place {
    narrow(place, number, REPETITION)
}

pub(super) fn component(place: Place, number: u32) -> Place {
    narrow(place, number, COMPONENT)
}

/// The segment's number in the transaction set.
pub(crate) fn position(place: Place) -> u32 {
    get(place, SEGMENT)
}

/// Element, repetition and component, 0 where not narrowed so far.
pub(super) fn numbers(place: Place) -> [u32; 3] {
    [ELEMENT, REPETITION, COMPONENT].map(|level| get(place, level))
}

/// Whether a place lies in another, or is it.
pub(super) fn lies_in(inner: Place, outer: Place) -> bool {
    let pairs = numbers(inner).into_iter().zip(numbers(outer));
    position(inner) == position(outer) && pairs.into_iter().all(|(inner, outer)| outer == 0 || inner == outer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_sort_as_the_text_and_lie_in_each_other() {
        let segment = segment(70_000);
        let first = repetition(element(segment, 2), 1);
        let part = component(first, 3);
        assert!(segment < first && first < part && part < element(segment, 3));
        assert_eq!((position(part), numbers(part)), (70_000, [2, 1, 3]));
        assert!(lies_in(part, segment) && lies_in(part, first) && lies_in(part, part));
        assert!(!lies_in(first, part) && !lies_in(part, element(segment, 3)));
        assert_eq!(numbers(element(segment, 5_000)), [0x3FF, 0, 0]);
    }
}
