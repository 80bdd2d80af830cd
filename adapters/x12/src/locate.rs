//! Places as they are written, `ISA[1]/ST[1]/2300[4]/REF[2]-01[1].1`, and where in its transaction set a segment stands that
//! one names: rules and services speak of places, an acknowledgement counts segments. What is wrong there is not known here.

use crate::guide::Guide;
use crate::name::{LoopId, SegmentId};

/// Segments of a file whose place can be found again, eight bytes each; beyond that only claims are.
const MAX_SEGMENTS: usize = 1_000_000;

/// A place of a segment or element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// Number of the interchange in the file, from 1.
    pub interchange: u32,
    /// Number of the transaction set in the interchange, from 1.
    pub transaction: u32,
    /// The loop instance; the set itself where none is named.
    pub within: (LoopId, u32),
    /// The segment and its number among those of its identifier in the loop instance.
    pub segment: (SegmentId, u32),
    /// The element, from 1; 0 for the whole segment.
    pub element: u16,
    /// The repetition, from 1; 0 where none is named.
    pub repetition: u16,
    /// The component, from 1; 0 where none is named.
    pub component: u16,
}

impl Spot {
    /// Reads a place; none if it is no place of a segment.
    pub fn read(place: &str) -> Option<Self> {
        let mut steps = place.split('/');
        let interchange = counted(steps.next()?, "ISA")?;
        let transaction = counted(steps.next()?, "ST")?;
        let (within, last) = match (steps.next()?, steps.next()) {
            (last, None) => ((LoopId::ROOT, 1), last),
            (within, Some(last)) => {
                let (name, number) = named(within)?;
                ((LoopId::of(name)?, number), last)
            }
        };
        let (segment, rest) = last
            .split_once('-')
            .map_or((last, None), |(segment, rest)| (segment, Some(rest)));
        let (name, number) = named(segment)?;
        let (element, component) = rest.map_or((None, None), |rest| match rest.split_once('.') {
            Some((element, component)) => (Some(element), Some(component)),
            None => (Some(rest), None),
        });
        let (element, repetition) = match element.map(|element| element.split_once('[').unwrap_or((element, "0]"))) {
            Some((element, repetition)) => (element.parse().ok()?, repetition.strip_suffix(']')?.parse().ok()?),
            None => (0, 0),
        };
        Some(Self {
            interchange,
            transaction,
            within,
            segment: (SegmentId::of(name.as_bytes())?, number),
            element,
            repetition,
            component: component.map_or(Some(0), |component| component.parse().ok())?,
        })
    }
}

/// `REF[2]` as name and number.
fn named(step: &str) -> Option<(&str, u32)> {
    let (name, number) = step.strip_suffix(']')?.split_once('[')?;
    Some((name, number.parse().ok()?))
}

fn counted(step: &str, expected: &str) -> Option<u32> {
    named(step)
        .filter(|(name, _)| *name == expected)
        .map(|(_, number)| number)
}

/// The segments of all sets with a guide, in order, packed: loop 8 bits, its instance 24, identifier 24, occurrence 8.
#[derive(Debug, Clone, Default)]
pub struct Index(Vec<u64>);

impl Index {
    /// How many segments are in it.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the next segment, while there is room.
    pub(crate) fn add(&mut self, within: (u16, u32), id: SegmentId, occurrence: u32) {
        if self.0.len() < MAX_SEGMENTS {
            self.0.push(packed(within, id, occurrence));
        }
    }

    /// Position in its set, from 1, of the segment that a place names. `start` is where the set begins here, `count` how
    /// many segments it has.
    pub(crate) fn find(&self, guide: &Guide, start: usize, count: usize, spot: &Spot) -> Option<u32> {
        let within = guide.loops.iter().position(|one| one.id == spot.within.0)?;
        let sought = packed(
            (u16::try_from(within).ok()?, spot.within.1),
            spot.segment.0,
            spot.segment.1,
        );
        let own = self.0.get(start..start.saturating_add(count).min(self.0.len()))?;
        let found = own.iter().position(|packed| *packed == sought)?;
        u32::try_from(found + 1).ok()
    }
}

/// What does not fit is made the largest number, which no place names.
fn packed((within, instance): (u16, u32), id: SegmentId, occurrence: u32) -> u64 {
    let id = id.bytes().iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let within = u64::from(within.min(0xff));
    let instance = u64::from(instance.min(0xff_ffff));
    within << 56 | instance << 32 | id << 8 | u64::from(occurrence.min(0xff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let spot = Spot::read("ISA[1]/ST[2]/2300[4]/REF[2]-01[3].1").unwrap();
        assert_eq!((spot.interchange, spot.transaction), (1, 2));
        assert_eq!((spot.within.0.as_str(), spot.within.1), ("2300", 4));
        assert_eq!((spot.segment.0.as_str(), spot.segment.1), ("REF", 2));
        assert_eq!((spot.element, spot.repetition, spot.component), (1, 3, 1));
        let whole = Spot::read("ISA[1]/ST[1]/BHT[1]").unwrap();
        assert_eq!((whole.within.0, whole.element), (LoopId::ROOT, 0));
        assert_eq!(Spot::read("ISA[1]/ST[1]/2300[1]/CLM[1]-05.2").unwrap().component, 2);
        for none in [
            "",
            "ISA[1]",
            "ISA[1]/ST[1]",
            "ISA[1]/ST[1]/CLM",
            "OBX[3]-5[1]",
            "ISA[1]/ST[1]/2300[x]/CLM[1]",
        ] {
            assert_eq!(Spot::read(none), None, "{none}");
        }
    }
}
