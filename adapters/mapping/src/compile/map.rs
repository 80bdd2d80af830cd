//! Type maps: inlined under a value that is cut once, compiled once where they depend on nothing else, and as instances
//! where they stand on a reference.

use std::rc::Rc;
use std::sync::Arc;

use causeway_profiles::definitions::{Found, TypeKind};

use super::fill::{Pending, Scope};
use super::row::kept;
use super::{Arg, Compiler, D, Env, HeadBase, MOST_NESTED};
use crate::doc::Format;
use crate::plan::{Act, Make, Node};
use crate::primitives::Primitive;
use crate::syntax::{Make as Makes, TypeMap};

impl<'a, F: Format> Compiler<'a, F> {
    pub(crate) fn type_map(
        &mut self,
        map: &TypeMap,
        row: &Pending<'a>,
        found: &Found,
        inner: &[Pending<'a>],
    ) -> Option<Act<D<F>>> {
        let primitive = found.kind.is_some_and(|kind| kind.is_primitive());
        if let Some(known) = Primitive::named(&map.name) {
            let fitted = if known == Primitive::String { kept(found) } else { known };
            return Some(Act::Primitive(fitted));
        }
        if primitive {
            self.say(
                row.row.cells.how,
                format!("{} makes no {}", map.name, found.kind.map_or("", |kind| kind.code())),
            );
            return None;
        }
        let resource = self
            .defs
            .type_named(map.target())
            .is_some_and(|kind| kind.kind() == TypeKind::Resource);
        if resource {
            return self.make_of_type(map, row);
        }
        if row.env.nesting >= MOST_NESTED {
            return None;
        }
        let params = self.arguments(map, &row.env);
        let depth = row.env.depth;
        let given: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let place = if found.element.is_group() {
            found.element.path()
        } else {
            ""
        };
        let kind = found.kind.map_or("", |kind| kind.code());
        let key = format!("{} {depth} {kind} {place} {}", map.name, given.join(" "));
        let (node, again) = self.shared_node(&key, map, row, found, &params);
        let Some((node, again)) = node.map(|node| (node, again)) else {
            let node = Arc::new(self.map_node(map, row, found, inner, params));
            return Some(Act::Map {
                depth,
                node,
                again: false,
                beside: None,
            });
        };
        if inner.is_empty() {
            return Some(Act::Map {
                depth,
                node,
                again,
                beside: None,
            });
        }
        // Rows of others stand beside the type map where none of its own rows fills what they fill.
        let others: Vec<Pending<'a>> = inner.iter().map(|row| deeper(row, depth)).collect();
        let beside = self.node(others, &Scope::Element(*found), None, false);
        let apart = beside
            .members
            .iter()
            .all(|member| node.members.iter().all(|own| own.name != member.name));
        if apart {
            let beside = Some(Box::new(beside));
            return Some(Act::Map {
                depth,
                node,
                again,
                beside,
            });
        }
        let node = Arc::new(self.map_node(map, row, found, inner, params));
        Some(Act::Map {
            depth,
            node,
            again: false,
            beside: None,
        })
    }

    /// A type map by itself, compiled once for all rows that use it alike; none when it reads more than its value.
    fn shared_node(
        &mut self,
        key: &str,
        map: &TypeMap,
        row: &Pending<'a>,
        found: &Found,
        params: &Rc<Vec<(String, Arg)>>,
    ) -> (Option<Arc<Node<D<F>>>>, bool) {
        if let Some((node, again)) = self.shared.get(key) {
            return (node.clone(), *again);
        }
        let outside = std::mem::replace(&mut self.outside, false);
        let makes = std::mem::replace(&mut self.makes, false);
        let node = Arc::new(self.map_node(map, row, found, &[], Rc::clone(params)));
        let free = !self.outside;
        let again = free && !self.makes && is_coded(found);
        self.outside |= outside;
        self.makes |= makes;
        let node = free.then_some(node);
        self.shared.insert(key.to_owned(), (node.clone(), again));
        (node, again)
    }

    /// The rows of a type map, and those that fill what they leave empty.
    fn map_node(
        &mut self,
        map: &TypeMap,
        row: &Pending<'a>,
        found: &Found,
        inner: &[Pending<'a>],
        params: Rc<Vec<(String, Arg)>>,
    ) -> Node<D<F>> {
        let depth = row.env.depth;
        let item = self.format.symbol(map.source()).is_some();
        let of_item = item && !(self.grammar.brought && is_whole(map, row));
        let env = Env {
            head: (!of_item).then(|| (map.source().to_owned(), HeadBase::Frame(depth))),
            params,
            depth: depth + 1,
            hand: None,
            nesting: row.env.nesting + 1,
            ..(*row.env).clone()
        };
        let mut pending = self.pending(&[&map.name], &env, row.row.cells.how);
        for row in &mut pending {
            row.deep = true;
            row.guards.clear();
        }
        pending.extend(inner.iter().map(|row| deeper(row, depth)));
        self.node(pending, &Scope::Element(*found), None, false)
    }

    /// A type map on a Reference: the instances of `types.csv`.
    fn make_of_type(&mut self, map: &TypeMap, row: &Pending<'a>) -> Option<Act<D<F>>> {
        self.makes = true;
        let params = self.arguments(map, &row.env);
        let given: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let key = format!("{} {}", map.name, given.join(" "));
        let near = format!("{} {key}", row.env.kind);
        if let Some(made) = self.made.get(&key).or_else(|| self.made.get(&near)) {
            let made = Arc::clone(made);
            self.outside |= made.iter().any(|make| !make.self_contained);
            return Some(Act::Make(made));
        }
        if row.env.nesting >= MOST_NESTED {
            return None;
        }
        let library = self.library;
        let rows = library
            .structures
            .get("types")
            .map_or(&[][..], |file| file.rows.as_slice());
        let fits = |at: &crate::syntax::StructureRow| {
            at.at.bare() == Some(map.source()) && matches!(&at.make, Makes::Resource(kind) if kind == map.target())
        };
        let env = Env {
            kind: row.env.kind,
            head: Some((map.source().to_owned(), HeadBase::Frame(0))),
            of_value: false,
            bound: Vec::new(),
            params,
            depth: 1,
            hand: None,
            nesting: row.env.nesting + 1,
        };
        let mut makes: Vec<Make<D<F>>> = Vec::new();
        for type_row in rows.iter().filter(|row| fits(row)) {
            let choice = format!("types {} {:?}", map.name, type_row.name);
            makes.extend(self.compile_make(type_row, None, &env, choice));
        }
        if makes.is_empty() {
            self.say(
                row.row.cells.how,
                format!("types.csv makes no {} of {}", map.target(), map.source()),
            );
            return None;
        }
        let makes: Arc<[Make<D<F>>]> = makes.into();
        let free = makes.iter().all(|make| make.self_contained);
        self.outside |= !free;
        self.made.insert(if free { key } else { near }, Arc::clone(&makes));
        Some(Act::Make(makes))
    }
}

/// Whether a type map is fed a whole item: then its places are parts of it.
fn is_whole(map: &TypeMap, row: &Pending<'_>) -> bool {
    let step = row.row.from.first().and_then(|place| place.steps.last());
    step.is_some_and(|step| {
        step.parts.is_empty() && super::structure::names(step) == std::slice::from_ref(&map.source().to_owned())
    })
}

/// Whether an element is a code or a quantity: what recurs from message to message and says nothing of a person.
fn is_coded(found: &Found) -> bool {
    let code = found.kind.map(|kind| kind.code());
    matches!(code, Some("CodeableConcept" | "Coding" | "Quantity" | "Money"))
}

/// A row beside a type map's: it may cut values of its own, deeper than those of the type map.
fn deeper<'a>(row: &Pending<'a>, depth: u8) -> Pending<'a> {
    let depth = row.env.depth.max(depth + 1);
    Pending {
        env: Rc::new(Env {
            depth,
            ..(*row.env).clone()
        }),
        ..row.clone()
    }
}
