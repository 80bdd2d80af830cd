//! A message as a document that rows can be run on: items are segments, occurrences are repetitions, parts are components
//! and subcomponents. Nothing is copied; a value is a span with its place.

use std::borrow::Cow;

use causeway_core::Place;
use causeway_mapping::doc::{Doc, Presence, Value};
use memchr::memchr;

use super::step::{Cut, Level, Pick, Step, bit, level, narrowed};
use crate::delims::NEVER;
use crate::message::{Message, Name};
use crate::place::{self, Spot};
use crate::value;

pub(crate) fn shared(value: value::Value) -> Value {
    Value {
        place: value.place,
        start: value.start,
        end: value.end,
    }
}

fn own(value: Value) -> value::Value {
    value::Value {
        place: value.place,
        start: value.start,
        end: value.end,
    }
}

impl Message {
    fn span(&self, value: Value) -> &[u8] {
        self.text
            .as_bytes()
            .get(value.start as usize..value.end as usize)
            .unwrap_or_default()
    }

    /// The delimiter between the parts of a value at its level.
    fn between(&self, place: Place, level: Level) -> u8 {
        match level {
            _ if self.is_delimiters(place) => NEVER,
            Level::Repetition => self.delims.component,
            Level::Component => self.delims.subcomponent,
            Level::Leaf => NEVER,
        }
    }

    fn field_value(&self, item: u32, step: &Step) -> Option<Value> {
        let field = self.field(item as usize, step.field)?;
        (!field.is_empty()).then(|| shared(field))
    }

    fn picked(&self, step: &Step, number: u32, anchor: u32, repetition: Value) -> bool {
        match &step.pick {
            Pick::All => true,
            Pick::Nth(nth) => number == *nth,
            Pick::Anchor => number == anchor,
            Pick::Says(says) => {
                let said = Doc::narrow(self, repetition, &says.part).map(|part| Doc::text(self, self.first_leaf(part)));
                said.is_some_and(|said| says.values.iter().any(|value| value.as_ref() == said.trim()))
            }
        }
    }

    fn each_spot(&self, item: u32, step: &Step, anchor: u32, each: &mut dyn FnMut(Value)) {
        let Some(field) = self.field_value(item, step) else {
            return;
        };
        for (number, repetition) in (1..).zip(self.repetitions(own(field))) {
            let repetition = shared(repetition);
            if !self.picked(step, number, anchor, repetition) {
                continue;
            }
            if step.star {
                self.components(own(repetition)).map(shared).for_each(&mut *each);
            } else {
                each(repetition);
            }
        }
    }

    fn first_leaf(&self, value: Value) -> Value {
        let place = value.place;
        let level = level(place);
        if level == Level::Leaf || self.is_delimiters(place) {
            return value;
        }
        let bytes = self.span(value);
        let (component, subcomponent) = (self.delims.component, self.delims.subcomponent);
        let length = match (level, self.has.subcomponent) {
            (Level::Repetition, true) => bytes
                .iter()
                .position(|byte| *byte == subcomponent || *byte == component),
            (Level::Repetition, false) => bytes.iter().position(|byte| *byte == component),
            (_, true) => bytes.iter().position(|byte| *byte == subcomponent),
            (_, false) => None,
        };
        let length = u32::try_from(length.unwrap_or(bytes.len())).unwrap_or(u32::MAX);
        let place = if level == Level::Repetition {
            place::component(place, 1)
        } else {
            place
        };
        Value {
            place: place::subcomponent(place, 1),
            start: value.start,
            end: value.start + length,
        }
    }
}

impl Doc for Message {
    type Step = Step;
    type Cut = Cut;

    fn items(&self) -> u32 {
        u32::try_from(self.segments.len()).unwrap_or(u32::MAX)
    }

    fn symbol(&self, item: u32) -> u32 {
        self.segments
            .get(item as usize)
            .map_or(0, |segment| symbol(segment.name))
    }

    fn item_place(&self, item: u32) -> Place {
        self.segments
            .get(item as usize)
            .map_or(Place(0), |segment| place::segment(segment.index))
    }

    fn spots(&self, item: u32, step: &Step, anchor: u32, out: &mut Vec<Value>) {
        self.each_spot(item, step, anchor, &mut |value| out.push(value));
    }

    fn spot(&self, item: u32, step: &Step, anchor: u32) -> (Option<Value>, bool) {
        let Some(field) = self.field_value(item, step) else {
            return (None, false);
        };
        let plain = matches!(step.pick, Pick::All) && !step.star;
        let one = || memchr(self.delims.repetition, self.span(field)).is_none() || self.is_delimiters(field.place);
        if plain && (!self.has.repetition || one()) {
            return (
                Some(Value {
                    place: place::repetition(field.place, 1),
                    ..field
                }),
                false,
            );
        }
        if plain {
            return (None, true);
        }
        let mut found = None;
        let mut more = false;
        self.each_spot(item, step, anchor, &mut |value| {
            more |= found.is_some();
            found.get_or_insert(value);
        });
        (found, more)
    }

    fn narrow(&self, value: Value, step: &Step) -> Option<Value> {
        let mut value = value;
        for number in [step.component, step.subcomponent] {
            if number > 0 && !(step.star && number == step.component) {
                value = self.nth(value, number)?;
            }
        }
        Some(value)
    }

    fn cut(&self, value: Value, into: &mut Cut) {
        into.start = value.start;
        into.place = value.place;
        into.level = level(value.place);
        let by = self.between(value.place, into.level);
        let mut count = 0u8;
        let mut mask = 0;
        let mut begin = value.start;
        let mut ends = into.ends.iter_mut();
        let base = value.start;
        for (at, byte) in (0u32..).zip(self.span(value)) {
            if *byte == by {
                let Some(end) = ends.next() else { break };
                *end = base + at;
                count += 1;
                mask |= u64::from(base + at > begin) << count;
                begin = base + at + 1;
            }
        }
        if let Some(end) = ends.next() {
            *end = value.end;
            count += 1;
            mask |= u64::from(value.end > begin) << count;
        }
        into.mask = mask;
        into.count = count;
    }

    fn part(&self, cut: &Cut, step: &Step) -> Option<Value> {
        let number = step.component;
        if number == 0 {
            return None;
        }
        if cut.level == Level::Leaf {
            return (number == 1 && step.subcomponent <= 1).then(|| Value {
                place: cut.place,
                start: cut.start,
                end: cut.ends.first().copied().unwrap_or(cut.start),
            });
        }
        if number > u32::from(cut.count) {
            return None;
        }
        let at = number as usize;
        let end = *cut.ends.get(at - 1)?;
        let start = if at == 1 { cut.start } else { *cut.ends.get(at - 2)? + 1 };
        let value = Value {
            place: narrowed(cut.place, cut.level, number),
            start,
            end,
        };
        match step.subcomponent {
            0 => Some(value),
            number => self.nth(value, number),
        }
    }

    fn mask(&self, item: u32) -> u64 {
        let Some(segment) = self.segments.get(item as usize) else {
            return 0;
        };
        let mut mask = 0;
        for (number, field) in (1u32..).zip(self.fields_of(segment)) {
            if !field.is_empty() {
                mask |= bit(number);
            }
        }
        mask
    }

    fn cut_mask(&self, cut: &Cut) -> u64 {
        cut.mask
    }

    fn bit(step: &Step, field: bool) -> u64 {
        match if field { step.field } else { step.component } {
            0 => u64::MAX,
            number => bit(number),
        }
    }

    fn nth(&self, value: Value, number: u32) -> Option<Value> {
        let level = level(value.place);
        if level == Level::Leaf {
            return (number == 1).then_some(value);
        }
        let by = self.between(value.place, level);
        let bytes = self.span(value);
        let mut start = 0;
        for _ in 1..number {
            start += memchr(by, bytes.get(start..)?)? + 1;
        }
        let rest = bytes.get(start..)?;
        let length = memchr(by, rest).unwrap_or(rest.len());
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Some(Value {
            place: narrowed(value.place, level, number),
            start: value.start + small(start),
            end: value.start + small(start + length),
        })
    }

    fn first(&self, value: Value) -> Value {
        self.first_leaf(value)
    }

    fn presence(&self, value: Value) -> Presence {
        // A value that begins with a letter or digit says something; only others need a closer look.
        match self.span(value).first() {
            None => return Presence::Empty,
            Some(byte) if byte.is_ascii_alphanumeric() => return Presence::Valued,
            Some(_) => {}
        }
        match Message::presence(self, Some(own(value))) {
            value::Presence::Absent | value::Presence::Empty => Presence::Empty,
            value::Presence::Null => Presence::Null,
            value::Presence::Valued => Presence::Valued,
        }
    }

    fn is_complex(&self, value: Value) -> bool {
        let level = level(value.place);
        level != Level::Leaf && memchr(self.between(value.place, level), self.span(value)).is_some()
    }

    fn reading(&self, value: Value) -> u64 {
        let delims = &self.delims;
        let bytes = [delims.component, delims.repetition, delims.escape, delims.subcomponent];
        let level = match level(value.place) {
            Level::Repetition => 1,
            Level::Component => 2,
            Level::Leaf => 3,
        };
        // The character set decides what hexadecimal escapes mean; its address tells it from every other.
        let set = std::ptr::from_ref(self.charset).addr() as u64;
        (u64::from(u32::from_le_bytes(bytes)) << 32) ^ (set << 2) ^ level
    }

    fn raw(&self, value: Value) -> &str {
        Message::raw(self, own(value))
    }

    fn text(&self, value: Value) -> Cow<'_, str> {
        Message::text(self, own(value))
    }

    fn leaves(&self, each: &mut dyn FnMut(Value)) {
        for leaf in Message::leaves(self) {
            each(shared(leaf));
        }
    }

    fn lies_in(&self, inner: Place, outer: Place) -> bool {
        let (inner, outer) = (place::spot(inner), place::spot(outer));
        let same = |inner: u16, outer: u16| outer == 0 || inner == outer;
        let levels: [fn(Spot) -> u16; 4] = [
            |spot| spot.field,
            |spot| spot.repetition,
            |spot| spot.component,
            |spot| spot.subcomponent,
        ];
        inner.segment == outer.segment && levels.iter().all(|level| same(level(inner), level(outer)))
    }

    fn trigger(&self) -> &str {
        self.raw_part(9, 2)
    }

    fn version(&self) -> &str {
        self.raw_part(12, 1)
    }
}

impl Message {
    /// A component of the header as it was sent.
    pub(crate) fn raw_part(&self, field: u32, component: u32) -> &str {
        let value = self.field(0, field).and_then(|value| self.component(value, component));
        value.map_or("", |value| Message::raw(self, value).trim())
    }
}

/// The symbol of a segment's name.
pub(crate) fn symbol(name: Name) -> u32 {
    let [a, b, c] = name.0;
    u32::from_be_bytes([0, a, b, c])
}
