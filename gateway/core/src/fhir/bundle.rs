//! A tree with its origins: what the chain calls a bundle. It is immutable once lifted.

use crate::ledger::LineageRecord;
use crate::origin::{OriginId, Origins};
use crate::{Finding, NodeId};

use super::{Kind, Tree};

/// An element that the message says to remove (HL7v2 `""`); nothing of it stands in the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The resource.
    pub resource: NodeId,
    /// Its top-level element.
    pub element: String,
    /// The row and place that say so.
    pub origin: OriginId,
}

/// FHIR JSON whose every node knows where it came from.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// The JSON.
    pub tree: Tree,
    /// Where its nodes came from.
    pub origins: Origins,
    /// What the message says to remove from what is stored.
    pub removed: Vec<Removal>,
}

impl Bundle {
    /// The resources of the bundle's entries with their nodes, in order.
    pub fn resources(&self) -> impl Iterator<Item = (&str, NodeId)> {
        let entries = self
            .tree
            .get(NodeId::ROOT, "entry")
            .into_iter()
            .flat_map(|entry| self.tree.children(entry));
        entries
            .filter_map(|entry| self.tree.get(entry, "resource"))
            .filter_map(|resource| Some((self.tree.get_str(resource, "resourceType")?, resource)))
    }

    /// The places that a node came from; those of the nearest holder when it has none of its own.
    pub fn places(&self, node: NodeId) -> Vec<String> {
        let mut at = Some(node);
        while let Some(node) = at {
            let places = self.origins.places(self.tree.origin(node));
            if !places.is_empty() {
                return places.iter().map(|place| self.origins.text(*place)).collect();
            }
            at = self.tree.parent(node);
        }
        Vec::new()
    }

    /// Fills in path and place of a finding that names a node.
    pub fn locate(&self, finding: &mut Finding) {
        let Some(node) = finding.node else { return };
        if finding.path.is_none() {
            finding.path = Some(self.tree.path(node));
        }
        if finding.place.is_none() {
            finding.place = self.places(node).into_iter().next();
        }
    }

    /// One lineage record a leaf.
    pub fn lineage(&self) -> Vec<LineageRecord> {
        let mut records = Vec::new();
        self.leaves(NodeId::ROOT, &mut records);
        records
    }

    fn leaves(&self, node: NodeId, records: &mut Vec<LineageRecord>) {
        if !matches!(self.tree.kind(node), Kind::Object | Kind::Array) {
            records.push(self.record(node));
        }
        for child in self.tree.children(node) {
            self.leaves(child, records);
        }
    }

    fn record(&self, node: NodeId) -> LineageRecord {
        let id = self.tree.origin(node);
        LineageRecord {
            path: self.tree.path(node),
            kind: self
                .origins
                .get(id)
                .map_or("generated", |origin| origin.kind.word())
                .to_owned(),
            from: self
                .origins
                .places(id)
                .iter()
                .map(|place| self.origins.text(*place))
                .collect(),
            map: self.origins.row_text(id),
        }
    }
}
