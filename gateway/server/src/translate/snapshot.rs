//! The one name of everything that decides on a frame: maps and site, which do not change while the gateway runs, and
//! rules, which may. A frame that was refused under another name runs again when it is sent again.

use std::sync::{Arc, PoisonError, RwLock};

/// Characters of the rules' name that go into it: 64 bits of a hash.
const RULES: usize = 16;

/// The maps' name, joined with that of the rules in force.
#[derive(Debug)]
pub(super) struct Snapshot {
    maps: String,
    /// The rules that were in force last, and the whole name with them: rules change seldom, and frames are many.
    last: RwLock<(Arc<str>, Arc<str>)>,
}

impl Snapshot {
    /// Of maps, with no rules yet.
    pub(super) fn of(maps: String) -> Self {
        let last = RwLock::new((Arc::from(""), Arc::from(maps.as_str())));
        Self { maps, last }
    }

    /// The name with these rules.
    pub(super) fn with(&self, rules: &causeway_rules::Snapshot) -> Arc<str> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        if *last.0 == *rules.id() {
            return Arc::clone(&last.1);
        }
        drop(last);
        let short = rules.id().get(..RULES).unwrap_or(rules.id());
        let name: Arc<str> = format!("{}+{short}", self.maps).into();
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = (rules.id().into(), Arc::clone(&name));
        name
    }
}
