//! What can be configured of FHIR resources.

use serde::{Deserialize, Serialize};

/// Options of FHIR resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Whether HTTP may write over what came from feeds.
    pub over_feeds: bool,
}
