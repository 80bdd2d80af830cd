//! Small steps in building JSON: a member with a text, an object in an array.

use causeway_core::fhir::{NodeId, Tree, Value};
use causeway_core::origin::OriginId;

const MADE: OriginId = OriginId::GENERATED;

/// A member that is a string.
pub(crate) fn text(tree: &mut Tree, object: NodeId, name: &str, text: &str) -> NodeId {
    tree.member(object, name, Value::String(text), MADE)
}

/// A member that is an object.
pub(crate) fn object(tree: &mut Tree, parent: NodeId, name: &str) -> NodeId {
    tree.member(parent, name, Value::Object, MADE)
}

/// A member that is an array.
pub(crate) fn array(tree: &mut Tree, parent: NodeId, name: &str) -> NodeId {
    tree.member(parent, name, Value::Array, MADE)
}

/// An object at the end of an array.
pub(crate) fn item(tree: &mut Tree, array: NodeId) -> NodeId {
    tree.item(array, Value::Object, MADE)
}

/// Sets a member that is a string, where it stands or at the end.
pub(crate) fn set_text(tree: &mut Tree, object: NodeId, name: &str, value: &str) {
    match tree.get(object, name) {
        Some(member) => tree.set(member, Value::String(value), MADE),
        None => drop(text(tree, object, name, value)),
    }
}
