//! The facts of FHIR R4 (types, elements, extensions, codes) and what is checked against them. Nothing here does I/O or
//! knows a message format; what is known is embedded.

pub mod definitions;
pub mod primitive;
pub mod validator;

pub use definitions::{
    Binding, CodeSystem, Concept, Definitions, Element, ExtensionDef, Found, Strength, TypeDef, TypeKind, TypeRef,
    ValueSet, nearest, r4,
};
pub use primitive::{JsonForm, Primitive};
pub use validator::{validate, validate_at};
