//! A part as a document that rows can be run on: items are segments, groups are loops, occurrences are repetitions, parts
//! are components. Text is not copied; a value is a span with its place.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytestring::ByteString;
use causeway_core::Place;
use causeway_mapping::doc::{Doc, Presence, Value};
use memchr::memchr;

use super::place;
use super::step::{Cut, CutOf, Pick, Step, Which, bit};
use super::text::{self, Marks};
use super::tree;
use crate::part::{Part, PartSegment};

/// A part with what its rows need: its text as text, and where each element begins.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    part: Part,
    text: ByteString,
    marks: Marks,
    /// Where the elements of all segments begin, one segment's behind another's.
    starts: Vec<u32>,
    /// For each segment the first of its starts; one more at the end.
    firsts: Vec<u32>,
    /// Whether any element repeats, or has components.
    repeats: bool,
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

    fn segment(&self, item: u32) -> Option<&PartSegment> {
        self.part.segments.get(item as usize)
    }

    /// The elements of a segment that stand there, empty ones too.
    fn count(&self, item: u32) -> u32 {
        let first = self.firsts.get(item as usize).copied().unwrap_or(0);
        let next = self.firsts.get(item as usize + 1).copied().unwrap_or(first);
        next - first
    }

    /// An element that says anything.
    fn element(&self, item: u32, number: u32) -> Option<Value> {
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

    fn span(&self, value: Value) -> &str {
        span(&self.text, value.start, value.end)
    }

    fn is_segment(value: Value) -> bool {
        place::numbers(value.place)[0] == 0
    }

    fn item_of(&self, place: Place) -> Option<u32> {
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
    fn component(&self, value: Value, number: u32) -> Option<Value> {
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

    fn components(&self, value: Value, each: &mut dyn FnMut(Value)) {
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

    fn repetitions(&self, value: Value, each: &mut dyn FnMut(u32, Value)) {
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

    fn each_spot(&self, item: u32, step: &Step, anchor: u32, each: &mut dyn FnMut(Value)) {
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

    fn whole(&self, item: u32) -> Value {
        let segment = self.segment(item);
        Value {
            place: Doc::item_place(self, item),
            start: segment.map_or(0, |segment| segment.start),
            end: segment.map_or(0, |segment| segment.end),
        }
    }
}

impl Doc for Document {
    type Step = Step;
    type Cut = Cut;

    fn items(&self) -> u32 {
        small(self.part.segments.len())
    }

    fn symbol(&self, item: u32) -> u32 {
        self.segment(item)
            .map_or(0, |segment| tree::symbol(segment.id.as_str()))
    }

    fn item_place(&self, item: u32) -> Place {
        self.segment(item)
            .map_or(Place(0), |segment| place::segment(segment.position))
    }

    fn spots(&self, item: u32, step: &Step, anchor: u32, out: &mut Vec<Value>) {
        self.each_spot(item, step, anchor, &mut |value| out.push(value));
    }

    fn spot(&self, item: u32, step: &Step, anchor: u32) -> (Option<Value>, bool) {
        let plain = matches!((&step.which, &step.pick), (Which::All, Pick::All)) && !step.every && !step.star;
        if plain && !self.repeats && step.element > 0 {
            return (self.element(item, step.element), false);
        }
        let mut found = None;
        let mut more = false;
        self.each_spot(item, step, anchor, &mut |value| {
            more |= found.is_some();
            found.get_or_insert(value);
        });
        (found, more)
    }

    fn selected(&self, item: u32, step: &Step, out: &mut Vec<Value>) {
        if let Which::Says(says) = &step.which {
            let element = self.element(item, says.element);
            out.extend(element.and_then(|element| self.component(element, says.component.max(1))));
        }
    }

    fn narrow(&self, value: Value, step: &Step) -> Option<Value> {
        match step.component {
            0 => Some(value),
            number => self.component(value, number),
        }
    }

    fn cut(&self, value: Value, into: &mut Cut) {
        into.start = value.start;
        into.count = 0;
        into.mask = 0;
        let numbers = place::numbers(value.place);
        if numbers[0] == 0 {
            let item = self.item_of(value.place).unwrap_or(u32::MAX);
            into.of = CutOf::Segment(item);
            into.mask = self.mask(item);
            return;
        }
        if numbers[2] > 0 {
            into.of = CutOf::Component(value.place);
            into.mask = bit(1);
            into.ends[0] = value.end;
            return;
        }
        into.of = CutOf::Element(value.place);
        let mut begin = value.start;
        let mut ends = into.ends.iter_mut();
        for part in self.span(value).split(char::from(self.marks.component)) {
            let Some(end) = ends.next() else { break };
            *end = begin + small(part.len());
            into.count += 1;
            into.mask |= u64::from(!part.is_empty()) << into.count;
            begin = *end + 1;
        }
    }

    fn part(&self, cut: &Cut, step: &Step) -> Option<Value> {
        match cut.of {
            CutOf::Nothing => None,
            CutOf::Segment(item) => {
                let found = match step.element {
                    0 => self.whole(item),
                    number => self.element(item, number)?,
                };
                self.narrow(found, step)
            }
            CutOf::Component(place) => (step.component <= 1).then_some(Value {
                place,
                start: cut.start,
                end: *cut.ends.first()?,
            }),
            CutOf::Element(place) => {
                let at = step.component.checked_sub(1)?;
                let end = *cut.ends.get(at as usize).filter(|_| at < u32::from(cut.count))?;
                let start = match at.checked_sub(1) {
                    Some(before) => *cut.ends.get(before as usize)? + 1,
                    None => cut.start,
                };
                let place = place::component(place, step.component);
                Some(Value { place, start, end })
            }
        }
    }

    fn mask(&self, item: u32) -> u64 {
        let numbers = 1..=self.count(item);
        let said = numbers.filter(|number| self.element(item, *number).is_some());
        said.fold(0, |mask, number| mask | bit(number))
    }

    fn cut_mask(&self, cut: &Cut) -> u64 {
        cut.mask
    }

    fn bit(step: &Step, field: bool) -> u64 {
        match (step.element, step.component) {
            _ if step.every => u64::MAX,
            (0, 0) => u64::MAX,
            (0, _) if field => u64::MAX,
            (0, component) => bit(component),
            (element, _) => bit(element),
        }
    }

    fn nth(&self, value: Value, number: u32) -> Option<Value> {
        let numbers = place::numbers(value.place);
        match numbers {
            [0, ..] => self.element(self.item_of(value.place)?, number),
            [_, _, 0] => self.component(value, number),
            _ => (number == 1).then_some(value),
        }
    }

    fn first(&self, value: Value) -> Value {
        let [element, _, component] = place::numbers(value.place);
        let parts = (element > 0 && component == 0).then(|| self.component(value, 1));
        parts.flatten().unwrap_or(value)
    }

    fn presence(&self, value: Value) -> Presence {
        let said = Self::is_segment(value) || self.span(value).bytes().any(|byte| byte != b' ');
        if said { Presence::Valued } else { Presence::Empty }
    }

    fn is_complex(&self, value: Value) -> bool {
        let [element, _, component] = place::numbers(value.place);
        let whole = element > 0 && component == 0;
        whole && memchr(self.marks.component, self.span(value).as_bytes()).is_some()
    }

    fn reading(&self, value: Value) -> u64 {
        let level = match place::numbers(value.place) {
            [0, ..] => 0,
            [_, _, 0] => 1,
            _ => 2,
        };
        u64::from(self.marks.component) << 8 | level
    }

    fn raw(&self, value: Value) -> &str {
        self.span(value)
    }

    fn text(&self, value: Value) -> Cow<'_, str> {
        Cow::Borrowed(self.span(value))
    }

    fn leaves(&self, each: &mut dyn FnMut(Value)) {
        for item in 0..self.items() {
            for element in (1..=self.count(item)).filter_map(|number| self.element(item, number)) {
                self.repetitions(element, &mut |_, value| self.components(value, each));
            }
        }
    }

    fn lies_in(&self, inner: Place, outer: Place) -> bool {
        place::lies_in(inner, outer)
    }

    fn trigger(&self) -> &str {
        &self.part.envelope.set
    }

    fn version(&self) -> &str {
        let version = &self.part.envelope.group_version;
        version.get(..6).unwrap_or(version)
    }

    fn groups(&self) -> u32 {
        small(self.part.loops.len())
    }

    fn group(&self, number: u32) -> (u32, u32) {
        let found = self.part.loops.get(number as usize);
        found.map_or((0, 0), |found| (tree::symbol(found.id.as_str()), found.parent))
    }

    fn within(&self, item: u32) -> u32 {
        self.segment(item).map_or(0, |segment| segment.within)
    }
}

fn span(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
