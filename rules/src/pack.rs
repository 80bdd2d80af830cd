//! A pack that was read without a problem. It is a rule to the chain; what it was made of can be asked afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use causeway_core::fhir::Bundle;
use causeway_core::{Exchange, Finding, Meta, Rule};
use jiff::Timestamp;

use crate::cases::{self, Case};
use crate::files::{Files, PackFiles};
use crate::limits::read::Reading;
use crate::limits::text::Speaker;
use crate::limits::{self, Limits};
use crate::manifest::{self, Approval, Manifest, Source};
use crate::{Problem, Refused, Site};

/// A pack of rules.
#[derive(Debug)]
pub struct Pack {
    pub(crate) manifest: Manifest,
    pub(crate) sources: BTreeMap<String, Source>,
    pub(crate) approvals: Vec<Approval>,
    pub(crate) limits: Limits,
    pub(crate) cases: Vec<Case>,
    meta: Meta,
    snapshot: Arc<str>,
}

/// What is wrong with a pack, beside its cases' outcome; nothing when it could be put in force.
pub fn lint(name: &str, files: &PackFiles, site: &Site) -> Vec<Problem> {
    match Pack::read(name, files, site, "".into()) {
        Ok(_) => Vec::new(),
        Err(Refused(problems)) => problems,
    }
}

impl Pack {
    /// Reads a pack of a snapshot.
    ///
    /// # Errors
    /// Every problem found in its files, rows and cases.
    pub(crate) fn read(name: &str, files: &PackFiles, site: &Site, snapshot: Arc<str>) -> Result<Self, Refused> {
        let manifest = own_manifest(name, &files.base)?;
        let mut layers = vec![(format!("{name}/"), &files.base)];
        let mut problems = Vec::new();
        let mut approvals = Vec::new();
        for (origin, overlay) in &files.overlays {
            let bytes = overlay.get("site.toml").map_or(&[][..], Vec::as_slice);
            match manifest::approval(&format!("{origin}/site.toml"), bytes) {
                Ok(approval) => approvals.push(approval),
                Err(wrong) => problems.extend(wrong),
            }
            layers.push((format!("{origin}/"), overlay));
        }
        let mut sources = manifest.sources.clone();
        sources.extend(approvals.iter().flat_map(|approval| approval.source.clone()));
        let mut reading = Reading {
            pack: name,
            layers,
            manifest: &manifest,
            sources,
            site,
            problems,
        };
        let limits = limits::read::limits(&mut reading);
        let cases = cases::read(&mut reading, &limits);
        cases::coverage(&limits, &cases, &mut reading.problems);
        let (problems, sources) = (reading.problems, reading.sources);
        if !problems.is_empty() {
            return Err(Refused(problems));
        }
        let meta = Meta {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            fail: manifest.fail,
        };
        Ok(Self {
            manifest,
            sources,
            approvals,
            limits,
            cases,
            meta,
            snapshot,
        })
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Who approved a site's changes to it.
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// The ids of its rows, in the order of the table.
    pub fn rows(&self) -> impl Iterator<Item = &str> {
        self.limits.rows.iter().map(|row| row.id.as_str())
    }

    /// How many cases it carries.
    pub fn cases(&self) -> usize {
        self.cases.len()
    }

    /// Checks a bundle that was received at a time: what the chain does, without an exchange.
    pub fn check_bundle(&self, bundle: &Bundle, received: Timestamp) -> Vec<Finding> {
        let speaker = Speaker {
            manifest: &self.manifest,
            snapshot: &self.snapshot,
            sources: &self.sources,
        };
        limits::check::check(&self.limits, &speaker, bundle, received)
    }
}

impl Rule for Pack {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn check(&self, exchange: &Exchange) -> Vec<Finding> {
        self.check_bundle(&exchange.bundle, exchange.received)
    }
}

fn own_manifest(name: &str, files: &Files) -> Result<Manifest, Refused> {
    let file = format!("{name}/pack.toml");
    let Some(bytes) = files.get("pack.toml") else {
        return Err(Refused(vec![Problem::new(
            file,
            0,
            "缺少该文件",
            "the file is missing",
        )]));
    };
    let manifest = manifest::manifest(&file, bytes).map_err(Refused)?;
    if manifest.id != name {
        let zh = format!("id 应与文件夹同名：{name}");
        let en = format!("the id must be the folder's name, {name}");
        return Err(Refused(vec![Problem::new(file, 0, zh, en)]));
    }
    Ok(manifest)
}
