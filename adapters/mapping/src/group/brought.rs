//! The groups that a document brings of its own, such as the loops of X12. They are taken as they are; which instances
//! they open is not known here.

use super::{Grammar, Group, Groups, NO, NONE, small};
use crate::doc::Doc;

impl Grammar {
    /// The kind right below another, by the symbol of its name.
    fn below(&self, kind: u16, symbol: u32) -> u16 {
        let below = self.kind(kind).map_or(&[][..], |kind| kind.below.as_slice());
        let found = below.iter().find(|(known, _)| *known == symbol);
        found.map_or(NO, |(_, kind)| *kind)
    }
}

impl Groups {
    /// Takes a document's own groups, and puts every item into its own.
    pub(super) fn take<D: Doc>(&mut self, grammar: &Grammar, doc: &D) {
        for number in 0..doc.groups() {
            self.take_group(grammar, doc.group(number), number);
        }
        self.last.resize(self.slots.len(), NONE);
        self.finish_ends();
        self.find_runs();
        for item in 0..doc.items() {
            let group = doc.within(item);
            let kind = self.get(group).and_then(|group| grammar.kind(group.kind));
            if let (Some(kind), Some(number)) = (kind, grammar.number(doc.symbol(item))) {
                self.join(group, kind, number, item);
            }
        }
    }

    fn take_group(&mut self, grammar: &Grammar, (symbol, around): (u32, u32), number: u32) {
        let (kind, parent) = match self.get(around).filter(|_| number > 0) {
            Some(outer) => (grammar.below(outer.kind, symbol), around),
            None => (0, NONE),
        };
        self.list.push(Group {
            kind,
            parent,
            slots: small(self.slots.len()),
            end: number + 1,
        });
        let members = grammar.kind(kind).map_or(0, |kind| kind.members.len());
        self.slots.resize(self.slots.len() + members, NONE);
    }

    /// A group ends behind the last that lies in it.
    fn finish_ends(&mut self) {
        for number in (1..self.list.len()).rev() {
            let Some(Group { parent, end, .. }) = self.list.get(number).copied() else {
                continue;
            };
            if let Some(outer) = self.list.get_mut(parent as usize) {
                outer.end = outer.end.max(end);
            }
        }
    }

    /// Neighbours of one kind are a run: what lies in one of them is nothing to the others.
    fn find_runs(&mut self) {
        self.runs
            .extend(self.list.iter().zip(0..).map(|(group, number)| (number, group.end)));
        for number in 0..self.list.len() {
            let Some(group) = self.list.get(number).copied() else {
                continue;
            };
            let next = self.get(group.end);
            let same = next.is_some_and(|next| (next.kind, next.parent) == (group.kind, group.parent));
            let first = self.runs.get(number).map(|(first, _)| *first);
            if let (true, Some(first), Some(run)) = (same, first, self.runs.get_mut(group.end as usize)) {
                run.0 = first;
            }
        }
        for number in (0..self.list.len()).rev() {
            let Some((first, end)) = self.runs.get(number).copied() else {
                continue;
            };
            if let Some(run) = self.runs.get_mut(first as usize) {
                run.1 = run.1.max(end);
            }
        }
        for number in 0..self.runs.len() {
            let first = self.runs.get(number).map_or(NONE, |(first, _)| *first);
            let end = self.runs.get(first as usize).map(|(_, end)| *end);
            if let (Some(end), Some(run)) = (end, self.runs.get_mut(number)) {
                run.1 = end;
            }
        }
    }

    /// The run of neighbours that a group stands in; none where documents bring no groups.
    pub(crate) fn run(&self, group: u32) -> Option<(u32, u32)> {
        self.runs.get(group as usize).copied()
    }
}
