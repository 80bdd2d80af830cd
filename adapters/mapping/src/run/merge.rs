//! Instances that are one with another: each fills what is empty there, and a repeating element takes an equal value once.

use causeway_core::fhir::{Kind, Value as Json};
use causeway_core::origin::OriginId;
use causeway_core::{NodeId, Tree};

use super::Run;
use super::track::Track;
use crate::doc::Doc;

impl<D: Doc, T: Track> Run<'_, D, T> {
    /// Writes what later instances add to those that stand already.
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
            self.enter(inst);
            let mark = scratch.mark(NodeId::ROOT);
            std::mem::swap(&mut self.tree, &mut scratch);
            let object = self.tree.member(NodeId::ROOT, "", Json::Object, OriginId::GENERATED);
            self.resource = target;
            self.node(&make.fill, object);
            std::mem::swap(&mut self.tree, &mut scratch);
            add(&mut self.tree, target, &scratch, object);
            scratch.rollback(mark);
        }
    }
}

/// Adds what the target lacks.
fn add(tree: &mut Tree, target: NodeId, from: &Tree, object: NodeId) {
    for member in from.children(object) {
        let name = from.name(member);
        match tree.get(target, name) {
            None => copy(tree, target, Some(name), from, member, &|origin| origin),
            Some(own) if tree.kind(own) == Kind::Array && from.kind(member) == Kind::Array => {
                for item in from.children(member) {
                    let known = tree.children(own).any(|known| same(tree, known, from, item));
                    // Many equal items cannot make this slow: an array of an instance is bounded by its own message.
                    if !known {
                        copy(tree, own, None, from, item, &|origin| origin);
                    }
                }
            }
            Some(_) => {}
        }
    }
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

fn same(tree: &Tree, a: NodeId, other: &Tree, b: NodeId) -> bool {
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
