//! The facts of FHIR R4 (types, elements, extensions, codes) and what is checked against them. Nothing here does I/O or
//! knows a message format; what is known is embedded.

pub mod definitions;

pub use definitions::{
    Binding, CodeSystem, Concept, Definitions, Element, ExtensionDef, Found, Strength, TypeDef, TypeKind, TypeRef,
    ValueSet, nearest, r4,
};
