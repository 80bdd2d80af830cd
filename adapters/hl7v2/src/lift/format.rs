//! What the row compiler asks of HL7v2: segment names, steps of fields and parts, types of fields, operations.

use causeway_mapping::doc::{Format, Identity};
use causeway_mapping::ops::OpDef;
use causeway_mapping::syntax::{Mark, Part, Select};

use super::document::symbol;
use super::step::{Pick, Says, Step};
use super::types;
use crate::message::{Message, Name};
use crate::ops;

/// HL7 version 2 for the row compiler.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hl7v2Format;

/// Names of three characters that are types and no segments.
const TYPES: [&str; 12] = [
    "CNN", "CWE", "DLD", "DLN", "DTM", "EIP", "NDL", "PLN", "RPT", "XAD", "XCN", "XON",
];
const MORE_TYPES: [&str; 8] = ["XPN", "XTN", "CNE", "SPS", "TSS", "VID", "OSD", "PPN"];

impl Format for Hl7v2Format {
    type Doc = Message;

    fn symbol(&self, name: &str) -> Option<u32> {
        let is_type = TYPES.contains(&name) || MORE_TYPES.contains(&name);
        let upper = name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        Name::read(name.as_bytes()).filter(|_| upper && !is_type).map(symbol)
    }

    fn step(&self, select: &[Select], parts: &[Part]) -> Result<Step, String> {
        if !select.is_empty() {
            return Err("a segment is not chosen by brackets; a field is: PID-3[2]".to_owned());
        }
        let mut step = Step::default();
        let mut components = parts;
        if let Some((field, rest)) = parts.split_first().filter(|(first, _)| first.mark == Mark::Field) {
            step.field = number(field)?.ok_or("a field is a number here")?;
            step.pick = pick(&field.select)?;
            components = rest;
        }
        match components {
            [] => {}
            [one] => step.set_component(one)?,
            [one, two] => {
                step.set_component(one)?;
                step.subcomponent = number(two)?.ok_or("a subcomponent is a number here")?;
            }
            _ => return Err("a place has a component and a subcomponent, and no more".to_owned()),
        }
        Ok(step)
    }

    fn type_of(&self, head: &str, parts: &[Part]) -> Option<&'static str> {
        let numbers: Option<Vec<u32>> = parts.iter().map(|part| number(part).ok().flatten()).collect();
        types::type_of(head, &numbers?)
    }

    fn identity(&self, kind: &str) -> Option<Identity> {
        types::identity(kind)
    }

    fn ops(&self) -> &'static [OpDef<Message>] {
        ops::ALL
    }

    fn header(&self) -> Option<&'static str> {
        Some("MSH")
    }
}

impl Step {
    fn set_component(&mut self, part: &Part) -> Result<(), String> {
        match number(part)? {
            Some(number) => self.component = number,
            None => self.star = true,
        }
        Ok(())
    }
}

/// The number of a part, none for `*`.
fn number(part: &Part) -> Result<Option<u32>, String> {
    let Some(text) = &part.number else { return Ok(None) };
    let number: u32 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if number == 0 {
        return Err("fields and components count from 1".to_owned());
    }
    Ok(Some(number))
}

fn pick(select: &[Select]) -> Result<Pick, String> {
    match select {
        [] => Ok(Pick::All),
        [Select::Nth(nth)] => Ok(Pick::Nth(*nth)),
        [Select::Anchor] => Ok(Pick::Anchor),
        [Select::Says { part, values }] => {
            let numbers: Result<Vec<u32>, _> = part.iter().map(|number| number.parse::<u32>()).collect();
            let numbers = numbers.map_err(|_| "a selector names a component by its number: [5=MR]".to_owned())?;
            let part = Step {
                component: numbers.first().copied().unwrap_or(1),
                subcomponent: numbers.get(1).copied().unwrap_or(0),
                ..Step::default()
            };
            let values = values.iter().map(|value| value.as_str().into()).collect();
            Ok(Pick::Says(Box::new(Says { part, values })))
        }
        _ => Err("a field has one selector".to_owned()),
    }
}
