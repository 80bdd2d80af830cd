//! The rule packs in force in a running gateway. They are read again when somebody asks for it, and only as a whole: a
//! pack that is broken leaves the old snapshot in force, and readiness says so until a reload is taken. What a rule
//! means is not known here.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Context;
use causeway_rules::{Refused, Rules, Site, Snapshot};

use crate::chain::RuleSource;
use crate::config::Config;

/// Where a data folder keeps the snapshots that were in force, by their names.
const FOLDER: &str = "rules";

/// The rules in force.
#[derive(Debug)]
pub struct Rulebook {
    rules: Rules,
    /// The data folder, where there is one.
    data: OnceLock<PathBuf>,
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
            data: OnceLock::new(),
            refused: Mutex::default(),
        })
    }

    /// Keeps every snapshot from now on in a data folder, so that what was decided can be explained when the rules have
    /// long changed.
    pub fn keep_in(&self, data: &Path) {
        if self.data.set(data.to_owned()).is_ok() {
            self.keep(&self.current());
        }
    }

    fn keep(&self, snapshot: &Snapshot) {
        let Some(data) = self.data.get() else { return };
        if let Err(error) = write(data, snapshot) {
            let snapshot = snapshot.id();
            tracing::error!(snapshot, %error, "a snapshot of the rules is not kept; its decisions cannot be replayed");
        }
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
            Ok(next) => {
                self.keep(next);
                tracing::info!(before = before.id(), snapshot = next.id(), "rules reloaded");
            }
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

/// Writes a snapshot under its name, whole or not at all; one that is there already is the same.
fn write(data: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let folder = data.join(FOLDER);
    let (path, half) = (folder.join(snapshot.id()), folder.join("half"));
    if path.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&half)?;
    file.write_all(&snapshot.archive())?;
    file.sync_all()?;
    std::fs::rename(half, path)
}

/// A snapshot that was in force in a data folder.
///
/// # Errors
/// There is none of that name, or this version reads it as another.
pub fn kept(data: &Path, id: &str) -> anyhow::Result<Snapshot> {
    if !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        anyhow::bail!("{id:?} is no name of a snapshot"); // nor a way out of the folder
    }
    let bytes = std::fs::read(data.join(FOLDER).join(id)).with_context(|| format!("snapshot {id}"))?;
    let snapshot = Snapshot::from_archive(&bytes).map_err(|refused| anyhow::anyhow!("{refused}"))?;
    if snapshot.id() != id {
        anyhow::bail!("snapshot {id} was made by another version of the rules' engine");
    }
    Ok(snapshot)
}
