//! Element and type rows: does the element exist, does the way to fill it make its type, are the names it uses there.

use std::collections::BTreeMap;

use causeway_profiles::{nearest, r4};

use super::Check;
use super::holder::{Holder, Step, resolve};
use super::names::Names;
use super::value::{fits, is_plain};
use crate::primitives::Primitive;
use crate::syntax::{
    Bad, ElementFile, ElementRow, How, Make, Param, ParamValue, Ref, Scope, Span, StructureRow, TableRef, TypeMap,
};

/// What a file fills when its rows are checked.
#[derive(Clone)]
pub(super) struct Context<'a, 'n> {
    pub(super) holder: Holder<'a>,
    pub(super) names: &'n Names<'a>,
    /// The parameters it was given; none when it is not a type map.
    pub(super) params: Option<BTreeMap<&'a str, &'a ParamValue>>,
    /// The type maps around it.
    pub(super) within: Vec<&'a str>,
    /// Whether it fills an item, so that `ordinal` has a meaning.
    pub(super) item: bool,
}

/// What a row fills.
pub(super) struct Leaf<'a> {
    pub(super) step: Step<'a>,
    /// Whether an item of its own is made: the element repeats and has no label.
    pub(super) many: bool,
    /// Whether it lies in an item: of the instance or of a label.
    pub(super) in_item: bool,
    /// Whether it or an element around it repeats, so that several values find room.
    pub(super) in_items: bool,
}

impl<'a> Check<'a> {
    /// Checks the rows of a file that fills what the context says.
    pub(super) fn file(&mut self, file: &'a ElementFile, context: &Context<'a, '_>) {
        // What a type map says depends on its parameters, what fills an instance on the names beside it.
        let about = match &context.params {
            Some(params) => format!("{params:?}"),
            None => context.names.structure.to_owned(),
        };
        if !self
            .seen
            .insert(format!("{} {} {about}", file.name, context.holder.name()))
        {
            return;
        }
        for row in &file.rows {
            self.row(row, context);
        }
    }

    fn row(&mut self, row: &'a ElementRow, context: &Context<'a, '_>) {
        self.tests(&row.when);
        let segments = row.to.iter().flat_map(|target| &target.segments);
        for segment in segments.filter(|segment| segment.element == "extension" && segment.extension.is_none()) {
            self.errors.push(Bad::new(
                segment.span,
                "an extension is named: extension(patient-birthTime)",
            ));
        }
        match &row.to {
            None => self.without_target(row, context),
            Some(target) => match resolve(context.holder, target, &self.library.extensions) {
                Ok(steps) => {
                    let labelled = target.segments.iter().any(|segment| segment.label.is_some());
                    let own = target.segments.last().is_some_and(|segment| segment.label.is_none());
                    let Some(step) = steps.last().copied() else { return };
                    let leaf = Leaf {
                        many: step.repeats && own,
                        in_items: steps.iter().any(|step| step.repeats),
                        in_item: context.item || labelled || context.params.is_some(),
                        step,
                    };
                    self.how(row, &leaf, context);
                }
                Err(bad) => self.errors.push(bad),
            },
        }
    }

    /// A row without `to` fills the instance itself, or is an operation or a remark.
    fn without_target(&mut self, row: &'a ElementRow, context: &Context<'a, '_>) {
        match &row.how {
            How::TypeMap(map) => {
                let step = Step {
                    holder: context.holder,
                    repeats: false,
                    binding: None,
                };
                let leaf = Leaf {
                    step,
                    many: false,
                    in_item: context.item,
                    in_items: false,
                };
                self.type_map(map, row.cells.how, &leaf, context);
            }
            How::Op(name) => self.op(name, row.cells.how, None),
            _ => {}
        }
    }

    fn how(&mut self, row: &'a ElementRow, leaf: &Leaf<'a>, context: &Context<'a, '_>) {
        let at = row.cells.how;
        match &row.how {
            How::TypeMap(map) => self.type_map(map, at, leaf, context),
            How::Keep => self.wants(is_plain(&leaf.step.holder), "keep writes a text", at, leaf),
            How::Table(TableRef::Name(name)) => self.table(name, at, leaf),
            How::Table(TableRef::Param(param)) => self.table_of_param(param, at, leaf, context),
            How::Const(constant) | How::Default(constant) => self.constant(constant, at, leaf),
            How::Absent(code) => self.absent(code, at),
            How::Ref(reference) => self.reference(reference, leaf, context),
            How::Ordinal(name) => self.ordinal(name.as_deref(), at, leaf, context),
            How::Ordinals(name) => self.ordinal(Some(name), at, leaf, context),
            How::Op(name) => self.op(name, at, Some(leaf)),
            How::Finding(_) | How::Ignore | How::Off => {}
        }
    }

    pub(super) fn wants(&mut self, holds: bool, what: &str, at: Span, leaf: &Leaf<'_>) {
        if !holds {
            let text = format!("{what}, the element is {}", leaf.step.holder.type_name());
            self.errors.push(Bad::new(at, text));
        }
    }

    fn type_map(&mut self, map: &'a TypeMap, at: Span, leaf: &Leaf<'a>, context: &Context<'a, '_>) {
        if Primitive::named(&map.name).is_some() {
            let right = fits(map.target(), &leaf.step.holder);
            return self.wants(right, &format!("{} makes {}", map.name, map.target()), at, leaf);
        }
        let makes: Vec<&'a StructureRow> = self.made_by(map);
        if leaf.step.holder.type_name() == "Reference" && !makes.is_empty() {
            return self.made_reference(map, &makes, at, leaf);
        }
        let Some(file) = self.library.elements.get(&map.name) else {
            return self.unknown_map(map, at);
        };
        let right = fits(map.target(), &leaf.step.holder);
        self.wants(right, &format!("{} makes {}", map.name, map.target()), at, leaf);
        self.params(map, &[file.name.as_str()], &[], at);
        if context.within.contains(&map.name.as_str()) {
            let text = format!("{} calls itself, by way of {}", map.name, context.within.join(", "));
            self.errors.push(Bad::new(at, text));
        } else if right {
            self.file(file, &inner(map, leaf, context));
        }
    }

    /// The rows of `types.csv` that a type map on a Reference makes instances by.
    fn made_by(&self, map: &TypeMap) -> Vec<&'a StructureRow> {
        let types = self.library.structures.get("types");
        let rows = types.into_iter().flat_map(|file| &file.rows);
        let made = |row: &&StructureRow| {
            row.at.bare() == Some(map.source()) && matches!(&row.make, Make::Resource(kind) if kind == map.target())
        };
        rows.filter(made).collect()
    }

    fn made_reference(&mut self, map: &'a TypeMap, makes: &[&'a StructureRow], at: Span, leaf: &Leaf<'a>) {
        self.may_refer(&[map.target()], at, leaf);
        let files: Vec<&str> = makes
            .iter()
            .flat_map(|row| row.fill.iter().map(|file| file.name.as_str()))
            .collect();
        self.params(map, &files, makes, at);
    }

    fn unknown_map(&mut self, map: &TypeMap, at: Span) {
        let mut all: Vec<&str> = primitive_names().collect();
        all.extend(self.library.elements.keys().map(String::as_str));
        let bad = Bad::new(at, format!("no type map {} is there", map.name));
        self.errors.push(bad.nearest_of(&map.name, all));
    }

    /// Parameters that nothing in the type map reads.
    fn params(&mut self, map: &'a TypeMap, files: &[&str], makes: &[&StructureRow], at: Span) {
        let mut read: Vec<&str> = Vec::new();
        let files: Vec<&'a ElementFile> = files
            .iter()
            .filter_map(|name| self.library.elements.get(*name))
            .collect();
        read.extend(
            files
                .iter()
                .flat_map(|file| file.rows.iter().flat_map(super::uses::params_of_row)),
        );
        read.extend(makes.iter().flat_map(|row| super::uses::params_of_structure(row)));
        for Param { name, .. } in map.params.iter().filter(|param| !read.contains(&param.name.as_str())) {
            let bad = Bad::new(at, format!("{} reads no parameter {name}", map.name));
            self.errors.push(bad.nearest_of(name, read.iter().copied()));
        }
    }

    fn reference(&mut self, reference: &'a Ref, leaf: &Leaf<'a>, context: &Context<'a, '_>) {
        let (at, name) = (reference.span, reference.name.as_str());
        self.wants(
            leaf.step.holder.type_name() == "Reference",
            "a ref writes a Reference",
            at,
            leaf,
        );
        if context.names.rows(name).is_empty() {
            let bad = Bad::new(at, format!("no instance is called {name}"));
            return self.errors.push(bad.nearest_of(name, context.names.all()));
        }
        let kinds = context.names.resources(name);
        if kinds.is_empty() {
            let text = format!("{name} is an item within another instance and cannot be referred to");
            return self.errors.push(Bad::new(at, text));
        }
        self.may_refer(&kinds, at, leaf);
        if matches!(reference.scope, Scope::All | Scope::Below) && !leaf.in_items {
            let text = format!("{reference} gives several, the element holds one");
            self.errors.push(Bad::new(at, text));
        }
    }

    fn may_refer(&mut self, kinds: &[&str], at: Span, leaf: &Leaf<'_>) {
        let Holder::Element(found) = leaf.step.holder else {
            return;
        };
        let Some(kind) = found.kind.filter(|kind| kind.code() == "Reference") else {
            return;
        };
        if !kinds.iter().any(|resource| kind.may_target(resource)) {
            let text = format!(
                "may refer to {}, not to {}",
                kind.targets().join(", "),
                kinds.join(", ")
            );
            self.errors.push(Bad::new(at, text));
        }
    }

    fn ordinal(&mut self, name: Option<&str>, at: Span, leaf: &Leaf<'_>, context: &Context<'_, '_>) {
        self.wants(
            fits("positiveInt", &leaf.step.holder),
            "ordinal writes a number",
            at,
            leaf,
        );
        match name {
            None if !leaf.in_item => {
                self.errors
                    .push(Bad::new(at, "only an item of an element has an ordinal"));
            }
            Some(name) if context.names.rows(name).is_empty() => {
                let bad = Bad::new(at, format!("no instance is called {name}"));
                self.errors.push(bad.nearest_of(name, context.names.all()));
            }
            Some(name) if !context.names.has_items(name) => {
                self.errors
                    .push(Bad::new(at, format!("{name} is no item and has no ordinal")));
            }
            _ => {}
        }
    }

    fn op(&mut self, name: &str, at: Span, leaf: Option<&Leaf<'_>>) {
        let Some(op) = self.facts.ops.iter().find(|op| op.name == name) else {
            let mut bad = Bad::new(at, format!("no operation {name} is known"));
            bad.nearest = nearest(name, self.facts.ops.iter().map(|op| op.name)).map(str::to_owned);
            return self.errors.push(bad);
        };
        let Some(leaf) = leaf else { return };
        let kind = leaf.step.holder.type_name();
        let right = op.writes.is_empty()
            || kind == "BackboneElement"
            || op.writes.iter().any(|made| fits(made, &leaf.step.holder));
        self.wants(
            right,
            &format!("op({name}) writes {}", op.writes.join(" or ")),
            at,
            leaf,
        );
    }

    fn absent(&mut self, code: &str, at: Span) {
        let system = r4().system("data-absent-reason").and_then(|url| r4().code_system(url));
        let unknown = system.filter(|system| system.concept(code).is_none());
        if let Some(system) = unknown {
            let bad = Bad::new(at, format!("{code} is no data-absent-reason"));
            self.errors
                .push(bad.nearest_of(code, system.concepts().iter().map(|concept| concept.code)));
        }
    }
}

/// The names of the type maps that make primitives.
fn primitive_names() -> impl Iterator<Item = &'static str> {
    let all = crate::primitives::NAMES.iter().chain(&crate::primitives::MORE_NAMES);
    all.map(|(name, _)| *name)
}

/// The context of a type map that is called.
fn inner<'a, 'n>(map: &'a TypeMap, leaf: &Leaf<'a>, context: &Context<'a, 'n>) -> Context<'a, 'n> {
    let mut within = context.within.clone();
    within.push(&map.name);
    let handed = |param: &'a Param| {
        let value = match &param.value {
            ParamValue::Place(place) => outer_param(place, context).unwrap_or(&param.value),
            ParamValue::Text(_) => &param.value,
        };
        (param.name.as_str(), value)
    };
    Context {
        holder: leaf.step.holder,
        names: context.names,
        params: Some(map.params.iter().map(handed).collect()),
        within,
        item: context.item || leaf.many,
    }
}

/// What a parameter handed on stands for.
fn outer_param<'a>(place: &crate::syntax::Place, context: &Context<'a, '_>) -> Option<&'a ParamValue> {
    match &place.base {
        crate::syntax::Base::Param(name) => context.params.as_ref()?.get(name.as_str()).copied(),
        _ => None,
    }
}
