//! What can be configured of FHIR resources.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::transport::units;

/// Options of FHIR resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Whether HTTP may write over what came from feeds.
    pub over_feeds: bool,
    /// How long nothing must have come of a study before it goes through the chain as a whole.
    #[serde(with = "units::duration")]
    pub quiet: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            over_feeds: false,
            quiet: Duration::from_secs(2), // DESIGN decision 11
        }
    }
}
