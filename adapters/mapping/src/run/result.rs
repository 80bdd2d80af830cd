//! What a run is told and what it gives: its setting, its remarks, and what came of the document.

use std::borrow::Cow;

use causeway_core::{Bundle, Place};
use uuid::Uuid;

/// What kind of bundle comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BundleKind {
    /// A message; its entries refer to each other by UUID.
    #[default]
    Message,
    /// A transaction: resources with an identifier are updated or created by it.
    Transaction,
    /// A collection.
    Collection,
}

/// What a run needs to know besides document and plan.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// SHA-256 of the frame, for ids of what has no key.
    pub hash: &'a [u8; 32],
    /// Who sends, for ids of what no authority numbers.
    pub sender: &'a str,
    /// What kind of bundle.
    pub kind: BundleKind,
    /// The time that the document says it was made, for times without an offset: MSH-7.
    pub stated: Option<&'a str>,
}

/// A remark made while running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Its code.
    pub code: Cow<'static, str>,
    /// Where in the source.
    pub place: Option<Place>,
    /// The row that made it, by number.
    pub row: u32,
    /// What it is about: a code, an authority.
    pub about: String,
}

/// What came of a document.
#[derive(Debug)]
pub struct Lifted<T> {
    /// Its FHIR.
    pub bundle: Bundle,
    /// Remarks.
    pub remarks: Vec<Remark>,
    /// The id of the first patient.
    pub patient: Option<Uuid>,
    /// What was tracked.
    pub track: T,
    /// Items that no group took, by index.
    pub strays: Vec<u32>,
}
