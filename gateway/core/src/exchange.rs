//! One decision to be made. An adapter lifts a message part by part into drafts; with a receipt a draft becomes an
//! exchange, so an exchange without a kept (or being kept) frame cannot be written.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::answer::Applied;
use crate::{Answer, Bundle, Finding, Receipt, Verdict};

/// What the sender wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// Tells us something: ADT, ORU, C-STORE.
    #[default]
    Notice,
    /// Asks us something: QBP, 270, C-FIND.
    Question,
    /// Hands in something to be decided: 837, settlement list.
    Submission,
    /// Asks for advice: CDS Hooks.
    Advice,
}

/// What the chain knows of an exchange besides the bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The adapter's name.
    pub format: String,
    /// The message type in the format's own words: `ORU^R01`.
    pub message_type: String,
    /// The sender's own id of the message: MSH-10, ISA13, SOP Instance UID.
    pub control_id: String,
    /// The sending application and facility, as the message names them.
    pub sender: String,
    /// The time the message says it was made or its event happened, in the sender's words made comparable; an older
    /// statement never overwrites a newer one.
    pub stated: Option<Timestamp>,
    /// The key of the patient; answers and deliveries of one patient keep their order.
    pub patient: Option<String>,
    /// Hash of the maps, tables and site that lifted it.
    pub snapshot: String,
}

/// One part of a message, lifted.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Its FHIR.
    pub bundle: Bundle,
    /// What the sender wants.
    pub intent: Intent,
    /// What is known besides.
    pub context: Context,
    /// Remarks of parser and map.
    pub findings: Vec<Finding>,
    /// Whether the FHIR is the sender's own, so that what is wrong with it is the sender's fault and no map's, and its
    /// entries say what is to be written.
    pub verbatim: bool,
}

/// One decision to be made.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The frame is in the inbox's hands.
    pub receipt: Receipt,
    /// Number of the part within the message, from 0.
    pub part: u32,
    /// What the sender wants.
    pub intent: Intent,
    /// Immutable once lifted.
    pub bundle: Arc<Bundle>,
    /// What is known besides.
    pub context: Arc<Context>,
    /// When the frame was received: "now" for rules.
    pub received: Timestamp,
    /// Remarks so far.
    pub findings: Vec<Finding>,
    /// Name of the rule snapshot that ran over it.
    pub rules: Option<Arc<str>>,
    /// Whether the FHIR is the sender's own; see [`Draft`].
    pub verbatim: bool,
    /// What became of the resources that were to be written.
    pub applied: Vec<Applied>,
}

impl Exchange {
    /// A draft under a receipt.
    pub fn new(receipt: Receipt, part: u32, draft: Draft) -> Self {
        let received = receipt.frame().received;
        Self {
            receipt,
            part,
            intent: draft.intent,
            bundle: Arc::new(draft.bundle),
            context: Arc::new(draft.context),
            received,
            findings: draft.findings,
            rules: None,
            verbatim: draft.verbatim,
            applied: Vec::new(),
        }
    }

    /// Adds a remark, with its path and place filled in from its node.
    pub fn remark(&mut self, mut finding: Finding) {
        self.bundle.locate(&mut finding);
        self.findings.push(finding);
    }

    /// Ends the exchange with a verdict.
    pub fn answer(self, verdict: Verdict) -> Answer {
        Answer {
            verdict,
            part: self.part,
            bundle: self.bundle,
            context: self.context,
            findings: self.findings,
            deliveries: Vec::new(),
            rules: self.rules,
            applied: self.applied,
        }
    }
}
