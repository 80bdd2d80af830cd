//! What may stand where: walks an element path through the facts of R4 and says what is wrong on the way. How a value
//! gets there is not known here.

use causeway_profiles::{Binding, Element, ExtensionDef, Found, TypeDef, nearest, r4};

use crate::syntax::{Bad, ExtensionRow, Segment, Target};

/// Something that holds elements.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder<'a> {
    /// A resource or type.
    Type(TypeDef),
    /// An element, with the type that its name or definition leaves.
    Element(Found),
    /// An extension.
    Extension(Extension<'a>),
}

/// An extension of the definitions or of `extensions.csv`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extension<'a> {
    Standard(ExtensionDef),
    Own(&'a ExtensionRow),
    /// A part of an extension whose parts are not declared.
    Part,
}

/// One step of a resolved path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) holder: Holder<'a>,
    /// Whether it may stand there more than once.
    pub(crate) repeats: bool,
    pub(crate) binding: Option<Binding>,
}

impl<'a> Holder<'a> {
    /// Name of its type: `Patient`, `HumanName`, `BackboneElement`, `dateTime`.
    pub(crate) fn type_name(&self) -> &'a str {
        match self {
            Self::Type(def) => def.name(),
            Self::Element(found) => found.kind.map_or("BackboneElement", |kind| kind.code()),
            Self::Extension(_) => "Extension",
        }
    }

    /// Its name for messages: `Patient.contact`, `HumanName`.
    pub(crate) fn name(&self) -> &'a str {
        match self {
            Self::Element(found) if found.element.is_group() => found.element.path(),
            _ => self.type_name(),
        }
    }

    /// The definition of its type, when it has one of its own.
    pub(crate) fn def(&self) -> Option<TypeDef> {
        match self {
            Self::Type(def) => Some(*def),
            Self::Element(found) => found.kind.and_then(|kind| kind.def()),
            Self::Extension(_) => r4().type_named("Extension"),
        }
    }

    pub(crate) fn is_primitive(&self) -> bool {
        self.def()
            .is_some_and(|def| def.kind() == causeway_profiles::TypeKind::Primitive)
    }

    /// The elements that it must have.
    pub(crate) fn required(&self) -> Vec<Element> {
        let needed = |element: &Element| element.min() > 0;
        match self {
            Self::Type(def) => def.elements().filter(needed).collect(),
            Self::Element(found) => found.children().filter(needed).collect(),
            Self::Extension(_) => Vec::new(), // its url is written by the label
        }
    }

    fn child(&self, name: &str) -> Option<Found> {
        match self {
            Self::Type(def) => def.element(name),
            Self::Element(found) => found.child(name),
            Self::Extension(_) => r4().type_named("Extension")?.element(name),
        }
    }

    fn nearest(&self, wrong: &str) -> Option<&'static str> {
        match self {
            Self::Type(def) => def.nearest(wrong),
            Self::Element(found) => found.nearest(wrong),
            Self::Extension(_) => r4().type_named("Extension")?.nearest(wrong),
        }
    }
}

impl<'a> Extension<'a> {
    fn find(id: &str, within: &Holder<'a>, own: &'a [ExtensionRow]) -> Option<Self> {
        match within {
            Holder::Extension(Self::Standard(outer)) => outer.nested_named(id).map(Self::Standard),
            Holder::Extension(Self::Own(outer)) => {
                let mut parts = own
                    .iter()
                    .filter(|row| row.within.as_deref() == Some(outer.id.as_str()));
                match parts.clone().next() {
                    Some(_) => parts.find(|row| row.id == id).map(Self::Own),
                    None => outer.types.iter().any(|kind| kind == "extension").then_some(Self::Part),
                }
            }
            _ if within.type_name() == "Extension" => Some(Self::Part),
            _ => own
                .iter()
                .find(|row| (row.id == id || row.url == id) && row.within.is_none())
                .map(Self::Own)
                .or_else(|| r4().extension(id).map(Self::Standard)),
        }
    }

    fn names(within: &Holder<'a>, own: &'a [ExtensionRow]) -> Vec<&'a str> {
        match within {
            Holder::Extension(Self::Standard(outer)) => outer.nested().map(|nested| nested.url()).collect(),
            Holder::Extension(Self::Own(outer)) => own
                .iter()
                .filter(|row| row.within.as_deref() == Some(outer.id.as_str()))
                .map(|row| row.id.as_str())
                .collect(),
            _ => {
                let own = own.iter().map(|row| row.id.as_str());
                own.chain(r4().extensions().map(|known| known.short())).collect()
            }
        }
    }

    /// The types that its value may have.
    fn types(&self) -> Vec<&'a str> {
        match self {
            Self::Standard(def) => def.types().map(|kind| kind.code()).collect(),
            Self::Own(row) => row
                .types
                .iter()
                .map(String::as_str)
                .filter(|kind| *kind != "extension")
                .collect(),
            Self::Part => Vec::new(),
        }
    }

    fn binding(&self) -> Option<Binding> {
        match self {
            Self::Standard(def) => def.binding(),
            Self::Own(_) | Self::Part => None,
        }
    }
}

/// Walks a path; the last step is what the row writes.
pub(crate) fn resolve<'a>(start: Holder<'a>, target: &Target, own: &'a [ExtensionRow]) -> Result<Vec<Step<'a>>, Bad> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    let mut holder = start;
    for (n, segment) in target.segments.iter().enumerate() {
        let step = match &segment.extension {
            Some(id) => extension(&holder, id, segment, own)?,
            None => element(&holder, segment)?,
        };
        let last = n + 1 == target.segments.len();
        labels(segment, &step, last)?;
        holder = step.holder;
        steps.push(step);
    }
    Ok(steps)
}

fn extension<'a>(holder: &Holder<'a>, id: &str, segment: &Segment, own: &'a [ExtensionRow]) -> Result<Step<'a>, Bad> {
    let Some(found) = Extension::find(id, holder, own) else {
        let text = format!("no extension {id} is known to the definitions or to extensions.csv");
        return Err(Bad::new(segment.span, text).nearest_of(id, Extension::names(holder, own)));
    };
    Ok(Step {
        holder: Holder::Extension(found),
        repeats: true,
        binding: None,
    })
}

fn element<'a>(holder: &Holder<'a>, segment: &Segment) -> Result<Step<'a>, Bad> {
    let name = segment.element.as_str();
    let unknown = || {
        let mut bad = Bad::new(segment.span, format!("{} has no element {name}", holder.name()));
        bad.nearest = holder.nearest(name).map(str::to_owned);
        bad
    };
    if holder.is_primitive() && name != "id" {
        return Err(Bad::new(
            segment.span,
            format!("{} is a plain value without elements", holder.name()),
        ));
    }
    let found = holder.child(name).ok_or_else(unknown)?;
    if found.element.is_choice() && found.kind.is_none() {
        let types: Vec<&str> = found.element.types().map(|kind| kind.code()).take(6).collect();
        let text = format!("{name} is a choice: name one of its types ({} ...)", types.join(", "));
        return Err(Bad::new(segment.span, text));
    }
    let mut binding = found.element.binding();
    if let Holder::Extension(extension) = holder {
        value_type(extension, &found, segment)?;
        binding = extension.binding();
    }
    Ok(Step {
        holder: Holder::Element(found),
        repeats: found.element.repeats(),
        binding,
    })
}

/// An extension's value has one of the types of its definition.
fn value_type(extension: &Extension<'_>, found: &Found, segment: &Segment) -> Result<(), Bad> {
    if matches!(extension, Extension::Part) {
        return Ok(());
    }
    let types = extension.types();
    let kind = found.kind.map_or("", |kind| kind.code());
    if !found.element.is_choice() || types.contains(&kind) {
        return Ok(());
    }
    if types.is_empty() {
        return Err(Bad::new(segment.span, "this extension holds extensions and no value"));
    }
    let right = types.iter().map(|code| concrete(code)).collect::<Vec<_>>();
    let text = format!("this extension has no {}, but {}", segment.element, right.join(", "));
    let mut bad = Bad::new(segment.span, text);
    bad.nearest = nearest(&segment.element, right.iter().map(String::as_str)).map(str::to_owned);
    Err(bad)
}

fn concrete(code: &str) -> String {
    let mut letters = code.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().fold(String::from("value"), |mut name, c| {
        name.push(c);
        name
    }) + letters.as_str()
}

/// Items of a repeating element within a path are told apart by a label.
fn labels(segment: &Segment, step: &Step<'_>, last: bool) -> Result<(), Bad> {
    let name = &segment.element;
    if segment.label.is_some() && !step.repeats {
        return Err(Bad::new(
            segment.span,
            format!("{name} does not repeat: a label has no meaning here"),
        ));
    }
    let own_label = segment.extension.is_some() || segment.label.is_some();
    if !last && step.repeats && !own_label {
        let text = format!("{name} repeats: its item within a path wants a label, as in {name}#x");
        return Err(Bad::new(segment.span, text));
    }
    Ok(())
}
