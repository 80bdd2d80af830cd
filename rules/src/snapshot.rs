//! All packs in force, as one immutable whole with one name: the hash over every file and the site. A new one is read, linted and
//! tested before it takes the old one's place in one step; a broken one leaves the old in force.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use causeway_core::fhir::Bundle;
use causeway_core::{Exchange, Finding};
use jiff::Timestamp;

use crate::guard::{Ran, run};
use crate::{Pack, Packs, Problem, Refused, archive};

/// What packs need to know of where they run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// ISO 3166 code of country or part, `CN` or `CN-SH`: rows of other jurisdictions do not apply, and the nearest
    /// wins. Empty: only rows that apply everywhere.
    pub jurisdiction: String,
}

/// All packs in force.
#[derive(Debug)]
pub struct Snapshot {
    id: Arc<str>,
    packs: Vec<Pack>,
    files: Packs,
    site: Site,
}

impl Snapshot {
    /// Reads, lints and tests all packs.
    ///
    /// # Errors
    /// Every problem and every case that fails; one is enough to refuse the whole.
    pub fn build(packs: &Packs, site: &Site) -> Result<Self, Refused> {
        let id: Arc<str> = packs.hash(site).into();
        let mut problems = Vec::new();
        let mut read = Vec::new();
        for (name, files) in &packs.0 {
            match Pack::read(name, files, site, Arc::clone(&id)) {
                Ok(pack) => read.push(pack),
                Err(Refused(wrong)) => problems.extend(wrong),
            }
        }
        for pack in &read {
            problems.extend(crate::test(pack).failures.into_iter().map(Problem::from));
        }
        if problems.is_empty() {
            Ok(Self {
                id,
                packs: read,
                files: packs.clone(),
                site: site.clone(),
            })
        } else {
            Err(Refused(problems))
        }
    }

    /// Its name: SHA-256 over the engine's version, the site and all files, 64 hex digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The snapshot as bytes, to be kept by its name.
    pub fn archive(&self) -> Vec<u8> {
        archive::write(&self.files, &self.site)
    }

    /// Builds a snapshot that was kept, to replay what was decided by it. It has its old name if this engine's version
    /// is the one that made it.
    ///
    /// # Errors
    /// The bytes are no archive, or as [`Snapshot::build`].
    pub fn from_archive(bytes: &[u8]) -> Result<Self, Refused> {
        let Some((packs, site)) = archive::read(bytes) else {
            let (zh, en) = ("不是规则快照", "no snapshot of rules");
            return Err(Refused(vec![Problem::new("archive", 0, zh, en)]));
        };
        Self::build(&packs, &site)
    }

    /// Its packs, by name.
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The pack of a name.
    pub fn pack(&self, name: &str) -> Option<&Pack> {
        self.packs.iter().find(|pack| pack.manifest().id == name)
    }

    /// Runs every pack over an exchange. A pack that breaks says so and names what is to happen to the message.
    pub fn run(&self, exchange: &Exchange) -> Ran {
        let mut all = Ran {
            snapshot: Some(Arc::clone(&self.id)),
            ..Ran::default()
        };
        for pack in &self.packs {
            all.join(run(pack, exchange));
        }
        all
    }

    /// Checks a bundle against every pack: replay, and the command line.
    pub fn check_bundle(&self, bundle: &Bundle, received: Timestamp) -> Vec<Finding> {
        self.packs
            .iter()
            .flat_map(|pack| pack.check_bundle(bundle, received))
            .collect()
    }
}

/// The snapshot in force, and what it takes to make the next.
#[derive(Debug)]
pub struct Rules {
    folders: Vec<PathBuf>,
    site: Site,
    current: RwLock<Arc<Snapshot>>,
}

impl Rules {
    /// The packs that the binary carries, with the folders of a site laid over them in order.
    ///
    /// # Errors
    /// As [`Snapshot::build`]; at start nothing can take a broken one's place.
    pub fn load(folders: Vec<PathBuf>, site: Site) -> Result<Self, Refused> {
        let snapshot = Arc::new(build(&folders, &site)?);
        Ok(Self {
            folders,
            site,
            current: RwLock::new(snapshot),
        })
    }

    /// The snapshot in force. Whoever decides something takes one and keeps it until the decision is made.
    pub fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the folders again and puts the new snapshot in force; returns it. The same files make the same snapshot.
    ///
    /// # Errors
    /// As [`Snapshot::build`]; the snapshot in force stays.
    pub fn reload(&self) -> Result<Arc<Snapshot>, Refused> {
        let next = Arc::new(build(&self.folders, &self.site)?);
        self.put(Arc::clone(&next));
        Ok(next)
    }

    /// Puts a snapshot in force and returns the one that was: the way back to an earlier one that was kept.
    pub fn put(&self, snapshot: Arc<Snapshot>) -> Arc<Snapshot> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, snapshot)
    }
}

fn build(folders: &[PathBuf], site: &Site) -> Result<Snapshot, Refused> {
    let mut packs = Packs::embedded();
    for folder in folders {
        packs.lay_over(folder)?;
    }
    Snapshot::build(&packs, site)
}
