//! Copies what one tree holds into another, without the origins: whoever copies says where it came from.

use crate::origin::OriginId;

use super::{Kind, NodeId, Tree, Value};

impl Tree {
    /// Adds the members or items of a node of another tree to an object or array. The caller sees to it that names are
    /// new there. As deep as the other tree is, which parsing limits.
    pub fn copy(&mut self, into: NodeId, from: &Self, node: NodeId) {
        for child in from.children(node) {
            self.copy_one(into, from, child);
        }
    }

    /// Adds one member or item with all below it.
    pub fn copy_one(&mut self, into: NodeId, from: &Self, child: NodeId) {
        let value = from.value_of(child);
        let made = if self.kind(into) == Kind::Array {
            self.item(into, value, OriginId::GENERATED)
        } else {
            self.member(into, from.name(child), value, OriginId::GENERATED)
        };
        self.copy(made, from, child);
    }

    /// Puts a node of another tree in the place of one, with all below it.
    pub fn replace(&mut self, node: NodeId, from: &Self, by: NodeId) {
        self.set(node, from.value_of(by), OriginId::GENERATED);
        self.copy(node, from, by);
    }

    /// Whether two nodes say the same, to the digit and in the same order.
    pub fn same(&self, node: NodeId, other: &Self, there: NodeId) -> bool {
        let (mut mine, mut theirs) = (self.children(node), other.children(there));
        self.value_of(node) == other.value_of(there)
            && loop {
                match (mine.next(), theirs.next()) {
                    (None, None) => break true,
                    (Some(a), Some(b)) if self.name(a) == other.name(b) && self.same(a, other, b) => {}
                    _ => break false,
                }
            }
    }

    fn value_of(&self, node: NodeId) -> Value<'_> {
        match self.kind(node) {
            Kind::Null => Value::Null,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Number => Value::Number(self.text(node).unwrap_or("0")),
            Kind::String => Value::String(self.text(node).unwrap_or_default()),
            Kind::Object => Value::Object,
            Kind::Array => Value::Array,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, compact, parse};
    use super::*;

    #[test]
    fn a_copy_says_the_same_to_the_digit() {
        let text = r#"{"a":[1.50,{"b":null,"c":[true,"x"]}],"_a":{"d":1e2}}"#;
        let from = parse(text.as_bytes(), Limits::default()).unwrap();
        let mut to = Tree::new(Value::Object);
        to.copy(NodeId::ROOT, &from, NodeId::ROOT);
        assert_eq!(compact(&to, NodeId::ROOT), text);
        assert!(to.same(NodeId::ROOT, &from, NodeId::ROOT));
        let other = parse(text.replace("1.50", "1.5").as_bytes(), Limits::default()).unwrap();
        assert!(!to.same(NodeId::ROOT, &other, NodeId::ROOT));
        let a = to.get(NodeId::ROOT, "a").unwrap();
        to.replace(a, &other, other.get(NodeId::ROOT, "a").unwrap());
        assert!(to.same(NodeId::ROOT, &other, NodeId::ROOT));
    }
}
