//! What a message says of a resource, laid over what is known (DESIGN decision 8): elements that it states replace, absent
//! ones stay, removed ones go, identifiers unite. An older statement never overwrites a newer one. What says nothing new
//! makes no version.

use std::collections::HashMap;

use causeway_core::answer::{Applied, Effect};
use causeway_core::fhir::{Limits, NodeId, Tree, Value, parse};
use causeway_core::origin::OriginId;
use rusqlite::Connection;

use super::params::Values;
use super::write::{self, New, Stored};

/// A message's statements.
#[derive(Debug)]
pub(super) struct Statements<'a> {
    pub(super) tree: &'a Tree,
    /// `Type/id` and element of what is to be removed.
    pub(super) removed: &'a [(String, String)],
    /// When it was stated, microseconds since 1970.
    pub(super) stated: Option<i64>,
    /// When it was answered, milliseconds since 1970.
    pub(super) time: i64,
}

/// Applies every resource of a message; its header says nothing that stays.
pub(super) fn apply(connection: &Connection, statements: &Statements<'_>) -> anyhow::Result<()> {
    let tree = statements.tree;
    let entries = tree.get(NodeId::ROOT, "entry");
    let entries: Vec<NodeId> = entries.map(|entry| tree.children(entry).collect()).unwrap_or_default();
    let mut names = HashMap::new();
    let mut resources = Vec::new();
    for entry in entries {
        let Some(resource) = tree.get(entry, "resource") else {
            continue;
        };
        let (Some(kind), Some(id)) = (tree.get_str(resource, "resourceType"), tree.get_str(resource, "id")) else {
            continue;
        };
        if let Some(full) = tree.get_str(entry, "fullUrl") {
            names.insert(full, format!("{kind}/{id}"));
        }
        if kind != "MessageHeader" {
            resources.push((kind, id, resource));
        }
    }
    for (kind, id, resource) in resources {
        let before = write::current(connection, kind, id)?;
        if before.as_ref().is_some_and(|before| keeps(before, statements.stated)) {
            continue;
        }
        let mut new = Tree::new(Value::Object);
        new.copy(NodeId::ROOT, tree, resource);
        rename(&mut new, NodeId::ROOT, &names);
        one(connection, statements, kind, id, before.as_ref(), new)?;
    }
    Ok(())
}

/// Whether what is known stays as it is: it was written over HTTP, or stated later.
fn keeps(before: &Stored, stated: Option<i64>) -> bool {
    let newer = before.stated.zip(stated).is_some_and(|(before, now)| before > now);
    before.own || newer
}

fn one(
    connection: &Connection,
    statements: &Statements<'_>,
    kind: &str,
    id: &str,
    before: Option<&Stored>,
    mut new: Tree,
) -> anyhow::Result<()> {
    if let Some(before) = before {
        let old = parse(&before.body, Limits::default())?;
        let name = format!("{kind}/{id}");
        let removed = statements.removed.iter().filter(|(of, _)| *of == name);
        let removed: Vec<&str> = removed.map(|(_, element)| element.as_str()).collect();
        let merged = merge(&old, &new, &removed);
        if says_the_same(&old, &merged) {
            return Ok(());
        }
        new = merged;
    }
    let version = before.map_or(1, |before| before.version + 1);
    let time = before.map_or(statements.time, |before| {
        statements.time.max(before.updated / 1_000 + 1)
    });
    let applied = Applied {
        entry: 0,
        kind: kind.to_owned(),
        id: id.to_owned(),
        version,
        updated: jiff::Timestamp::from_millisecond(time)?,
        effect: Effect::Updated,
    };
    let body = causeway_fhir::representation(&new, NodeId::ROOT, &applied);
    let written = New {
        kind,
        id,
        version,
        updated: time * 1_000,
        stated: statements.stated,
        own: false,
        deleted: false,
        body: &body,
    };
    let values = Values::of(kind, &new, NodeId::ROOT);
    Ok(write::put(connection, before, &written, &values)?)
}

/// References by address within the Bundle become references by type and id.
fn rename(tree: &mut Tree, node: NodeId, names: &HashMap<&str, String>) {
    let children: Vec<NodeId> = tree.children(node).collect();
    for child in children {
        let reference = tree.str(child).filter(|_| tree.name(child) == "reference");
        match reference.and_then(|text| names.get(text)) {
            Some(name) => tree.set(child, Value::String(name), OriginId::GENERATED),
            None => rename(tree, child, names),
        }
    }
}

/// The older members in their order, each replaced where the newer says it; then what is new.
fn merge(old: &Tree, new: &Tree, removed: &[&str]) -> Tree {
    let mut merged = Tree::new(Value::Object);
    let root = NodeId::ROOT;
    for member in old.children(root) {
        let name = old.name(member);
        match new.get(root, name) {
            Some(stated) if name == "identifier" => unite(&mut merged, (old, member), (new, stated)),
            Some(stated) => merged.copy_one(root, new, stated),
            None if removed.contains(&name) => {}
            None => merged.copy_one(root, old, member),
        }
    }
    for member in new.children(root) {
        if old.get(root, new.name(member)).is_none() {
            merged.copy_one(root, new, member);
        }
    }
    merged
}

/// Identifiers unite by system and value; one that both have is as the newer says.
fn unite(merged: &mut Tree, (old, before): (&Tree, NodeId), (new, stated): (&Tree, NodeId)) {
    let all = merged.member(NodeId::ROOT, "identifier", Value::Array, OriginId::GENERATED);
    let key = |tree: &Tree, node| {
        let text = |name| tree.get_str(node, name).map(str::to_owned);
        (text("system"), text("value"))
    };
    let mut rest: Vec<NodeId> = new.children(stated).collect();
    for node in old.children(before) {
        match rest.iter().position(|other| key(new, *other) == key(old, node)) {
            Some(at) => merged.copy_one(all, new, rest.remove(at)),
            None => merged.copy_one(all, old, node),
        }
    }
    for node in rest {
        merged.copy_one(all, new, node);
    }
}

/// Whether two versions say the same, `meta` apart.
fn says_the_same(old: &Tree, merged: &Tree) -> bool {
    let members = |tree: &Tree| -> Vec<NodeId> {
        let all = tree.children(NodeId::ROOT);
        all.filter(|member| tree.name(*member) != "meta").collect()
    };
    let (old_members, members) = (members(old), members(merged));
    old_members.len() == members.len()
        && old_members
            .iter()
            .zip(&members)
            .all(|(a, b)| old.name(*a) == merged.name(*b) && old.same(*a, merged, *b))
}

#[cfg(test)]
mod tests {
    use causeway_core::fhir::compact;

    use super::*;

    fn tree(text: &str) -> Tree {
        parse(text.as_bytes(), Limits::default()).unwrap()
    }

    fn merged(old: &str, new: &str, removed: &[&str]) -> String {
        compact(&merge(&tree(old), &tree(new), removed), NodeId::ROOT)
    }

    #[test]
    fn stated_elements_replace_absent_ones_stay_and_identifiers_unite() {
        let old = r#"{"id":"1","identifier":[{"system":"a","value":"1"},{"system":"b","value":"2"}],"name":[{"text":"x"}],"gender":"male"}"#;
        let new = r#"{"id":"1","identifier":[{"system":"b","value":"2","use":"old"},{"value":"3"}],"name":[{"text":"y"}],"birthDate":"1979"}"#;
        assert_eq!(
            merged(old, new, &["gender"]),
            r#"{"id":"1","identifier":[{"system":"a","value":"1"},{"system":"b","value":"2","use":"old"},{"value":"3"}],"name":[{"text":"y"}],"birthDate":"1979"}"#
        );
    }

    #[test]
    fn what_says_nothing_new_is_the_same_but_for_meta() {
        let old = tree(r#"{"id":"1","meta":{"versionId":"3"},"value":1.0}"#);
        assert!(says_the_same(&old, &tree(r#"{"id":"1","value":1.0}"#)));
        assert!(!says_the_same(&old, &tree(r#"{"id":"1","value":1.00}"#)));
    }
}
