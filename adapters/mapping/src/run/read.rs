//! Reading compiled places: the values that stand there, one after another.

use super::track::Track;
use super::{Frame, Hand, Run};
use crate::doc::{Doc, Presence, Value};
use crate::group::NONE;
use crate::plan::{From, Guard, Index, Read, Words};

/// What stands at a place that is read without a list.
pub(crate) enum Single {
    /// One value or none.
    Found(Option<Hand>),
    /// There may be several; [`Run::read`] reads them.
    Several,
}

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
                Some(self.hand(value, frame.hand))
            }
            From::HandSpot => {
                let hand = hand?;
                let value = match &read.step {
                    None => hand.spot,
                    Some(step) => self.doc.narrow(hand.spot, step)?,
                };
                Some(self.hand(value, hand))
            }
            _ => None,
        }
    }

    /// Reads a place of one item that does not repeat, without a list: most places of most messages are so.
    pub(crate) fn read_single(&mut self, read: &Read<D>) -> Single {
        let item = match read.from {
            From::Frame(_) | From::Nowhere => return Single::Found(self.read_one(read, None)),
            From::Group { up, member } => self.groups.first(self.groups.up(self.group, up), member),
            From::Header => 0,
            From::Below { .. } | From::HandItem | From::HandSpot => return Single::Several,
        };
        if item == NONE {
            return Single::Found(None);
        }
        let Some(step) = &read.step else { return Single::Several };
        if self.groups.next(item) != NONE {
            return Single::Several;
        }
        let (spot, more) = self.doc.spot(item, step, self.number);
        if more {
            return Single::Several;
        }
        let found = spot.and_then(|spot| Some((spot, self.doc.narrow(spot, step)?)));
        if found.is_some() {
            self.note_selected(item, step);
        }
        Single::Found(found.map(|(spot, value)| Hand {
            item,
            spot,
            value,
            said: self.doc.presence(value),
        }))
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
                said: Presence::Valued,
            });
            return;
        };
        let (first, more) = self.doc.spot(item, step, self.number);
        if first.is_some() {
            self.note_selected(item, step);
        }
        if !more {
            if let Some(spot) = first
                && let Some(value) = self.doc.narrow(spot, step)
            {
                self.vals.push(Hand {
                    item,
                    spot,
                    value,
                    said: self.doc.presence(value),
                });
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
                    said: self.doc.presence(value),
                });
            }
        }
        self.spots = spots;
    }

    /// What a selector looked at counts with what it selected.
    fn note_selected(&mut self, item: u32, step: &D::Step) {
        if !T::ON {
            return;
        }
        let mut looked = Vec::new();
        self.doc.selected(item, step, &mut looked);
        for value in looked {
            self.track.tested(value.place);
        }
    }

    fn hand(&self, value: Value, from: Hand) -> Hand {
        let said = if value == from.value {
            from.said
        } else {
            self.doc.presence(value)
        };
        Hand { value, said, ..from }
    }

    /// The first valued value at a place.
    pub(crate) fn first_valued(&mut self, read: &'a Read<D>, hand: Option<Hand>) -> Option<Hand> {
        if Self::is_one(read) {
            return self.read_one(read, hand).filter(|found| found.said == Presence::Valued);
        }
        let start = self.read(read, hand);
        let found = self
            .vals
            .get(start..)
            .and_then(|found| found.iter().copied().find(|found| found.said == Presence::Valued));
        self.vals.truncate(start);
        found
    }

    /// Cuts a value at a depth.
    pub(crate) fn set_frame(&mut self, depth: u8, hand: Hand) {
        if let Some(Frame { hand: held, mask, cut }) = self.frames.get_mut(usize::from(depth)) {
            *held = hand;
            self.doc.cut(hand.value, cut);
            *mask = self.doc.cut_mask(cut);
        }
    }

    /// Whether something that rows read is there.
    pub(crate) fn pass(&self, guards: &[Guard]) -> bool {
        guards.is_empty() || guards.iter().any(|guard| self.lets_pass(*guard))
    }

    fn lets_pass(&self, guard: Guard) -> bool {
        self.spoken_at(guard) & guard.mask() != 0
    }

    /// Which parts or fields say anything where a guard looks.
    fn spoken_at(&self, guard: Guard) -> u64 {
        match guard {
            Guard::Frame(depth, _) => self.frames.get(usize::from(depth)).map_or(0, |frame| frame.mask),
            Guard::Group { up, member, .. } => {
                let mut item = self.groups.first(self.groups.up(self.group, up), member);
                let mut said = 0;
                while item != NONE {
                    said |= self.masks.get(item as usize).copied().unwrap_or(0);
                    item = self.groups.next(item);
                }
                said
            }
        }
    }

    /// Which of a list have anything to do.
    pub(crate) fn active(&self, index: &Index) -> Words {
        let mut words = index.always;
        for source in &index.sources {
            let mut said = self.spoken_at(source.guard) & source.guard.mask();
            while said != 0 {
                if let Some(passes) = source.passes.get(said.trailing_zeros() as usize) {
                    words.iter_mut().zip(passes).for_each(|(word, more)| *word |= more);
                }
                said &= said - 1;
            }
        }
        words
    }
}

/// The lowest number of a set from a number on, within a list's length; all from 256 on where a list is that long.
pub(crate) fn next_of(words: &Words, from: usize, length: usize) -> Option<usize> {
    let mut at = from;
    while at < length {
        let Some(word) = words.get(at / 64) else {
            return Some(at);
        };
        let rest = word >> (at % 64);
        if rest != 0 {
            let found = at + rest.trailing_zeros() as usize;
            return (found < length).then_some(found);
        }
        at = (at / 64 + 1) * 64;
    }
    None
}
