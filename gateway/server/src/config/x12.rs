//! What is peculiar to the X12 senders behind a listener.

use std::path::PathBuf;

use causeway_x12::lift::{Options, Site};
use serde::{Deserialize, Serialize};

use super::hl7v2::{BundleOption, files, named};

/// X12 of one listener.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct X12Options {
    /// The kind of Bundle a claim becomes.
    pub bundle: BundleOption,
    /// The zone of times, which X12 writes without an offset, `America/New_York`.
    pub zone: Option<String>,
    /// The folder of a site whose rows lie over the base ones.
    pub site: Option<PathBuf>,
    /// A folder whose maps and tables replace the embedded ones of the same name.
    pub maps: Option<PathBuf>,
}

impl X12Options {
    /// The adapter's options, with the folders read.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn read(&self) -> anyhow::Result<Options> {
        let site = self.site.as_deref().map(named).transpose()?;
        Ok(Options {
            bundle: self.bundle.into(),
            zone: self.zone.clone(),
            files: self.maps.as_deref().map(files).transpose()?.unwrap_or_default(),
            site: site.map(|(name, files)| Site { name, files }),
        })
    }
}
