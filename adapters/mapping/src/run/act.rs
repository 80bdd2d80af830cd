//! What one row does: its values one by one until one yields, its tests, and its act.

use causeway_core::Place;
use causeway_core::fhir::Value as Json;
use causeway_core::origin::OriginKind;

use super::read::Single;
use super::track::{Passed, Track};
use super::{Hand, Run, Yield};
use crate::doc::{Doc, Presence};
use crate::ops::At;
use crate::plan::Read;
use crate::plan::{Act, Row};

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Runs a row for one element: the first of its values that yields is written.
    pub(crate) fn fire(&mut self, row: &'a Row<D>, at: At<'_>, under: &str) -> Yield {
        if !self.pass(&row.guards) {
            return Yield::No;
        }
        match row.from.as_slice() {
            [] => self.fire_once(row, None, at, under),
            [read] if Self::is_one(read) && !is_together(row) => match self.read_one(read, None) {
                Some(hand) if hand.said != Presence::Empty => self.attempt(row, hand, at, under),
                _ if row.on_absent => self.fire_once(row, None, at, under),
                _ => Yield::No,
            },
            [read] if !is_together(row) => match self.read_single(read) {
                Single::Found(Some(hand)) if hand.said != Presence::Empty => self.attempt(row, hand, at, under),
                Single::Found(_) if row.on_absent => self.fire_once(row, None, at, under),
                Single::Found(_) => Yield::No,
                Single::Several => self.fire_each(row, read, at, under),
            },
            _ => self.fire_joined(row, at, under),
        }
    }

    fn fire_each(&mut self, row: &'a Row<D>, read: &'a Read<D>, at: At<'_>, under: &str) -> Yield {
        let start = self.read(read, None);
        let end = self.vals.len();
        let mut written = Yield::No;
        let mut any = false;
        for index in start..end {
            let Some(hand) = self.vals.get(index).copied() else {
                break;
            };
            let said = hand.said;
            if said == Presence::Empty {
                continue;
            }
            any = true;
            if written > Yield::No {
                // The element holds one.
                if T::ON && said == Presence::Valued && matches!(at, At::Member(..)) {
                    self.passed(hand, row.id, Passed::Overflow);
                }
                continue;
            }
            written = self.attempt(row, hand, at, under);
            if !T::ON && written > Yield::No {
                break;
            }
        }
        self.vals.truncate(start);
        if !any && row.on_absent {
            return self.fire_once(row, None, at, under);
        }
        written
    }

    /// Tries a row with one value.
    pub(crate) fn attempt(&mut self, row: &'a Row<D>, hand: Hand, at: At<'_>, under: &str) -> Yield {
        if hand.said == Presence::Null {
            let wanted = row
                .when
                .iter()
                .any(|test| matches!(test.check, crate::plan::Check::Null) && !test.not);
            if !wanted {
                if row.removes.is_some() {
                    self.null.get_or_insert((row.id, hand.value.place));
                } else {
                    self.passed(hand, row.id, Passed::Null);
                }
                return Yield::No;
            }
        }
        self.fire_once(row, Some(hand), at, under)
    }

    pub(crate) fn fire_once(&mut self, row: &'a Row<D>, hand: Option<Hand>, at: At<'_>, under: &str) -> Yield {
        if !row.when.is_empty() && !self.hold(&row.when, hand) {
            if T::ON {
                self.track.settle(false);
            }
            return Yield::No;
        }
        if T::ON {
            self.track.settle(!self.dry);
        }
        let written = self.act(row, hand, at, under);
        if T::ON
            && written == Yield::No
            && let Some(hand) = hand
            && !matches!(row.act, Act::Ignore | Act::Finding(_))
        {
            self.passed(hand, row.id, Passed::Nothing);
        }
        if written > Yield::No && row.strong {
            Yield::Strong
        } else {
            written
        }
    }

    /// Runs a row that takes its values together: several places, or all repetitions.
    fn fire_joined(&mut self, row: &'a Row<D>, at: At<'_>, under: &str) -> Yield {
        let start = self.vals.len();
        let mut values = std::mem::take(&mut self.together);
        let mut places = std::mem::take(&mut self.places);
        values.clear();
        places.clear();
        let mut first = None;
        for read in &row.from {
            self.gather(read, row.from.len() > 1, &mut values, &mut places, &mut first);
        }
        self.vals.truncate(start);
        let runs = (first.is_some() || row.on_absent) && self.hold(&row.when, first);
        let written = match &row.act {
            _ if !runs => Yield::No,
            Act::Op { op, others, tables } => {
                let origin = self.origins.add(row.id, OriginKind::Source, &places);
                self.run_op(op, (others, tables), &values, first, origin, at)
            }
            _ => self.act(row, first, at, under),
        };
        self.together = values;
        self.places = places;
        if written > Yield::No { Yield::Strong } else { written }
    }

    /// The valued values of a place: the first where each place gives one, else all.
    fn gather(
        &mut self,
        read: &'a Read<D>,
        one: bool,
        values: &mut Vec<Option<crate::doc::Value>>,
        places: &mut Vec<Place>,
        first: &mut Option<Hand>,
    ) {
        if one {
            let found = self.first_valued(read, None);
            *first = first.or(found);
            places.extend(found.map(|found| found.value.place));
            values.push(found.map(|found| found.value));
            return;
        }
        let start = self.read(read, None);
        for at in start..self.vals.len() {
            let Some(found) = self.vals.get(at).copied() else { break };
            if found.said == Presence::Valued {
                *first = first.or(Some(found));
                places.push(found.value.place);
                values.push(Some(found.value));
            }
        }
    }

    fn act(&mut self, row: &'a Row<D>, hand: Option<Hand>, at: At<'_>, under: &str) -> Yield {
        match (&row.act, hand) {
            (Act::Primitive(primitive), Some(hand)) => self.primitive(*primitive, row, hand, at),
            (Act::Table { table, shape }, Some(hand)) => self.table(table, *shape, row, hand, at),
            (
                Act::Map {
                    depth,
                    node,
                    again,
                    beside,
                },
                Some(hand),
            ) => self.map(*depth, (node, *again, beside.as_deref()), row, hand, at),
            (Act::Make(makes), Some(hand)) => self.make(makes, row, hand, at),
            (Act::Fixed(fixed, why), hand) => self.fixed(fixed, *why, row, hand, at),
            (Act::Absent(code), _) => self.absent(code, row, at, under),
            (Act::Ref(reference), _) => self.refer_said(reference, row, at),
            (Act::Ordinal(name), _) => match self.ordinal(*name) {
                Some(number) => {
                    let origin = self.origin(row.id, OriginKind::Generated, None);
                    self.put(at, Json::Number(&number.to_string()), origin);
                    Yield::Weak
                }
                None => Yield::No,
            },
            (Act::Ordinals(name), _) => self.ordinals(*name, row.id, at),
            (Act::Op { op, others, tables }, hand) => {
                let place = hand.map(|hand| hand.value.place);
                let origin = self.origin(row.id, OriginKind::Source, place);
                let value = [hand.map(|hand| hand.value)];
                self.run_op(op, (others, tables), &value, hand, origin, at)
            }
            (Act::Finding(code), hand) => {
                self.remark(code.to_string(), hand.map(|hand| hand.value.place), row.id, "");
                if T::ON
                    && let Some(hand) = hand
                    && !self.dry
                {
                    self.track.tested(hand.value.place);
                    self.track.settle(true);
                }
                Yield::No
            }
            (Act::Ignore, Some(hand)) => {
                self.passed(hand, row.id, Passed::Ignored);
                Yield::No
            }
            _ => Yield::No,
        }
    }

    fn refer_said(&mut self, reference: &'a crate::plan::Reference<D>, row: &'a Row<D>, at: At<'_>) -> Yield {
        let written = self.refer(reference, row.id, at);
        let wanted = reference.scope == crate::syntax::Scope::Nearest && !reference.pairs.is_empty();
        if written == Yield::No && wanted && row.strong {
            self.remark("reference-missing", self.place_of(self.at), row.id, "");
        }
        written
    }
}

/// Whether an operation takes all values at once.
pub(crate) fn is_together<D: Doc>(row: &Row<D>) -> bool {
    matches!(&row.act, Act::Op { op, .. } if !op.each)
}
