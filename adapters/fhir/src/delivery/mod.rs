//! What another FHIR server is to get: a transaction (FHIR R4 HTTP 3.1.0.11.2) whose entries say the same however often they
//! are sent. A Patient, Practitioner, Organization, Encounter or Account that has an identifier is found by that, whatever
//! id it has there, and carries ours as a tag; what is known by more than one identifier (a report by filler number and
//! code) is written under our id, which follows from its key; a server that takes no ids of others gets that by its tag,
//! too. What is only mentioned, with no more than a reference needs, is created where it is missing and else left alone,
//! so that a short mention never replaces a full record. A `MessageHeader` says how it came and stays here. Who receives
//! it, and how, is not known here.

mod copy;
mod receiver;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use causeway_core::fhir::{NodeId, Tree, Value, compact};
use causeway_core::{Actor, ActorKind, Class, Finding, Parcel, Parsed, Severity, Text, id};

use crate::build::{array, item, object, text};
use crate::names::{is_id, is_type_name};
use crate::part::entries;
use crate::problem::problem;
use copy::{Addresses, Target};
use receiver::{Way, identifier, tagged};

/// One entry of what is delivered.
struct Item<'a> {
    /// The resource; nothing for what is to be deleted.
    resource: Option<NodeId>,
    kind: &'a str,
    id: String,
    /// Its address in the transaction.
    full: String,
    way: Way,
}

impl Item<'_> {
    /// What two entries would both write if they have the same.
    fn written(&self) -> String {
        match &self.way {
            Way::Update(condition) | Way::Mention(condition) => format!("{}?{condition}", self.kind),
            Way::Sender(_) | Way::Ours | Way::Tag => format!("{}/{}", self.kind, self.id),
        }
    }
}

/// Whether a receiver finds resources of a type by an identifier, whatever id they have there; so who refers to one has to
/// bring it along.
pub fn is_found_by_identifier(kind: &str) -> bool {
    identifier::of(kind).is_some()
}

/// What another FHIR server is to get of a part: a transaction that may be sent again. Without `client_ids` that server
/// gives ids of its own to everything, and finds what it has by the tag `urn:causeway:id|ID`. No value where the part holds
/// no resource.
pub fn transaction(parcel: &Parcel<'_>, client_ids: bool) -> Parsed<Vec<u8>> {
    let from = &parcel.bundle.tree;
    let hash = OnceCell::new();
    let hash = || *hash.get_or_init(|| parcel.frame.hash());
    let mut addresses = Addresses::new(client_ids);
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut findings = Vec::new();
    let mut known = HashMap::new();
    for (number, entry) in (0u64..).zip(entries(from)) {
        let Some(item) = read(from, entry, (number, &hash), client_ids) else {
            header(from, entry, &mut addresses);
            continue;
        };
        let full = unite(&mut items, &mut known, item, &mut findings);
        name(from, entry, &full, &mut addresses);
    }
    if items.is_empty() {
        return Parsed::failed(problem(
            "nothing-to-deliver",
            Class::Structure,
            "没有可发送的资源",
            "there is no resource to be sent",
        ));
    }
    Parsed {
        value: Some(written(from, &items, &addresses)),
        findings,
    }
}

/// What an entry asks to be written, or says. A resource without an id of its own has one by the frame and its number.
fn read<'a>(
    tree: &'a Tree,
    entry: NodeId,
    (number, hash): (u64, &dyn Fn() -> [u8; 32]),
    client_ids: bool,
) -> Option<Item<'a>> {
    let request = tree.get(entry, "request");
    let asked = |name| request.and_then(|request| tree.get_str(request, name));
    let Some(resource) = tree.get(entry, "resource") else {
        return asked("url")
            .filter(|_| asked("method") == Some("DELETE"))
            .and_then(deleted);
    };
    let kind = tree
        .get_str(resource, "resourceType")
        .filter(|kind| is_type_name(kind))?;
    if kind == "MessageHeader" {
        return None;
    }
    let said = tree.get_str(resource, "id").filter(|id| is_id(id));
    let id = said.map_or_else(|| id::unkeyed(&hash(), kind, number).to_string(), str::to_owned);
    let full = tree.get_str(entry, "fullUrl").filter(|full| is_uuid(full));
    let named = || format!("urn:uuid:{}", id::resource(&id::ROOT, kind, &id));
    let sender = asked("ifNoneExist").filter(|_| asked("method") == Some("POST"));
    Some(Item {
        resource: Some(resource),
        kind,
        full: full.map_or_else(named, str::to_owned),
        way: Way::of(tree, resource, kind, sender, client_ids),
        id,
    })
}

/// What is to be deleted. A condition was settled when the part was decided, so that the id is known.
fn deleted(url: &str) -> Option<Item<'_>> {
    let place = url.split('?').next()?;
    let (kind, id) = place.split_once('/')?;
    (is_type_name(kind) && is_id(id)).then(|| Item {
        resource: None,
        kind,
        id: id.to_owned(),
        full: String::new(),
        way: Way::Ours,
    })
}

/// Whether a text is the URN of a UUID (RFC 9562 4), which every server takes for a temporary address.
fn is_uuid(text: &str) -> bool {
    let digits = text.strip_prefix("urn:uuid:").unwrap_or_default();
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    digits.len() == 36 && digits.bytes().enumerate().all(fits)
}

/// Adds an entry, or finds the one that writes the same already: two of one identifier are one resource there, and a
/// transaction that writes it twice is refused. The address of the one that stays.
fn unite<'a>(
    items: &mut Vec<Item<'a>>,
    known: &mut HashMap<String, usize>,
    item: Item<'a>,
    findings: &mut Vec<Finding>,
) -> String {
    let full = item.full.clone();
    let at = match known.entry(item.written()) {
        Slot::Vacant(slot) => {
            slot.insert(items.len());
            items.push(item);
            return full;
        }
        Slot::Occupied(slot) => *slot.get(),
    };
    let Some(there) = items.get_mut(at) else { return full };
    findings.push(united(item.kind));
    if matches!(there.way, Way::Mention(_)) && !matches!(item.way, Way::Mention(_)) {
        there.resource = item.resource;
        there.way = item.way;
    }
    there.full.clone()
}

fn united(kind: &str) -> Finding {
    Finding::new(
        "same-resource",
        Severity::Warning,
        Class::Duplicate,
        Actor::new(ActorKind::Gateway, "fhir"),
        Text::new(
            format!("两个 {kind} 的标识相同，对接收方是同一资源，只发送其一"),
            format!("two of {kind} have one identifier and are one resource to the receiver; one is sent"),
        ),
    )
}

/// Notes under which names an entry is referred to.
fn name(from: &Tree, entry: NodeId, full: &str, addresses: &mut Addresses) {
    let Some(resource) = from.get(entry, "resource") else {
        return;
    };
    let place = from.get_str(resource, "resourceType").zip(from.get_str(resource, "id"));
    let place = place.map(|(kind, id)| format!("{kind}/{id}"));
    let said = from.get_str(entry, "fullUrl").map(str::to_owned);
    for known in said.into_iter().chain(place) {
        addresses.add(known, Target::Entry(full.to_owned()));
    }
}

/// Notes the header that stays here: who refers to it names the message by its own identifier.
fn header(from: &Tree, entry: NodeId, addresses: &mut Addresses) {
    let resource = from.get(entry, "resource");
    let kind = resource.and_then(|resource| from.get_str(resource, "resourceType"));
    let kind = kind.filter(|kind| *kind == "MessageHeader");
    let (Some(full), Some(kind)) = (from.get_str(entry, "fullUrl"), kind) else {
        return;
    };
    let message = from.get(NodeId::ROOT, "identifier");
    let said = |name| message.and_then(|message| from.get_str(message, name));
    let (system, value) = said("value").map_or(("urn:ietf:rfc:3986", full), |value| {
        (said("system").unwrap_or_default(), value)
    });
    let target = Target::elsewhere(kind, system, value);
    addresses.add(full.to_owned(), target);
}

fn written(from: &Tree, items: &[Item<'_>], addresses: &Addresses) -> Vec<u8> {
    let mut to = Tree::new(Value::Object);
    text(&mut to, NodeId::ROOT, "resourceType", "Bundle");
    if let Some(identifier) = from.get(NodeId::ROOT, "identifier") {
        to.copy_one(NodeId::ROOT, from, identifier);
    }
    text(&mut to, NodeId::ROOT, "type", "transaction");
    let list = array(&mut to, NodeId::ROOT, "entry");
    for item in items {
        write(&mut to, list, from, item, addresses);
    }
    compact(&to, NodeId::ROOT).into_bytes()
}

fn write(to: &mut Tree, list: NodeId, from: &Tree, one: &Item<'_>, addresses: &Addresses) {
    let entry = item(to, list);
    let (kind, place) = (one.kind, format!("{}/{}", one.kind, one.id));
    let Some(resource) = one.resource else {
        // What has an identifier was written by that and has another id there.
        let url = if addresses.client_ids && identifier::of(kind).is_none() {
            place
        } else {
            tagged(kind, &one.id)
        };
        request(to, entry, "DELETE", &url);
        return;
    };
    text(to, entry, "fullUrl", &one.full);
    let into = object(to, entry, "resource");
    let id = (one.id.as_str(), matches!(one.way, Way::Ours));
    copy::resource(to, into, from, resource, id, addresses);
    match &one.way {
        Way::Update(condition) => drop(request(to, entry, "PUT", &format!("{kind}?{condition}"))),
        Way::Mention(condition) | Way::Sender(condition) => {
            let request = request(to, entry, "POST", kind);
            text(to, request, "ifNoneExist", condition);
        }
        Way::Tag => drop(request(to, entry, "PUT", &tagged(kind, &one.id))),
        Way::Ours => drop(request(to, entry, "PUT", &place)),
    }
}

fn request(to: &mut Tree, entry: NodeId, method: &str, url: &str) -> NodeId {
    let request = object(to, entry, "request");
    text(to, request, "method", method);
    text(to, request, "url", url);
    request
}
