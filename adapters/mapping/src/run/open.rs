//! The first pass: groups, the instances that they open, and to which element each item belongs.

use causeway_core::NodeId;
use uuid::Uuid;

use super::track::Track;
use super::{Hand, Inst, Keyed, Run};
use crate::doc::{Doc, Presence, Value};
use crate::group::{NO, NONE, small};
use crate::plan::{Make, What};

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Opens all instances of the document.
    pub(crate) fn open(&mut self) {
        let structure = self.structure;
        let mut groups = std::mem::take(&mut self.groups);
        groups.read(&structure.grammar, self.doc);
        self.groups = groups;
        for group in 0..small(self.groups.list.len()) {
            if self.is_open(group) {
                self.open_group(group);
            }
        }
        for inst in 0..small(self.insts.len()) {
            self.key(inst);
        }
        self.place_items();
    }

    /// Whether an item opened the group; one that was only supposed makes nothing.
    fn is_open(&self, group: u32) -> bool {
        let kind = self
            .groups
            .get(group)
            .and_then(|group| self.structure.grammar.kinds.get(usize::from(group.kind)));
        kind.is_some_and(|kind| (0..kind.openers).any(|member| self.groups.first(group, member) != NONE))
    }

    /// The first item of a group.
    pub(crate) fn opener(&self, group: u32) -> u32 {
        let kind = self
            .groups
            .get(group)
            .and_then(|group| self.structure.grammar.kinds.get(usize::from(group.kind)));
        let openers = kind.map_or(0, |kind| kind.openers);
        let items = (0..openers)
            .map(|member| self.groups.first(group, member))
            .filter(|item| *item != NONE);
        items.min().unwrap_or(NONE)
    }

    fn open_group(&mut self, group: u32) {
        let structure = self.structure;
        let kind = self.groups.get(group).map_or(0, |group| group.kind);
        let makes = structure.of_kind.get(usize::from(kind)).map_or(&[][..], Vec::as_slice);
        self.group = group;
        let mut chosen = NO;
        for make in makes.iter().filter_map(|make| structure.makes.get(usize::from(*make))) {
            if make.choice == chosen {
                continue;
            }
            let opened = match &make.at {
                None => self.open_one(make, group, None, 0, NONE),
                Some(_) => self.open_values(make, group),
            };
            if opened {
                chosen = make.choice;
            }
        }
    }

    fn open_values(&mut self, make: &'a Make<D>, group: u32) -> bool {
        let Some(at) = &make.at else { return false };
        let start = self.read(at, None);
        let end = self.vals.len();
        if T::ON {
            self.track.settle(start < end);
        }
        let mut any = false;
        for (number, index) in (1..).zip(start..end) {
            let Some(hand) = self.vals.get(index).copied() else {
                break;
            };
            if hand.said == Presence::Valued {
                any |= self.open_one(make, group, Some(hand), number, NONE);
            }
        }
        self.vals.truncate(start);
        any
    }

    fn open_one(&mut self, make: &'a Make<D>, group: u32, hand: Option<Hand>, number: u32, host: u32) -> bool {
        if !make.when.is_empty() {
            self.group = group;
            self.number = number;
            if let Some(hand) = hand {
                self.set_frame(0, hand);
            }
            if !self.hold(&make.when, hand) {
                if T::ON {
                    self.track.settle(false);
                }
                return false;
            }
            if T::ON {
                self.track.settle(true);
            }
        }
        self.push(make, group, hand, number, host);
        true
    }

    pub(crate) fn push(&mut self, make: &'a Make<D>, group: u32, hand: Option<Hand>, number: u32, host: u32) -> u32 {
        let inst = small(self.insts.len());
        self.insts.push(Inst {
            make,
            group,
            hand,
            number,
            id: Uuid::nil(),
            keyed: Keyed::Not,
            one: inst,
            siblings: (inst, inst),
            host: if host == NONE { inst } else { host },
            ordinal: 0,
            node: NodeId::ROOT,
        });
        if host == NONE
            && make.name != NO
            && let Some(list) = self.by_name.get_mut(usize::from(make.name))
        {
            list.push(inst);
        }
        inst
    }

    /// Items to the elements of the nearest instances of their names.
    fn place_items(&mut self) {
        for inst in 0..small(self.insts.len()) {
            let Some(found) = self.insts.get(inst as usize) else {
                continue;
            };
            let What::Item { name, element } = found.make.what else {
                continue;
            };
            if found.one != inst {
                continue;
            }
            let parent = self.nearest(name, inst, false).map(|parent| self.one(parent));
            if let Some(parent) = parent {
                self.items.push((parent, element, inst));
            } else {
                let place = self.place_of(inst);
                let row = found_row(self, inst);
                self.remark("reference-missing", place, row, "");
            }
        }
        self.items.sort_by_key(|(parent, element, _)| (*parent, *element));
        let mut before = (NONE, NO);
        let mut ordinal = 0;
        for at in 0..self.items.len() {
            let Some((parent, element, inst)) = self.items.get(at).copied() else {
                break;
            };
            ordinal = if (parent, element) == before { ordinal + 1 } else { 1 };
            before = (parent, element);
            if let Some(inst) = self.insts.get_mut(inst as usize) {
                inst.ordinal = ordinal;
            }
        }
    }

    /// The instance that an instance is one with.
    pub(crate) fn one(&self, inst: u32) -> u32 {
        self.insts.get(inst as usize).map_or(inst, |found| found.one)
    }

    /// Where an instance was opened.
    pub(crate) fn place_of(&self, inst: u32) -> Option<causeway_core::Place> {
        let found = self.insts.get(inst as usize)?;
        if let Some(Hand {
            value: Value { place, .. },
            ..
        }) = found.hand
        {
            return Some(place);
        }
        let item = self.opener(found.group);
        (item != NONE).then(|| self.doc.item_place(item))
    }
}

fn found_row<D: Doc, T: Track>(run: &Run<'_, D, T>, inst: u32) -> u32 {
    run.insts.get(inst as usize).map_or(u32::MAX, |inst| inst.make.row)
}
