//! Primitive values, and the `_name` members that hold their ids and extensions (R4 2.6.2.3).

use causeway_core::NodeId;
use causeway_core::fhir::Kind;

use crate::primitive::{JsonForm, Primitive};

use super::walk::Member;
use super::{Remark, Validator};

impl Validator<'_> {
    /// A primitive value: its JSON kind, its form, its code.
    pub(super) fn primitive(&mut self, member: Member, primitive: Primitive, name: &str) {
        let tree = self.tree;
        let node = member.node;
        match (primitive.form(), tree.kind(node)) {
            (JsonForm::String, Kind::String) | (JsonForm::Number, Kind::Number) => {}
            (JsonForm::Boolean, Kind::True | Kind::False) => return,
            (_, Kind::Null) => return self.say(node, &Remark::Null),
            (form, _) => {
                return self.say(
                    node,
                    &Remark::WrongJson {
                        expected: form_text(form),
                    },
                );
            }
        }
        let text = tree.text(node).unwrap_or("");
        if text.is_empty() {
            self.say(node, &Remark::EmptyString);
        } else if !primitive.accepts(text) {
            self.say(node, &Remark::Primitive { kind: name, text });
        } else if let Some(binding) = &member.row.binding {
            self.code(node, text, binding);
        }
    }

    /// `null` among values stands where the other array has an extension.
    #[cold]
    pub(super) fn null_item(&mut self, member: Member, item: NodeId, at: u32) {
        let name = self.tree.name(member.node);
        let is_other = |node: &NodeId| self.tree.name(*node).strip_prefix('_') == Some(name);
        let other = self.tree.children(member.holder).find(is_other);
        let twin = other.and_then(|other| self.tree.children(other).nth(at as usize));
        if twin.is_none_or(|twin| self.tree.kind(twin) != Kind::Object) {
            self.say(item, &Remark::Null);
        }
    }

    /// The member `_name`: an object, or an array of objects and nulls where the element repeats.
    #[cold]
    pub(super) fn primitive_extension(&mut self, member: Member) {
        let tree = self.tree;
        let kind = member
            .kind
            .and_then(|kind| self.type_row(kind))
            .filter(|row| row.primitive.is_some());
        let Some(kind) = kind else {
            return self.say(
                member.node,
                &Remark::UnknownElement {
                    name: tree.name(member.node),
                    nearest: None,
                },
            );
        };
        match (tree.kind(member.node), member.row.max > 1) {
            (Kind::Array, true) => {
                for item in tree.children(member.node).filter(|item| tree.kind(*item) != Kind::Null) {
                    self.object(Member { node: item, ..member }, kind.scope);
                }
            }
            (Kind::Array, false) => self.say(member.node, &Remark::AnArray { path: member.row.path }),
            (_, true) => self.say(member.node, &Remark::NoArray { path: member.row.path }),
            (_, false) => {
                self.object(member, kind.scope);
            }
        }
    }
}

fn form_text(form: JsonForm) -> &'static str {
    match form {
        JsonForm::Boolean => "true or false",
        JsonForm::Number => "a number",
        JsonForm::String => "a string",
    }
}
