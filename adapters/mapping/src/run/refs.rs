//! References: the nearest instance of a name, all below, or the one that says the same. A reference is a number, so it
//! may point to what is written later.

use causeway_core::fhir::Value as Json;
use causeway_core::origin::OriginKind;
use uuid::Uuid;

use super::keys::hash;
use super::track::Track;
use super::{Hand, NumberMap, Run, Yield};
use crate::doc::{Doc, Identity};
use crate::group::NONE;
use crate::ops::At;
use crate::plan::{Pair, Reference};
use crate::syntax::Scope;

/// Instances of a list that are one with instances elsewhere, such as the laboratory of every result.
const MOST_ELSEWHERE: usize = 64;

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// The nearest instance of a name: the own group, then outward, each time the last before, else the first after.
    pub(crate) fn nearest(&self, name: u16, inst: u32, here: bool) -> Option<u32> {
        let found = self.insts.get(inst as usize)?;
        let siblings = found.siblings;
        let sibling = (siblings.0..siblings.1).find(|other| {
            *other != inst
                && self
                    .insts
                    .get(*other as usize)
                    .is_some_and(|other| other.make.name == name)
        });
        if sibling.is_some() {
            return sibling;
        }
        let list = self.by_name.get(usize::from(name))?;
        let host = found.host;
        let mut group = found.group;
        let mut left = NONE; // the group that the search comes out of
        while group != NONE {
            let end = self.groups.get(group)?.end;
            let nearest = match self.groups.run(left) {
                None => nearest_of(self.in_groups(list, group, end), host),
                // What lies in a neighbour of the same kind, another line of the claim, is nothing to this one.
                Some((first, behind)) => nearest_of(self.in_groups(list, group, first), host)
                    .or_else(|| nearest_of(self.in_groups(list, behind, end), host)),
            };
            if nearest.is_some() {
                return nearest;
            }
            if here {
                return None;
            }
            left = group;
            group = self.groups.get(group)?.parent;
        }
        None
    }

    /// The instances of a list that were opened in groups of a range; lists are in the order of groups.
    pub(crate) fn in_groups<'l>(&self, list: &'l [u32], first: u32, end: u32) -> &'l [u32] {
        let group = |inst: &u32| self.insts.get(*inst as usize).map_or(0, |inst| inst.group);
        let start = list.partition_point(|inst| group(inst) < first);
        let stop = list.partition_point(|inst| group(inst) < end);
        list.get(start..stop).unwrap_or_default()
    }

    /// Writes a reference where it finds one; all that it finds where an array takes them.
    pub(crate) fn refer(&mut self, reference: &'a Reference<D>, row: u32, at: At<'_>) -> Yield {
        let inst = self.at;
        if !reference.pairs.is_empty() {
            let found = match reference.scope {
                Scope::Below => self.below(reference),
                _ => self.equal(reference),
            };
            let few = if reference.scope == Scope::Nearest {
                1
            } else {
                usize::MAX
            };
            let found = found.into_iter().take(few);
            return found.fold(Yield::No, |written, found| {
                written.max(self.write_reference(found, row, at))
            });
        }
        if reference.scope != Scope::All {
            let found = self.nearest(reference.name, inst, reference.scope == Scope::Here);
            return found.map_or(Yield::No, |found| self.write_reference(found, row, at));
        }
        self.refer_all(reference.name, row, at)
    }

    /// References to all instances of a name below the group, each once.
    fn refer_all(&mut self, name: u16, row: u32, at: At<'_>) -> Yield {
        let mut written = Yield::No;
        let all = self.all_below(name);
        for inst in &all {
            written = written.max(self.write_reference(*inst, row, at));
            if !matches!(at, At::Item(_)) {
                break;
            }
        }
        self.seen = all;
        written
    }

    /// All instances of a name below the group, each once.
    pub(crate) fn all_below(&mut self, name: u16) -> Vec<u32> {
        let mut all = std::mem::take(&mut self.seen);
        all.clear();
        let end = self.groups.get(self.group).map_or(0, |group| group.end);
        let Some(list) = self.by_name.get(usize::from(name)) else {
            return all;
        };
        let within = self.in_groups(list, self.group, end);
        let first = within.first().copied().unwrap_or(0);
        let mut elsewhere = 0;
        for inst in within.iter().copied().filter(|inst| *inst != self.at) {
            let one = self.one(inst);
            // One that stands in the list itself is there already; those that stand elsewhere are looked for among few.
            if one == inst {
                all.push(inst);
            } else if one < first && elsewhere < MOST_ELSEWHERE && !all.contains(&one) {
                elsewhere += 1;
                all.push(one);
            }
        }
        all
    }

    /// Writes a reference to an instance.
    pub(crate) fn write_reference(&mut self, inst: u32, row: u32, at: At<'_>) -> Yield {
        let id = self.id(inst);
        let place = self.place_of(inst);
        let origin = self.origin(row, OriginKind::Generated, place);
        let object = match at {
            At::Member(parent, name) => self.tree.member(parent, name, Json::Object, origin),
            At::Item(parent) => self.tree.item(parent, Json::Object, origin),
            At::Into(object) => object,
        };
        let mut buffer = [0; 45];
        self.tree
            .member(object, "reference", Json::String(urn(id, &mut buffer)), origin);
        Yield::Reference
    }

    /// The instances of a name whose places say what the places here say.
    fn equal(&mut self, reference: &'a Reference<D>) -> Vec<u32> {
        let mut wanted = 0u64;
        for (at, pair) in reference.pairs.iter().enumerate() {
            let here = self.first_valued(&pair.here, None);
            let said = here.map_or(0, |here| self.said(here, pair.identity));
            // A condition on what is not said here is left out of the comparison only when it stands behind the first.
            if said == 0 && at == 0 {
                return Vec::new();
            }
            wanted = wanted.rotate_left(17) ^ said;
        }
        let key = std::ptr::from_ref(reference).addr() as u64;
        if !self.indexes.contains_key(&key) {
            let index = self.index(reference);
            self.indexes.insert(key, index);
        }
        let own = self.at;
        let found = self.indexes.get(&key).and_then(|index| index.get(&wanted));
        let others = found.into_iter().flatten().copied().filter(|found| *found != own);
        others.collect()
    }

    fn index(&mut self, reference: &'a Reference<D>) -> NumberMap<u64, Vec<u32>> {
        let mut index = NumberMap::<u64, Vec<u32>>::default();
        let list = self
            .by_name
            .get(usize::from(reference.name))
            .cloned()
            .unwrap_or_default();
        let (group, number) = (self.group, self.number);
        let frame = self.frames.first().cloned();
        for inst in list {
            let said = reference.pairs.iter().fold(0u64, |state, pair| {
                let there = self.there(inst, pair);
                state.rotate_left(17) ^ there.map_or(0, |there| self.said(there, pair.identity))
            });
            index.entry(said).or_default().push(inst);
        }
        self.group = group;
        self.number = number;
        if let (Some(frame), Some(first)) = (frame, self.frames.first_mut()) {
            *first = frame;
        }
        index
    }

    /// What the other instance of a pair says; the caller comes back to its own.
    pub(crate) fn there(&mut self, inst: u32, pair: &'a Pair<D>) -> Option<Hand> {
        let found = self.insts.get(inst as usize)?;
        let (make, hand) = (found.make, found.hand);
        self.group = found.group;
        self.number = found.number;
        if let Some(hand) = hand {
            self.set_frame(0, hand);
        }
        let kind = self.groups.get(self.group).map_or(0, |group| group.kind);
        let read = pair.there.iter().find(|(of, _)| *of == (make.row, kind));
        let (_, read) = read.or(pair.there.first())?;
        self.first_valued(read, None)
    }

    /// A number for what a value says, by its identifying parts.
    fn said(&mut self, hand: Hand, identity: Option<Identity>) -> u64 {
        if T::ON {
            self.track.tested(hand.value.place);
        }
        let doc = self.doc;
        let number = identity.and_then(|identity| identity.number.iter().find_map(|part| self.part(hand.value, *part)));
        let number = hash(doc.text(doc.first(number.unwrap_or(hand.value))).trim().as_bytes());
        let authority =
            identity.and_then(|identity| identity.authority.iter().find_map(|part| self.part(hand.value, *part)));
        let authority = authority.map_or(0, |part| {
            hash(crate::primitives::trimmed(&doc.text(doc.first(part))).as_bytes())
        });
        number ^ authority.rotate_left(31)
    }
}

/// The last before, else the first after.
fn nearest_of(list: &[u32], host: u32) -> Option<u32> {
    let before = list.partition_point(|inst| *inst < host);
    let nearest = before.checked_sub(1).and_then(|at| list.get(at));
    nearest
        .or_else(|| list.iter().skip(before).find(|inst| **inst != host))
        .copied()
}

/// `urn:uuid:` and the id.
pub(crate) fn urn(id: Uuid, buffer: &mut [u8; 45]) -> &str {
    id.urn().encode_lower(buffer)
}
