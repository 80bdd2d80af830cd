//! What is added to an object that stands already: by instances that are one with another, of which each fills what is
//! empty and a repeating element takes an equal value once, and by rows inside what a whole row made.

use causeway_core::fhir::{Kind, Value as Json};
use causeway_core::origin::OriginId;
use causeway_core::{NodeId, Tree};
use causeway_profiles::definitions::r4;

use super::Run;
use super::track::Track;
use crate::compile::Scope;
use crate::doc::Doc;
use crate::plan::{Act, Member, Row, Slot, What};

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Writes what later instances add to those that stand already. They may make instances in turn.
    pub(crate) fn write_late(&mut self) {
        let late = std::mem::take(&mut self.late);
        let mut scratch = Tree::new(Json::Object);
        for inst in late {
            let Some(found) = self.insts.get(inst as usize) else {
                continue;
            };
            let (make, one) = (found.make, found.one);
            let Some(first) = self.insts.get(one as usize) else {
                continue;
            };
            let (target, same) = (
                first.node,
                first.make.signature == make.signature && make.self_contained,
            );
            let equal = first
                .hand
                .zip(found.hand)
                .is_some_and(|(a, b)| self.doc.raw(a.value) == self.doc.raw(b.value));
            if target == NodeId::ROOT || (same && equal && !T::ON) {
                continue;
            }
            let What::Resource { kind, .. } = &make.what else {
                continue;
            };
            self.enter(inst);
            let mark = scratch.mark(NodeId::ROOT);
            std::mem::swap(&mut self.tree, &mut scratch);
            let object = self.tree.member(NodeId::ROOT, "", Json::Object, OriginId::GENERATED);
            self.resource = target;
            self.node(&make.fill, object);
            std::mem::swap(&mut self.tree, &mut scratch);
            if let Some(kind) = r4().type_named(kind) {
                self.add(target, &scratch, object, &Scope::Type(kind));
            }
            scratch.rollback(mark);
        }
    }

    /// Rows inside what a whole row made fill what is empty there; a type map has such rows among its own.
    pub(crate) fn complete(&mut self, slot: &'a Slot<D>, row: &Row<D>, object: Option<NodeId>) {
        let (Some(inner), Some(object)) = (&slot.inner, object) else {
            return;
        };
        let full = |member: &Member<D>| self.tree.get(object, &member.name).is_some();
        if matches!(row.act, Act::Map { .. }) || inner.members.iter().all(full) {
            return;
        }
        let mut scratch = Tree::new(Json::Object);
        let null = self.null.take();
        std::mem::swap(&mut self.tree, &mut scratch);
        self.node(inner, NodeId::ROOT);
        std::mem::swap(&mut self.tree, &mut scratch);
        self.null = null;
        self.add(object, &scratch, NodeId::ROOT, &Scope::Element(slot.element));
    }

    fn add(&mut self, target: NodeId, from: &Tree, object: NodeId, scope: &Scope) {
        let mut left = Vec::new();
        add(&mut self.tree, target, (from, object), scope, &mut left);
        self.left(&left, from);
    }
}

/// Adds what the target lacks, each member in its place. An object that says the same as far as it goes is completed; one
/// that says something else stays whole, so that no number gets another's system.
/// What is not added is left, each with what stands in its place.
fn add(
    tree: &mut Tree,
    target: NodeId,
    (from, object): (&Tree, NodeId),
    scope: &Scope,
    left: &mut Vec<(NodeId, NodeId)>,
) {
    let mut grown = false;
    for member in from.children(object) {
        let name = from.name(member);
        let Some(own) = tree.get(target, name) else {
            copy(tree, target, Some(name), from, member, &|origin| origin);
            grown = true;
            continue;
        };
        match (tree.kind(own), from.kind(member)) {
            (Kind::Array, Kind::Array) => unite(tree, own, (from, member), left),
            (Kind::Object, Kind::Object) if agree(tree, own, from, member) => {
                if let Some(found) = scope.child(name) {
                    add(tree, own, (from, member), &Scope::Element(found), left);
                }
            }
            _ => left.push((member, own)),
        }
    }
    if grown {
        tree.sort_members(target, |name| scope.rank(name));
    }
}

/// Adds the items that an array lacks.
fn unite(tree: &mut Tree, own: NodeId, (from, array): (&Tree, NodeId), left: &mut Vec<(NodeId, NodeId)>) {
    for item in from.children(array) {
        // Many equal items cannot make this slow: an array of an instance is bounded by its own message.
        match tree.children(own).find(|known| same(tree, *known, from, item)) {
            Some(known) => left.push((item, known)),
            None => copy(tree, own, None, from, item, &|origin| origin),
        }
    }
}

/// Whether two objects share a member and none of those they share differs.
fn agree(tree: &Tree, own: NodeId, from: &Tree, other: NodeId) -> bool {
    let mut alike = false;
    for member in from.children(other) {
        if let Some(known) = tree.get(own, from.name(member)) {
            if !same(tree, known, from, member) {
                return false;
            }
            alike = true;
        }
    }
    alike
}

fn value(from: &Tree, node: NodeId) -> Json<'_> {
    match from.kind(node) {
        Kind::Null => Json::Null,
        Kind::True => Json::Bool(true),
        Kind::False => Json::Bool(false),
        Kind::Number => Json::Number(from.text(node).unwrap_or("0")),
        Kind::String => Json::String(from.text(node).unwrap_or("")),
        Kind::Object => Json::Object,
        Kind::Array => Json::Array,
    }
}

pub(crate) fn copy(
    tree: &mut Tree,
    parent: NodeId,
    name: Option<&str>,
    from: &Tree,
    node: NodeId,
    origin_of: &dyn Fn(OriginId) -> OriginId,
) {
    let origin = origin_of(from.origin(node));
    let made = match name {
        Some(name) => tree.member(parent, name, value(from, node), origin),
        None => tree.item(parent, value(from, node), origin),
    };
    for child in from.children(node) {
        let name = from.name(child);
        copy(
            tree,
            made,
            (from.kind(node) == Kind::Object).then_some(name),
            from,
            child,
            origin_of,
        );
    }
}

pub(crate) fn same(tree: &Tree, a: NodeId, other: &Tree, b: NodeId) -> bool {
    if tree.kind(a) != other.kind(b) || tree.text(a) != other.text(b) {
        return false;
    }
    let (mut left, mut right) = (tree.children(a), other.children(b));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if tree.name(a) == other.name(b) && same(tree, a, other, b) => {}
            _ => return false,
        }
    }
}
