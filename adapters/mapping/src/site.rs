//! What a site says once: which feed it is, its settings, its authorities, zone, character set and how its updates are
//! meant. Read from `site.toml`; what rows do with it is said elsewhere.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::syntax::{Bad, FileId, Span};

/// The settings of a site, and in a base library the defaults of all sites.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// Which feed the site is.
    pub r#match: Match,
    /// Zone of times that come without an offset: `Asia/Shanghai`.
    pub zone: Option<String>,
    /// Character set of messages that name none: `GB18030`.
    pub charset: Option<String>,
    /// How updates are meant.
    pub mode: Option<Mode>,
    /// What rows read as `site:NAME`.
    pub settings: BTreeMap<String, String>,
    /// System addresses of the authorities that messages name: `RJH = "https://ruijin.example/mrn"`.
    pub authorities: BTreeMap<String, String>,
}

/// Which feed a site is; what is not said matches every feed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// Name of the listener.
    pub listener: Option<String>,
    /// The sender as messages name it.
    pub sender: Option<String>,
}

/// How a message that updates is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// What it says replaces, what it does not say stays.
    #[default]
    Statement,
    /// Segments that repeat say by an action code what becomes of each.
    ActionCode,
    /// The segments of a kind that are present replace all earlier ones.
    Snapshot,
}

impl Mode {
    /// What rows read as `site:mode`, as `site.toml` writes it.
    fn text(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::ActionCode => "action-code",
            Self::Snapshot => "snapshot",
        }
    }
}

impl Match {
    /// Whether it takes a feed.
    pub fn takes(&self, listener: &str, sender: &str) -> bool {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        fits(&self.listener, listener) && fits(&self.sender, sender)
    }

    /// How much it says: of several sites that take a feed, the one that says most is the feed's.
    pub fn weight(&self) -> usize {
        usize::from(self.listener.is_some()) + usize::from(self.sender.is_some())
    }
}

const KEYS: [&str; 6] = ["match", "zone", "charset", "mode", "settings", "authorities"];

impl Site {
    /// Reads a `site.toml`.
    pub(crate) fn read(text: &str, file: FileId, bad: &mut Vec<Bad>) -> Self {
        let mut site: Self = match toml::from_str(text) {
            Ok(site) => site,
            Err(error) => {
                let span = position(text, file, error.span().map_or(0, |range| range.start));
                let said = error.message().to_owned();
                let wrong = said.split('`').nth(1).unwrap_or("").to_owned();
                bad.push(Bad::new(span, said).nearest_of(&wrong, KEYS));
                return Self::default();
            }
        };
        if let Some(mode) = site.mode {
            site.settings.insert("mode".to_owned(), mode.text().to_owned());
        }
        if let Some(zone) = site
            .zone
            .as_deref()
            .filter(|zone| jiff::tz::TimeZone::get(zone).is_err())
        {
            let span = position(text, file, text.find("zone").unwrap_or(0));
            bad.push(Bad::new(span, format!("no time zone is called {zone}")));
        }
        site
    }

    /// These settings over those of a base.
    pub(crate) fn over(self, base: &Self) -> Self {
        let merged = |base: &BTreeMap<String, String>, own: BTreeMap<String, String>| {
            let mut all = base.clone();
            all.extend(own);
            all
        };
        Self {
            r#match: self.r#match,
            zone: self.zone.or_else(|| base.zone.clone()),
            charset: self.charset.or_else(|| base.charset.clone()),
            mode: self.mode.or(base.mode),
            settings: merged(&base.settings, self.settings),
            authorities: merged(&base.authorities, self.authorities),
        }
    }
}

fn position(text: &str, file: FileId, offset: usize) -> Span {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Span {
        file,
        line: small(line),
        column: small(column),
    }
}
