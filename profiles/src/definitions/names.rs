//! Tables from a name to a number, one region of slots each, half empty, so that a look-up is one hash and mostly one
//! comparison. They are filled once, when the pack is decoded.

use std::borrow::Cow;

/// Where one table stands among the slots.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Region {
    start: u32,
    mask: u32,
}

/// A name and what it stands for.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) name: Cow<'static, str>,
    /// The number that the name stands for.
    pub(crate) target: u32,
    /// Which of the target's types is meant; [`Slot::ANY`] when the name leaves it open.
    pub(crate) choice: u32,
    /// Whether JSON writes the name so; a choice is also known by names that JSON does not use.
    pub(crate) in_json: bool,
}

impl Slot {
    pub(crate) const ANY: u32 = u32::MAX;

    /// A name for a number and nothing else.
    pub(crate) fn plain(name: &'static str, target: u32) -> Self {
        Self {
            name: name.into(),
            target,
            choice: Self::ANY,
            in_json: true,
        }
    }
}

/// All tables.
#[derive(Debug, Default)]
pub(crate) struct NameTable {
    hashes: Vec<u32>,
    slots: Vec<Option<Slot>>,
}

impl NameTable {
    /// Adds a table. Of equal names the first stays.
    pub(crate) fn add(&mut self, entries: Vec<Slot>) -> Region {
        let size = (entries.len() * 2).next_power_of_two().max(2);
        let region = Region {
            start: to_u32(self.slots.len()),
            mask: to_u32(size - 1),
        };
        self.hashes.resize(self.hashes.len() + size, 0);
        self.slots.resize(self.slots.len() + size, None);
        for entry in entries {
            self.insert(region, entry);
        }
        region
    }

    fn insert(&mut self, region: Region, entry: Slot) {
        let hash = hash(entry.name.as_bytes());
        for step in 0..=region.mask {
            let at = position(region, hash, step);
            let (Some(told), Some(slot)) = (self.hashes.get_mut(at), self.slots.get_mut(at)) else {
                return;
            };
            match slot {
                Some(slot) if slot.name == entry.name => return,
                Some(_) => {}
                None => {
                    *told = hash;
                    *slot = Some(entry);
                    return;
                }
            }
        }
    }

    /// The names of a table that JSON uses, in no order that means anything.
    pub(crate) fn json_names(&self, region: Region) -> impl Iterator<Item = &str> {
        let end = region.start + region.mask + 1;
        let slots = self.slots.get(region.start as usize..end as usize).unwrap_or(&[]);
        slots
            .iter()
            .flatten()
            .filter(|slot| slot.in_json)
            .map(|slot| &*slot.name)
    }

    /// What a name stands for in a table.
    pub(crate) fn find(&self, region: Region, name: &str) -> Option<&Slot> {
        let hash = hash(name.as_bytes());
        for step in 0..=region.mask {
            let at = position(region, hash, step);
            match *self.hashes.get(at)? {
                0 => return None,
                told if told == hash => {
                    let slot = self.slots.get(at)?.as_ref()?;
                    if slot.name == name {
                        return Some(slot);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

fn position(region: Region, hash: u32, step: u32) -> usize {
    (region.start + (hash.wrapping_add(step) & region.mask)) as usize
}

/// Mixes the length with the first and the last eight bytes, which tell nearly all names of a table apart; never 0, which
/// marks an empty slot.
fn hash(bytes: &[u8]) -> u32 {
    // An odd number with well spread bits: 2^64 divided by the golden ratio.
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let (first, last) = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    };
    let state = (first.wrapping_mul(SPREAD) ^ last)
        .wrapping_add(bytes.len() as u64)
        .wrapping_mul(SPREAD);
    to_u32((state >> 33) as usize) | 1 << 31
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_do_not_see_each_other() {
        let mut names = NameTable::default();
        let first = names.add(vec![
            Slot::plain("name", 1),
            Slot::plain("given", 2),
            Slot::plain("name", 3),
        ]);
        let second = names.add(vec![Slot::plain("name", 4)]);
        assert_eq!(names.find(first, "name").map(|slot| slot.target), Some(1));
        assert_eq!(names.find(first, "given").map(|slot| slot.target), Some(2));
        assert_eq!(names.find(second, "name").map(|slot| slot.target), Some(4));
        assert!(names.find(second, "given").is_none());
    }

    #[test]
    fn an_empty_table_finds_nothing() {
        let mut names = NameTable::default();
        let region = names.add(Vec::new());
        assert!(names.find(region, "").is_none());
        assert!(NameTable::default().find(Region::default(), "name").is_none());
    }
}
