//! Handles on types and elements. They are two pointers each and are copied freely.

use std::fmt;

use super::Definitions;
use super::nearest::nearest;
use super::rows::{ElementRow, Scope, TypeKind, TypeRefRow, TypeRow};
use super::terms::Binding;
use crate::primitive::Primitive;

/// A type or resource.
#[derive(Clone, Copy)]
pub struct TypeDef {
    pub(super) defs: &'static Definitions,
    pub(super) row: &'static TypeRow,
}

impl fmt::Debug for TypeDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypeDef({})", self.name())
    }
}

impl PartialEq for TypeDef {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.row, other.row)
    }
}

impl Eq for TypeDef {}

impl TypeDef {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.row.name
    }

    /// What sort of type it is.
    pub fn kind(&self) -> TypeKind {
        self.row.kind
    }

    /// Which primitive it is.
    pub fn primitive(&self) -> Option<Primitive> {
        self.row.primitive
    }

    /// The type it is derived from; none for `Element` and `Resource`.
    pub fn base(&self) -> Option<TypeDef> {
        self.defs.type_named(self.row.base)
    }

    /// Whether it is a type or derived from it.
    pub fn is_a(&self, name: &str) -> bool {
        self.name() == name || self.base().is_some_and(|base| base.is_a(name))
    }

    /// Its elements in order, inherited ones too.
    pub fn elements(&self) -> impl Iterator<Item = Element> + use<> {
        elements(self.defs, self.row.scope)
    }

    /// The element of a name: `name`, `value[x]` or `value` for a choice, `valueQuantity` for one of its types.
    pub fn element(&self, name: &str) -> Option<Found> {
        find(self.defs, self.row.scope, name)
    }

    /// The element at a path below: `name.given`, `valueQuantity.value`, `component.referenceRange.low`.
    pub fn path(&self, path: &str) -> Option<Found> {
        let (first, below) = path
            .split_once('.')
            .map_or((path, None), |(first, below)| (first, Some(below)));
        let found = self.element(first)?;
        below.map_or(Some(found), |below| found.path(below))
    }

    /// The name of an element that was probably meant.
    pub fn nearest(&self, wrong: &str) -> Option<&'static str> {
        nearest_in(self.defs, self.row.scope, wrong)
    }
}

/// One element of a type or group.
#[derive(Clone, Copy)]
pub struct Element {
    pub(super) defs: &'static Definitions,
    pub(super) row: &'static ElementRow,
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({})", self.path())
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.row, other.row)
    }
}

impl Eq for Element {}

impl Element {
    /// Its name: `given`, `value[x]`.
    pub fn name(&self) -> &'static str {
        self.row.name()
    }

    /// Its path: `Patient.contact.name`.
    pub fn path(&self) -> &'static str {
        self.row.path
    }

    /// Its number among its siblings, from 0; JSON is written in this order.
    pub fn ordinal(&self) -> u32 {
        self.row.ordinal
    }

    /// How many there must be.
    pub fn min(&self) -> u32 {
        self.row.min
    }

    /// How many there may be; none for no end.
    pub fn max(&self) -> Option<u32> {
        (self.row.max != u32::MAX).then_some(self.row.max)
    }

    /// Whether JSON writes it as an array (R4 2.6.2.2).
    pub fn repeats(&self) -> bool {
        self.row.max > 1
    }

    /// Whether it is a choice of types, `value[x]`.
    pub fn is_choice(&self) -> bool {
        self.row.path.ends_with("[x]")
    }

    /// Whether it changes the meaning of what holds it.
    pub fn is_modifier(&self) -> bool {
        self.row.flags.contains('m')
    }

    /// Whether a summary holds it.
    pub fn is_summary(&self) -> bool {
        self.row.flags.contains('s')
    }

    /// Its types in order; none when it has the content of another element.
    pub fn types(&self) -> impl ExactSizeIterator<Item = TypeRef> + use<> {
        let defs = self.defs;
        defs.tables
            .refs(&self.row.types)
            .iter()
            .map(move |row| TypeRef { defs, row })
    }

    /// The element whose content it has, such as `Bundle.link` for `Bundle.entry.link`.
    pub fn content_reference(&self) -> Option<Element> {
        self.row
            .reference
            .and_then(|path| self.defs.element(path))
            .map(|found| found.element)
    }

    /// The codes it takes.
    pub fn binding(&self) -> Option<Binding> {
        self.row.binding.as_ref().map(|row| Binding { defs: self.defs, row })
    }

    /// The elements it holds: of its group, of its only type, or of the element whose content it has. None for a choice,
    /// where the type decides.
    pub fn children(&self) -> impl Iterator<Item = Element> + use<> {
        elements(self.defs, self.row.content)
    }

    /// Whether it is a group of elements of its own (`BackboneElement`), or has the content of one.
    pub fn is_group(&self) -> bool {
        self.row.reference.is_some()
            || self
                .types()
                .any(|kind| matches!(kind.code(), "BackboneElement" | "Element"))
    }

    /// The element of a name that it holds.
    pub fn child(&self, name: &str) -> Option<Found> {
        find(self.defs, self.row.content, name)
    }
}

/// What a name or path led to: an element, and the type when the name or the definition leaves one.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// The element.
    pub element: Element,
    /// Its type: the one that `valueQuantity` names, or the only one. None for a bare choice and for the content of
    /// another element.
    pub kind: Option<TypeRef>,
}

impl Found {
    /// The elements that may stand in it.
    pub fn children(&self) -> impl Iterator<Item = Element> + use<> {
        elements(self.element.defs, self.content())
    }

    /// The element of a name that may stand in it.
    pub fn child(&self, name: &str) -> Option<Found> {
        find(self.element.defs, self.content(), name)
    }

    /// The element at a path below.
    pub fn path(&self, path: &str) -> Option<Found> {
        path.split('.').try_fold(*self, |found, name| found.child(name))
    }

    /// The name of an element in it that was probably meant.
    pub fn nearest(&self, wrong: &str) -> Option<&'static str> {
        nearest_in(self.element.defs, self.content(), wrong)
    }

    fn content(&self) -> Scope {
        let own = self.element.row.content;
        let of_type = || {
            self.kind
                .map_or(Scope::NONE, |kind| self.element.defs.tables.content_of(kind.row))
        };
        if own == Scope::NONE { of_type() } else { own }
    }
}

/// One of an element's types.
#[derive(Clone, Copy)]
pub struct TypeRef {
    pub(super) defs: &'static Definitions,
    pub(super) row: &'static TypeRefRow,
}

impl fmt::Debug for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypeRef({})", self.code())
    }
}

impl TypeRef {
    /// Name of the type.
    pub fn code(&self) -> &'static str {
        self.row.code
    }

    /// The narrower type that is meant, `SimpleQuantity`.
    pub fn profile(&self) -> Option<&'static str> {
        self.row.profile
    }

    /// Its definition, that of the narrower type where one is meant.
    pub fn def(&self) -> Option<TypeDef> {
        let row = self.defs.tables.types.get(self.row.of? as usize)?;
        Some(TypeDef { defs: self.defs, row })
    }

    /// Whether it is a primitive.
    pub fn is_primitive(&self) -> bool {
        self.def().is_some_and(|def| def.kind() == TypeKind::Primitive)
    }

    /// The resources that a Reference or canonical may name, in order; empty when it may name any.
    pub fn targets(&self) -> &'static [&'static str] {
        match self.row.targets.as_slice() {
            ["Resource"] => &[],
            targets => targets,
        }
    }

    /// Whether a Reference may name a resource of this type.
    pub fn may_target(&self, resource: &str) -> bool {
        self.targets().is_empty() || self.targets().contains(&resource)
    }
}

fn elements(defs: &'static Definitions, scope: Scope) -> impl Iterator<Item = Element> + use<> {
    defs.tables
        .scope_elements(scope)
        .iter()
        .map(move |row| Element { defs, row })
}

fn find(defs: &'static Definitions, scope: Scope, name: &str) -> Option<Found> {
    let (row, kind) = defs.tables.find(scope, name)?;
    Some(Found {
        element: Element { defs, row },
        kind: kind.map(|row| TypeRef { defs, row }),
    })
}

fn nearest_in(defs: &'static Definitions, scope: Scope, wrong: &str) -> Option<&'static str> {
    nearest(wrong, defs.tables.json_names(scope))
}
