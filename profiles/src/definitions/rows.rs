//! The decoded tables: plain rows that refer to each other by number, and the look-ups on them. Meaning is given by
//! the handles (`TypeDef`, `Element`...) that wrap a row with its tables.

use std::ops::Range;
use std::sync::OnceLock;

use super::names::{NameTable, Region, Slot};
use crate::primitive::Primitive;

/// What sort of type a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// A JSON string, number or boolean.
    Primitive,
    /// A data type with elements.
    Complex,
    /// A resource.
    Resource,
    /// `Element`, `BackboneElement`, `Resource`, `DomainResource`: never met as such.
    Abstract,
}

/// How binding a value set is (R4 4.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strength {
    /// The code must be of the set.
    Required,
    /// The code must be of the set where the set has one that fits.
    Extensible,
    /// The set is recommended.
    Preferred,
    /// The set shows what may stand here.
    Example,
}

/// Number of a scope, the elements that may stand together in one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope(pub(crate) u32);

impl Scope {
    pub(crate) const NONE: Self = Self(u32::MAX);
}

#[derive(Debug)]
pub(crate) struct TypeRow {
    pub(crate) name: &'static str,
    pub(crate) kind: TypeKind,
    pub(crate) base: &'static str,
    pub(crate) scope: Scope,
    pub(crate) primitive: Option<Primitive>,
    pub(crate) special: Special,
}

/// Types that are judged by more than their elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    None,
    CodeableConcept,
    Coding,
    Extension,
    Reference,
    /// Any resource.
    Resource,
}

impl Special {
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "CodeableConcept" => Self::CodeableConcept,
            "Coding" => Self::Coding,
            "Extension" => Self::Extension,
            "Reference" => Self::Reference,
            "Resource" => Self::Resource,
            _ => Self::None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct ElementRow {
    pub(crate) path: &'static str,
    pub(crate) min: u32,
    /// `u32::MAX` when there is no end.
    pub(crate) max: u32,
    pub(crate) ordinal: u32,
    pub(crate) flags: &'static str,
    pub(crate) types: Range<u32>,
    /// Path of the element whose content it has.
    pub(crate) reference: Option<&'static str>,
    pub(crate) binding: Option<BindingRow>,
    /// What may stand in it; none for a choice, whose type decides.
    pub(crate) content: Scope,
}

impl ElementRow {
    pub(crate) fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    pub(crate) fn is_choice(&self) -> bool {
        self.path.ends_with("[x]")
    }

    /// Its name without the mark of a choice.
    pub(crate) fn stem(&self) -> &'static str {
        self.name().trim_end_matches("[x]")
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct BindingRow {
    pub(crate) strength: Strength,
    pub(crate) value_set: &'static str,
    /// Number of the value set in its table, when the pack has it.
    pub(crate) set: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct TypeRefRow {
    pub(crate) code: &'static str,
    /// The narrower type that is meant, `SimpleQuantity`.
    pub(crate) profile: Option<&'static str>,
    /// Names of the types that may be referred to; empty when any may.
    pub(crate) targets: Vec<&'static str>,
    /// Number of the type, or of the profile.
    pub(crate) of: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct ScopeRow {
    pub(crate) elements: Range<u32>,
    pub(crate) names: Region,
    /// A bit for each element that must be there, by its ordinal.
    pub(crate) required: u128,
}

#[derive(Debug)]
pub(crate) struct ExtensionRow {
    pub(crate) short: &'static str,
    pub(crate) url: &'static str,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) types: Range<u32>,
    pub(crate) binding: Option<BindingRow>,
    pub(crate) contexts: &'static str,
    /// Those right below it, in order.
    pub(crate) nested: Vec<ExtensionRow>,
}

#[derive(Debug)]
pub(crate) struct ValueSetRow {
    pub(crate) url: &'static str,
    pub(crate) parts: Vec<PartRow>,
}

#[derive(Debug)]
pub(crate) struct PartRow {
    pub(crate) system: &'static str,
    pub(crate) content: PartContent,
    /// Number of the system among the code systems, looked up once.
    pub(crate) number: OnceLock<Option<usize>>,
}

#[derive(Debug)]
pub(crate) enum PartContent {
    /// Every code of the system.
    Whole,
    /// These codes, sorted.
    Codes(Vec<&'static str>),
    /// Codes that the pack cannot tell.
    Unknown,
}

/// All of `facts`.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) types: Vec<TypeRow>,
    pub(crate) elements: Vec<ElementRow>,
    pub(crate) scopes: Vec<ScopeRow>,
    pub(crate) refs: Vec<TypeRefRow>,
    pub(crate) names: NameTable,
    pub(crate) type_names: Region,
    /// Sorted by short name.
    pub(crate) extensions: Vec<ExtensionRow>,
    pub(crate) extension_urls: Region,
    /// Sorted by address.
    pub(crate) value_sets: Vec<ValueSetRow>,
}

impl Tables {
    /// Gives back what grew too far: they live as long as the process and never grow again.
    pub(crate) fn shrink(&mut self) {
        self.elements.shrink_to_fit();
        self.scopes.shrink_to_fit();
        self.refs.shrink_to_fit();
        self.names.shrink();
    }

    pub(crate) fn type_named(&self, name: &str) -> Option<&TypeRow> {
        self.types.get(self.type_number(name)? as usize)
    }

    pub(crate) fn type_number(&self, name: &str) -> Option<u32> {
        self.names.find(self.type_names, name).map(|slot| slot.target)
    }

    pub(crate) fn extension(&self, short_or_url: &str) -> Option<&ExtensionRow> {
        let by_url = self
            .names
            .find(self.extension_urls, short_or_url)
            .map(|slot| slot.target as usize);
        let at = by_url.or_else(|| {
            self.extensions
                .binary_search_by_key(&short_or_url, |row| row.short)
                .ok()
        });
        self.extensions.get(at?)
    }

    pub(crate) fn value_set(&self, url: &str) -> Option<&ValueSetRow> {
        let at = self.value_sets.binary_search_by_key(&url, |row| row.url).ok()?;
        self.value_sets.get(at)
    }

    pub(crate) fn scope_elements(&self, scope: Scope) -> &[ElementRow] {
        let Some(row) = self.scopes.get(scope.0 as usize) else {
            return &[];
        };
        self.elements
            .get(row.elements.start as usize..row.elements.end as usize)
            .unwrap_or(&[])
    }

    /// A bit for each element of a scope that must be there.
    pub(crate) fn required(&self, scope: Scope) -> u128 {
        self.scopes.get(scope.0 as usize).map_or(0, |row| row.required)
    }

    /// The element that a JSON member stands for: a choice only by the name of one of its types.
    pub(crate) fn find_json(&self, scope: Scope, name: &str) -> Option<(&ElementRow, Option<&TypeRefRow>)> {
        let slot = self.names.find(self.scopes.get(scope.0 as usize)?.names, name)?;
        if slot.in_json { self.meant(slot) } else { None }
    }

    /// The names that JSON members may have in a scope.
    pub(crate) fn json_names(&self, scope: Scope) -> impl Iterator<Item = &str> {
        let region = self.scopes.get(scope.0 as usize).map(|row| row.names);
        region.into_iter().flat_map(|region| self.names.json_names(region))
    }

    pub(crate) fn refs(&self, range: &Range<u32>) -> &[TypeRefRow] {
        self.refs.get(range.start as usize..range.end as usize).unwrap_or(&[])
    }

    /// The element of a JSON name in a scope, with its type where the name or the definition leaves one.
    pub(crate) fn find(&self, scope: Scope, name: &str) -> Option<(&ElementRow, Option<&TypeRefRow>)> {
        self.meant(self.names.find(self.scopes.get(scope.0 as usize)?.names, name)?)
    }

    fn meant(&self, slot: &Slot) -> Option<(&ElementRow, Option<&TypeRefRow>)> {
        let element = self.elements.get(slot.target as usize)?;
        Some((element, self.refs(&element.types).get(slot.choice as usize)))
    }

    /// What may stand in a value of a type.
    pub(crate) fn content_of(&self, kind: &TypeRefRow) -> Scope {
        kind.of
            .and_then(|of| self.types.get(of as usize))
            .map_or(Scope::NONE, |row| row.scope)
    }
}
