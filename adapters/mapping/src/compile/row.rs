//! One row: what it reads, when it fires and what it does, fitted to the element that it fills.

use std::rc::Rc;

use causeway_profiles::definitions::Found;

use super::fill::Pending;
use super::place::sign;
use super::test::table_name;
use super::{Arg, Compiler, D, Env, Given};
use crate::doc::Format;
use crate::plan::{Act, Fixed, Pair, Reference, Row, Shape, Why};
use crate::primitives::Primitive;
use crate::syntax::{Constant, How, Literal, Ref};

impl<'a, F: Format> Compiler<'a, F> {
    /// A row without a target: a finding or an ignored place.
    pub(crate) fn remark(&mut self, row: &Pending<'a>) -> Option<Row<D<F>>> {
        let act = match &row.row.how {
            How::Finding(code) => Act::Finding(code.as_str().into()),
            How::Ignore | How::Off => Act::Ignore,
            How::Op(name) => self.op(name, row)?,
            _ => return None,
        };
        let id = self.row_id(row.row.span);
        if matches!(act, Act::Ignore) {
            self.texts.notes.insert(id, row.row.note.clone());
        }
        self.finish(row, act, false)
    }

    /// A row that fills an element by itself.
    pub(crate) fn row(&mut self, row: &Pending<'a>, found: &Found) -> Option<Row<D<F>>> {
        self.row_with(row, found, &[])
    }

    /// A row that fills an element, with rows that fill what it leaves empty inside.
    pub(crate) fn row_with(&mut self, row: &Pending<'a>, found: &Found, inner: &[Pending<'a>]) -> Option<Row<D<F>>> {
        let env = &row.env;
        if let [place] = row.row.from.as_slice() {
            match self.argument(place, env) {
                Given::Nothing => return None,
                Given::Value(Arg::Text(text, site)) => {
                    let act = self.constant_from(&row.row.how, &text, site, row, found)?;
                    return self.finish(row, act, true);
                }
                Given::Value(Arg::Place(..)) | Given::Not => {}
            }
        }
        let act = self.act(row, found, inner)?;
        self.finish(row, act, true)
    }

    fn finish(&mut self, row: &Pending<'a>, act: Act<D<F>>, target: bool) -> Option<Row<D<F>>> {
        let env = &row.env;
        let hand = row.row.from.first().and_then(sign).filter(|_| row.row.from.len() == 1);
        let tests_env = Env {
            hand,
            ..(**env).clone()
        };
        let constant = row
            .row
            .from
            .first()
            .is_some_and(|place| matches!(self.argument(place, env), Given::Value(Arg::Text(..))));
        let mut from = Vec::new();
        if !constant {
            for place in &row.row.from {
                from.push(self.read(place, env)?);
            }
        }
        let mut when = self.guards(row)?;
        when.extend(self.tests(&row.row.when, &tests_env)?);
        let on_absent = row.row.when.iter().any(|test| {
            use crate::syntax::{Check, Subject};
            let own = match &test.on {
                Subject::InHand => true,
                Subject::Place(place) => row.row.from.first() == Some(place),
                _ => false,
            };
            own && !test.not && matches!(test.check, Check::Absent)
        });
        let top = row.row.to.as_ref().and_then(|to| to.segments.first());
        let removes = top
            .filter(|_| target && !row.deep && row.at == 0)
            .map(|segment| segment.element.as_str().into());
        let strong = !row.row.from.is_empty();
        Some(Row {
            id: self.row_id(row.row.span),
            guards: super::guard::of_row(&from, on_absent),
            from: from.into_iter().collect(),
            when,
            act,
            on_absent,
            removes,
            strong,
        })
    }

    fn act(&mut self, row: &Pending<'a>, found: &Found, inner: &[Pending<'a>]) -> Option<Act<D<F>>> {
        Some(match &row.row.how {
            How::TypeMap(map) => return self.type_map(map, row, found, inner),
            How::Keep => Act::Primitive(kept(found)),
            How::Table(table) => {
                let name = table_name(table, &row.env)?;
                let Some(table) = self.table(&name) else {
                    self.say(row.row.cells.how, format!("there is no table {name}"));
                    return None;
                };
                Act::Table {
                    table,
                    shape: shape(found),
                }
            }
            How::Const(constant) => Act::Fixed(self.constant(constant, found, row)?, why(constant)),
            How::Default(constant) => Act::Fixed(self.constant(constant, found, row)?, Why::Default),
            How::Absent(code) => Act::Absent(code.as_str().into()),
            How::Ref(reference) => Act::Ref(self.reference(reference, &row.env)?),
            How::Ordinal(name) => Act::Ordinal(name.as_deref().map(|name| self.name(name))),
            How::Ordinals(name) => Act::Ordinals(self.name(name)),
            How::Op(name) => self.op(name, row)?,
            How::Finding(_) | How::Ignore | How::Off => return None,
        })
    }

    fn op(&mut self, name: &str, row: &Pending<'a>) -> Option<Act<D<F>>> {
        let Some(op) = self.format.ops().iter().find(|op| op.name == name) else {
            self.say(row.row.cells.how, format!("there is no operation {name}"));
            return None;
        };
        self.outside |= !op.reads.is_empty();
        let mut others = Vec::new();
        for text in op.reads {
            let place = crate::syntax::Place::parse(text, row.row.cells.how).ok()?;
            let hand = row.row.from.first().and_then(sign);
            others.push(self.read(
                &place,
                &Env {
                    hand,
                    ..(*row.env).clone()
                },
            )?);
        }
        let tables = op.tables.iter().filter_map(|name| self.table(name)).collect();
        Some(Act::Op { op, others, tables })
    }

    fn reference(&mut self, reference: &Ref, env: &Env) -> Option<Reference<D<F>>> {
        self.outside = true;
        let name = self.name(&reference.name);
        let mut pairs = Vec::new();
        for (there, here) in &reference.conditions {
            let targets: Vec<(u16, Option<crate::syntax::Place>, u32)> = self
                .kinds_of_names
                .iter()
                .filter(|(known, ..)| *known == name)
                .map(|(_, kind, value, make)| (*kind, value.clone(), *make))
                .collect();
            let mut reads = Vec::new();
            for (kind, value, make) in targets {
                let bound = value.as_ref().and_then(sign).map(|sign| super::Bound {
                    sign,
                    depth: 0,
                    chosen: None,
                });
                let there_env = Env {
                    kind,
                    head: None,
                    of_value: value.is_some(),
                    bound: bound.into_iter().collect(),
                    params: Rc::new(Vec::new()),
                    depth: 1,
                    hand: None,
                    nesting: 0,
                };
                reads.extend(self.read(there, &there_env).map(|read| ((make, kind), read)));
            }
            let step = there.steps.last()?;
            let head = super::structure::names(step).join("+");
            let identity = self
                .format
                .type_of(&head, &step.parts)
                .and_then(|kind| self.format.identity(kind));
            let here = self.read(
                here,
                &Env {
                    hand: None,
                    ..env.clone()
                },
            )?;
            pairs.push(Pair {
                there: reads,
                here,
                identity,
            });
        }
        Some(Reference {
            name,
            scope: reference.scope,
            pairs,
        })
    }

    fn literal(&self, literal: &Literal, row: &Pending<'a>) -> Option<String> {
        match literal {
            Literal::Text(text) => Some(text.clone()),
            Literal::Site(name) => self.library.site.settings.get(name).cloned(),
            Literal::Param(name) => row
                .env
                .params
                .iter()
                .find(|(known, _)| known == name)
                .and_then(|(_, value)| match value {
                    Arg::Text(text, _) => Some(text.clone()),
                    Arg::Place(..) => None,
                }),
        }
    }

    fn constant(&mut self, constant: &Constant, found: &Found, row: &Pending<'a>) -> Option<Fixed> {
        let value = self.literal(&constant.value, row)?;
        let Some(system) = &constant.system else {
            return Some(plain(&value, found));
        };
        let system = self.system(&self.literal(system, row)?);
        let display = self
            .defs
            .code_system(&system)
            .and_then(|known| known.concept(&value).map(|concept| concept.display.to_owned()));
        Some(coding(&system, &value, display.as_deref().unwrap_or(""), found))
    }

    /// What a constant in `from` becomes: a parameter or setting.
    fn constant_from(
        &mut self,
        how: &How,
        text: &str,
        site: bool,
        row: &Pending<'a>,
        found: &Found,
    ) -> Option<Act<D<F>>> {
        let why = if site { Why::Site } else { Why::Constant };
        let fixed = match how {
            How::Table(table) => {
                let name = table_name(table, &row.env)?;
                let table = self.table(&name)?;
                let code = table.get(text).filter(|code| !code.none)?;
                let to = code.to.as_deref().unwrap_or(text);
                if code.system.is_empty() {
                    plain(to, found)
                } else {
                    coding(&code.system, to, &code.display, found)
                }
            }
            How::Const(constant) => self.constant(constant, found, row)?,
            _ => plain(text, found),
        };
        Some(Act::Fixed(fixed, why))
    }
}

/// What a code becomes in an element.
pub(crate) fn shape(found: &Found) -> Shape {
    match found.kind.map(|kind| kind.code()) {
        Some("Coding") => Shape::Coding,
        Some("CodeableConcept") => Shape::Concept,
        Some("boolean") => Shape::Bool,
        Some("decimal" | "integer" | "positiveInt" | "unsignedInt") => Shape::Number,
        _ => Shape::Text,
    }
}

fn plain(text: &str, found: &Found) -> Fixed {
    match shape(found) {
        Shape::Bool => Fixed::Bool(text == "true"),
        Shape::Number => Fixed::Number(text.into()),
        Shape::Coding => coding("", text, "", found),
        Shape::Concept | Shape::Text => Fixed::Text(text.into()),
    }
}

fn coding(system: &str, code: &str, display: &str, found: &Found) -> Fixed {
    match shape(found) {
        Shape::Coding | Shape::Concept => Fixed::Coding {
            system: system.into(),
            code: code.into(),
            display: display.into(),
            concept: shape(found) == Shape::Concept,
        },
        _ => plain(code, found),
    }
}

/// The text as it is, made fit for its element.
pub(crate) fn kept(found: &Found) -> Primitive {
    match found.kind.map(|kind| kind.code()) {
        Some("code" | "id" | "oid" | "uuid") => Primitive::Code,
        Some("uri" | "url" | "canonical") => Primitive::Uri,
        Some("base64Binary") => Primitive::Base64,
        Some("decimal") => Primitive::Decimal,
        Some("integer") => Primitive::Integer,
        Some("positiveInt") => Primitive::PositiveInt,
        Some("unsignedInt") => Primitive::UnsignedInt,
        _ => Primitive::String,
    }
}

fn why(constant: &Constant) -> Why {
    match constant.value {
        Literal::Site(_) => Why::Site,
        _ => Why::Constant,
    }
}
