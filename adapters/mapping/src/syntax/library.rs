//! All the files of a format's maps together: loaded, told apart by kind, found by name. A library is what is checked,
//! compiled and explained; it holds texts only as parsed rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::cells::header;
use super::element::ElementFile;
use super::extra::{ExtensionRow, MessageRow, read_extensions, read_messages};
use super::span::{Bad, FileId, Level, Problem, Span};
use super::structure::{Make, StructureFile};
use crate::site::Site;
use crate::table::Table;

/// One file as text, as it is embedded or read by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// Its name with its folder: `PID.Patient.csv`, `tables/0001.csv`.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// The files of a format's maps.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// Structure files by name; `types` is the one of values.
    pub structures: BTreeMap<String, StructureFile>,
    /// Element and type files by name.
    pub elements: BTreeMap<String, ElementFile>,
    /// Code tables by name.
    pub tables: BTreeMap<String, Table>,
    /// Extensions that the definitions do not know.
    pub extensions: Vec<ExtensionRow>,
    /// Which structure a kind of message has.
    pub messages: Vec<MessageRow>,
    /// The site's settings, or the defaults of all sites.
    pub site: Site,
    pub(crate) files: Vec<Arc<str>>,
    /// SHA-256 of each file by its name with its layer.
    pub(crate) digests: BTreeMap<Arc<str>, [u8; 32]>,
}

/// A library with what is wrong in its texts.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// What could be read.
    pub library: Library,
    /// What could not, in order of files and lines.
    pub problems: Vec<Problem>,
}

/// Which kind of file a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Structure,
    Element,
    Table,
    Extensions,
    Messages,
    Site,
}

impl Library {
    /// Reads texts. Rows that cannot be read are left out and reported; whether the others fit FHIR is another check.
    pub fn load(sources: &[Source<'_>]) -> Loaded {
        let mut library = Self::default();
        let mut bad = Vec::new();
        for source in sources {
            library.add(source, "", &mut bad);
        }
        library.resolve();
        library.off_rows(&mut bad);
        let problems = library.problems(Level::Error, bad);
        Loaded { library, problems }
    }

    /// The files that a binary holds; those of `over` replace files of the same name and add others.
    pub fn embedded(files: &[(&str, &str)], over: &[(String, String)]) -> (Self, Vec<Problem>) {
        let replaced = |name: &str| over.iter().any(|(own, _)| own == name);
        let embedded = files
            .iter()
            .filter(|(name, _)| !replaced(name))
            .map(|(name, text)| Source { name, text });
        let own = over.iter().map(|(name, text)| Source { name, text });
        let sources: Vec<Source<'_>> = embedded.chain(own).collect();
        let loaded = Self::load(&sources);
        (loaded.library, loaded.problems)
    }

    /// Reads one text into its place; `layer` goes before its name in messages.
    pub(crate) fn add(&mut self, source: &Source<'_>, layer: &str, bad: &mut Vec<Bad>) {
        let file = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let full: Arc<str> = format!("{layer}{}", source.name).into();
        self.files.push(full.clone());
        let twice = self.digests.insert(full, Sha256::digest(source.text).into()).is_some();
        let top = Span {
            file,
            line: 1,
            column: 1,
        };
        let taken = self.add_kind(source, file, bad);
        match taken {
            Some(false) if !twice => {}
            Some(_) => bad.push(Bad::new(top, "a file of this name is there already")),
            None => {
                let text = "the header is of no kind of file: a structure file has at and make, an element file from, \
                            to and how, a table code and to-code";
                bad.push(Bad::new(top, text));
            }
        }
    }

    /// Reads a text as its kind, and says whether another of its kind and name was there; nothing when it is of no kind.
    fn add_kind(&mut self, source: &Source<'_>, file: FileId, bad: &mut Vec<Bad>) -> Option<bool> {
        let name = stem(source.name).to_owned();
        let text = source.text;
        let twice = match kind(source)? {
            Kind::Structure => {
                let read = StructureFile::read(&name, text, file, bad);
                self.structures.insert(name, read).is_some()
            }
            Kind::Element => {
                let read = ElementFile::read(&name, text, file, bad);
                self.elements.insert(name, read).is_some()
            }
            Kind::Table => {
                let read = Table::read(&name, text, file, bad);
                self.tables.insert(name, read).is_some()
            }
            Kind::Extensions => {
                self.extensions.extend(read_extensions(text, file, bad));
                false
            }
            Kind::Messages => {
                self.messages.extend(read_messages(text, file, bad));
                false
            }
            Kind::Site => {
                self.site = Site::read(text, file, bad);
                false
            }
        };
        Some(twice)
    }

    /// The snapshot that these rows are: SHA-256 over the names and contents of all files, those of the site too.
    pub fn hash(&self) -> [u8; 32] {
        let mut all = Sha256::new();
        for (name, digest) in &self.digests {
            all.update(name.as_bytes());
            all.update([0]);
            all.update(digest);
        }
        all.finalize().into()
    }

    /// Names in keys: those of the structure itself and of all that it uses or that use it.
    pub(crate) fn resolve(&mut self) {
        let groups = self.groups();
        for structure in self.structures.values_mut() {
            if let Some(names) = groups.get(&structure.name) {
                structure.resolve_keys(names);
            }
        }
    }

    /// For each structure the instance names that stand beside its own in some message.
    fn groups(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for structure in self.structures.values() {
            let members = self.used(&structure.name);
            let names: BTreeSet<String> = members
                .iter()
                .filter_map(|member| self.structures.get(member))
                .flat_map(|member| member.names().into_iter().map(str::to_owned))
                .collect();
            for member in members {
                groups.entry(member).or_default().extend(names.iter().cloned());
            }
        }
        groups
    }

    /// A structure and all that it uses, each once.
    pub fn used(&self, name: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(name) = open.pop() {
            let rows = self.structures.get(&name).map_or(&[][..], |file| file.rows.as_slice());
            let uses = rows.iter().filter(|row| row.make == Make::Use);
            open.extend(
                uses.flat_map(|row| row.fill.iter().map(|file| file.name.clone()))
                    .filter(|n| !found.contains(n)),
            );
            found.insert(name);
        }
        found
    }

    /// The name of a file, with its layer.
    pub fn file_name(&self, file: FileId) -> Arc<str> {
        self.files.get(file.0 as usize).cloned().unwrap_or_else(|| "".into())
    }

    /// A row as lineage names it, `FILE:LINE`.
    pub fn row_text(&self, row: Span) -> String {
        format!("{}:{}", self.file_name(row.file), row.line)
    }

    /// What is wrong, with file names, in order.
    pub(crate) fn problems(&self, level: Level, mut bad: Vec<Bad>) -> Vec<Problem> {
        bad.sort_by_key(|bad| bad.span);
        bad.dedup_by_key(|bad| bad.span); // what follows from the first at one position
        let problem = |bad: Bad| Problem {
            level,
            file: self.file_name(bad.span.file),
            line: bad.span.line,
            column: bad.span.column,
            text: bad.text,
            nearest: bad.nearest,
        };
        bad.into_iter().map(problem).collect()
    }
}

/// A file's name without folder and ending.
pub(crate) fn stem(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.strip_suffix(".csv").unwrap_or(name)
}

fn kind(source: &Source<'_>) -> Option<Kind> {
    match stem(source.name) {
        "site.toml" => return Some(Kind::Site),
        "extensions" => return Some(Kind::Extensions),
        "messages" => return Some(Kind::Messages),
        _ => {}
    }
    let header = header(source.text);
    let has = |column: &str| header.iter().any(|cell| cell == column);
    let in_tables = source.name.split('/').rev().nth(1) == Some("tables");
    match () {
        () if in_tables || has("code") => Some(Kind::Table),
        () if has("at") || has("make") => Some(Kind::Structure),
        () if has("from") || has("how") => Some(Kind::Element),
        () => None,
    }
}
