//! Places of a document packed into one number, and the little that is done with text and numbers of values. No item is
//! known here.

use causeway_core::Place;

use crate::tag::Vr;

/// Item, value, group and component in one number; 0 stands for the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) item: u32,
    pub(super) value: u32,
    pub(super) group: u32,
    pub(super) component: u32,
}

pub(super) fn pack(spot: Spot) -> Place {
    let low = |number: u32, bits: u32| u64::from(number.min((1 << bits) - 1));
    Place(
        (u64::from(spot.item) << 32) | (low(spot.value, 16) << 16) | (low(spot.group, 8) << 8) | low(spot.component, 8),
    )
}

pub(super) fn unpack(place: Place) -> Spot {
    let part = |shift: u32, mask: u64| u32::try_from((place.0 >> shift) & mask).unwrap_or(0);
    Spot {
        item: part(32, 0xFFFF_FFFF),
        value: part(16, 0xFFFF),
        group: part(8, 0xFF),
        component: part(0, 0xFF),
    }
}

/// The parts of a text with their numbers and spans.
pub(super) fn parts(text: &str, by: char, base: u32) -> impl Iterator<Item = (u32, u32, u32)> {
    let mut at = base;
    (1u32..).zip(text.split(by)).map(move |(number, part)| {
        let (start, end) = (at, at + small(part.len()));
        at = end + 1;
        (number, start, end)
    })
}

/// Binary numbers as text (PS3.5 6.2); what else is binary is bulk.
pub(super) fn numbers(raw: &[u8], vr: Vr, big_endian: bool) -> Vec<String> {
    let size = match &vr.0 {
        b"US" | b"SS" => 2,
        b"UL" | b"SL" | b"FL" => 4,
        b"FD" => 8,
        _ => return Vec::new(),
    };
    let one = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        if big_endian {
            bytes.reverse();
        }
        bytes.resize(8, 0);
        let word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
        let low = u32::try_from(word & 0xFFFF_FFFF).unwrap_or(0);
        let short = u16::try_from(word & 0xFFFF).unwrap_or(0);
        match &vr.0 {
            b"SS" => short.cast_signed().to_string(),
            b"SL" => low.cast_signed().to_string(),
            b"FL" => f32::from_bits(low).to_string(),
            b"FD" => f64::from_bits(word).to_string(),
            _ => word.to_string(),
        }
    };
    raw.chunks_exact(size).map(one).collect()
}

/// A number in 32 bits; what is larger is the largest.
pub(super) fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
