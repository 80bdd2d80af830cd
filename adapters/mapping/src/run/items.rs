//! Arrays: a new item for each value, the items of labels with what drives them, and those that other instances make.

use causeway_core::NodeId;
use causeway_core::fhir::Value as Json;
use causeway_core::origin::{OriginId, OriginKind};

use super::read::next_of;
use super::track::{Passed, Track};
use super::{Hand, Run, Yield};
use crate::doc::{Doc, Presence};
use crate::group::NONE;
use crate::ops::At;
use crate::plan::{Act, Index, Label, Member, Part, Row, Slot, Variant};

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    pub(crate) fn many(
        &mut self,
        member: &'a Member<D>,
        (parts, index): (&'a [Part<D>], &Index),
        primitive: bool,
        object: NodeId,
    ) -> Yield {
        self.null = None;
        let mark = self.tree.mark(object);
        let array = self.tree.member(object, &member.name, Json::Array, OriginId::GENERATED);
        let mut written = Yield::No;
        let active = self.active(index);
        let mut at = 0;
        while let Some(part) = next_of(&active, at, parts.len()).and_then(|next| {
            at = next + 1;
            parts.get(next)
        }) {
            written = written.max(match part {
                Part::Values(rows) => self.values(rows, array),
                Part::Label(label) => self.label(label, array, primitive, false),
            });
        }
        if let Some(element) = member.element {
            written = written.max(self.items(element, array));
        }
        if written == Yield::No || self.tree.children(array).next().is_none() {
            self.tree.rollback(mark);
            self.remove(&member.name);
            return Yield::No;
        }
        if primitive && parts.iter().any(has_inner) {
            self.many_under(member, parts, object);
        }
        written
    }

    /// What belongs to the primitives of an array, side by side with them.
    fn many_under(&mut self, member: &'a Member<D>, parts: &'a [Part<D>], object: NodeId) {
        let mark = self.tree.mark(object);
        let array = self
            .tree
            .member(object, &member.under, Json::Array, OriginId::GENERATED);
        let mut written = Yield::No;
        for part in parts {
            match part {
                Part::Values(rows) => {
                    let inner = self.tree.mark(array);
                    let dry = std::mem::replace(&mut self.dry, true);
                    self.values(rows, array);
                    self.dry = dry;
                    let count = self.tree.children(array).count();
                    self.tree.rollback(inner);
                    let kept = self.tree.children(array).count();
                    for _ in kept..count {
                        self.tree.item(array, Json::Null, OriginId::GENERATED);
                    }
                }
                Part::Label(label) => written = written.max(self.label(label, array, true, true)),
            }
        }
        if written == Yield::No {
            self.tree.rollback(mark);
        }
    }

    /// A new item for each value; rows of one source are alternatives for each.
    fn values(&mut self, rows: &'a [Row<D>], array: NodeId) -> Yield {
        let Some(first) = rows.first() else { return Yield::No };
        let together = matches!(&first.act, Act::Op { op, .. } if !op.each);
        let [read] = first.from.as_slice() else {
            return self.first_of(rows, array);
        };
        if together {
            return self.first_of(rows, array);
        }
        if !rows.iter().any(|row| self.pass(&row.guards)) {
            return Yield::No;
        }
        let start = self.read(read, None);
        let end = self.vals.len();
        let mut written = Yield::No;
        let mut any = false;
        for at in start..end {
            let Some(hand) = self.vals.get(at).copied() else { break };
            if hand.said == Presence::Empty {
                continue;
            }
            any = true;
            for row in rows {
                let one = self.attempt(row, hand, At::Item(array), "");
                written = written.max(one);
                if one > Yield::No {
                    break;
                }
            }
        }
        self.vals.truncate(start);
        if !any {
            for row in rows.iter().filter(|row| row.on_absent) {
                written = written.max(self.fire(row, At::Item(array), ""));
            }
        }
        written
    }

    fn first_of(&mut self, rows: &'a [Row<D>], array: NodeId) -> Yield {
        for row in rows {
            let written = self.fire(row, At::Item(array), "");
            if written > Yield::No {
                return written;
            }
        }
        Yield::No
    }

    /// The items of a label.
    fn label(&mut self, label: &'a Label<D>, array: NodeId, primitive: bool, under: bool) -> Yield {
        if let (Some((name, row)), Some(url)) = (&label.each, &label.url) {
            return self.each(url, name, row, array);
        }
        let mut variants = label.variants.iter();
        while let Some(variant) = variants.next() {
            let written = self.variant(label, variant, array, primitive, under);
            if written > Yield::No {
                self.lost_variants(variants.as_slice(), variant);
                return written;
            }
        }
        Yield::No
    }

    fn variant(
        &mut self,
        label: &'a Label<D>,
        variant: &'a Variant<D>,
        array: NodeId,
        primitive: bool,
        under: bool,
    ) -> Yield {
        let Some((read, depth)) = &variant.driver else {
            return self.label_item(label, &variant.slot, array, primitive, under);
        };
        let start = self.read(read, None);
        let end = self.vals.len();
        let mut written = Yield::No;
        let mut count = 0;
        for at in start..end {
            let Some(hand) = self.vals.get(at).copied() else { break };
            if hand.said != Presence::Valued {
                continue;
            }
            if count >= label.limit {
                self.passed(
                    hand,
                    variant.slot.alternatives.first().map_or(u32::MAX, |row| row.id),
                    Passed::Overflow,
                );
                continue;
            }
            self.set_frame(*depth, hand);
            let one = self.label_item(label, &variant.slot, array, primitive, under);
            count += u32::from(one > Yield::No);
            written = written.max(one);
        }
        self.vals.truncate(start);
        written
    }

    pub(crate) fn passed(&mut self, hand: Hand, row: u32, why: Passed) {
        if T::ON && !self.dry {
            self.track.passed(hand.value.place, row, why);
        }
    }

    fn label_item(
        &mut self,
        label: &'a Label<D>,
        slot: &'a Slot<D>,
        array: NodeId,
        primitive: bool,
        under: bool,
    ) -> Yield {
        if primitive {
            return self.primitive_item(slot, array, under);
        }
        if label.url.is_none() {
            for row in &slot.alternatives {
                let written = self.fire(row, At::Item(array), "");
                if written > Yield::No {
                    if slot.inner.is_some() {
                        self.complete(slot, row, self.tree.last(array));
                    }
                    return Yield::Strong;
                }
            }
        }
        let Some(inner) = &slot.inner else { return Yield::No };
        let mark = self.tree.mark(array);
        let object = self.tree.item(array, Json::Object, OriginId::GENERATED);
        if let Some(url) = &label.url {
            self.tree.member(object, "url", Json::String(url), OriginId::GENERATED);
        }
        let written = self.node(inner, object);
        let least = if label.url.is_some() {
            Yield::Reference
        } else {
            Yield::Strong
        };
        if written < least {
            self.tree.rollback(mark);
            return Yield::No;
        }
        written
    }

    /// An extension for each instance that a row refers to.
    fn each(&mut self, url: &str, name: &str, row: &'a Row<D>, array: NodeId) -> Yield {
        let Act::Ref(reference) = &row.act else {
            return Yield::No;
        };
        if !self.hold(&row.when, None) {
            return Yield::No;
        }
        let mut written = Yield::No;
        for inst in self.all_below(reference.name) {
            let object = self.tree.item(array, Json::Object, OriginId::GENERATED);
            self.tree.member(object, "url", Json::String(url), OriginId::GENERATED);
            written = written.max(self.write_reference(inst, row.id, At::Member(object, name)));
        }
        written
    }

    /// An item of a primitive: its value, and in a second round what belongs to it.
    fn primitive_item(&mut self, slot: &'a Slot<D>, array: NodeId, under: bool) -> Yield {
        let mark = self.tree.mark(array);
        let before = self.dry;
        let dry = std::mem::replace(&mut self.dry, before || under);
        let mut value = Yield::No;
        for row in &slot.alternatives {
            value = self.fire(row, At::Item(array), "");
            if value > Yield::No {
                break;
            }
        }
        self.dry = dry;
        if !under && (value > Yield::No || slot.inner.is_none()) {
            return value;
        }
        self.tree.rollback(mark);
        let Some(inner) = &slot.inner else {
            if value > Yield::No {
                self.tree.item(array, Json::Null, OriginId::GENERATED);
            }
            return Yield::No;
        };
        let object = self.tree.item(array, Json::Object, OriginId::GENERATED);
        let written = self.node(inner, object);
        if under && written > Yield::No {
            return written;
        }
        self.tree.rollback(mark);
        if written > Yield::No || value > Yield::No {
            self.tree.item(array, Json::Null, OriginId::GENERATED);
        }
        if under { Yield::No } else { written }
    }

    /// The items that other instances make in this one's element.
    fn items(&mut self, element: u16, array: NodeId) -> Yield {
        let own = self.at;
        let start = self
            .items
            .partition_point(|(parent, number, _)| (*parent, *number) < (own, element));
        let mut written = Yield::No;
        let mut at = start;
        while let Some((parent, number, inst)) = self.items.get(at).copied() {
            if (parent, number) != (own, element) {
                break;
            }
            at += 1;
            let frame = self.frames.first().cloned();
            let (group, count) = (self.group, self.number);
            self.enter(inst);
            let mark = self.tree.mark(array);
            let origin = self.insts.get(inst as usize).map_or(u32::MAX, |inst| inst.make.row);
            let origin = self.origin(origin, OriginKind::Generated, self.place_of(inst));
            let object = self.tree.item(array, Json::Object, origin);
            let made = self.insts.get(inst as usize).map(|inst| inst.make);
            let one = made.map_or(Yield::No, |make| self.node(&make.fill, object));
            if one < Yield::Reference {
                self.tree.rollback(mark);
            } else {
                written = written.max(one);
            }
            self.at = own;
            self.group = group;
            self.number = count;
            if let (Some(frame), Some(first)) = (frame, self.frames.first_mut()) {
                *first = frame;
            }
        }
        written
    }

    /// Writes the numbers of all items of a name below the group, each once.
    pub(crate) fn ordinals(&mut self, name: u16, row: u32, at: At<'_>) -> Yield {
        let all = self.all_below(name);
        let mut written = Yield::No;
        for inst in &all {
            let number = self.insts.get(*inst as usize).map_or(0, |inst| inst.ordinal);
            if number > 0 {
                let origin = self.origin(row, OriginKind::Generated, None);
                self.put(at, Json::Number(&number.to_string()), origin);
                written = Yield::Weak;
            }
        }
        self.seen = all;
        written
    }

    /// The number of an item: of this one in its element, or of the nearest of a name.
    pub(crate) fn ordinal(&self, name: Option<u16>) -> Option<u32> {
        let inst = match name {
            None => self.at,
            Some(name) => self.nearest(name, self.at, false)?,
        };
        self.insts
            .get(self.one(inst) as usize)
            .map(|inst| inst.ordinal)
            .filter(|ordinal| *ordinal > 0 && inst != NONE)
    }
}

fn has_inner<D: Doc>(part: &Part<D>) -> bool {
    match part {
        Part::Values(_) => false,
        Part::Label(label) => label.variants.iter().any(|variant| variant.slot.inner.is_some()),
    }
}
