//! References within a transaction: whoever refers to an entry by its temporary `fullUrl` refers to its new id afterwards
//! (FHIR R4 HTTP 3.1.0.11.2).

use std::collections::HashMap;

use causeway_core::answer::Applied;
use causeway_core::fhir::{NodeId, Tree, Value};
use causeway_core::origin::OriginId;

use crate::build::set_text;
use crate::part::entries;

/// Whether a condition found a resource under another id than the Bundle gives it.
pub fn is_elsewhere(tree: &Tree, applied: &[Applied]) -> bool {
    let entries = entries(tree);
    applied.iter().any(|applied| moved(tree, &entries, applied).is_some())
}

/// What references within a Bundle mean where a condition found a resource under another id than the Bundle gives it: the
/// place there and the place found.
pub fn moves(tree: &Tree, applied: &[Applied]) -> HashMap<String, String> {
    let entries = entries(tree);
    let moved = applied.iter().filter_map(|applied| {
        let (_, before) = moved(tree, &entries, applied)?;
        Some((before, place(applied)))
    });
    moved.collect()
}

/// Names what conditions found by the ids that were found, in requests, resources and references to them (FHIR R4 HTTP
/// 3.1.0.11.2).
pub fn settle(tree: &mut Tree, applied: &[Applied]) {
    let names = moves(tree, applied);
    let entries = entries(tree);
    for applied in applied {
        let Some((entry, _)) = moved(tree, &entries, applied) else {
            continue;
        };
        if let Some(request) = tree.get(entry, "request") {
            set_text(tree, request, "url", &place(applied));
        }
        if let Some(resource) = tree.get(entry, "resource") {
            set_text(tree, resource, "id", &applied.id);
        }
    }
    rewrite(tree, &names);
}

fn place(applied: &Applied) -> String {
    format!("{}/{}", applied.kind, applied.id)
}

/// The entry of what was found elsewhere, and where it would have been.
fn moved(tree: &Tree, entries: &[NodeId], applied: &Applied) -> Option<(NodeId, String)> {
    let entry = *entries.get(applied.entry as usize)?;
    let resource = tree.get(entry, "resource");
    let before = resource.and_then(|resource| tree.get_str(resource, "id"));
    if before == Some(&applied.id) {
        return None;
    }
    let url = tree.get_str(tree.get(entry, "request")?, "url")?;
    let place = format!("{}/{}", applied.kind, before.unwrap_or_default());
    // What is deleted brings no id; only a condition leaves it open.
    (before.is_some() || url.contains('?')).then_some((entry, place))
}

/// Rewrites every `reference` that names one of these temporary addresses.
pub(crate) fn rewrite(tree: &mut Tree, names: &HashMap<String, String>) {
    if names.is_empty() {
        return;
    }
    let mut found = Vec::new();
    collect(tree, NodeId::ROOT, names, &mut found);
    for (node, new) in found {
        tree.set(node, Value::String(&new), OriginId::GENERATED);
    }
}

fn collect(tree: &Tree, node: NodeId, names: &HashMap<String, String>, found: &mut Vec<(NodeId, String)>) {
    for child in tree.children(node) {
        let new = tree
            .str(child)
            .filter(|_| tree.name(child) == "reference")
            .and_then(|text| names.get(text));
        found.extend(new.map(|new| (child, new.clone())));
        collect(tree, child, names, found);
    }
}
