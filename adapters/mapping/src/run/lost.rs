//! What becomes of the leaves whose row lost to another: one that the winner says too is mapped, the others are superseded
//! by it. Only a run that is tracked asks.

use causeway_core::fhir::Kind;
use causeway_core::{NodeId, Tree};

use super::merge::same;
use super::track::{Passed, Track};
use super::{Hand, Run};
use crate::doc::{Doc, Presence, Value};
use crate::plan::{Decider, Option_, Read, Row, Variant};

/// The most parts of a value that are compared.
const MOST_PARTS: u32 = 64;

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Rows that were not tried since another won.
    pub(crate) fn lost(&mut self, rest: &'a [Row<D>], winner: &'a Row<D>) {
        if !T::ON || self.dry {
            return;
        }
        let won: Vec<Hand> = winner.from.iter().flat_map(|read| self.valued(read)).collect();
        for row in rest {
            let before = self.remarks.len();
            for hand in row.from.iter().flat_map(|read| self.valued(read)).collect::<Vec<_>>() {
                let held = self.hold(&row.when, Some(hand));
                self.track.settle(false);
                if held {
                    self.lose(hand.value, &won, (row.id, winner.id));
                }
            }
            self.remarks.truncate(before);
        }
    }

    /// Alternatives of a choice behind the one that won.
    pub(crate) fn lost_choice(&mut self, options: &'a [Option_<D>], order: &[Decider], winner: Decider) {
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

    /// Variants of a label behind the one that won.
    pub(crate) fn lost_variants(&mut self, rest: &'a [Variant<D>], winner: &'a Variant<D>) {
        if !T::ON || self.dry {
            return;
        }
        let driven = |variant: &'a Variant<D>| {
            let (read, _) = variant.driver.as_ref()?;
            Some((read, variant.slot.alternatives.first()?.id))
        };
        let (won, winner) = match driven(winner) {
            Some((read, row)) => (self.valued(read), Some(row)),
            None => (Vec::new(), None),
        };
        for (read, row) in rest.iter().filter_map(driven) {
            for hand in self.valued(read) {
                self.lose(hand.value, &won, (row, winner.unwrap_or(row)));
            }
        }
    }

    /// The valued values of a place.
    fn valued(&mut self, read: &'a Read<D>) -> Vec<Hand> {
        let start = self.read(read, None);
        let hands = self.vals.get(start..).unwrap_or_default();
        let valued = hands.iter().filter(|hand| hand.said == Presence::Valued);
        let valued = valued.copied().collect();
        self.vals.truncate(start);
        valued
    }

    fn lose(&mut self, value: Value, won: &[Hand], (row, winner): (u32, u32)) {
        let doc = self.doc;
        for (path, leaf) in leaves(doc, value) {
            let said = |hand: &Hand| {
                let other = leaves(doc, hand.value).into_iter().find(|(other, _)| *other == path);
                other.is_some_and(|(_, other)| doc.text(other).trim() == doc.text(leaf).trim())
            };
            let why = if won.iter().any(said) {
                Passed::Alike
            } else {
                Passed::Lost(winner)
            };
            self.track.passed(leaf.place, row, why);
        }
    }

    /// Notes what was not added to an object that stands: what it says too, and what it says otherwise.
    pub(crate) fn left(&mut self, left: &[(NodeId, NodeId)], from: &Tree) {
        if !T::ON || self.dry {
            return;
        }
        for (node, own) in left {
            let alike = same(&self.tree, *own, from, *node);
            let winner = self.row_of(&self.tree, *own);
            self.left_below(*node, from, if alike { Passed::Alike } else { Passed::Lost(winner) });
        }
    }

    fn left_below(&mut self, node: NodeId, from: &Tree, why: Passed) {
        if !matches!(from.kind(node), Kind::Object | Kind::Array) {
            let row = self.row_of(from, node);
            for place in self.origins.places(from.origin(node)) {
                self.track.passed(*place, row, why);
            }
        }
        for child in from.children(node) {
            self.left_below(child, from, why);
        }
    }

    /// The row that wrote a node's first leaf.
    fn row_of(&self, tree: &Tree, mut node: NodeId) -> u32 {
        while let Some(first) = tree.children(node).next() {
            node = first;
        }
        self.origins
            .get(tree.origin(node))
            .map_or(u32::MAX, |origin| origin.row)
    }
}

/// The leaves of a value with their numbers.
fn leaves<D: Doc>(doc: &D, value: Value) -> Vec<((u32, u32), Value)> {
    let mut out = Vec::new();
    for number in 1..=MOST_PARTS {
        let Some(part) = doc.nth(value, number) else { break };
        for inner in 1..=MOST_PARTS {
            let Some(leaf) = doc.nth(part, inner) else { break };
            if doc.presence(leaf) == Presence::Valued {
                out.push(((number, inner), leaf));
            }
            if leaf.place == part.place {
                break;
            }
        }
        if part.place == value.place {
            break;
        }
    }
    out
}
