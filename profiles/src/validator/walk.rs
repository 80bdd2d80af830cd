//! The walk over objects and arrays: which members may stand where, how many, and of which JSON kind.

use causeway_core::NodeId;
use causeway_core::fhir::Kind;

use crate::definitions::{ElementRow, Scope, Special, TypeKind, TypeRefRow, TypeRow};

use super::{Remark, Validator};

/// No resource nests so deep; a tree that does would only use up the stack.
const DEEPEST: usize = 100;

/// A member of an object together with the facts on it.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) node: NodeId,
    pub(super) row: &'static ElementRow,
    /// Its type; none for the content of another element.
    pub(super) kind: Option<&'static TypeRefRow>,
    /// The object that holds it.
    pub(super) holder: NodeId,
    pub(super) depth: usize,
}

impl Validator<'_> {
    /// A resource of any type.
    pub(super) fn resource(&mut self, node: NodeId, depth: usize) {
        if !self.is_filled_object(node) {
            return;
        }
        let Some(name) = self.tree.get_str(node, "resourceType") else {
            return self.say(node, &Remark::NoResourceType);
        };
        let row = self.defs.tables().type_named(name);
        if let Some(row) = row.filter(|row| row.kind == TypeKind::Resource) {
            return self.members(node, row.scope, depth, true);
        }
        let nearest = crate::nearest(name, self.defs.resources().map(|kind| kind.name()));
        self.say(node, &Remark::UnknownResource { name, nearest });
    }

    fn is_filled_object(&mut self, node: NodeId) -> bool {
        if self.tree.kind(node) != Kind::Object {
            self.say(node, &Remark::WrongJson { expected: "an object" });
            return false;
        }
        let filled = self.tree.children(node).next().is_some();
        if !filled {
            self.say(node, &Remark::EmptyObject);
        }
        filled
    }

    /// The members of an object, whose elements are those of a scope.
    fn members(&mut self, node: NodeId, scope: Scope, depth: usize, is_resource: bool) {
        if depth > DEEPEST {
            return self.say(node, &Remark::TooDeep);
        }
        let mut seen = 0_u128;
        let tree = self.tree;
        for child in tree.children(node) {
            let name = tree.name(child);
            if is_resource && name == "resourceType" {
                continue;
            }
            let (plain, is_extension) = name.strip_prefix('_').map_or((name, false), |plain| (plain, true));
            let Some((row, kind)) = self.defs.tables().find_json(scope, plain) else {
                self.unknown(child, scope, name);
                continue;
            };
            let bit = 1_u128.checked_shl(row.ordinal).unwrap_or(0);
            if seen & bit != 0 && row.is_choice() {
                self.same_choice(node, child, row, plain);
            }
            seen |= bit;
            let member = Member {
                node: child,
                row,
                kind,
                holder: node,
                depth,
            };
            if is_extension {
                self.primitive_extension(member);
            } else {
                self.member(member);
            }
        }
        self.missing(node, scope, seen);
    }

    #[cold]
    fn unknown(&mut self, node: NodeId, scope: Scope, name: &str) {
        let nearest = crate::nearest(name, self.defs.tables().json_names(scope));
        self.say(node, &Remark::UnknownElement { name, nearest });
    }

    /// A choice that is there already must be there as the same type: as the extension of the same primitive.
    #[cold]
    fn same_choice(&mut self, holder: NodeId, node: NodeId, row: &'static ElementRow, second: &str) {
        let plain = |node| self.tree.name(node).trim_start_matches('_');
        let is_same = |name: &str| self.is_choice_of(row, name);
        let earlier = self.tree.children(holder).take_while(|child| *child != node);
        let other = earlier.map(plain).find(|name| *name != second && is_same(name));
        if let Some(first) = other {
            self.say(
                node,
                &Remark::TwoChoices {
                    path: row.path,
                    first,
                    second,
                },
            );
        }
    }

    fn is_choice_of(&self, row: &'static ElementRow, name: &str) -> bool {
        let rest = name.strip_prefix(row.stem()).unwrap_or("");
        self.defs
            .tables()
            .refs(&row.types)
            .iter()
            .any(|kind| kind.code.eq_ignore_ascii_case(rest))
    }

    fn missing(&mut self, node: NodeId, scope: Scope, seen: u128) {
        let required = self.defs.tables().required(scope);
        if required & !seen == 0 {
            return;
        }
        for row in self.defs.tables().scope_elements(scope) {
            let bit = 1_u128.checked_shl(row.ordinal).unwrap_or(0);
            if required & !seen & bit != 0 {
                self.say(
                    node,
                    &Remark::TooFew {
                        path: row.path,
                        name: row.name(),
                        min: row.min,
                    },
                );
            }
        }
    }

    /// One member: an array of values where the element repeats, a value where not.
    fn member(&mut self, member: Member) {
        let Member { node, row, .. } = member;
        let is_array = self.tree.kind(node) == Kind::Array;
        match (row.max, is_array) {
            (0, _) => self.say(node, &Remark::TooMany { path: row.path, max: 0 }),
            (1, false) => self.value(member),
            (1, true) => self.say(node, &Remark::AnArray { path: row.path }),
            (_, true) => self.items(member),
            (_, false) => {
                self.say(node, &Remark::NoArray { path: row.path });
                self.value(member);
            }
        }
    }

    fn items(&mut self, member: Member) {
        let Member { node, row, .. } = member;
        let mut count = 0_u32;
        let tree = self.tree;
        for item in tree.children(node) {
            if tree.kind(item) == Kind::Null && self.is_primitive(&member) {
                self.null_item(member, item, count);
            } else {
                self.value(Member { node: item, ..member });
            }
            count = count.saturating_add(1);
        }
        if count == 0 {
            self.say(node, &Remark::EmptyArray);
        } else if count > row.max {
            self.say(
                node,
                &Remark::TooMany {
                    path: row.path,
                    max: row.max,
                },
            );
        } else if count < row.min {
            self.say(
                node,
                &Remark::TooFew {
                    path: row.path,
                    name: row.name(),
                    min: row.min,
                },
            );
        }
    }

    pub(super) fn type_row(&self, kind: &TypeRefRow) -> Option<&'static TypeRow> {
        self.defs.tables().types.get(kind.of? as usize)
    }

    fn is_primitive(&self, member: &Member) -> bool {
        member
            .kind
            .and_then(|kind| self.type_row(kind))
            .is_some_and(|row| row.primitive.is_some())
    }

    /// One value by its type.
    fn value(&mut self, member: Member) {
        let Some(kind) = member.kind else {
            self.object(member, member.row.content);
            return;
        };
        let Some(row) = self.type_row(kind) else { return };
        match row.primitive {
            Some(primitive) => self.primitive(member, primitive, row.name),
            None if row.special == Special::Resource => {
                self.resource(member.node, member.depth + 1);
            }
            None => {
                let own = member.row.content;
                let content = if own == Scope::NONE { row.scope } else { own };
                if self.object(member, content) {
                    self.special(member, row.special);
                }
            }
        }
    }

    /// An object whose elements are those of a scope; says whether it is an object at all.
    pub(super) fn object(&mut self, member: Member, scope: Scope) -> bool {
        let filled = self.is_filled_object(member.node);
        if filled {
            self.members(member.node, scope, member.depth + 1, false);
        }
        filled
    }

    /// What is judged of some types beside their elements.
    fn special(&mut self, member: Member, special: Special) {
        if special == Special::Coding {
            self.coding(member.node);
        }
        match (special, &member.row.binding) {
            (Special::CodeableConcept | Special::Coding, Some(binding)) => {
                self.coded(member.node, special == Special::CodeableConcept, binding);
            }
            (Special::Reference, _) => self.reference(member),
            (Special::Extension, _) => self.extension(member),
            _ => {}
        }
    }
}
