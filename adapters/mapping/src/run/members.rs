//! What a place puts below what among the instances of one group: `1.2` below `1`, and what says the same below the first.
//! What the numbers mean is the rows' to say.

use super::keys::hash;
use super::track::Track;
use super::{NumberMap, Run};
use crate::doc::Doc;
use crate::group::NONE;
use crate::plan::Reference;

/// The most numbers that are taken from the end of one to find what it stands below.
const MOST_STEMS: usize = 16;

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// The instances that stand below the one in work.
    pub(crate) fn below(&mut self, reference: &'a Reference<D>) -> Vec<u32> {
        let around = self.groups.get(self.group).map_or(NONE, |group| group.parent);
        let place = std::ptr::from_ref(reference).addr() as u64;
        let key = hash(&[place.to_le_bytes(), u64::from(around).to_le_bytes()].concat());
        if !self.indexes.contains_key(&key) {
            let (group, number) = (self.group, self.number);
            let frame = self.frames.first().cloned();
            let said = self.said_around(reference, around);
            self.group = group;
            self.number = number;
            if let (Some(frame), Some(first)) = (frame, self.frames.first_mut()) {
                *first = frame;
            }
            self.indexes.insert(key, ranked(&said));
        }
        let found = self.indexes.get(&key).and_then(|index| index.get(&u64::from(self.at)));
        found.cloned().unwrap_or_default()
    }

    /// What the place says in each instance of a name right below a group.
    fn said_around(&mut self, reference: &'a Reference<D>, around: u32) -> Vec<(u32, String)> {
        let end = self.groups.get(around).map_or(0, |group| group.end);
        let list = self.by_name.get(usize::from(reference.name));
        let list = list.map_or(Vec::new(), |list| self.in_groups(list, around, end).to_vec());
        let mut said = Vec::new();
        for inst in list {
            let group = self.insts.get(inst as usize).map_or(NONE, |inst| inst.group);
            let right_below = self.groups.get(group).is_some_and(|group| group.parent == around);
            let pair = reference
                .pairs
                .first()
                .filter(|_| right_below && self.one(inst) == inst);
            if let Some(hand) = pair.and_then(|pair| self.there(inst, pair)) {
                let text = self.doc.text(self.doc.first(hand.value)).trim().to_owned();
                said.push((inst, text));
            }
        }
        said
    }
}

/// For each instance those below it. What says the same as the first stands below it, unless all say the same: then the
/// numbers tell nothing apart.
fn ranked(said: &[(u32, String)]) -> NumberMap<u64, Vec<u32>> {
    let mut firsts = NumberMap::<u64, u32>::default();
    for (inst, text) in said {
        firsts.entry(hash(text.as_bytes())).or_insert(*inst);
    }
    let mut below = NumberMap::<u64, Vec<u32>>::default();
    for (inst, text) in said {
        let first = firsts.get(&hash(text.as_bytes())).copied();
        let over = if first == Some(*inst) {
            stems(text).find_map(|stem| firsts.get(&hash(stem.as_bytes())).copied())
        } else {
            first.filter(|_| firsts.len() > 1)
        };
        if let Some(over) = over {
            below.entry(u64::from(over)).or_default().push(*inst);
        }
    }
    below
}

/// `1.2` and `1` of `1.2.3`.
fn stems(text: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(stem(text), |text| stem(text)).take(MOST_STEMS)
}

fn stem(text: &str) -> Option<&str> {
    text.rsplit_once('.').map(|(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::ranked;

    /// The numbers of those below each, as `over: below below`.
    fn check(said: &[&str], expect: &[(u64, &[u32])]) {
        let said: Vec<(u32, String)> = (0..).zip(said.iter().map(|text| (*text).to_owned())).collect();
        let found = ranked(&said);
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (over, below) in expect {
            assert_eq!(found.get(over).map(Vec::as_slice), Some(*below));
        }
    }

    #[test]
    fn numbers_stand_below_their_stems_and_equals_below_the_first() {
        check(&["1", "1.1", "1.2", "2", "2.1.1"], &[(0, &[1, 2]), (3, &[4])]);
        check(&["1.1", "1"], &[(1, &[0])]);
        check(&["1", "1", "2", "2", "2"], &[(0, &[1]), (2, &[3, 4])]);
        check(&["1", "1", "1"], &[]);
        check(&["1.1", "1.2"], &[]);
        check(&["a", "b"], &[]);
    }
}
