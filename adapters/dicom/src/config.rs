//! What can be configured of DICOM, as values: no file is read here, and what it means is in `adapter`.

use crate::scan::Limits;

/// What can be configured.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The character set of objects that declare none: `GB18030`, `ISO_IR 192`.
    pub charset: Option<String>,
    /// The zone of times without an offset in (0008,0201): `Asia/Shanghai`; without it such times stay dates.
    pub zone: Option<String>,
    /// How much of an object is read.
    pub limits: Limits,
    /// Files that replace embedded ones of the same name: `Patient.Patient.csv`, `tables/body-part.csv`, `site.toml`.
    pub files: Vec<(String, String)>,
}

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// No such character set.
    Charset(String),
    /// The maps are broken, or there is no such time zone.
    Maps(String),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Charset(name) => write!(f, "there is no DICOM character set {name}"),
            Self::Maps(problems) => write!(f, "the maps cannot be used: {problems}"),
        }
    }
}

impl std::error::Error for Unusable {}
