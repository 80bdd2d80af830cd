//! A folder listener's keys.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::transport::units;

/// Settings of a folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The folder that holds `inbound`, `working`, `processed`, `failed` and `replies`.
    pub folder: PathBuf,
    /// Between two looks.
    #[serde(with = "units::duration")]
    pub look: Duration,
    /// A file is whole when it did not change for so long.
    #[serde(with = "units::duration")]
    pub settle: Duration,
    /// The largest file, in bytes.
    #[serde(with = "units::size")]
    pub largest: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("./causeway-files"),
            look: Duration::from_secs(1),
            settle: Duration::from_secs(2),
            largest: 16 << 30,
        }
    }
}
