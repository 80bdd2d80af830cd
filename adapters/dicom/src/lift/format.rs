//! What the row compiler asks of DICOM: keywords as names, steps to values, name groups and components, identities,
//! operations.

use causeway_mapping::doc::{Format, Identity};
use causeway_mapping::ops::OpDef;
use causeway_mapping::syntax::{Part, Select};

use super::document::{Document, ROOT};
use super::ops;
use crate::tag::{Tag, Vr};

/// DICOM for the row compiler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DicomFormat;

/// A compiled path within an element: which of its values, which group of a name, which component.
#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    pub(super) pick: Pick,
    /// The component of a name, from 1; 0 for the whole.
    pub(super) component: u32,
}

/// Which values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Pick {
    #[default]
    All,
    Nth(u32),
    /// A group of each name: 1 alphabetic, 2 ideographic, 3 phonetic.
    Group(u32),
}

impl Format for DicomFormat {
    type Doc = Document;

    fn symbol(&self, name: &str) -> Option<u32> {
        if name == "root" {
            return Some(ROOT);
        }
        Tag::named(name).map(|tag| tag.0)
    }

    fn step(&self, select: &[Select], parts: &[Part]) -> Result<Step, String> {
        let pick = match select {
            [] => Pick::All,
            [Select::Nth(nth)] => Pick::Nth(*nth),
            [Select::Word(group)] => Pick::Group(match group.as_str() {
                "A" => 1,
                "I" => 2,
                "P" => 3,
                _ => return Err("name groups are [A], [I] and [P]".to_owned()),
            }),
            _ => return Err("a value is chosen by its number or name group: ImageType[3], PatientName[I]".to_owned()),
        };
        let component = match parts {
            [] | [Part { number: None, .. }] => 0,
            [
                Part {
                    number: Some(number), ..
                },
            ] => number.parse().map_err(|_| format!("{number} is no component"))?,
            _ => return Err("a name has components and nothing below them".to_owned()),
        };
        Ok(Step { pick, component })
    }

    /// UIDs are numbered by one authority for all (PS3.5 9), patient ids by their issuer.
    fn type_of(&self, head: &str, parts: &[Part]) -> Option<&'static str> {
        let tag = Tag::named(head).filter(|_| parts.is_empty())?;
        match tag.vr() {
            Some(Vr::UI) => Some("UI"),
            _ if tag == Tag::PATIENT_ID => Some("ID"),
            _ => None,
        }
    }

    fn identity(&self, kind: &str) -> Option<Identity> {
        ["UI", "ID"].contains(&kind).then_some(Identity {
            number: &[1],
            authority: &[2],
            width: 1,
            namespace: true,
        })
    }

    fn ops(&self) -> &'static [OpDef<Document>] {
        ops::ALL
    }

    fn header(&self) -> Option<&'static str> {
        None
    }
}
