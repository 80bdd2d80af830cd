//! Resources as they leave: without what the receiver gives itself (id, version, time of change), and with references that
//! mean the same there as here. Who is in the transaction is referred to by its address in it, so that the receiver puts in
//! what it found or made; who is not, by what names it anywhere, since an id of ours may be another patient's there.

use std::collections::HashMap;

use causeway_core::fhir::{Kind, NodeId, Tree, Value};
use causeway_core::origin::OriginId;

use super::receiver::{OUR_IDS, identifier};
use crate::build::{array, item, object, text};
use crate::names::{is_id, is_type_name};

/// Identifiers that are URIs (FHIR R4 datatypes, Identifier).
const URIS: &str = "urn:ietf:rfc:3986";

/// Whom a reference means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// An entry of the transaction, by its address.
    Entry(String),
    /// Somebody who is not in it: type, system and value of an identifier.
    Elsewhere(Option<String>, String, String),
}

impl Target {
    pub(super) fn elsewhere(kind: &str, system: &str, value: &str) -> Self {
        let kind = (!kind.is_empty()).then(|| kind.to_owned());
        Self::Elsewhere(kind, system.to_owned(), value.to_owned())
    }
}

/// Whom references mean.
#[derive(Debug)]
pub(super) struct Addresses {
    /// Whether the receiver takes our ids.
    pub(super) client_ids: bool,
    known: HashMap<String, Target>,
}

impl Addresses {
    pub(super) fn new(client_ids: bool) -> Self {
        Self {
            client_ids,
            known: HashMap::new(),
        }
    }

    /// Notes whom a name means; the first to have it keeps it.
    pub(super) fn add(&mut self, name: String, target: Target) {
        self.known.entry(name).or_insert(target);
    }

    /// Whom a reference means; nothing for one that means the same everywhere, or under our ids.
    fn target(&self, reference: &str) -> Option<Target> {
        let plain = reference.split("/_history/").next().unwrap_or(reference);
        if let Some(target) = self.known.get(reference).or_else(|| self.known.get(plain)) {
            return Some(target.clone());
        }
        if plain.starts_with("urn:") {
            return Some(Target::elsewhere("", URIS, plain));
        }
        let (kind, id) = plain
            .split_once('/')
            .filter(|(kind, id)| is_type_name(kind) && is_id(id))?;
        let kept = self.client_ids && identifier::of(kind).is_none();
        (!kept).then(|| Target::elsewhere(kind, OUR_IDS, id))
    }
}

/// Copies a resource into an empty object, under its id where it keeps that, else with it as a tag.
pub(super) fn resource(
    to: &mut Tree,
    into: NodeId,
    from: &Tree,
    resource: NodeId,
    (id, keeps): (&str, bool),
    addresses: &Addresses,
) {
    if let Some(kind) = from.get_str(resource, "resourceType") {
        text(to, into, "resourceType", kind);
    }
    if keeps {
        text(to, into, "id", id);
    }
    meta(to, into, from, from.get(resource, "meta"), (!keeps).then_some(id));
    for member in from.children(resource) {
        if !matches!(from.name(member), "resourceType" | "id" | "_id" | "meta") {
            one(to, into, from, member, addresses);
        }
    }
}

/// The metadata that is the sender's, and the tag.
fn meta(to: &mut Tree, into: NodeId, from: &Tree, meta: Option<NodeId>, tag: Option<&str>) {
    let meta = meta.filter(|meta| from.kind(*meta) == Kind::Object);
    let said: Vec<NodeId> = meta.map(|meta| from.children(meta).collect()).unwrap_or_default();
    let given = |member: &NodeId| matches!(from.name(*member), "versionId" | "lastUpdated");
    let said: Vec<NodeId> = said.into_iter().filter(|member| !given(member)).collect();
    if said.is_empty() && tag.is_none() {
        return;
    }
    let made = object(to, into, "meta");
    for member in said {
        to.copy_one(made, from, member);
    }
    let Some(id) = tag else { return };
    let tags = match to.get(made, "tag") {
        Some(tags) if to.kind(tags) == Kind::Array => tags,
        _ => array(to, made, "tag"),
    };
    let tag = item(to, tags);
    text(to, tag, "system", OUR_IDS);
    text(to, tag, "code", id);
}

/// Copies a member or item with all below it. As deep as what was read, which parsing limits.
fn one(to: &mut Tree, into: NodeId, from: &Tree, member: NodeId, addresses: &Addresses) {
    let value = match from.kind(member) {
        Kind::Object => Value::Object,
        Kind::Array => Value::Array,
        _ => return to.copy_one(into, from, member),
    };
    let made = if to.kind(into) == Kind::Array {
        to.item(into, value, OriginId::GENERATED)
    } else {
        to.member(into, from.name(member), value, OriginId::GENERATED)
    };
    match from
        .get_str(member, "reference")
        .and_then(|said| addresses.target(said))
    {
        Some(target) => reference(to, made, from, member, &target),
        None => {
            for child in from.children(member) {
                one(to, made, from, child, addresses);
            }
        }
    }
}

/// A reference with whom it means; what else it says of that one stays.
fn reference(to: &mut Tree, into: NodeId, from: &Tree, said: NodeId, target: &Target) {
    if let Target::Entry(full) = target {
        text(to, into, "reference", full);
    }
    for member in from.children(said) {
        if !matches!(from.name(member), "reference" | "_reference") {
            to.copy_one(into, from, member);
        }
    }
    let Target::Elsewhere(kind, system, value) = target else {
        return;
    };
    if let Some(kind) = kind
        && from.get(said, "type").is_none()
    {
        text(to, into, "type", kind);
    }
    if from.get(said, "identifier").is_none() {
        let identifier = object(to, into, "identifier");
        if !system.is_empty() {
            text(to, identifier, "system", system);
        }
        text(to, identifier, "value", value);
    }
}
