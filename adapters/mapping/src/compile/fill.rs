//! Rows of files gathered by target into objects: members in FHIR's order, alternatives in the order of rows, labels and
//! what drives their items. What one row does is in `row`.

use std::collections::BTreeMap;
use std::rc::Rc;

use causeway_profiles::definitions::{Element, Found, TypeDef};

use super::{Compiler, D, Env, HeadBase, MOST_NESTED};
use crate::doc::Format;
use crate::plan::{Act, Check, Content, Decider, Guards, Member, Node, Option_, Slot, Test};
use crate::syntax::{ElementRow, How, Place, Segment, Span, TypeMap};

/// What elements may stand in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    Type(TypeDef),
    Element(Found),
}

impl Scope {
    pub(crate) fn child(&self, name: &str) -> Option<Found> {
        match self {
            Self::Type(kind) => kind.element(name),
            Self::Element(found) => found.child(name),
        }
    }

    /// Where a member stands among the elements, in the order of FHIR.
    pub(crate) fn rank(&self, member: &str) -> u32 {
        let name = member.strip_prefix('_').unwrap_or(member);
        self.child(name).map_or(0, |found| found.element.ordinal())
    }
}

/// A row on its way to its place.
#[derive(Clone)]
pub(crate) struct Pending<'a> {
    pub(crate) row: &'a ElementRow,
    pub(crate) env: Rc<Env>,
    /// How much of its target lies behind.
    pub(crate) at: usize,
    /// Rows that a type map "into the instance itself" stands before: their place must be valued, their tests hold.
    pub(crate) guards: Vec<(Vec<Place>, &'a ElementRow, Rc<Env>)>,
    /// The extension that it stands in.
    pub(crate) within: Option<String>,
    /// Whether a label or type map lies behind, so that `""` removes nothing.
    pub(crate) deep: bool,
}

impl Pending<'_> {
    pub(crate) fn segments(&self) -> &[Segment] {
        self.row
            .to
            .as_ref()
            .and_then(|to| to.segments.get(self.at..))
            .unwrap_or(&[])
    }

    pub(crate) fn next(&self) -> Option<&Segment> {
        self.segments().first()
    }

    pub(crate) fn is_last(&self) -> bool {
        self.segments().len() == 1
    }

    pub(crate) fn inner(&self) -> Self {
        Self {
            at: self.at + 1,
            ..self.clone()
        }
    }

    /// What its `from` says, for telling rows of one source.
    pub(crate) fn source(&self) -> String {
        self.row
            .from
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" + ")
    }
}

impl<'a, F: Format> Compiler<'a, F> {
    pub(crate) fn scope_of(&self, kind: &str) -> Option<Scope> {
        self.defs.type_named(kind).map(Scope::Type)
    }

    /// The rows of files, in order, those of type maps "into the instance itself" in place of the rows that name them.
    pub(crate) fn pending(&mut self, files: &[&str], env: &Env, span: Span) -> Vec<Pending<'a>> {
        let env = Rc::new(env.clone());
        let mut out = Vec::new();
        for name in files {
            self.file(name, &env, &[], span, &mut out);
        }
        out
    }

    fn file(
        &mut self,
        name: &str,
        env: &Rc<Env>,
        guards: &[(Vec<Place>, &'a ElementRow, Rc<Env>)],
        span: Span,
        out: &mut Vec<Pending<'a>>,
    ) {
        let library = self.library;
        let Some(file) = library.elements.get(name) else {
            self.say(span, format!("there is no file {name}.csv"));
            return;
        };
        for row in &file.rows {
            let whole = match &row.how {
                How::TypeMap(map) if row.to.is_none() => Some(map),
                _ => None,
            };
            if let Some(map) = whole {
                self.spread(map, row, env, guards, out);
            } else {
                out.push(Pending {
                    row,
                    env: Rc::clone(env),
                    at: 0,
                    guards: guards.to_vec(),
                    within: None,
                    deep: false,
                });
            }
        }
    }

    fn spread(
        &mut self,
        map: &TypeMap,
        row: &'a ElementRow,
        env: &Rc<Env>,
        guards: &[(Vec<Place>, &'a ElementRow, Rc<Env>)],
        out: &mut Vec<Pending<'a>>,
    ) {
        if env.nesting >= MOST_NESTED {
            return;
        }
        let params = self.arguments(map, env);
        let head = row.from.first().map(|from| {
            let outer = Rc::new(Env {
                hand: None,
                ..(**env).clone()
            });
            (map.source().to_owned(), HeadBase::Place(from.clone(), outer))
        });
        let inner = Rc::new(Env {
            head: head.filter(|_| self.format.symbol(map.source()).is_none()),
            params,
            nesting: env.nesting + 1,
            ..(**env).clone()
        });
        let mut guards = guards.to_vec();
        guards.push((row.from.clone(), row, Rc::clone(env)));
        self.file(&map.name, &inner, &guards, row.cells.how, out);
    }

    /// An object of rows. `top` is the name of the instance when it is one.
    pub(crate) fn node(&mut self, rows: Vec<Pending<'a>>, scope: &Scope, top: Option<u16>, root: bool) -> Node<D<F>> {
        let mut node = Node::default();
        let mut members: BTreeMap<u32, (Found, Vec<Pending<'a>>)> = BTreeMap::new();
        for row in rows {
            let Some(segment) = row.next() else {
                let remark = self.remark(&row);
                let quiet = remark.as_ref().is_some_and(|remark| matches!(remark.act, Act::Ignore));
                if quiet { &mut node.ignored } else { &mut node.remarks }.extend(remark);
                continue;
            };
            let name = segment.element.clone();
            let Some(found) = scope.child(&name) else {
                self.say(segment.span, format!("there is no element {name} here"));
                continue;
            };
            if matches!(row.row.how, How::Off) {
                continue;
            }
            members
                .entry(found.element.ordinal())
                .or_insert_with(|| (found, Vec::new()))
                .1
                .push(row);
        }
        if let Some(top) = top.filter(|_| root) {
            self.place_items(top, scope, &mut members);
        }
        for (found, rows) in members.into_values() {
            let member = self.member_of(found, &rows, top.filter(|_| root));
            node.members.push(member);
        }
        node.members.shrink_to_fit();
        node.index = super::guard::of_members(&node.members);
        node
    }

    /// Members for elements that only other instances fill.
    fn place_items(&self, top: u16, scope: &Scope, members: &mut BTreeMap<u32, (Found, Vec<Pending<'a>>)>) {
        for (_, element) in self.elements.iter().filter(|(name, _)| *name == top) {
            if let Some(found) = scope.child(element) {
                members
                    .entry(found.element.ordinal())
                    .or_insert_with(|| (found, Vec::new()));
            }
        }
    }

    fn member_of(&mut self, found: Found, rows: &[Pending<'a>], top: Option<u16>) -> Member<D<F>> {
        let element = found.element;
        let plain = element.name();
        let number = top.and_then(|top| {
            self.elements
                .iter()
                .position(|(name, text)| *name == top && text == plain)
        });
        let content = if element.is_choice() {
            self.choice(element, rows)
        } else if element.repeats() {
            let primitive = found.kind.is_some_and(|kind| kind.is_primitive());
            {
                let parts = self.parts(rows, &found);
                let index = super::guard::of_parts(&parts);
                Content::Many(parts, index, primitive)
            }
        } else {
            Content::One(self.slot(rows, &found, false))
        };
        let mut member = Member {
            name: plain.into(),
            under: format!("_{plain}").into(),
            content,
            guards: Guards::default(),
            element: number.map(super::short),
        };
        member.guards = super::guard::of_member(&member);
        member
    }

    fn choice(&mut self, element: Element, rows: &[Pending<'a>]) -> Content<D<F>> {
        let mut names: Vec<String> = Vec::new();
        for row in rows {
            let name = row.next().map(|segment| segment.element.clone()).unwrap_or_default();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let mut options = Vec::new();
        let mut order: Vec<(usize, Decider)> = Vec::new();
        for name in &names {
            let of_name = |row: &Pending<'a>| row.next().is_some_and(|segment| segment.element == *name);
            let own: Vec<(usize, Pending<'a>)> = rows
                .iter()
                .cloned()
                .enumerate()
                .filter(|(_, row)| of_name(row))
                .collect();
            let Some(found) = typed(element, name) else {
                continue;
            };
            let option = super::short(options.len());
            let mut deciders = Vec::new();
            for (at, row) in own.iter().filter(|(_, row)| !row.is_last() && !row.row.from.is_empty()) {
                if let Some(target) = target_of(row, &found)
                    && let Some(compiled) = self.row(&row.inner_most(), &target)
                {
                    order.push((
                        *at,
                        Decider::Inner {
                            option,
                            row: super::short(deciders.len()),
                        },
                    ));
                    deciders.push(compiled);
                }
            }
            deciders.shrink_to_fit();
            let rows: Vec<Pending<'a>> = own.iter().map(|(_, row)| row.clone()).collect();
            let slot = self.slot(&rows, &found, false);
            for (alternative, compiled) in slot.alternatives.iter().enumerate() {
                let at = own
                    .iter()
                    .find(|(_, row)| row.is_last() && self.known_row(row.row.span) == Some(compiled.id));
                let alternative = super::short(alternative);
                order.push((
                    at.map_or(usize::MAX, |(at, _)| *at),
                    Decider::Whole { option, alternative },
                ));
            }
            options.push(Option_ {
                name: name.as_str().into(),
                under: format!("_{name}").into(),
                slot,
                deciders,
            });
        }
        options.shrink_to_fit();
        order.sort_by_key(|(at, _)| *at);
        Content::Choice(options, order.into_iter().map(|(_, decider)| decider).collect())
    }

    /// What may stand in one place.
    pub(crate) fn slot(&mut self, rows: &[Pending<'a>], found: &Found, deep: bool) -> Slot<D<F>> {
        let primitive = found.kind.is_some_and(|kind| kind.is_primitive());
        let inner: Vec<Pending<'a>> = rows
            .iter()
            .filter(|row| !row.is_last())
            .map(|row| Pending {
                deep: row.deep || deep,
                ..row.inner()
            })
            .collect();
        let mut alternatives = Vec::new();
        for row in rows.iter().filter(|row| row.is_last()) {
            let row = Pending {
                deep: row.deep || deep,
                ..row.clone()
            };
            alternatives.extend(self.row_with(&row, found, &inner));
        }
        alternatives.shrink_to_fit();
        let inner = (!inner.is_empty()).then(|| Box::new(self.node(inner, &Scope::Element(*found), None, false)));
        Slot {
            alternatives,
            inner,
            primitive,
            element: *found,
        }
    }

    /// Tests of the rows that a type map "into the instance itself" stands before.
    pub(crate) fn guards(&mut self, row: &Pending<'a>) -> Option<Vec<Test<D<F>>>> {
        let mut out = Vec::new();
        for (from, guard, env) in &row.guards {
            let env = Env {
                hand: None,
                ..(**env).clone()
            };
            out.extend(self.tests(&guard.when, &env)?);
            for place in from {
                if let Some(read) = self.read(place, &env) {
                    out.push(Test {
                        id: None,
                        not: false,
                        on: Some(read),
                        check: Check::Valued,
                    });
                }
            }
        }
        Some(out)
    }
}

impl Pending<'_> {
    /// The row at the end of its target.
    fn inner_most(&self) -> Self {
        let last = self.row.to.as_ref().map_or(0, |to| to.segments.len().saturating_sub(1));
        Self {
            at: last,
            ..self.clone()
        }
    }
}

fn typed(element: Element, name: &str) -> Option<Found> {
    let stem = element.name().trim_end_matches("[x]");
    let kind = element.types().find(|kind| {
        let code = kind.code();
        let mut letters = code.chars();
        let upper = letters
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + letters.as_str());
        upper.is_some_and(|upper| name.strip_prefix(stem) == Some(upper.as_str()))
    });
    Some(Found {
        element,
        kind: Some(kind?),
    })
}

/// The element that a row ends in, below an element.
fn target_of(row: &Pending<'_>, found: &Found) -> Option<Found> {
    let rest = row.segments().get(1..)?;
    rest.iter()
        .try_fold(*found, |found, segment| found.child(&segment.element))
}
