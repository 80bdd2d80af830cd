//! Records that say nothing was lost unsaid: the ledger has one record a populated source leaf, the lineage one a FHIR
//! leaf. Both are recomputed from frame and maps when somebody asks, never kept.

use serde::{Deserialize, Serialize};

/// What became of a source leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeafState {
    /// A row read it for what it wrote, tested or keyed.
    Mapped,
    /// A row ignores it, with a reason.
    Ignored,
    /// No row read it; the sender is told on request.
    Reported,
}

/// One populated source leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRecord {
    /// Its place, always full.
    pub place: String,
    /// What became of it.
    pub state: LeafState,
    /// FHIR paths that carry it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Why it is ignored or reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One FHIR leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineageRecord {
    /// FHIRPath of the leaf.
    pub path: String,
    /// `source`, `constant`, `site`, `generated` or `finding`.
    pub kind: String,
    /// The places it came from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// The row that wrote it, `FILE:LINE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<String>,
}
