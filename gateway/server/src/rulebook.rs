//! The rule packs in force in a running gateway. They are read again when somebody asks for it, and only as a whole: a
//! pack that is broken leaves the old snapshot in force, and readiness says so until a reload is taken. What a rule
//! means is not known here.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use causeway_rules::{Refused, Rules, Site, Snapshot};

use crate::chain::RuleSource;
use crate::config::Config;

/// The rules in force.
#[derive(Debug)]
pub struct Rulebook {
    rules: Rules,
    /// Why the last reload was refused; nothing once one is taken.
    refused: Mutex<Option<Refused>>,
}

impl Rulebook {
    /// Reads the packs of a configuration.
    ///
    /// # Errors
    /// A pack is broken; at start nothing can take its place.
    pub fn load(config: &Config) -> anyhow::Result<Self> {
        let site = Site {
            jurisdiction: config.chain.jurisdiction.clone(),
        };
        let rules = Rules::load(config.chain.pack_folders.clone(), site)
            .map_err(|error| anyhow::anyhow!("{error}"))
            .context("rule packs")?;
        Ok(Self {
            rules,
            refused: Mutex::default(),
        })
    }

    /// Runs what is in force over each exchange.
    pub fn source(self: &Arc<Self>) -> RuleSource {
        let book = Arc::clone(self);
        Arc::new(move |exchange| book.rules.current().run(exchange))
    }

    /// The snapshot in force.
    pub fn current(&self) -> Arc<Snapshot> {
        self.rules.current()
    }

    /// Reads the packs again and puts them in force together. Reads files, so it blocks.
    ///
    /// # Errors
    /// A pack is broken; the snapshot in force stays.
    pub fn reload(&self) -> Result<Arc<Snapshot>, Refused> {
        let before = self.current();
        let next = self.rules.reload();
        match &next {
            Ok(next) => tracing::info!(before = before.id(), snapshot = next.id(), "rules reloaded"),
            Err(refused) => tracing::error!(snapshot = before.id(), %refused, "rules not reloaded"),
        }
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = next.as_ref().err().cloned();
        next
    }

    /// Why the last reload was refused, if it was.
    pub fn refused(&self) -> Option<Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
