//! A part with what its rows need: its text as text, and where each element, repetition and component stands. Text is not
//! copied; a value is a span with its place. What rows ask of it is answered in `doc`.

use std::fmt::Write as _;

use bytestring::ByteString;
use causeway_core::Place;
use causeway_mapping::doc::{Doc, Value};
use memchr::memchr;

use super::place;
use super::step::{Pick, Step, Which};
use super::text::{self, Marks};
use crate::part::{Part, PartSegment};

/// A part with what its rows need: its text as text, and where each element begins.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(super) part: Part,
    pub(super) text: ByteString,
    pub(super) marks: Marks,
    /// Where the elements of all segments begin, one segment's behind another's.
    pub(super) starts: Vec<u32>,
    /// For each segment the first of its starts; one more at the end.
    pub(super) firsts: Vec<u32>,
    /// Whether any element repeats, or has components.
    pub(super) repeats: bool,
}

impl Document {
    /// Makes a part readable.
    pub(crate) fn new(part: Part) -> Self {
        let (part, text, marks) = text::readable(part);
        let mut starts = Vec::with_capacity(part.segments.len() * 8);
        let mut firsts = Vec::with_capacity(part.segments.len() + 1);
        for segment in &part.segments {
            firsts.push(small(starts.len()));
            let bytes = span(&text, segment.start, segment.end).as_bytes();
            let ends = memchr::memchr_iter(marks.element, bytes);
            starts.extend(ends.map(|at| segment.start + small(at) + 1));
        }
        firsts.push(small(starts.len()));
        let repeats = memchr(marks.repetition, text.as_bytes()).is_some();
        Self {
            part,
            text,
            marks,
            starts,
            firsts,
            repeats,
        }
    }

    /// The part.
    pub(crate) fn part(&self) -> &Part {
        &self.part
    }

    /// The text of a place: `ISA[1]/ST[1]/2300[4]/REF[2]-01.1`.
    pub(crate) fn place_text(&self, place: Place) -> String {
        let Some(segment) = self.segment_at(place) else {
            return String::new();
        };
        let mut text = self.part.place(segment);
        let [element, repetition, component] = place::numbers(place);
        let mut add = |before: &str, number: u32, width: usize, after: &str| {
            if number > 0 {
                // Writing to a String cannot fail.
                let _written = write!(text, "{before}{number:0width$}{after}");
            }
        };
        add("-", element, 2, "");
        add("[", if repetition > 1 { repetition } else { 0 }, 0, "]");
        add(".", component, 0, "");
        text
    }

    /// The segment that a place lies in.
    pub(crate) fn segment_at(&self, place: Place) -> Option<&PartSegment> {
        let position = place::position(place);
        let segments = &self.part.segments;
        let at = segments
            .binary_search_by_key(&position, |segment| segment.position)
            .ok()?;
        segments.get(at)
    }

    pub(super) fn segment(&self, item: u32) -> Option<&PartSegment> {
        self.part.segments.get(item as usize)
    }

    /// The elements of a segment that stand there, empty ones too.
    pub(super) fn count(&self, item: u32) -> u32 {
        let first = self.firsts.get(item as usize).copied().unwrap_or(0);
        let next = self.firsts.get(item as usize + 1).copied().unwrap_or(first);
        next - first
    }

    /// An element that says anything.
    pub(super) fn element(&self, item: u32, number: u32) -> Option<Value> {
        let first = *self.firsts.get(item as usize)?;
        let next = *self.firsts.get(item as usize + 1)?;
        let at = first.checked_add(number.checked_sub(1)?)?;
        let segment = self.segment(item)?;
        let start = *self.starts.get(at as usize).filter(|_| at < next)?;
        let end = match self.starts.get(at as usize + 1) {
            Some(behind) if at + 1 < next => behind - 1,
            _ => segment.end,
        };
        let place = place::repetition(place::element(place::segment(segment.position), number), 1);
        (end > start).then_some(Value { place, start, end })
    }

    pub(super) fn span(&self, value: Value) -> &str {
        span(&self.text, value.start, value.end)
    }

    pub(super) fn is_segment(value: Value) -> bool {
        place::numbers(value.place)[0] == 0
    }

    pub(super) fn item_of(&self, place: Place) -> Option<u32> {
        let position = place::position(place);
        let found = self
            .part
            .segments
            .binary_search_by_key(&position, |segment| segment.position);
        found.ok().map(small)
    }

    /// The first element of a segment, or component of an element, as far as tests look.
    fn said(&self, item: u32, element: u32, component: u32) -> &str {
        let found = self
            .element(item, element)
            .and_then(|value| self.component(value, component.max(1)));
        found.map_or("", |value| self.span(value))
    }

    fn chosen(&self, item: u32, step: &Step) -> bool {
        match &step.which {
            Which::All => true,
            Which::Nth(number) => self.segment(item).is_some_and(|segment| segment.occurrence == *number),
            Which::Says(says) => says.right(self.said(item, says.element, says.component)),
        }
    }

    fn picked(&self, step: &Step, number: u32, anchor: u32, value: Value) -> bool {
        match &step.pick {
            Pick::All => true,
            Pick::Nth(nth) => number == *nth,
            Pick::Anchor => number == anchor,
            Pick::Says(says) => {
                let said = self.component(value, says.component.max(1));
                says.right(said.map_or("", |said| self.span(said)))
            }
        }
    }

    /// A component of an element, or of one of its repetitions.
    pub(super) fn component(&self, value: Value, number: u32) -> Option<Value> {
        let bytes = self.span(value).as_bytes();
        let mut start = 0;
        for _ in 1..number {
            start += memchr(self.marks.component, bytes.get(start..)?)? + 1;
        }
        let rest = bytes.get(start..)?;
        let length = memchr(self.marks.component, rest).unwrap_or(rest.len());
        Some(Value {
            place: place::component(value.place, number),
            start: value.start + small(start),
            end: value.start + small(start + length),
        })
    }

    pub(super) fn components(&self, value: Value, each: &mut dyn FnMut(Value)) {
        let mut start = value.start;
        for (number, part) in (1..).zip(self.span(value).split(char::from(self.marks.component))) {
            let end = start + small(part.len());
            if end > start {
                let place = place::component(value.place, number);
                each(Value { place, start, end });
            }
            start = end + 1;
        }
    }

    pub(super) fn repetitions(&self, value: Value, each: &mut dyn FnMut(u32, Value)) {
        if !self.repeats {
            return each(1, value);
        }
        let mut start = value.start;
        for (number, part) in (1..).zip(self.span(value).split(char::from(self.marks.repetition))) {
            let end = start + small(part.len());
            if end > start {
                let place = place::repetition(value.place, number);
                each(number, Value { place, start, end });
            }
            start = end + 1;
        }
    }

    pub(super) fn each_spot(&self, item: u32, step: &Step, anchor: u32, each: &mut dyn FnMut(Value)) {
        if !self.chosen(item, step) {
            return;
        }
        if step.element == 0 && !step.every {
            return each(self.whole(item));
        }
        let numbers = match step.element {
            0 => 1..self.count(item) + 1,
            number => number..number + 1,
        };
        for element in numbers.filter_map(|number| self.element(item, number)) {
            self.repetitions(
                element,
                &mut |number, value| match (self.picked(step, number, anchor, value), step.star) {
                    (false, _) => {}
                    (true, true) => self.components(value, each),
                    (true, false) => each(value),
                },
            );
        }
    }

    pub(super) fn whole(&self, item: u32) -> Value {
        let segment = self.segment(item);
        Value {
            place: Doc::item_place(self, item),
            start: segment.map_or(0, |segment| segment.start),
            end: segment.map_or(0, |segment| segment.end),
        }
    }
}

fn span(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

pub(super) fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
