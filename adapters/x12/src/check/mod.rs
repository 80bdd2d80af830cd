//! Checks the elements of a segment against the use of it that the guide has: usage, repetitions, components, types,
//! lengths, codes, dates and times, and the relations among elements. Where a segment may stand is `walk`'s affair.

mod relation;
#[cfg(test)]
mod tests;
mod value;

use memchr::memchr;

use crate::guide::{Component, Content, Element, Note, Rule, Simple, Usage};
use crate::problem::{ElementFault, ElementProblem};
use crate::segment::Segment;

pub use value::{is_date, is_time};

/// Most characters of a copy that is given back: IK404.
const COPY: usize = 99;

/// What a value is compared with, and where it stands.
#[derive(Debug, Clone, Copy)]
struct Spot {
    element: u16,
    component: u16,
    repetition: u16,
    number: u16,
}

/// Tells `met` what is wrong with a segment's elements.
pub fn check(segment: &Segment<'_>, rule: &Rule, met: &mut dyn FnMut(ElementProblem)) {
    for (number, element) in (1_u16..).zip(&rule.elements) {
        check_element(segment, number, element, met);
    }
    for number in rule.elements.len() + 1..=segment.len() {
        if !segment.element(number).is_empty() {
            let spot = Spot {
                element: short(number),
                component: 0,
                repetition: 0,
                number: 0,
            };
            tell(ElementFault::TooMany, spot, segment.element(number), segment, met);
        }
    }
    let stands = |number: u8| !segment.element(usize::from(number)).is_empty();
    for note in &rule.notes {
        let told = relation::broken(note, &stands).filter(|(number, _)| !is_required(rule, *number));
        if let Some((element, fault)) = told {
            let index = usize::from(element).checked_sub(1);
            let number = index.and_then(|index| rule.elements.get(index)).map_or(0, number_of);
            let spot = Spot {
                element: u16::from(element),
                component: 0,
                repetition: 0,
                number,
            };
            tell(fault, spot, &[], segment, met);
        }
    }
}

/// A required element that is missing is said to be so already.
fn is_required(rule: &Rule, number: u8) -> bool {
    let element = usize::from(number)
        .checked_sub(1)
        .and_then(|index| rule.elements.get(index));
    element.is_some_and(|element| element.usage == Usage::Required)
}

fn check_element(segment: &Segment<'_>, number: u16, element: &Element, met: &mut dyn FnMut(ElementProblem)) {
    let text = segment.element(usize::from(number));
    let mut spot = Spot {
        element: number,
        component: 0,
        repetition: 0,
        number: number_of(element),
    };
    if text.is_empty() {
        if element.usage == Usage::Required {
            tell(ElementFault::Missing, spot, &[], segment, met);
        }
        return;
    }
    if element.usage == Usage::NotUsed {
        return tell(ElementFault::NotUsed, spot, text, segment, met);
    }
    let separator = segment.delimiters().repetition;
    if separator.is_none_or(|separator| memchr(separator, text).is_none()) {
        spot.repetition = u16::from(element.repeat > 1);
        return check_content(text, element, spot, segment, met);
    }
    for (repetition, value) in (1_u16..).zip(segment.repetitions(usize::from(number))) {
        spot.repetition = if element.repeat > 1 { repetition } else { 0 };
        if repetition > element.repeat {
            spot.repetition = repetition;
            return tell(ElementFault::TooManyRepetitions, spot, value, segment, met);
        }
        check_content(value, element, spot, segment, met);
    }
}

fn check_content(
    value: &[u8],
    element: &Element,
    spot: Spot,
    segment: &Segment<'_>,
    met: &mut dyn FnMut(ElementProblem),
) {
    match &element.content {
        Content::Simple(simple) => check_simple(value, simple, spot, segment, met),
        Content::Composite { components, notes } => check_composite(value, components, notes, spot, segment, met),
    }
}

fn check_composite(
    text: &[u8],
    components: &[Component],
    notes: &[Note],
    spot: Spot,
    segment: &Segment<'_>,
    met: &mut dyn FnMut(ElementProblem),
) {
    let separator = segment.delimiters().component;
    let mut values = text.split(|byte| *byte == separator);
    let mut standing = 0_u32;
    for (number, component) in (1_u16..).zip(components) {
        let value = values.next().unwrap_or_default();
        let spot = Spot {
            component: number,
            number: component.value.number,
            ..spot
        };
        match (value.is_empty(), component.usage) {
            (true, Usage::Required) => tell(ElementFault::Missing, spot, &[], segment, met),
            (true, _) => {}
            (false, Usage::NotUsed) => tell(ElementFault::NotUsed, spot, value, segment, met),
            (false, _) => check_simple(value, &component.value, spot, segment, met),
        }
        standing |= u32::from(!value.is_empty()).checked_shl(u32::from(number)).unwrap_or(0);
    }
    if let Some(more) = values.find(|value| !value.is_empty()) {
        tell(ElementFault::TooManyComponents, spot, more, segment, met);
    }
    let stands = |number: u8| standing & 1_u32.checked_shl(u32::from(number)).unwrap_or(0) != 0;
    for (component, fault) in notes.iter().filter_map(|note| relation::broken(note, &stands)) {
        let index = usize::from(component).checked_sub(1);
        let found = index.and_then(|index| components.get(index));
        if found.is_some_and(|found| found.usage == Usage::Situational) {
            let number = found.map_or(0, |found| found.value.number);
            tell(
                fault,
                Spot {
                    component: u16::from(component),
                    number,
                    ..spot
                },
                &[],
                segment,
                met,
            );
        }
    }
}

fn check_simple(text: &[u8], simple: &Simple, spot: Spot, segment: &Segment<'_>, met: &mut dyn FnMut(ElementProblem)) {
    if text.is_empty() {
        return; // an empty repetition
    }
    if memchr(segment.delimiters().component, text).is_some() {
        return tell(ElementFault::Character, spot, text, segment, met);
    }
    // What a date time period holds is said by the format qualifier before it.
    let format = match (simple.number, spot.component) {
        (1251, 0) => segment.element(usize::from(spot.element).saturating_sub(1)),
        (1251, component) => segment.component(usize::from(spot.element), usize::from(component).saturating_sub(1)),
        _ => &[],
    };
    if let Some(fault) = value::fault(text, simple, format) {
        tell(fault, spot, text, segment, met);
    }
}

/// Number of the data element; 0 of a composite, which has none.
fn number_of(element: &Element) -> u16 {
    match &element.content {
        Content::Simple(simple) => simple.number,
        Content::Composite { .. } => 0,
    }
}

fn tell(fault: ElementFault, spot: Spot, text: &[u8], segment: &Segment<'_>, met: &mut dyn FnMut(ElementProblem)) {
    met(ElementProblem {
        fault,
        element: spot.element,
        component: spot.component,
        repetition: spot.repetition,
        number: spot.number,
        copy: copy(text, segment),
    });
}

/// A value to be given back. One that would itself be an error in the acknowledgement is left out.
pub(crate) fn copy(text: &[u8], segment: &Segment<'_>) -> Option<Box<str>> {
    let delimiters = segment.delimiters();
    let good = |byte: &u8| (0x20..0x7f).contains(byte) && !delimiters.contains(*byte);
    let short = text.get(..COPY.min(text.len())).unwrap_or_default();
    if short.is_empty() || !short.iter().all(good) {
        return None;
    }
    std::str::from_utf8(short).ok().map(Into::into)
}

fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}
