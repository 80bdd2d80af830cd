//! Names a node by FHIRPath from the root: `Bundle.entry[3].resource.valueQuantity.value`. The path starts with the
//! root's resource type.

use super::{Kind, NodeId, Tree};

impl Tree {
    /// FHIRPath of a node.
    pub fn path(&self, node: NodeId) -> String {
        let mut steps = Vec::new();
        let mut at = node;
        while let Some(parent) = self.parent(at) {
            steps.push(self.step(parent, at));
            at = parent;
        }
        let mut path = self.get_str(NodeId::ROOT, "resourceType").unwrap_or("$this").to_owned();
        path.extend(steps.into_iter().rev());
        path
    }

    fn step(&self, parent: NodeId, node: NodeId) -> String {
        if self.kind(parent) == Kind::Array {
            let index = self.children(parent).take_while(|child| *child != node).count();
            return format!("[{index}]");
        }
        format!(".{}", self.name(node))
    }
}
