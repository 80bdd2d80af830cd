//! How much of a resource is shown: `_summary` and `_elements` (FHIR R4 search 3.1.1.5.8 and 3.1.1.5.9). Whole members are
//! left out and none is changed; what is shown in part says so by the tag `SUBSETTED`.

use causeway_core::fhir::{Limits, NodeId, Tree, Value, compact, parse};
use causeway_core::origin::OriginId;
use causeway_profiles::r4;

const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// How much is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Shape {
    /// All of it.
    #[default]
    Whole,
    /// `_summary=true`: what R4 marks as summary.
    Summary,
    /// `_summary=text`: the narrative, and what must be there.
    Text,
    /// `_summary=data`: all but the narrative.
    Data,
    /// `_summary=count`: of a search, how many there are.
    Count,
    /// `_elements`: these, and what must be there.
    Elements(Vec<String>),
}

impl Shape {
    /// Takes note of a parameter; whether it is one of a shape.
    ///
    /// # Errors
    /// What is wrong with it, in English.
    pub(super) fn take(&mut self, name: &str, value: &str) -> Result<bool, String> {
        let new = match (name, value) {
            ("_summary", "true") => Self::Summary,
            ("_summary", "text") => Self::Text,
            ("_summary", "data") => Self::Data,
            ("_summary", "count") => Self::Count,
            ("_summary", "false") => Self::Whole,
            ("_summary", _) => return Err("_summary is true, text, data, count or false".to_owned()),
            // `Patient.name` is `name` where only patients are shown.
            ("_elements", _) => {
                let last = |one: &str| one.rsplit('.').next().unwrap_or_default().to_owned();
                Self::Elements(value.split(',').map(last).collect())
            }
            _ => return Ok(false),
        };
        if *self != Self::Whole && *self != new {
            return Err("one of _summary and _elements, and once".to_owned());
        }
        *self = new;
        Ok(true)
    }

    /// The shape of a read, whose query says nothing else that matters here.
    pub(super) fn of_read(query: &str) -> Result<Self, String> {
        let mut shape = Self::default();
        for (name, value) in super::pairs(query) {
            shape.take(&name, &value)?;
        }
        if shape == Self::Count {
            return Err("_summary=count is for searches".to_owned());
        }
        Ok(shape)
    }

    /// The body as it is shown.
    pub(super) fn shown(&self, body: Vec<u8>) -> Vec<u8> {
        if matches!(self, Self::Whole | Self::Count) {
            return body;
        }
        // What is stored was parsed before.
        parse(&body, Limits::default()).map_or(body, |tree| self.part(&tree))
    }

    fn part(&self, tree: &Tree) -> Vec<u8> {
        let kind = tree.get_str(NodeId::ROOT, "resourceType").unwrap_or_default();
        let mut part = Tree::new(Value::Object);
        for member in tree.children(NodeId::ROOT) {
            if self.keeps(kind, tree.name(member)) {
                part.copy_one(NodeId::ROOT, tree, member);
            }
        }
        subsetted(&mut part);
        compact(&part, NodeId::ROOT).into_bytes()
    }

    fn keeps(&self, kind: &str, member: &str) -> bool {
        // `_status` goes where `status` goes.
        let name = member.strip_prefix('_').unwrap_or(member);
        if matches!(name, "resourceType" | "id" | "meta") {
            return true;
        }
        let element = r4().type_named(kind).and_then(|kind| kind.element(name));
        let element = element.map(|found| found.element);
        // What must be there, and what changes the meaning of the rest.
        let must = element.is_some_and(|element| element.min() > 0 || element.is_modifier());
        match self {
            Self::Whole | Self::Count => true,
            Self::Summary => must || element.is_some_and(|element| element.is_summary()),
            Self::Text => must || name == "text",
            Self::Data => name != "text",
            Self::Elements(named) => {
                let choice = element.map(|element| element.name().trim_end_matches("[x]"));
                must || named.iter().any(|one| one == name || Some(one.as_str()) == choice)
            }
        }
    }
}

/// Says in the resource that it is a part of one.
fn subsetted(tree: &mut Tree) {
    let meta = match tree.get(NodeId::ROOT, "meta") {
        Some(meta) => meta,
        None => tree.member(NodeId::ROOT, "meta", Value::Object, OriginId::GENERATED),
    };
    let tags = match tree.get(meta, "tag") {
        Some(tags) => tags,
        None => tree.member(meta, "tag", Value::Array, OriginId::GENERATED),
    };
    let tag = tree.item(tags, Value::Object, OriginId::GENERATED);
    tree.member(tag, "system", Value::String(OBSERVATION_VALUE), OriginId::GENERATED);
    tree.member(tag, "code", Value::String("SUBSETTED"), OriginId::GENERATED);
}
