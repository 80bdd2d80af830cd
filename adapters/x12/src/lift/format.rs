//! What the row compiler asks of X12: names of segments, the guide's loops, steps of elements and components, operations.

use causeway_mapping::doc::{Branch, Format, Identity};
use causeway_mapping::ops::OpDef;
use causeway_mapping::syntax::{Mark, Part, Select};

use super::document::Document;
use super::ops;
use super::step::{Pick, Says, Step, Which};
use super::tree;
use crate::name::SegmentId;

/// X12 for the row compiler.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct X12Format;

impl Format for X12Format {
    type Doc = Document;

    fn symbol(&self, name: &str) -> Option<u32> {
        let letter = name.starts_with(|first: char| first.is_ascii_uppercase());
        SegmentId::of(name.as_bytes())
            .filter(|_| letter)
            .map(|id| tree::symbol(id.as_str()))
    }

    fn step(&self, select: &[Select], parts: &[Part]) -> Result<Step, String> {
        let mut step = Step {
            which: which(select)?,
            ..Step::default()
        };
        let mut components = parts;
        if let Some((element, rest)) = parts.split_first().filter(|(first, _)| first.mark == Mark::Field) {
            match number(element)? {
                Some(number) => step.element = number,
                None => step.every = true,
            }
            step.pick = pick(&element.select)?;
            components = rest;
        }
        match components {
            [] => {}
            [one] => match number(one)? {
                Some(number) => step.component = number,
                None => step.star = true,
            },
            _ => return Err("an element has components, and these have no parts".to_owned()),
        }
        Ok(step)
    }

    fn type_of(&self, _head: &str, _parts: &[Part]) -> Option<&'static str> {
        None
    }

    fn identity(&self, _kind: &str) -> Option<Identity> {
        None
    }

    fn ops(&self) -> &'static [OpDef<Document>] {
        ops::ALL
    }

    fn header(&self) -> Option<&'static str> {
        Some("ST")
    }

    fn tree(&self) -> Vec<Branch> {
        tree::branches()
    }
}

/// The number of a part, none for `*`.
fn number(part: &Part) -> Result<Option<u32>, String> {
    let Some(text) = &part.number else { return Ok(None) };
    match text.parse() {
        Ok(0) => Err("elements and components count from 1".to_owned()),
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(format!("{text} is no number")),
    }
}

fn which(select: &[Select]) -> Result<Which, String> {
    match select {
        [] => Ok(Which::All),
        [Select::Nth(nth)] => Ok(Which::Nth(*nth)),
        [Select::Says { part, values }] => Ok(Which::Says(Box::new(says(part, values, true)?))),
        _ => Err("a segment has one selector, such as [01=EI]".to_owned()),
    }
}

fn pick(select: &[Select]) -> Result<Pick, String> {
    match select {
        [] => Ok(Pick::All),
        [Select::Nth(nth)] => Ok(Pick::Nth(*nth)),
        [Select::Anchor] => Ok(Pick::Anchor),
        [Select::Says { part, values }] => Ok(Pick::Says(Box::new(says(part, values, false)?))),
        _ => Err("an element has one selector".to_owned()),
    }
}

fn says(part: &[String], values: &[String], of_segment: bool) -> Result<Says, String> {
    let numbers: Result<Vec<u32>, _> = part.iter().map(|number| number.parse::<u32>()).collect();
    let numbers = numbers.map_err(|_| "a selector names an element or component by its number: [01=EI]".to_owned())?;
    let values = values.iter().map(|value| value.as_str().into()).collect();
    match (of_segment, numbers.as_slice()) {
        (true, [element]) => Ok(Says {
            element: *element,
            component: 0,
            values,
        }),
        (true, [element, component]) => Ok(Says {
            element: *element,
            component: *component,
            values,
        }),
        (false, [component]) => Ok(Says {
            element: 0,
            component: *component,
            values,
        }),
        _ => Err("a selector names an element and a component at most".to_owned()),
    }
}
