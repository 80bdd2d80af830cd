//! The files of a pack: those that the binary carries, and those of a site's folder laid over them. This is the only
//! place of the crate that touches a disk, and only when a snapshot is built; no rule reads anything.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Problem, Refused, Site};

/// The files below `packs/`, by path from there.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// The largest file that is read, in bytes; fifty thousand rows fit.
const MAX_BYTES: u64 = 16 << 20;

/// Files of one layer, by name within the pack: `rows.csv`, `cases/limits.csv`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A pack as files: the whole pack, and over it what sites changed.
#[derive(Debug, Clone, Default)]
pub struct PackFiles {
    /// The pack itself.
    pub base: Files,
    /// Overlays, in order; a later one wins.
    pub overlays: Vec<(String, Files)>,
}

/// All packs by name.
#[derive(Debug, Clone, Default)]
pub struct Packs(pub BTreeMap<String, PackFiles>);

impl Packs {
    /// The packs that the binary carries.
    pub fn embedded() -> Self {
        let mut packs: BTreeMap<String, PackFiles> = BTreeMap::new();
        for (path, bytes) in EMBEDDED {
            if let Some((pack, name)) = path.split_once('/') {
                let files = &mut packs.entry(pack.to_owned()).or_default().base;
                files.insert(name.to_owned(), bytes.to_vec());
            }
        }
        Self(packs)
    }

    /// Lays a folder of packs over these. A subfolder with a `pack.toml` is a whole pack and replaces one of the same
    /// name; one with a `site.toml` changes rows of a pack that is there.
    ///
    /// # Errors
    /// What cannot be read, or is neither.
    pub fn lay_over(&mut self, folder: &Path) -> Result<(), Refused> {
        let mut problems = Vec::new();
        for (name, path) in subfolders(folder).map_err(|error| unreadable(folder, &error))? {
            let mut files = Files::new();
            read(&path, "", &mut files).map_err(|error| unreadable(&path, &error))?;
            if let Err(problem) = self.lay(&name, files, &path) {
                problems.push(problem);
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Refused(problems))
        }
    }

    /// Lays the files of one pack over these, as [`Packs::lay_over`] does.
    ///
    /// # Errors
    /// Neither a whole pack nor changes of one that is there.
    pub fn lay(&mut self, name: &str, files: Files, origin: &Path) -> Result<(), Problem> {
        if files.contains_key("pack.toml") {
            let overlays = Vec::new();
            self.0.insert(name.to_owned(), PackFiles { base: files, overlays });
            return Ok(());
        }
        let origin = origin.display().to_string();
        let Some(pack) = self.0.get_mut(name) else {
            let zh = format!("没有名为 {name} 的规则包可供修改，也没有 pack.toml");
            return Err(Problem::new(
                origin,
                0,
                zh,
                format!("there is no pack {name} to change, and no pack.toml to make one"),
            ));
        };
        if !files.contains_key("site.toml") {
            let zh = "缺少 site.toml（由谁批准、何时批准）";
            return Err(Problem::new(
                origin,
                0,
                zh,
                "site.toml is missing: who approved the changes and when",
            ));
        }
        pack.overlays.push((origin, files));
        Ok(())
    }

    /// SHA-256 over the engine's version, the site, and every pack, layer, name and byte, as 64 hex digits: equal
    /// names judge alike. Where a folder lies is not part of it.
    pub(crate) fn hash(&self, site: &Site) -> String {
        let mut hasher = Sha256::new();
        hasher.update(concat!(env!("CARGO_PKG_VERSION"), "\0"));
        hasher.update(&site.jurisdiction);
        for (name, pack) in &self.0 {
            hash_files(&mut hasher, name, &pack.base);
            for (_, files) in &pack.overlays {
                hash_files(&mut hasher, name, files);
            }
        }
        hex(&hasher.finalize())
    }
}

fn hash_files(hasher: &mut Sha256, pack: &str, files: &Files) {
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    part(pack.as_bytes());
    part(&(files.len() as u64).to_be_bytes());
    for (name, bytes) in files {
        part(name.as_bytes());
        part(bytes);
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn unreadable(path: &Path, error: &io::Error) -> Refused {
    let (zh, en) = (format!("无法读取：{error}"), format!("cannot be read: {error}"));
    Refused(vec![Problem::new(path.display().to_string(), 0, zh, en)])
}

fn subfolders(folder: &Path) -> io::Result<BTreeMap<String, std::path::PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            found.insert(name, entry.path());
        }
    }
    Ok(found)
}

/// Reads the CSV, TOML and Markdown files of a pack, one level of folders deep.
fn read(folder: &Path, prefix: &str, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if path.is_dir() && prefix.is_empty() {
            read(&path, &format!("{name}/"), files)?;
        } else if path
            .extension()
            .is_some_and(|end| end == "csv" || end == "toml" || end == "md")
        {
            if entry.metadata()?.len() > MAX_BYTES {
                return Err(io::Error::other(format!("{name} is larger than 16 MiB")));
            }
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}
