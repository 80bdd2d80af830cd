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
}

impl Slot {
    pub(crate) const ANY: u32 = u32::MAX;
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

    /// The names of a table, in no order that means anything.
    pub(crate) fn names(&self, region: Region) -> impl Iterator<Item = &str> {
        let slots = self
            .slots
            .get(region.start as usize..(region.start + region.mask + 1) as usize)
            .unwrap_or(&[]);
        slots.iter().flatten().map(|slot| &*slot.name)
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

/// Mixes eight bytes a step; never 0, which marks an empty slot.
fn hash(bytes: &[u8]) -> u32 {
    // An odd number with well spread bits: 2^64 divided by the golden ratio.
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        state = (state.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(SPREAD);
    }
    to_u32((state >> 33) as usize) | 1 << 31
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(name: &'static str, target: u32) -> Slot {
        Slot {
            name: name.into(),
            target,
            choice: Slot::ANY,
        }
    }

    #[test]
    fn tables_do_not_see_each_other() {
        let mut names = NameTable::default();
        let first = names.add(vec![slot("name", 1), slot("given", 2), slot("name", 3)]);
        let second = names.add(vec![slot("name", 4)]);
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
