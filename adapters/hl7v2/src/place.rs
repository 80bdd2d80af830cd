//! Places of an HL7v2 body: which segment, field, repetition, component and subcomponent, packed into the 64 bits of a
//! [`Place`], and the numbers they hold. Their texts (`OBX[3]-5[1].2.1`, ERR-2, ERR-1) are in `place_text`.
//!
//! Layout from the high bits: segment 20 | field 10 | repetition 14 | component 10 | subcomponent 10. Every number counts
//! from 1, so places sort in the order of the text; 0 means not narrowed to that level. The highest number of a level
//! means "that many or more": what lies beyond it is never mistaken for something nearer.

use causeway_core::Place;

const SEGMENT: (u32, u64) = (44, 0xF_FFFF);
const FIELD: (u32, u64) = (34, 0x3FF);
const REPETITION: (u32, u64) = (20, 0x3FFF);
const COMPONENT: (u32, u64) = (10, 0x3FF);
const SUBCOMPONENT: (u32, u64) = (0, 0x3FF);

/// Segments of a body that have a place of their own.
pub const MAX_SEGMENTS: u32 = 0xF_FFFE;
/// Fields of a segment that have a place of their own.
pub const MAX_FIELDS: u16 = 0x3FE;
/// Repetitions of a field that have a place of their own.
pub const MAX_REPETITIONS: u16 = 0x3FFE;
/// Components of a repetition, and subcomponents of a component, that have a place of their own.
pub const MAX_COMPONENTS: u16 = 0x3FE;

/// The numbers of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spot {
    /// The segment's index in the body, counted from 0 over all messages and batch segments; none for the body itself.
    pub segment: Option<u32>,
    /// Field, from 1; 0 is the whole segment.
    pub field: u16,
    /// Repetition, from 1; 0 is the whole field.
    pub repetition: u16,
    /// Component, from 1; 0 is the whole repetition.
    pub component: u16,
    /// Subcomponent, from 1; 0 is the whole component.
    pub subcomponent: u16,
}

fn put(number: u64, (shift, mask): (u32, u64)) -> u64 {
    number.min(mask) << shift
}

fn get(place: Place, (shift, mask): (u32, u64)) -> u64 {
    (place.0 >> shift) & mask
}

fn narrow(place: Place, number: u32, (shift, mask): (u32, u64)) -> Place {
    let below = (1u64 << shift) - 1;
    let keep = !(below | (mask << shift));
    Place((place.0 & keep) | put(u64::from(number), (shift, mask)))
}

/// The segment of an index in the body, counted from 0.
pub fn segment(index: u32) -> Place {
    Place(put(u64::from(index) + 1, SEGMENT))
}

/// The field `number` of the place's segment.
pub fn field(place: Place, number: u32) -> Place {
    narrow(place, number, FIELD)
}

/// The repetition `number` of the place's field.
pub fn repetition(place: Place, number: u32) -> Place {
    narrow(place, number, REPETITION)
}

/// The component `number` of the place's repetition.
pub fn component(place: Place, number: u32) -> Place {
    narrow(place, number, COMPONENT)
}

/// The subcomponent `number` of the place's component.
pub fn subcomponent(place: Place, number: u32) -> Place {
    narrow(place, number, SUBCOMPONENT)
}

/// The place without its component and subcomponent.
pub fn to_repetition(place: Place) -> Place {
    narrow(place, 0, COMPONENT)
}

/// The numbers of a place.
pub fn spot(place: Place) -> Spot {
    let small = |part| u16::try_from(get(place, part)).unwrap_or(u16::MAX);
    let segment = u32::try_from(get(place, SEGMENT)).unwrap_or(u32::MAX);
    Spot {
        segment: segment.checked_sub(1),
        field: small(FIELD),
        repetition: small(REPETITION),
        component: small(COMPONENT),
        subcomponent: small(SUBCOMPONENT),
    }
}

/// Whether a place is narrowed to a component, and to a subcomponent.
pub(crate) fn narrowed(place: Place) -> (bool, bool) {
    (
        place.0 & (COMPONENT.1 << COMPONENT.0) != 0,
        place.0 & SUBCOMPONENT.1 != 0,
    )
}

/// The field number alone.
pub(crate) fn field_of(place: Place) -> u64 {
    get(place, FIELD)
}

/// The place of numbers.
pub fn pack(spot: Spot) -> Place {
    let segment = spot.segment.map_or(0, |index| u64::from(index) + 1);
    Place(
        put(segment, SEGMENT)
            | put(u64::from(spot.field), FIELD)
            | put(u64::from(spot.repetition), REPETITION)
            | put(u64::from(spot.component), COMPONENT)
            | put(u64::from(spot.subcomponent), SUBCOMPONENT),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_packing() {
        let place = subcomponent(component(repetition(field(segment(41), 5), 2), 3), 4);
        let want = Spot {
            segment: Some(41),
            field: 5,
            repetition: 2,
            component: 3,
            subcomponent: 4,
        };
        assert_eq!(spot(place), want);
        assert_eq!(pack(want), place);
        assert_eq!(place.0, (42 << 44) | (5 << 34) | (2 << 20) | (3 << 10) | 4);
    }

    #[test]
    fn narrowing_again_forgets_what_was_below() {
        let deep = subcomponent(component(repetition(field(segment(0), 5), 2), 3), 4);
        assert_eq!(
            spot(component(deep, 9)),
            Spot {
                component: 9,
                subcomponent: 0,
                ..spot(deep)
            }
        );
        assert_eq!(
            spot(field(deep, 6)),
            Spot {
                segment: Some(0),
                field: 6,
                ..Spot::default()
            }
        );
    }

    #[test]
    fn what_is_beyond_the_limits_saturates_and_never_aliases() {
        let place = repetition(field(segment(2_000_000), 5000), 1_000_000);
        let got = spot(place);
        assert_eq!(
            (got.segment, got.field, got.repetition),
            (Some(MAX_SEGMENTS), MAX_FIELDS + 1, MAX_REPETITIONS + 1)
        );
        assert_eq!((got.component, got.subcomponent), (0, 0));
    }

    #[test]
    fn places_sort_in_the_order_of_the_text() {
        let a = repetition(field(segment(3), 5), 1);
        assert!(a < repetition(field(segment(3), 5), 2));
        assert!(field(segment(3), 5) < a);
        assert!(a < segment(4));
    }
}
