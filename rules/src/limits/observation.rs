//! Reads the parts of an Observation that a limit needs, in one walk over its members. It knows where FHIR R4 keeps
//! them and nothing of limits.

use causeway_core::fhir::{Kind, NodeId, Tree};

use super::value::{Comparator, Value, from_text};
use crate::decimal::Decimal;

/// The members of an Observation, or of one of its components.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Parts {
    pub(super) code: Option<NodeId>,
    pub(super) status: Option<NodeId>,
    pub(super) value: Option<NodeId>,
    pub(super) absent: Option<NodeId>,
    pub(super) components: Option<NodeId>,
    pub(super) specimen: Option<NodeId>,
    pub(super) subject: Option<NodeId>,
    pub(super) effective: Option<NodeId>,
}

impl Parts {
    /// Reads the members of a node.
    pub(super) fn of(tree: &Tree, node: NodeId) -> Self {
        let mut parts = Self::default();
        for member in tree.children(node) {
            let slot = match tree.name(member) {
                "code" => &mut parts.code,
                "status" => &mut parts.status,
                "dataAbsentReason" => &mut parts.absent,
                "component" => &mut parts.components,
                "specimen" => &mut parts.specimen,
                "subject" => &mut parts.subject,
                name if name.starts_with("value") => &mut parts.value,
                name if name.starts_with("effective") => &mut parts.effective,
                _ => continue,
            };
            *slot = Some(member);
        }
        parts
    }
}

/// Why a value cannot be compared; it names the node that is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// There is none.
    Missing,
    /// It is no number.
    NoNumber(NodeId),
    /// More digits than can be compared exactly.
    TooLong(NodeId),
    /// A comparator that FHIR R4 does not have, or that says nothing of size.
    Comparator(NodeId),
}

/// A value as it stands in the resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read<'a> {
    pub(super) value: Value,
    /// The node of the number.
    pub(super) node: NodeId,
    /// The number as it was written.
    pub(super) written: &'a str,
    /// The comparator as it was written.
    pub(super) sign: &'a str,
    /// Spellings of the unit to try, code first.
    pub(super) units: [Option<(&'a str, NodeId)>; 2],
}

/// Reads a value node by its name.
pub(super) fn value(tree: &Tree, node: NodeId) -> Result<Read<'_>, Unread> {
    match tree.name(node) {
        "valueQuantity" => quantity(tree, node),
        "valueInteger" | "valueString" => text(tree, node),
        _ => Err(Unread::NoNumber(node)),
    }
}

fn quantity(tree: &Tree, node: NodeId) -> Result<Read<'_>, Unread> {
    let (mut number, mut sign, mut unit, mut code) = (None, None, None, None);
    for member in tree.children(node) {
        match tree.name(member) {
            "value" => number = Some(member),
            "comparator" => sign = Some(member),
            "unit" => unit = Some(member),
            "code" => code = Some(member),
            _ => {}
        }
    }
    let number = number.ok_or(Unread::Missing)?;
    let written = tree.text(number).ok_or(Unread::NoNumber(number))?;
    let sign_text = sign.and_then(|sign| tree.str(sign)).unwrap_or("");
    let comparator = match sign {
        None => Comparator::Exactly,
        Some(sign) => Comparator::parse(sign_text).ok_or(Unread::Comparator(sign))?,
    };
    let spelling = |node: Option<NodeId>| node.and_then(|node| Some((tree.str(node)?.trim(), node)));
    let spelling = |node| spelling(node).filter(|(text, _)| !text.is_empty());
    Ok(Read {
        value: Value {
            comparator,
            number: decimal(written, number)?,
        },
        node: number,
        written,
        sign: sign_text,
        units: [spelling(code), spelling(unit)],
    })
}

fn text(tree: &Tree, node: NodeId) -> Result<Read<'_>, Unread> {
    let written = tree.text(node).ok_or(Unread::NoNumber(node))?;
    let (value, unit) = from_text(written).ok_or(Unread::NoNumber(node))?;
    Ok(Read {
        value,
        node,
        written: written.trim(),
        sign: "",
        units: [(!unit.is_empty()).then_some((unit, node)), None],
    })
}

/// A number that is one, but too long, is told from a text that is none.
fn decimal(written: &str, node: NodeId) -> Result<Decimal, Unread> {
    let numeric = |letter: char| letter.is_ascii_digit() || "+-.eE".contains(letter);
    Decimal::parse(written).ok_or(if written.len() > 18 && written.chars().all(numeric) {
        Unread::TooLong(node)
    } else {
        Unread::NoNumber(node)
    })
}

/// The code of `dataAbsentReason`, or its text.
pub(super) fn absent_reason(tree: &Tree, node: NodeId) -> Option<&str> {
    let coding = tree
        .get(node, "coding")
        .filter(|coding| tree.kind(*coding) == Kind::Array);
    coding
        .and_then(|coding| tree.children(coding).find_map(|coding| tree.get_str(coding, "code")))
        .or_else(|| tree.get_str(node, "text"))
}
