//! What was decided. An answer is a type of its own, so "sent but undecided" cannot be written.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Bundle, Context, Finding, Frame};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// Taken, with nothing to say.
    Accepted,
    /// Taken, with remarks.
    Remarked,
    /// Not taken: the content has an error.
    Refused,
    /// Kept for a person to decide.
    Held,
    /// It could not be decided.
    Failed {
        /// Whether the sender may try again.
        retry: bool,
    },
}

impl Verdict {
    /// Whether the sender gets a positive answer.
    pub fn is_positive(self) -> bool {
        matches!(self, Self::Accepted | Self::Remarked | Self::Held)
    }

    /// The word in listings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Remarked => "remarked",
            Self::Refused => "refused",
            Self::Held => "held",
            Self::Failed { .. } => "failed",
        }
    }
}

/// What became of one resource that a sender asked to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Number of its entry in the bundle, from 0.
    pub entry: u32,
    /// Its type.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The version it has now, from 1.
    pub version: u64,
    /// When it got that version, to the millisecond.
    pub updated: Timestamp,
    /// What was done.
    pub effect: Effect,
}

/// What was done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is new.
    Created,
    /// It has a new version.
    Updated,
    /// It is gone.
    Deleted,
    /// It was there already, and a conditional create left it as it was.
    Found,
}

/// The decision on one exchange.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was decided.
    pub verdict: Verdict,
    /// Number of the part within the message, from 0.
    pub part: u32,
    /// The FHIR it was decided on.
    pub bundle: Arc<Bundle>,
    /// What was known besides.
    pub context: Arc<Context>,
    /// All remarks.
    pub findings: Vec<Finding>,
    /// What other systems are to get.
    pub deliveries: Vec<Delivery>,
    /// Name of the rule snapshot that it was decided by.
    pub rules: Option<Arc<str>>,
    /// What became of the resources that were to be written.
    pub applied: Vec<Applied>,
}

/// Something for another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The configured name of the destination.
    pub destination: String,
    /// The key whose order is kept, usually the patient's.
    pub order: Option<String>,
    /// The type of the message that it tells of, in the format's own words.
    pub message_type: String,
    /// Media type of what is sent.
    pub media_type: String,
    /// What is sent; empty where it is rendered from the log when its time has come.
    pub body: Vec<u8>,
}

/// What a delivery is rendered from: what the log keeps of the part that it tells of.
#[derive(Debug, Clone, Copy)]
pub struct Parcel<'a> {
    /// The frame as it came.
    pub frame: &'a Frame,
    /// Number of the part within the message, from 0.
    pub part: u32,
    /// The FHIR it was decided on.
    pub bundle: &'a Bundle,
    /// All remarks, those that came late last.
    pub findings: &'a [Finding],
}
