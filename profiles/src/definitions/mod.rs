//! What R4 says about itself: types, elements, extensions, value sets and code systems, read from the embedded pack.
//! Profiles of a site or a nation are not here; nor is anything that looks at a resource.
//!
//! The pack is two compressed texts in `packages/hl7.fhir.r4`; `facts` is decoded at the first [`r4`], `codes` at the
//! first question that needs a code system. Everything given out lives as long as the process.

mod decode;
mod element;
mod extension;
mod names;
mod nearest;
mod rows;
mod systems;
mod terms;

use std::fmt;
use std::sync::LazyLock;

pub use element::{Element, Found, TypeDef, TypeRef};
pub use extension::ExtensionDef;
pub use nearest::nearest;
pub(crate) use rows::{BindingRow, ElementRow, ExtensionRow, Scope, Special, Tables, TypeRefRow, TypeRow};
pub use rows::{Strength, TypeKind};
pub use terms::{Binding, CodeSystem, Concept, ValueSet};

use terms::Codes;

const FACTS: &[u8] = include_bytes!("../../packages/hl7.fhir.r4/facts.zst");
const CODES: &[u8] = include_bytes!("../../packages/hl7.fhir.r4/codes.zst");

static R4: LazyLock<Definitions> = LazyLock::new(|| Definitions::from_pack(FACTS, CODES));

/// The definitions of FHIR R4 (4.0.1).
pub fn r4() -> &'static Definitions {
    &R4
}

/// The definitions of one version of FHIR.
pub struct Definitions {
    tables: Tables,
    codes: LazyLock<Codes, Box<dyn FnOnce() -> Codes + Send + Sync>>,
}

impl fmt::Debug for Definitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definitions")
            .field("types", &self.tables.types.len())
            .finish_non_exhaustive()
    }
}

impl Definitions {
    /// An embedded pack that does not decode gives empty definitions; a test reads the pack and would not pass.
    fn from_pack(facts: &'static [u8], codes: &'static [u8]) -> Self {
        let tables = decode::facts(text_of(facts)).unwrap_or_default();
        Self {
            tables,
            codes: LazyLock::new(Box::new(move || Codes::decode(text_of(codes)))),
        }
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) fn bound(&'static self, row: &BindingRow) -> Option<ValueSet> {
        let row = self.tables.value_sets.get(row.set? as usize)?;
        Some(ValueSet { defs: self, row })
    }

    /// The type or resource of a name: `Patient`, `HumanName`, `dateTime`, `SimpleQuantity`.
    pub fn type_named(&'static self, name: &str) -> Option<TypeDef> {
        self.tables.type_named(name).map(|row| TypeDef { defs: self, row })
    }

    /// Every type and resource.
    pub fn types(&'static self) -> impl Iterator<Item = TypeDef> {
        self.tables.types.iter().map(move |row| TypeDef { defs: self, row })
    }

    /// Every resource that is not abstract.
    pub fn resources(&'static self) -> impl Iterator<Item = TypeDef> {
        self.types().filter(|kind| kind.kind() == TypeKind::Resource)
    }

    /// The element at a path from a type: `Patient.name.given`, `Observation.valueQuantity.value`.
    pub fn element(&'static self, path: &str) -> Option<Found> {
        let (name, below) = path.split_once('.')?;
        self.type_named(name)?.path(below)
    }

    /// The standard extension of a short name (`patient-birthTime`) or an address.
    pub fn extension(&'static self, short_or_url: &str) -> Option<ExtensionDef> {
        self.tables
            .extension(short_or_url)
            .map(|row| ExtensionDef { defs: self, row })
    }

    /// Every standard extension, by name.
    pub fn extensions(&'static self) -> impl Iterator<Item = ExtensionDef> {
        self.tables
            .extensions
            .iter()
            .map(move |row| ExtensionDef { defs: self, row })
    }

    /// The value set of an address; a version behind `|` is not looked at.
    pub fn value_set(&'static self, url: &str) -> Option<ValueSet> {
        let url = url.split('|').next().unwrap_or(url);
        self.tables.value_set(url).map(|row| ValueSet { defs: self, row })
    }

    /// The address of a code system by its short name, the last segment of its address: `v3-ActCode`,
    /// `observation-status`, `v2-0203`. The great systems have the names used in talk: `loinc`, `sct`, `ucum`.
    pub fn system(&'static self, short: &str) -> Option<&'static str> {
        systems::external(short).or_else(|| self.codes.by_short(short).map(|system| system.url))
    }

    /// The short names of every code system.
    pub fn system_names(&'static self) -> impl Iterator<Item = &'static str> {
        systems::names().chain(self.codes.systems().map(|system| terms::short(system.url)))
    }

    /// The code system of an address, when the pack holds its codes.
    pub fn code_system(&'static self, url: &str) -> Option<CodeSystem> {
        let url = url.split('|').next().unwrap_or(url);
        self.codes
            .number(url)
            .and_then(|number| self.codes.get(number))
            .map(|row| CodeSystem { row })
    }
}

/// The text of a compressed part of the pack. It stays for good, so that what is read from it needs no copy.
fn text_of(compressed: &'static [u8]) -> &'static str {
    let bytes = zstd::decode_all(compressed).unwrap_or_default();
    String::from_utf8(bytes).map_or("", |text| Box::leak(text.into_boxed_str()))
}
