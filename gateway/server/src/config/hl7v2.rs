//! What is peculiar to the HL7v2 systems behind a listener, and the folders that its maps may come from. The adapter
//! opens no file: folders are read here.

use std::path::{Path, PathBuf};

use anyhow::Context;
use causeway_core::finding::Lang;
use causeway_hl7v2::reply::Mode;
use causeway_hl7v2::{Site, Unsupported};
use causeway_mapping::run::BundleKind;
use serde::{Deserialize, Serialize};

/// HL7v2 of one listener.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hl7v2Options {
    /// Which acknowledgements are sent.
    pub acknowledgement: Acknowledgement,
    /// The character set of senders that declare none, `GB18030`.
    pub charset: Option<String>,
    /// The zone of times without an offset, `Asia/Shanghai`.
    pub zone: Option<String>,
    /// The kind of Bundle a message becomes.
    pub bundle: BundleOption,
    /// What becomes of a message whose type has no map; it is kept either way.
    pub unsupported_type: UnsupportedType,
    /// The folder of a site whose rows lie over the base ones.
    pub site: Option<PathBuf>,
    /// A folder whose maps and tables replace the embedded ones of the same name.
    pub maps: Option<PathBuf>,
}

/// Which acknowledgements are sent (HL7 v2.9 2.9.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledgement {
    /// As MSH-15 and MSH-16 ask.
    #[default]
    AsMessage,
    /// One application acknowledgement, whatever they say.
    Original,
    /// A commit acknowledgement, and an application acknowledgement where MSH-16 asks.
    Enhanced,
}

/// What becomes of a message whose type has no map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnsupportedType {
    /// It is rejected: AR or CR with table 0357 code 200.
    #[default]
    Reject,
    /// It is accepted with a warning.
    Accept,
}

/// The kind of Bundle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BundleOption {
    /// A message Bundle with a `MessageHeader`.
    #[default]
    Message,
    /// A transaction Bundle, conditional by identifier.
    Transaction,
    /// A collection Bundle.
    Collection,
}

impl From<BundleOption> for BundleKind {
    fn from(option: BundleOption) -> Self {
        match option {
            BundleOption::Message => Self::Message,
            BundleOption::Transaction => Self::Transaction,
            BundleOption::Collection => Self::Collection,
        }
    }
}

impl Hl7v2Options {
    /// The adapter's configuration, with the folders read.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn read(&self, lang: Lang) -> anyhow::Result<causeway_hl7v2::Config> {
        let site = self.site.as_deref().map(named).transpose()?;
        Ok(causeway_hl7v2::Config {
            mode: match self.acknowledgement {
                Acknowledgement::AsMessage => Mode::AsMessage,
                Acknowledgement::Original => Mode::Original,
                Acknowledgement::Enhanced => Mode::Enhanced,
            },
            charset: self.charset.clone(),
            zone: self.zone.clone(),
            bundle: self.bundle.into(),
            lang,
            unsupported: match self.unsupported_type {
                UnsupportedType::Reject => Unsupported::Reject,
                UnsupportedType::Accept => Unsupported::Accept,
            },
            site: site.map(|(name, files)| Site { name, files }),
            files: self.maps.as_deref().map(files).transpose()?.unwrap_or_default(),
        })
    }
}

/// A site's folder: its name and its files.
pub(super) fn named(folder: &Path) -> anyhow::Result<(String, Vec<(String, String)>)> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((name, files(folder)?))
}

/// The map files of a folder and its `tables`, by name.
pub(super) fn files(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for (prefix, folder) in [("", folder.to_owned()), ("tables/", folder.join("tables"))] {
        if prefix.is_empty() || folder.is_dir() {
            for entry in std::fs::read_dir(&folder).with_context(|| format!("maps in {}", folder.display()))? {
                let path = entry?.path();
                let wanted = path
                    .extension()
                    .is_some_and(|ending| ending == "csv" || ending == "toml");
                if let (true, Some(name)) = (wanted, path.file_name()) {
                    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                    found.push((format!("{prefix}{}", name.to_string_lossy()), text));
                }
            }
        }
    }
    found.sort(); // folders list in any order, and the snapshot's hash must not depend on it
    Ok(found)
}
