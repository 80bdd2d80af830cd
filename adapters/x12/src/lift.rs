//! From a part, one claim with what stands around it, to FHIR. Which parts there are is `cut`'s affair, and what is wrong
//! with them `validate`'s. No map is known here yet, so a part makes an empty bundle.

use causeway_core::adapter::Trace;
use causeway_core::ledger::LedgerRecord;
use causeway_core::{Bundle, Finding};

use crate::envelope::Envelope;
use crate::part::Part;

/// How parts are lifted.
#[derive(Debug, Clone, Default)]
pub struct Options {}

/// What of the options cannot be used; nothing so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable;

/// The maps of claims.
#[derive(Debug, Clone)]
pub struct Lift {}

/// What came of a part.
#[derive(Debug)]
pub struct Made {
    /// Its FHIR.
    pub bundle: Bundle,
    /// The id of its patient.
    pub patient: Option<String>,
    /// What the maps have to say.
    pub findings: Vec<Finding>,
}

impl Lift {
    /// Makes ready.
    ///
    /// # Errors
    /// What of the options cannot be used.
    pub fn new(_options: &Options) -> Result<Self, Unusable> {
        Ok(Self {})
    }

    /// Hash of the maps in force.
    pub fn snapshot(&self) -> &'static str {
        "none"
    }

    /// Lifts a part; none where there is no map for its guide. `hash` is the frame's SHA-256.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a map keeps the part that its places are in"
    )]
    pub fn lift(&self, part: Part, _hash: &[u8; 32]) -> Option<Made> {
        (!part.segments.is_empty()).then(|| Made {
            bundle: Bundle::default(),
            patient: None,
            findings: Vec::new(),
        })
    }

    /// Ledger and lineage of a part.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a map keeps the part that its places are in"
    )]
    pub fn trace(&self, part: Part, _hash: &[u8; 32]) -> Option<Trace> {
        (!part.segments.is_empty()).then(Trace::default)
    }
}

/// One ledger of those of the parts of a file.
#[derive(Debug, Default)]
pub struct Ledger(Vec<LedgerRecord>);

impl Ledger {
    /// Takes the ledger of a further part.
    pub fn add(&mut self, part: Vec<LedgerRecord>) {
        self.0.extend(part);
    }

    /// The records, in the order of the file.
    pub fn into_records(self) -> Vec<LedgerRecord> {
        self.0
    }
}

/// Who sends, as ids of what no authority numbers know it: GS02, else ISA06.
pub fn sender(envelope: &Envelope) -> &str {
    if envelope.application_sender.is_empty() {
        &envelope.sender
    } else {
        &envelope.application_sender
    }
}
