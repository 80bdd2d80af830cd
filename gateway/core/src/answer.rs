//! What was decided. An answer is a type of its own, so "sent but undecided" cannot be written.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Bundle, Context, Finding};

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
}

/// Something for another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The configured name of the destination.
    pub destination: String,
    /// The key whose order is kept, usually the patient's.
    pub order: Option<String>,
    /// Media type of the body.
    pub media_type: String,
    /// What is sent.
    pub body: Vec<u8>,
}
