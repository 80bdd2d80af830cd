//! Reading values from a message by field, repetition, component and subcomponent. A [`Value`] is a place and a span; it is
//! split only when somebody asks, and its text is copied only when it holds escapes. What escapes mean is in `escape`.

use std::borrow::Cow;

use causeway_core::Place;
use memchr::memchr3;

use crate::delims::NEVER;
use crate::escape;
use crate::message::{Message, Segment};
use crate::place;

/// A span of the message's text, with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// Where it stands.
    pub place: Place,
    /// Its first byte in the text.
    pub start: u32,
    /// The byte behind its last.
    pub end: u32,
}

impl Value {
    /// Whether nothing stands in it, not even `""`.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// What a sender said by a value (HL7 v2.9 2.5.3.3, 2.7.7: `""` deletes, nothing says nothing).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The segment ends before it.
    Absent,
    /// It stands there with nothing in it.
    Empty,
    /// The two quotes: delete what is stored.
    Null,
    /// There is something.
    Valued,
}

impl Message {
    /// The field `number`, counted from 1, of the segment at a position of `segments`. In MSH, BHS and FHS the field
    /// separator is field 1. None when the segment ends before it.
    pub fn field(&self, position: usize, number: u32) -> Option<Value> {
        self.field_of(self.segments.get(position)?, number)
    }

    /// The field of a segment, as [`Message::field`].
    pub fn field_of(&self, segment: &Segment, number: u32) -> Option<Value> {
        let offset = number.checked_sub(1).filter(|offset| *offset < segment.count)?;
        let (start, end) = *self.fields.get((segment.first + offset) as usize)?;
        Some(Value {
            place: place::field(segment.place(), number),
            start,
            end,
        })
    }

    /// All fields of a segment, empty ones among them.
    pub fn fields_of(&self, segment: &Segment) -> impl Iterator<Item = Value> {
        let segment = *segment;
        (1..=segment.count).filter_map(move |number| self.field_of(&segment, number))
    }

    /// The repetitions of a field. An empty field has one empty repetition; MSH-2 is never split.
    pub fn repetitions(&self, field: Value) -> Split<'_> {
        let by = if self.is_delimiters(field.place) {
            NEVER
        } else {
            self.delims.repetition
        };
        self.split(field, by, place::repetition)
    }

    /// The repetition `number`, from 1, of a field.
    pub fn repetition(&self, field: Value, number: u32) -> Option<Value> {
        self.repetitions(field).nth(number.checked_sub(1)? as usize)
    }

    /// The components of a repetition; of a field, those of its first repetition.
    pub fn components(&self, value: Value) -> Split<'_> {
        let value = self.as_repetition(value);
        let by = if self.is_delimiters(value.place) {
            NEVER
        } else {
            self.delims.component
        };
        self.split(value, by, place::component)
    }

    /// The component `number`, from 1, of a repetition; of a field, of its first repetition. A value without component
    /// delimiters is its own first component.
    pub fn component(&self, value: Value, number: u32) -> Option<Value> {
        self.components(value).nth(number.checked_sub(1)? as usize)
    }

    /// The subcomponents of a component; of a field or repetition, those of its first component.
    pub fn subcomponents(&self, value: Value) -> Split<'_> {
        let value = self.as_component(value);
        let by = if self.is_delimiters(value.place) {
            NEVER
        } else {
            self.delims.subcomponent
        };
        self.split(value, by, place::subcomponent)
    }

    /// The subcomponent `number`, from 1, of a component, as [`Message::component`].
    pub fn subcomponent(&self, value: Value, number: u32) -> Option<Value> {
        self.subcomponents(value).nth(number.checked_sub(1)? as usize)
    }

    /// The text as it was sent, escapes and delimiters and all.
    pub fn raw(&self, value: Value) -> &str {
        self.text
            .get(value.start as usize..value.end as usize)
            .unwrap_or_default()
    }

    /// The text as it was meant: escapes resolved. A `""` stays as it is; ask [`Message::presence`].
    pub fn text(&self, value: Value) -> Cow<'_, str> {
        let raw = self.raw(value);
        if self.has.escape {
            escape::decode(raw, self.delims, self.charset)
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// What the sender said by a value. A repetition or field of only delimiters says nothing.
    pub fn presence(&self, value: Option<Value>) -> Presence {
        let Some(value) = value else { return Presence::Absent };
        match self.bytes(value) {
            [] => Presence::Empty,
            b"\"\"" => Presence::Null,
            // Blanks fill a field of a fixed width; they say nothing.
            bytes
                if !self.is_delimiters(value.place) && bytes.iter().all(|byte| *byte == b' ' || self.splits(*byte)) =>
            {
                Presence::Empty
            }
            _ => Presence::Valued,
        }
    }

    /// The text of a field's first component, of the segment at a position: what most header fields need.
    pub fn first(&self, position: usize, number: u32) -> Cow<'_, str> {
        let value = self.field(position, number).and_then(|field| self.component(field, 1));
        value.map_or(Cow::Borrowed(""), |value| self.text(value))
    }

    fn bytes(&self, value: Value) -> &[u8] {
        self.text
            .as_bytes()
            .get(value.start as usize..value.end as usize)
            .unwrap_or_default()
    }

    fn splits(&self, byte: u8) -> bool {
        byte == self.delims.repetition || byte == self.delims.component || byte == self.delims.subcomponent
    }

    /// Whether a place is the delimiters of a header segment, which are no value (HL7 v2.9 2.14.9.1 and .2).
    pub(crate) fn is_delimiters(&self, place: Place) -> bool {
        place::field_of(place) <= 2 && self.segment_at(place).is_some_and(|segment| segment.name.is_header())
    }

    fn as_repetition(&self, value: Value) -> Value {
        if place::spot(value.place).repetition > 0 {
            return value;
        }
        self.repetitions(value).next().unwrap_or(value)
    }

    fn as_component(&self, value: Value) -> Value {
        if place::spot(value.place).component > 0 {
            return value;
        }
        self.components(value).next().unwrap_or(value)
    }

    fn split(&self, value: Value, by: u8, narrow: fn(Place, u32) -> Place) -> Split<'_> {
        Split {
            bytes: self.bytes(value),
            at: Some(value.start),
            by,
            place: value.place,
            number: 0,
            narrow,
        }
    }

    /// Every leaf of the message in the order of the text: each subcomponent that says something, `""` too. The
    /// delimiters in MSH-1 and MSH-2 are none; the text before the first field of a line without a segment name is one.
    pub fn leaves(&self) -> impl Iterator<Item = Value> {
        self.segments.iter().flat_map(|segment| self.leaves_of(segment))
    }

    /// The leaves of one segment.
    pub fn leaves_of(&self, segment: &Segment) -> impl Iterator<Item = Value> {
        let skip = if segment.name.is_header() { 2 } else { 0 };
        let fields = self
            .fields_of(segment)
            .skip(skip)
            .flat_map(|field| self.leaves_in(field));
        self.unnamed(segment).into_iter().chain(fields)
    }

    /// The leaves of one field.
    pub fn leaves_in(&self, field: Value) -> impl Iterator<Item = Value> {
        let place = place::subcomponent(place::component(place::repetition(field.place, 1), 1), 1);
        let leaves = Leaves {
            message: self,
            bytes: self.bytes(field),
            at: Some(field.start),
            place,
        };
        leaves.filter(|leaf| !leaf.is_empty() && !self.is_silent(*leaf))
    }

    /// Whether a value is nothing but escapes that stand for nothing.
    fn is_silent(&self, value: Value) -> bool {
        memchr::memchr(self.delims.escape, self.bytes(value)).is_some() && self.text(value).is_empty()
    }

    /// What stands in place of the name in a line that has none.
    fn unnamed(&self, segment: &Segment) -> Option<Value> {
        let end = self
            .fields
            .get(segment.first as usize)
            .filter(|_| segment.count > 0)
            .map(|(start, _)| start - 1);
        let value = Value {
            place: segment.place(),
            start: segment.start,
            end: end.unwrap_or(segment.end),
        };
        (segment.name == crate::message::Name::UNKNOWN && !value.is_empty()).then_some(value)
    }
}

/// The parts of a value between delimiters of one kind. There is always at least one.
#[derive(Debug, Clone)]
pub struct Split<'a> {
    bytes: &'a [u8],
    /// Where `bytes` begins in the text; none when all was given.
    at: Option<u32>,
    by: u8,
    place: Place,
    number: u32,
    narrow: fn(Place, u32) -> Place,
}

impl Iterator for Split<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let start = self.at?;
        self.number = self.number.saturating_add(1);
        let place = (self.narrow)(self.place, self.number);
        let found = memchr::memchr(self.by, self.bytes);
        let length = found.unwrap_or(self.bytes.len());
        let end = start + u32::try_from(length).unwrap_or(u32::MAX);
        self.at = found.map(|_| end + 1);
        self.bytes = self.bytes.get(length + 1..).unwrap_or_default();
        Some(Value { place, start, end })
    }
}

/// The subcomponents of a whole field, repetition by repetition, in one pass.
struct Leaves<'a> {
    message: &'a Message,
    bytes: &'a [u8],
    at: Option<u32>,
    /// The place of the next.
    place: Place,
}

impl Iterator for Leaves<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let start = self.at?;
        let delims = &self.message.delims;
        let found = memchr3(delims.repetition, delims.component, delims.subcomponent, self.bytes);
        let length = found.unwrap_or(self.bytes.len());
        let end = start + u32::try_from(length).unwrap_or(u32::MAX);
        let value = Value {
            place: self.place,
            start,
            end,
        };
        self.at = found.map(|_| end + 1);
        self.place = self.after(self.bytes.get(length).copied());
        self.bytes = self.bytes.get(length + 1..).unwrap_or_default();
        Some(value)
    }
}

impl Leaves<'_> {
    fn after(&self, delimiter: Option<u8>) -> Place {
        let delims = &self.message.delims;
        let spot = place::spot(self.place);
        let next = |number: u16| u32::from(number) + 1;
        match delimiter {
            Some(byte) if byte == delims.subcomponent => place::subcomponent(self.place, next(spot.subcomponent)),
            Some(byte) if byte == delims.component => {
                place::subcomponent(place::component(self.place, next(spot.component)), 1)
            }
            _ => {
                let repetition = place::repetition(self.place, next(spot.repetition));
                place::subcomponent(place::component(repetition, 1), 1)
            }
        }
    }
}

#[cfg(test)]
mod tests;
