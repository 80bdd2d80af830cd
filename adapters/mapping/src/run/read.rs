//! Reading compiled places: the values that stand there, one after another.

use super::track::Track;
use super::{Frame, Hand, Run};
use crate::doc::{Doc, Presence, Value};
use crate::group::NONE;
use crate::plan::{From, Read};

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Appends what stands at a place to `vals`, empty values too; returns where it begins there.
    pub(crate) fn read(&mut self, read: &'a Read<D>, hand: Option<Hand>) -> usize {
        let start = self.vals.len();
        match read.from {
            From::Group { up, member } => {
                let group = self.groups.up(self.group, up);
                self.read_items(group, member, read);
            }
            From::Below { up, kind, member } => {
                let outer = self.groups.up(self.group, up);
                let end = self.groups.get(outer).map_or(0, |group| group.end);
                for group in outer.saturating_add(1)..end {
                    if self.groups.get(group).is_some_and(|found| found.kind == kind) {
                        self.read_items(group, member, read);
                    }
                }
            }
            From::Header => self.read_item(0, read),
            From::HandItem => {
                if let Some(hand) = hand {
                    self.read_item(hand.item, read);
                }
            }
            From::Frame(_) | From::HandSpot | From::Nowhere => {
                let found = self.read_one(read, hand);
                self.vals.extend(found);
            }
        }
        start
    }

    /// What stands at a place that has one value at most.
    pub(crate) fn read_one(&self, read: &Read<D>, hand: Option<Hand>) -> Option<Hand> {
        match read.from {
            From::Frame(depth) => {
                let frame = self.frames.get(usize::from(depth))?;
                let value = match &read.step {
                    None => frame.hand.value,
                    Some(step) => self.doc.part(&frame.cut, step)?,
                };
                Some(Hand { value, ..frame.hand })
            }
            From::HandSpot => {
                let hand = hand?;
                let value = match &read.step {
                    None => hand.spot,
                    Some(step) => self.doc.narrow(hand.spot, step)?,
                };
                Some(Hand { value, ..hand })
            }
            _ => None,
        }
    }

    /// Whether a place has one value at most, so that [`Run::read_one`] reads it.
    pub(crate) fn is_one(read: &Read<D>) -> bool {
        matches!(read.from, From::Frame(_) | From::HandSpot | From::Nowhere)
    }

    fn read_items(&mut self, group: u32, member: u16, read: &Read<D>) {
        let mut item = self.groups.first(group, member);
        while item != NONE {
            self.read_item(item, read);
            item = self.groups.next(item);
        }
    }

    fn read_item(&mut self, item: u32, read: &Read<D>) {
        let Some(step) = &read.step else {
            let value = Value {
                place: self.doc.item_place(item),
                start: 0,
                end: 0,
            };
            self.vals.push(Hand {
                item,
                spot: value,
                value,
            });
            return;
        };
        let (first, more) = self.doc.spot(item, step, self.number);
        if !more {
            if let Some(spot) = first
                && let Some(value) = self.doc.narrow(spot, step)
            {
                self.vals.push(Hand { item, spot, value });
            }
            return;
        }
        let mut spots = std::mem::take(&mut self.spots);
        spots.clear();
        self.doc.spots(item, step, self.number, &mut spots);
        for spot in &spots {
            if let Some(value) = self.doc.narrow(*spot, step) {
                self.vals.push(Hand {
                    item,
                    spot: *spot,
                    value,
                });
            }
        }
        self.spots = spots;
    }

    /// What the sender says at a place: an item that stands there is valued.
    pub(crate) fn presence(&self, read: &Read<D>, value: Value) -> Presence {
        let item = read.step.is_none()
            && matches!(
                read.from,
                From::Group { .. } | From::Below { .. } | From::Header | From::HandItem
            );
        if item {
            Presence::Valued
        } else {
            self.doc.presence(value)
        }
    }

    /// The first valued value at a place.
    pub(crate) fn first_valued(&mut self, read: &'a Read<D>, hand: Option<Hand>) -> Option<Hand> {
        if Self::is_one(read) {
            return self
                .read_one(read, hand)
                .filter(|found| self.presence(read, found.value) == Presence::Valued);
        }
        let start = self.read(read, hand);
        let found = self.vals.get(start..).and_then(|found| {
            found
                .iter()
                .copied()
                .find(|found| self.presence(read, found.value) == Presence::Valued)
        });
        self.vals.truncate(start);
        found
    }

    /// Cuts a value at a depth.
    pub(crate) fn set_frame(&mut self, depth: u8, hand: Hand) {
        if let Some(Frame { hand: held, cut }) = self.frames.get_mut(usize::from(depth)) {
            *held = hand;
            self.doc.cut(hand.value, cut);
        }
    }
}
