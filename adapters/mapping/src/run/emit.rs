//! The second pass: the bundle, its entries, and in each object the members in FHIR's order. Each place is tried and taken
//! back when nothing came of it. What a row does is in `act`.

use std::fmt::Write as _;

use causeway_core::NodeId;
use causeway_core::fhir::Value as Json;
use causeway_core::origin::{OriginId, OriginKind};
use uuid::Uuid;

use super::read::next_of;
use super::track::{Passed, Track};
use super::{BundleKind, Hand, MOST_NODES, Run, Yield, refs};
use crate::doc::{Doc, Presence};
use crate::group::{NONE, small};
use crate::ops::At;
use crate::plan::{Act, Content, Decider, Index, Label, Member, Node, Option_, Part, Row, Slot, Variant, What};

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Writes the bundle.
    pub(crate) fn write(&mut self) {
        let root = NodeId::ROOT;
        let none = OriginId::GENERATED;
        self.tree.member(root, "resourceType", Json::String("Bundle"), none);
        self.write_bundle();
        let entries = self.tree.member(root, "entry", Json::Array, none);
        let mut inst = 0;
        while inst < small(self.insts.len()) {
            if self.tree.len() > MOST_NODES {
                self.remark("too-large", self.place_of(inst), u32::MAX, "");
                break;
            }
            self.write_inst(inst, entries);
            inst += 1;
        }
        self.write_late();
    }

    fn write_bundle(&mut self) {
        let root = NodeId::ROOT;
        let made = (0..self.insts.len()).find(|at| {
            self.insts
                .get(*at)
                .is_some_and(|inst| matches!(inst.make.what, What::Bundle))
        });
        if let Some(inst) = made {
            self.enter(small(inst));
            self.resource = root;
            if let Some(make) = self.insts.get(inst).map(|inst| inst.make) {
                self.node(&make.fill, root);
            }
        }
        let kind = match self.setting.kind {
            BundleKind::Message => "message",
            BundleKind::Transaction => "transaction",
            BundleKind::Collection => "collection",
        };
        match self.tree.get(root, "type") {
            Some(node) if self.tree.str(node) == Some(kind) => {}
            Some(node) => self.tree.set(node, Json::String(kind), OriginId::GENERATED),
            None => {
                self.tree.member(root, "type", Json::String(kind), OriginId::GENERATED);
            }
        }
    }

    /// Makes an instance the one in work.
    pub(crate) fn enter(&mut self, inst: u32) {
        let Some(found) = self.insts.get(inst as usize) else {
            return;
        };
        let hand = found.hand;
        self.at = inst;
        self.group = found.group;
        self.number = found.number;
        if let Some(hand) = hand {
            self.set_frame(0, hand);
        }
    }

    fn write_inst(&mut self, inst: u32, entries: NodeId) {
        let Some(found) = self.insts.get(inst as usize) else {
            return;
        };
        let (make, one, id) = (found.make, found.one, found.id);
        let What::Resource { kind, .. } = &make.what else {
            return;
        };
        if one != inst {
            self.late.push(inst);
            return;
        }
        let origin = self.origin(make.row, OriginKind::Generated, self.place_of(inst));
        let entry = self.tree.item(entries, Json::Object, origin);
        let mut buffer = [0; 45];
        self.tree
            .member(entry, "fullUrl", Json::String(refs::urn(id, &mut buffer)), origin);
        let resource = self.tree.member(entry, "resource", Json::Object, origin);
        self.tree.member(resource, "resourceType", Json::String(kind), origin);
        let mut buffer = Uuid::encode_buffer();
        self.tree.member(
            resource,
            "id",
            Json::String(id.hyphenated().encode_lower(&mut buffer)),
            origin,
        );
        if let Some(found) = self.insts.get_mut(inst as usize) {
            found.node = resource;
        }
        self.enter(inst);
        self.resource = resource;
        self.node(&make.fill, resource);
        if self.setting.kind == BundleKind::Transaction {
            self.request(entry, resource, kind, id);
        }
    }

    /// What a server is to do with an entry: create or update by an identifier, else by the id.
    fn request(&mut self, entry: NodeId, resource: NodeId, kind: &str, id: Uuid) {
        let identifier = self
            .tree
            .get(resource, "identifier")
            .into_iter()
            .flat_map(|node| self.tree.items(node));
        let token = identifier.into_iter().find_map(|node| {
            let value = self.tree.get_str(node, "value")?;
            let system = self.tree.get_str(node, "system")?;
            Some(format!("{kind}?identifier={}%7C{}", escaped(system), escaped(value)))
        });
        let url = token.unwrap_or_else(|| format!("{kind}/{id}"));
        let none = OriginId::GENERATED;
        let request = self.tree.member(entry, "request", Json::Object, none);
        self.tree.member(request, "method", Json::String("PUT"), none);
        self.tree.member(request, "url", Json::String(&url), none);
    }

    /// Writes the members of an object.
    pub(crate) fn node(&mut self, node: &'a Node<D>, object: NodeId) -> Yield {
        let mut written = Yield::No;
        let active = self.active(&node.index);
        let mut at = 0;
        while let Some(member) = next_of(&active, at, node.members.len()).and_then(|next| {
            at = next + 1;
            node.members.get(next)
        }) {
            written = written.max(self.member(member, object));
        }
        for row in &node.remarks {
            self.fire(row, At::Into(object), "");
        }
        if T::ON {
            for row in &node.ignored {
                self.fire(row, At::Into(object), "");
            }
        }
        written
    }

    fn member(&mut self, member: &'a Member<D>, object: NodeId) -> Yield {
        match &member.content {
            Content::One(slot) => self.slot(slot, object, &member.name, &member.under),
            Content::Choice(options, order) => self.choice(options, order, object),
            Content::Many(parts, index, primitive) => self.many(member, (parts, index), *primitive, object),
        }
    }

    fn slot(&mut self, slot: &'a Slot<D>, object: NodeId, name: &str, under: &str) -> Yield {
        self.null = None;
        let mut written = Yield::No;
        let mut alternatives = slot.alternatives.iter();
        let beside = if slot.primitive { under } else { "" };
        for row in alternatives.by_ref() {
            written = self.fire(row, At::Member(object, name), beside);
            if written > Yield::No {
                self.lost(alternatives.as_slice(), row);
                break;
            }
        }
        if slot.primitive {
            return written.max(self.under(slot, object, under));
        }
        if written == Yield::No
            && let Some(inner) = &slot.inner
        {
            written = self.object(inner, object, name);
        }
        if written == Yield::No {
            self.remove(name);
        }
        written
    }

    /// Rows that were not tried since another won. Only looked at when tracking.
    fn lost(&mut self, rest: &'a [Row<D>], winner: &'a Row<D>) {
        if !T::ON || self.dry {
            return;
        }
        for row in rest {
            let before = self.remarks.len();
            for read in &row.from {
                let start = self.read(read, None);
                let hands = self.vals.get(start..).unwrap_or_default().to_vec();
                self.vals.truncate(start);
                for hand in hands {
                    if hand.said == Presence::Valued && self.hold(&row.when, Some(hand)) {
                        self.track.passed(hand.value.place, row.id, Passed::Lost(winner.id));
                    }
                    self.track.settle(false);
                }
            }
            self.remarks.truncate(before);
        }
    }

    /// `""` removes the element that nothing else fills.
    fn remove(&mut self, name: &str) {
        if let Some((row, place)) = self.null.take()
            && !self.dry
        {
            let origin = self.origin(row, OriginKind::Source, Some(place));
            self.removed.push((self.resource, name.into(), origin));
        }
    }

    /// What belongs to a primitive: `_birthDate`.
    fn under(&mut self, slot: &'a Slot<D>, object: NodeId, under: &str) -> Yield {
        match &slot.inner {
            Some(inner) if self.tree.get(object, under).is_none() => self.object(inner, object, under),
            _ => Yield::No,
        }
    }

    fn object(&mut self, node: &'a Node<D>, parent: NodeId, name: &str) -> Yield {
        let mark = self.tree.mark(parent);
        let object = self.tree.member(parent, name, Json::Object, OriginId::GENERATED);
        let written = self.node(node, object);
        if written == Yield::No {
            self.tree.rollback(mark);
        }
        written
    }

    /// One of several types: the first row that yields decides which.
    fn choice(&mut self, options: &'a [Option_<D>], order: &[Decider], object: NodeId) -> Yield {
        self.null = None;
        for decider in order {
            let (option, written) = match *decider {
                Decider::Whole { option, alternative } => {
                    let Some(option) = options.get(usize::from(option)) else {
                        continue;
                    };
                    let Some(row) = option.slot.alternatives.get(usize::from(alternative)) else {
                        continue;
                    };
                    let beside = if option.slot.primitive { &*option.under } else { "" };
                    let written = self.fire(row, At::Member(object, &option.name), beside);
                    (option, written)
                }
                Decider::Inner { option, row } => {
                    let Some(option) = options.get(usize::from(option)) else {
                        continue;
                    };
                    let Some(row) = option.deciders.get(usize::from(row)) else {
                        continue;
                    };
                    if self.would(row, object) {
                        return self.slot(&option.slot, object, &option.name, &option.under);
                    }
                    continue;
                }
            };
            if written > Yield::No {
                self.lost_choice(options, order, *decider);
                return if option.slot.primitive {
                    written.max(self.under(&option.slot, object, &option.under))
                } else {
                    written
                };
            }
        }
        if let Some(first) = options.first() {
            self.remove(&first.name);
        }
        Yield::No
    }

    fn lost_choice(&mut self, options: &'a [Option_<D>], order: &[Decider], winner: Decider) {
        if !T::ON || self.dry {
            return;
        }
        let row_of = |decider: &Decider| -> Option<&'a Row<D>> {
            match *decider {
                Decider::Whole { option, alternative } => options
                    .get(usize::from(option))?
                    .slot
                    .alternatives
                    .get(usize::from(alternative)),
                Decider::Inner { option, row } => options.get(usize::from(option))?.deciders.get(usize::from(row)),
            }
        };
        let Some(won) = row_of(&winner) else { return };
        let behind = order.iter().skip_while(|decider| **decider != winner).skip(1);
        for row in behind.filter_map(row_of) {
            self.lost(std::slice::from_ref(row), won);
        }
    }

    /// Whether a row would write something; nothing stays of the trial.
    fn would(&mut self, row: &'a Row<D>, object: NodeId) -> bool {
        let mark = self.tree.mark(object);
        let dry = std::mem::replace(&mut self.dry, true);
        let written = self.fire(row, At::Member(object, ""), "");
        self.dry = dry;
        self.tree.rollback(mark);
        written > Yield::No
    }

    fn many(
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
        let mut variants = label.variants.iter();
        let mut written = Yield::No;
        for variant in variants.by_ref() {
            written = self.variant(label, variant, array, primitive, under);
            if written > Yield::No {
                break;
            }
        }
        if T::ON && written > Yield::No {
            for other in variants {
                self.lost_variant(other);
            }
        }
        written
    }

    fn lost_variant(&mut self, variant: &'a Variant<D>) {
        let Some((read, _)) = &variant.driver else { return };
        let rows = &variant.slot.alternatives;
        let Some(row) = rows.first() else { return };
        let start = self.read(read, None);
        let hands = self.vals.get(start..).unwrap_or_default().to_vec();
        self.vals.truncate(start);
        for hand in hands {
            if hand.said == Presence::Valued && !self.dry {
                self.track.passed(hand.value.place, row.id, Passed::Lost(row.id));
            }
        }
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
        if written < Yield::Strong {
            self.tree.rollback(mark);
            return Yield::No;
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

/// A text in a search URL (RFC 3986 2.1).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'/') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _written = write!(out, "%{byte:02X}");
        }
    }
    out
}
