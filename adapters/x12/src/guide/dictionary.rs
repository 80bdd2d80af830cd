//! The shared dictionary of version 005010: data elements with type and length, composites and segments with their
//! elements and relations. Which of it a guide uses is said in `load`.

use std::collections::BTreeMap;

use super::load::{Unusable, rows};
use super::{Note, Relation, Type};

/// An element of a segment or component of a composite, as the base standard has it.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// Number of the data element, or name of the composite.
    pub(super) name: String,
    /// Most repetitions.
    pub(super) repeat: u16,
}

/// A segment or composite, as the base standard has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub(super) slots: Vec<Slot>,
    pub(super) notes: Vec<Note>,
}

/// A data element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datum {
    pub(super) number: u16,
    pub(super) kind: Type,
    pub(super) min: u16,
    pub(super) max: u16,
}

/// Everything of a version.
#[derive(Debug)]
pub(super) struct Dictionary {
    pub(super) data: BTreeMap<String, Datum>,
    pub(super) composites: BTreeMap<String, Shape>,
    pub(super) segments: BTreeMap<String, Shape>,
}

impl Dictionary {
    /// Reads the three files.
    pub(super) fn load(elements: &str, composites: &str, segments: &str) -> Result<Self, Unusable> {
        Ok(Self {
            data: rows(elements, datum)?.into_iter().collect(),
            composites: rows(composites, shape)?.into_iter().collect(),
            segments: rows(segments, shape)?.into_iter().collect(),
        })
    }
}

fn datum(cells: &[&str]) -> Option<(String, Datum)> {
    let [name, kind, min, max] = *cells else { return None };
    let datum = Datum {
        number: name.parse().ok()?,
        kind: kind_of(kind)?,
        min: min.parse().ok()?,
        max: max.parse().ok()?,
    };
    Some((name.to_owned(), datum))
}

fn kind_of(text: &str) -> Option<Type> {
    Some(match text {
        "AN" => Type::Text,
        "ID" => Type::Code,
        "R" => Type::Decimal,
        "DT" => Type::Date,
        "TM" => Type::Time,
        _ => Type::Whole(text.strip_prefix('N')?.parse().ok()?),
    })
}

/// `NM1,98! 1065! 1035,P0809`. The `!` of a mandatory element is for the reader: guides say what is required.
fn shape(cells: &[&str]) -> Option<(String, Shape)> {
    let [name, slots, notes] = *cells else { return None };
    let slots = slots.split_whitespace().map(slot).collect::<Option<_>>()?;
    let notes = notes.split_whitespace().map(note).collect::<Option<_>>()?;
    Some((name.to_owned(), Shape { slots, notes }))
}

fn slot(text: &str) -> Option<Slot> {
    let text = text.trim_end_matches('!');
    let (name, repeat) = text.split_once('*').unwrap_or((text, "1"));
    Some(Slot {
        name: name.to_owned(),
        repeat: repeat.parse().ok()?,
    })
}

/// `P0809`: a letter and two digits for each element.
fn note(text: &str) -> Option<Note> {
    let relation = match text.get(..1)? {
        "P" => Relation::Paired,
        "R" => Relation::Required,
        "E" => Relation::Exclusion,
        "C" => Relation::Conditional,
        "L" => Relation::List,
        _ => return None,
    };
    let digits = text.get(1..)?.as_bytes().chunks(2);
    let numbers = digits.map(|pair| std::str::from_utf8(pair).ok()?.parse().ok());
    Some(Note {
        relation,
        elements: numbers.collect::<Option<_>>()?,
    })
}
