//! The second pass: the bundle, its entries, and in each object the members in FHIR's order. Each place is tried and taken
//! back when nothing came of it. What a row does is in `act`.

use std::fmt::Write as _;

use causeway_core::NodeId;
use causeway_core::fhir::Value as Json;
use causeway_core::origin::{OriginId, OriginKind};
use uuid::Uuid;

use super::read::next_of;
use super::track::Track;
use super::{BundleKind, MOST_NODES, Run, Yield, refs};
use crate::doc::Doc;
use crate::group::small;
use crate::ops::At;
use crate::plan::{Content, Decider, Member, Node, Option_, Row, Slot, What};

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Writes the bundle.
    pub(crate) fn write(&mut self) {
        let root = NodeId::ROOT;
        let none = OriginId::GENERATED;
        self.tree.member(root, "resourceType", Json::String("Bundle"), none);
        self.write_bundle();
        let entries = self.tree.member(root, "entry", Json::Array, none);
        let mut inst = 0;
        loop {
            while inst < small(self.insts.len()) {
                if self.tree.len() > MOST_NODES {
                    self.remark("too-large", self.place_of(inst), u32::MAX, "");
                    return;
                }
                self.write_inst(inst, entries);
                inst += 1;
            }
            if self.late.is_empty() {
                return;
            }
            self.write_late();
        }
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
                if !slot.primitive && slot.inner.is_some() {
                    self.complete(slot, row, self.tree.get(object, name));
                }
                break;
            }
        }
        let null = self.null.take();
        if slot.primitive {
            written = written.max(self.under(slot, object, under));
        } else if written == Yield::No
            && let Some(inner) = &slot.inner
        {
            written = self.object(inner, object, name);
        }
        self.null = null;
        if written == Yield::No {
            self.remove(name);
        }
        written
    }

    /// `""` removes the element that nothing else fills.
    pub(crate) fn remove(&mut self, name: &str) {
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
                    if written > Yield::No && !option.slot.primitive && option.slot.inner.is_some() {
                        self.complete(&option.slot, row, self.tree.get(object, &option.name));
                    }
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

    /// Whether a row would write something; nothing stays of the trial.
    pub(crate) fn would(&mut self, row: &'a Row<D>, object: NodeId) -> bool {
        let mark = self.tree.mark(object);
        let dry = std::mem::replace(&mut self.dry, true);
        let written = self.fire(row, At::Member(object, ""), "");
        self.dry = dry;
        self.tree.rollback(mark);
        written > Yield::No
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
