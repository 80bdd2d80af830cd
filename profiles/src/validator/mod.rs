//! Structure and cardinality of resources, judged by the element facts of R4: unknown elements, JSON kinds, how many,
//! the form of primitives, required codes, choices, what a reference may point to. Invariants, profiles and slices are
//! not judged here, and nothing is changed.
//!
//! The validator walks the tree once and allocates only for what it has to say and, where a resource refers to others,
//! for one index of those at hand.

mod codes;
mod context;
mod extension;
mod primitive;
mod references;
mod remark;
mod walk;
mod words;

#[cfg(test)]
mod tests;

use causeway_core::{Finding, NodeId, Tree};

use crate::definitions::{Definitions, r4};
use references::Index;
pub use remark::MOST_FINDINGS;
use remark::Remark;

/// What is wrong with the structure of a resource or Bundle. Findings name their node and its FHIRPath; the list ends
/// with `findings-cut` when there would be more than [`MOST_FINDINGS`].
pub fn validate(tree: &Tree) -> Vec<Finding> {
    validate_at(tree, NodeId::ROOT)
}

/// What is wrong with the structure of the resource at a node.
pub fn validate_at(tree: &Tree, resource: NodeId) -> Vec<Finding> {
    let mut validator = Validator {
        tree,
        defs: r4(),
        root: resource,
        index: None,
        findings: Vec::new(),
    };
    validator.resource(resource, 0);
    validator.findings
}

/// One walk over one tree.
struct Validator<'a> {
    tree: &'a Tree,
    defs: &'static Definitions,
    root: NodeId,
    /// The resources that can be referred to here; made when the first such reference is met.
    index: Option<Index<'a>>,
    findings: Vec<Finding>,
}

impl Validator<'_> {
    /// Keeps a remark, made into a finding.
    #[cold]
    fn say(&mut self, node: NodeId, remark: &Remark<'_>) {
        if self.findings.len() < MOST_FINDINGS {
            let finding = remark.finding(self.tree, node);
            self.findings.push(finding);
        } else if self.findings.len() == MOST_FINDINGS {
            self.findings.push(Remark::Cut.finding(self.tree, self.root));
        }
    }
}
