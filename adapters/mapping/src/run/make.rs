//! What rows make of a value beyond a single element: an object by a type map, instances by a reference, whatever an
//! operation does.

use causeway_core::fhir::Value as Json;
use causeway_core::origin::{OriginId, OriginKind};

use super::stencil::Name;
use super::track::Track;
use super::{Hand, Run, Yield};
use crate::doc::Doc;
use crate::group::{NO, small};
use crate::ops::{At, Input, OpDef, Output};
use crate::plan::{Codes, Make, Node, Read, Row};

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    pub(crate) fn map(
        &mut self,
        depth: u8,
        (node, again, beside): (&'a Node<D>, bool, Option<&'a Node<D>>),
        row: &'a Row<D>,
        hand: Hand,
        at: At<'_>,
    ) -> Yield {
        let origin = self.origin(row.id, OriginKind::Source, Some(hand.value.place));
        let (At::Member(parent, _) | At::Item(parent) | At::Into(parent)) = at;
        let mark = self.tree.mark(parent);
        let object = self.put(at, Json::Object, origin);
        // Into an object that has members already nothing is set as a whole; a tracked run notes every row.
        let fresh = again && !T::ON && !matches!(at, At::Into(_));
        let null = self.null.take();
        if let Some(beside) = beside {
            self.node(beside, object);
        }
        self.null = null;
        let stood = self.tree.children(object).count();
        let name = if fresh {
            Name::of(self.doc, std::ptr::from_ref(node).addr(), hand)
        } else {
            None
        };
        if let Some(name) = name
            && self
                .stencils
                .set(name, self.doc, hand, &mut self.tree, &mut self.origins, object)
        {
            return Yield::Strong;
        }
        self.set_frame(depth, hand);
        let (remarks, since) = (self.remarks.len(), self.origins.len());
        let null = self.null.take();
        let written = self.node(node, object);
        self.null = null;
        if written == Yield::No {
            self.tree.rollback(mark);
        } else if let Some(name) =
            name.filter(|_| !self.dry && self.remarks.len() == remarks && written == Yield::Strong)
        {
            self.stencils.keep(
                name,
                self.doc,
                hand,
                (&self.tree, object, stood),
                (&self.origins, since),
            );
        }
        written
    }

    /// Makes the instances of a value and refers to the first.
    pub(crate) fn make(&mut self, makes: &'a [Make<D>], row: &'a Row<D>, hand: Hand, at: At<'_>) -> Yield {
        if self.dry {
            // Only tried: an instance would be there for good. A valued value makes one nearly always.
            self.put(at, Json::Object, OriginId::GENERATED);
            return Yield::Strong;
        }
        let known = makes
            .first()
            .and_then(|make| self.known(make.signature, hand))
            .filter(|_| makes.iter().all(|make| make.self_contained));
        let first = match known {
            Some(known) => Some(known),
            None => self.make_all(makes, hand),
        };
        let Some(first) = first else { return Yield::No };
        let id = self.id(first);
        let origin = self.origin(row.id, OriginKind::Source, Some(hand.value.place));
        let object = self.put(at, Json::Object, origin);
        let mut buffer = [0; 45];
        self.tree.member(
            object,
            "reference",
            Json::String(super::refs::urn(id, &mut buffer)),
            origin,
        );
        Yield::Strong
    }

    /// The instance that was made of an equal value not long ago.
    fn known(&self, signature: u32, hand: Hand) -> Option<u32> {
        let doc = self.doc;
        let raw = doc.raw(hand.value);
        let found = self
            .recent
            .iter()
            .rev()
            .find(|(known, value, _)| *known == signature && doc.raw(*value) == raw);
        found.map(|(_, _, inst)| *inst)
    }

    fn make_all(&mut self, makes: &'a [Make<D>], hand: Hand) -> Option<u32> {
        let (own, group, number) = (self.at, self.group, self.number);
        let host = self.insts.get(own as usize).map_or(own, |inst| inst.host);
        let frame = self.frames.first().cloned();
        let start = small(self.insts.len());
        let mut chosen = NO;
        self.set_frame(0, hand);
        for make in makes {
            if make.choice != chosen && self.hold(&make.when, Some(hand)) {
                self.push(make, group, Some(hand), number, host);
                chosen = make.choice;
            }
            if T::ON {
                self.track.settle(true);
            }
        }
        let end = small(self.insts.len());
        for inst in start..end {
            if let Some(found) = self.insts.get_mut(inst as usize) {
                found.siblings = (start, end);
            }
        }
        for inst in start..end {
            self.key(inst);
        }
        self.at = own;
        self.group = group;
        self.number = number;
        if let (Some(frame), Some(first)) = (frame, self.frames.first_mut()) {
            *first = frame;
        }
        let first = (start < end).then_some(start)?;
        if let Some(make) = makes.first() {
            // Only a few of the last are remembered, so that a message of many names stays linear.
            if self.recent.len() >= 24 {
                self.recent.remove(0);
            }
            self.recent.push((make.signature, hand.value, first));
        }
        Some(first)
    }

    pub(crate) fn run_op(
        &mut self,
        op: &'static OpDef<D>,
        (others, tables): (&'a [Read<D>], &'a [std::sync::Arc<Codes>]),
        values: &[Option<crate::doc::Value>],
        hand: Option<Hand>,
        origin: OriginId,
        at: At<'_>,
    ) -> Yield {
        let mut read = std::mem::take(&mut self.beside);
        read.clear();
        for other in others {
            let found = self.first_valued(other, hand).map(|found| found.value);
            read.push(found);
        }
        if T::ON {
            for value in values.iter().chain(&read).flatten() {
                self.track.tested(value.place);
            }
            self.track.settle(!self.dry);
        }
        let (At::Member(parent, _) | At::Item(parent) | At::Into(parent)) = at;
        let mark = self.tree.mark(parent);
        let input = Input {
            doc: self.doc,
            values,
            others: &read,
            tables,
        };
        let mut output = Output {
            tree: &mut self.tree,
            origin,
            at,
            settings: &self.plan.settings,
            offset: self.offset.as_deref(),
        };
        let made = (op.run)(&input, &mut output);
        self.beside = read;
        if made {
            return Yield::Strong;
        }
        self.tree.rollback(mark);
        Yield::No
    }
}
