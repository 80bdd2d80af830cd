//! References within a transaction: whoever refers to an entry by its temporary `fullUrl` refers to its new id afterwards
//! (FHIR R4 HTTP 3.1.0.11.2).

use std::collections::HashMap;

use causeway_core::fhir::{NodeId, Tree, Value};
use causeway_core::origin::OriginId;

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
