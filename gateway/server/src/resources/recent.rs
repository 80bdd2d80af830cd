//! What was last said of resources that are said again and again, so that a repetition costs no look at the tables. What a
//! repetition means is not known here.

use std::collections::HashMap;

/// Ids of which is remembered what was said last, twice as many at most: those that every message names again, such as a
/// ward or a laboratory.
const REMEMBERED: usize = 8_192;

/// Where a version is: its pack, and the bit of its slot.
pub(super) type Place = (u32, u32);

/// What was last said of a resource: its number, and the version that it repeats, with when that was last stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) said: u64,
    /// None where it says less than is known.
    pub(super) of: Option<(Place, Option<i64>)>,
}

impl Last {
    /// It was stated again: the version's place and the time, if that is later than was known.
    pub(super) fn later(&mut self, stated: Option<i64>) -> Option<(Place, i64)> {
        let (place, known) = self.of.as_mut()?;
        let stated = stated.filter(|stated| known.is_none_or(|known| known < *stated))?;
        *known = Some(stated);
        Some((*place, stated))
    }
}

/// What was last said of resources that were said again: two generations, of which the older is dropped.
#[derive(Debug, Default)]
pub(super) struct Recent {
    young: HashMap<i64, Last>,
    old: HashMap<i64, Last>,
}

impl Recent {
    /// What was last said of a resource, if this is it.
    pub(super) fn is(&mut self, id: i64, said: u64) -> Option<&mut Last> {
        // What is young was said later than what is old, which counts no more.
        if !self.young.contains_key(&id) {
            let known = self.old.get(&id).copied().filter(|last| last.said == said)?;
            self.set(id, known);
        }
        self.young.get_mut(&id).filter(|last| last.said == said)
    }

    pub(super) fn set(&mut self, id: i64, last: Last) {
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, last);
    }

    pub(super) fn forget(&mut self, id: i64) {
        self.young.remove(&id);
        self.old.remove(&id);
    }
}
