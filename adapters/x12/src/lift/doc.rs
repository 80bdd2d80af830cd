//! A part as a document that rows can be run on: items are segments, groups are loops, occurrences are repetitions, parts
//! are components. Where they stand in the text is `document`'s.

use std::borrow::Cow;

use causeway_core::Place;
use causeway_mapping::doc::{Doc, Presence, Value};
use memchr::memchr;

use super::document::{Document, small};
use super::place;
use super::step::{Cut, CutOf, Pick, Step, Which, bit};
use super::tree;

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
