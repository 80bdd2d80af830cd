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
    key: Key,
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

    /// A name that JSON uses, with any of its target's types.
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, target: u32) -> Self {
        let name = name.into();
        Self {
            key: Key::of(&name),
            name,
            target,
            choice: Self::ANY,
            in_json: true,
        }
    }

    /// The name means this one of its target's types.
    pub(crate) fn of_type(self, choice: u32) -> Self {
        Self { choice, ..self }
    }

    /// JSON does not use the name.
    pub(crate) fn outside_json(self) -> Self {
        Self { in_json: false, ..self }
    }
}

/// All tables.
#[derive(Debug, Default)]
pub(crate) struct NameTable {
    slots: Vec<Option<Slot>>,
}

impl NameTable {
    /// Gives back what the slots have too much.
    pub(crate) fn shrink(&mut self) {
        self.slots.shrink_to_fit();
    }

    /// Adds a table. Of equal names the first stays.
    pub(crate) fn add(&mut self, entries: Vec<Slot>) -> Region {
        let size = (entries.len() * 2).next_power_of_two().max(2);
        let region = Region {
            start: to_u32(self.slots.len()),
            mask: to_u32(size - 1),
        };
        self.slots.resize(self.slots.len() + size, None);
        for entry in entries {
            self.insert(region, entry);
        }
        region
    }

    fn insert(&mut self, region: Region, entry: Slot) {
        let hash = entry.key.hash();
        for step in 0..=region.mask {
            match self.slots.get_mut(position(region, hash, step)) {
                Some(Some(slot)) if slot.name != entry.name => {}
                Some(free @ None) => {
                    *free = Some(entry);
                    return;
                }
                Some(Some(_)) | None => return,
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
        let key = Key::of(name);
        let hash = key.hash();
        for step in 0..=region.mask {
            let slot = self.slots.get(position(region, hash, step))?.as_ref()?;
            if slot.key == key && (key.is_whole() || slot.name == name) {
                return Some(slot);
            }
        }
        None
    }
}

fn position(region: Region, hash: u32, step: u32) -> usize {
    (region.start + (hash.wrapping_add(step) & region.mask)) as usize
}

/// The length of a name with its first and its last bytes, up to eight each: numbers are compared faster than texts, and
/// nearly all names are so short that this is all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    first: u64,
    last: u64,
    length: u32,
}

impl Key {
    fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let (first, last) = match (bytes.first_chunk::<8>(), bytes.first_chunk::<4>()) {
            (Some(first), _) => (
                u64::from_le_bytes(*first),
                bytes.last_chunk().map_or(0, |last| u64::from_le_bytes(*last)),
            ),
            (None, Some(first)) => (
                u32::from_le_bytes(*first).into(),
                bytes.last_chunk().map_or(0, |last| u32::from_le_bytes(*last).into()),
            ),
            (None, None) => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        };
        let length = to_u32(bytes.len());
        Self { first, last, length }
    }

    /// Whether the key is all of the name.
    fn is_whole(self) -> bool {
        self.length <= 16
    }

    fn hash(self) -> u32 {
        // An odd number with well spread bits: 2^64 divided by the golden ratio.
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        let state = (self.first.wrapping_mul(SPREAD) ^ self.last)
            .wrapping_add(u64::from(self.length))
            .wrapping_mul(SPREAD);
        to_u32((state >> 33) as usize)
    }
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
        let first = names.add(vec![Slot::new("name", 1), Slot::new("given", 2), Slot::new("name", 3)]);
        let second = names.add(vec![Slot::new("name", 4)]);
        assert_eq!(names.find(first, "name").map(|slot| slot.target), Some(1));
        assert_eq!(names.find(first, "given").map(|slot| slot.target), Some(2));
        assert_eq!(names.find(second, "name").map(|slot| slot.target), Some(4));
        assert!(names.find(second, "given").is_none());
    }

    #[test]
    fn names_of_every_length_are_told_apart() {
        let text = "abcdefghijklmnopqrstuvwxyz";
        let cut = |range: std::ops::Range<usize>| text.get(range).unwrap();
        let mut all: Vec<&'static str> = (0..=26).map(|end| cut(0..end)).collect();
        all.extend((1..26).map(|start| cut(start..26)));
        all.extend(["abcdefghIJKLMNOPqrstuvwxyz", "abcdABCD", "zbc", "abz"]);
        let mut names = NameTable::default();
        let region = names.add(
            all.iter()
                .copied()
                .zip(0..)
                .map(|(name, at)| Slot::new(name, at))
                .collect(),
        );
        for (name, at) in all.iter().zip(0..) {
            assert_eq!(names.find(region, name).map(|slot| slot.target), Some(at), "{name}");
        }
        for absent in [
            "abcdefghxxxxxxxxxxqrstuvwxyz",
            "abcdefghxJKLMNOPqrstuvwxyz",
            "xbcd",
            "abcdefgx",
            "y",
        ] {
            assert!(names.find(region, absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn an_empty_table_finds_nothing() {
        let mut names = NameTable::default();
        let region = names.add(Vec::new());
        assert!(names.find(region, "").is_none());
        assert!(NameTable::default().find(Region::default(), "name").is_none());
    }
}
