//! What can be configured of HL7v2, as values: no file is read here, and what it means is in `adapter`.

use causeway_core::finding::Lang;
use causeway_mapping::Problem;
use causeway_mapping::run::BundleKind;

use crate::reply::Mode;

/// How a listener speaks HL7v2.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Which acknowledgements there are.
    pub mode: Mode,
    /// The character set of senders that declare none: `GB18030`.
    pub charset: Option<String>,
    /// The zone of times without an offset, and of our own: `Asia/Shanghai`. A site's own zone goes before it.
    pub zone: Option<String>,
    /// What kind of bundle a message becomes.
    pub bundle: BundleKind,
    /// The language of texts to people.
    pub lang: Lang,
    /// What becomes of a message whose type has no map.
    pub unsupported: Unsupported,
    /// The site whose rows lie over the base ones.
    pub site: Option<Site>,
    /// Files that replace embedded ones of the same name: `PID.Patient.csv`, `tables/0001.csv`, `site.toml`.
    pub files: Vec<(String, String)>,
}

/// What becomes of a message whose type has no map. It is kept either way, and read as far as any message can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unsupported {
    /// It is rejected (AR, or CR where a commit is asked for; HL7 v2.9 2.9.2, table 0357 codes 200 and 201), so that
    /// nobody takes it for done.
    #[default]
    Reject,
    /// It is accepted with a warning.
    Accept,
}

/// A site's own rows.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Its name, the folder's.
    pub name: String,
    /// Its files by name.
    pub files: Vec<(String, String)>,
}

/// A configuration that cannot be used.
#[derive(Debug, Clone)]
pub enum Unusable {
    /// No such character set.
    Charset(String),
    /// No such time zone.
    Zone(String),
    /// The maps are broken.
    Maps(Vec<Problem>),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Charset(name) => write!(f, "there is no character set {name}"),
            Self::Zone(name) => write!(f, "there is no time zone {name}"),
            Self::Maps(problems) => {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                write!(f, "the maps are broken: {}", lines.join("; "))
            }
        }
    }
}

impl std::error::Error for Unusable {}
