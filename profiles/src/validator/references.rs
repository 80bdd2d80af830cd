//! What a Reference may point to, by the type in its text or by the resource it names in the Bundle or the resource.

use causeway_core::fhir::Kind;
use causeway_core::{NodeId, Tree};

use crate::definitions::TypeKind;

use super::walk::Member;
use super::{Remark, Validator};

/// What is known of the resource that a reference names.
enum Target<'a> {
    /// Its type.
    Type(&'a str),
    /// It should be at hand and is not.
    Missing,
    /// It is elsewhere, and its type is not said.
    Elsewhere,
}

impl<'a> Validator<'a> {
    /// A Reference: its target is one that the element takes, and is there if it should be.
    pub(super) fn reference(&mut self, member: Member) {
        let tree = self.tree;
        self.named_type(member);
        let Some(node) = tree.get(member.node, "reference") else {
            return;
        };
        let Some(reference) = tree.str(node).filter(|text| !text.is_empty()) else {
            return;
        };
        if reference.bytes().any(|byte| byte <= b' ') {
            return self.say(node, &Remark::Reference { reference });
        }
        match self.target(member.node, reference) {
            Target::Type(found) => self.may_target(member, node, found),
            Target::Missing => self.say(node, &Remark::Unresolved { reference }),
            Target::Elsewhere => {}
        }
    }

    /// `type` names the target where the reference does not; an address that is not R4's is somebody else's type.
    fn named_type(&mut self, member: Member) {
        let tree = self.tree;
        if let Some(node) = tree.get(member.node, "type")
            && let Some(found) = tree.str(node).filter(|name| !name.is_empty() && !name.contains(':'))
        {
            self.may_target(member, node, found);
        }
    }

    fn may_target(&mut self, member: Member, node: NodeId, found: &str) {
        let Some(kind) = member.kind else { return };
        let allowed = kind.targets.as_slice();
        let any = allowed.is_empty() || allowed == ["Resource"];
        let may = if any {
            self.defs.tables().type_named(found).is_some()
        } else {
            allowed.contains(&found)
        };
        if !may {
            self.say(node, &Remark::Target { found, allowed });
        }
    }

    fn target(&mut self, node: NodeId, reference: &'a str) -> Target<'a> {
        if let Some(id) = reference.strip_prefix('#') {
            return self.contained(node, id);
        }
        if reference.starts_with("urn:") {
            return self.in_bundle(reference);
        }
        let name = type_in(reference);
        match self.defs.tables().type_named(name) {
            Some(row) if row.kind == TypeKind::Resource => Target::Type(row.name),
            // An address may be of any form, but `TYPE/ID` may not.
            _ if reference.contains(':') || name.is_empty() => Target::Elsewhere,
            _ => Target::Type(name),
        }
    }

    /// `#id` names a resource contained in the same outermost resource, and `#` that resource itself.
    fn contained(&self, node: NodeId, id: &str) -> Target<'a> {
        let tree = self.tree;
        let mut outer = None;
        let mut at = Some(node);
        while let Some(here) = at {
            let is_entry = tree.name(here) == "resource" || Some(here) == Some(self.root);
            if is_entry && tree.kind(here) == Kind::Object && tree.get(here, "resourceType").is_some() {
                outer = Some(here);
                break;
            }
            at = tree.parent(here);
        }
        let Some(outer) = outer else { return Target::Elsewhere };
        if id.is_empty() {
            return self.type_of(outer);
        }
        let list = tree
            .get(outer, "contained")
            .into_iter()
            .flat_map(|list| tree.children(list));
        let found = list
            .into_iter()
            .find(|resource| tree.get_str(*resource, "id") == Some(id));
        found.map_or(Target::Missing, |resource| self.type_of(resource))
    }

    fn type_of(&self, resource: NodeId) -> Target<'a> {
        self.tree
            .get_str(resource, "resourceType")
            .map_or(Target::Elsewhere, Target::Type)
    }

    /// A URN names the entry of that `fullUrl`. Outside a Bundle there is nothing to look in.
    fn in_bundle(&mut self, reference: &str) -> Target<'a> {
        if self.tree.get_str(NodeId::ROOT, "resourceType") != Some("Bundle") {
            return Target::Elsewhere;
        }
        let tree = self.tree;
        let index = self.index.get_or_insert_with(|| Index::of(tree));
        index.find(reference)
    }
}

/// What stands where the type does: `TYPE/ID`, `TYPE/ID/_history/VERSION`, `TYPE?SEARCH`, all behind a base or not.
fn type_in(reference: &str) -> &str {
    let (path, is_search) = match reference.split_once('?') {
        Some((path, _)) => (path, true),
        None => (reference.split('#').next().unwrap_or(reference), false),
    };
    let mut segments = path.rsplit('/');
    let last = segments.next().unwrap_or("");
    let before = segments.next().unwrap_or("");
    match before {
        _ if is_search => last,
        "_history" => segments.nth(1).unwrap_or(""),
        before => before,
    }
}

/// The entries of a Bundle that hold a resource, by `fullUrl`.
pub(super) struct Index<'a> {
    /// Sorted by hash.
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    hash: u64,
    url: &'a str,
    resource_type: Option<&'a str>,
}

impl<'a> Index<'a> {
    fn of(tree: &'a Tree) -> Self {
        let entries = tree
            .get(NodeId::ROOT, "entry")
            .into_iter()
            .flat_map(|list| tree.children(list));
        let mut entries: Vec<_> = entries.filter_map(|entry| Entry::of(tree, entry)).collect();
        entries.sort_by_key(|entry| entry.hash);
        Self { entries }
    }

    fn find(&self, url: &str) -> Target<'a> {
        let hash = hash(url);
        let from = self.entries.partition_point(|entry| entry.hash < hash);
        let equal = self.entries.get(from..).unwrap_or_default();
        let mut equal = equal.iter().take_while(|entry| entry.hash == hash);
        equal.find(|entry| entry.url == url).map_or(Target::Missing, |entry| {
            entry.resource_type.map_or(Target::Elsewhere, Target::Type)
        })
    }
}

impl<'a> Entry<'a> {
    fn of(tree: &'a Tree, entry: NodeId) -> Option<Self> {
        let url = tree.get_str(entry, "fullUrl")?;
        let resource = tree.get(entry, "resource")?;
        Some(Self {
            hash: hash(url),
            url,
            resource_type: tree.get_str(resource, "resourceType"),
        })
    }
}

/// Eight bytes a step. Equal hashes are told apart by the text, so a sender who makes them gains nothing but his own delay.
fn hash(text: &str) -> u64 {
    // An odd number with well spread bits: 2^64 divided by the golden ratio.
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(29) ^ word).wrapping_mul(SPREAD);
    let (words, rest) = text.as_bytes().as_chunks();
    let hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    mix(
        hash,
        rest.iter()
            .fold(text.len() as u64, |word, byte| word << 8 | u64::from(*byte)),
    )
}
