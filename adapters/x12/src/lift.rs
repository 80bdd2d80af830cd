//! From a part, one claim with what stands around it, to FHIR: the X12 side of the row language (places, loops,
//! operations), the embedded maps, and what a run of them gives. How rows are compiled and run is `causeway-mapping`'s;
//! syntax and guides are not judged here.

mod doc;
mod document;
mod embedded;
mod format;
mod maps;
mod ops;
mod place;
mod step;
#[cfg(test)]
mod tests;
mod text;
mod tree;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use causeway_core::adapter::Trace;
use causeway_core::ledger::LedgerRecord;
use causeway_core::{Bundle, Finding, Place, Places};
use causeway_mapping::run::{BundleKind, Lifted, Nothing, Setting, Track, Tracked};
use causeway_mapping::syntax::Level;
use causeway_mapping::{Plan, Problem, Source, remarks};

use document::Document;
use format::X12Format;
pub use maps::{Site, maps};

use crate::envelope::Envelope;
use crate::part::Part;

/// What of the maps cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable(
    /// What is wrong, by file, line and column.
    pub Vec<Problem>,
);

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&said.join("\n"))
    }
}

impl std::error::Error for Unusable {}

/// How parts are lifted.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What kind of bundle comes out.
    pub bundle: BundleKind,
    /// Zone of times, which X12 writes without an offset: `America/New_York`; UTC where there is none.
    pub zone: Option<String>,
    /// Files over the embedded ones, by name.
    pub files: Vec<(String, String)>,
    /// The rows of a site over all.
    pub site: Option<Site>,
}

/// The X12 maps, compiled. Clones share them.
#[derive(Debug, Clone)]
pub struct Lift {
    plan: Arc<Plan<Document>>,
    bundle: BundleKind,
    snapshot: Arc<str>,
}

/// What came of a part.
#[derive(Debug)]
pub struct Made {
    /// Its FHIR, with the origin of each element.
    pub bundle: Bundle,
    /// The id of its patient.
    pub patient: Option<String>,
    /// What the maps have to say, at places such as `ISA[1]/ST[1]/2300[4]/HI[1]-01.2`.
    pub findings: Vec<Finding>,
}

impl Lift {
    /// Compiles the maps.
    ///
    /// # Errors
    /// What of the rows, tables and settings cannot be used.
    pub fn new(options: &Options) -> Result<Self, Unusable> {
        let (mut library, mut problems) = embedded::library(&options.files);
        if let Some(site) = &options.site {
            let sources: Vec<Source<'_>> = site.files.iter().map(|(name, text)| Source { name, text }).collect();
            library = library.with_site(&site.name, &sources).map_err(Unusable)?;
        }
        let zone = library.site.zone.take().or_else(|| options.zone.clone());
        library.site.zone = Some(zone.unwrap_or_else(|| "UTC".to_owned()));
        let (plan, more) = Plan::compile(&library, &X12Format);
        problems.extend(more);
        if options.site.is_some() || !options.files.is_empty() {
            problems.extend(maps::check(&library)); // the embedded ones are checked by a test
        }
        problems.retain(|problem| problem.level == Level::Error);
        if !problems.is_empty() {
            return Err(Unusable(problems));
        }
        let mut snapshot = String::with_capacity(64);
        for byte in library.hash() {
            // Writing to a String cannot fail.
            let _written = write!(snapshot, "{byte:02x}");
        }
        Ok(Self {
            plan: Arc::new(plan),
            bundle: options.bundle,
            snapshot: snapshot.into(),
        })
    }

    /// Hash of the maps, tables and site in force.
    pub fn snapshot(&self) -> &str {
        &self.snapshot
    }

    /// Whether there is a map for a transaction set of a guide: `837` of `005010X222A1`.
    pub fn takes(&self, envelope: &Envelope) -> bool {
        self.structure(envelope).is_some()
    }

    /// Lifts a part; none where there is no map for its guide. `hash` is the frame's SHA-256, for ids of what has no key.
    pub fn lift(&self, part: Part, hash: &[u8; 32]) -> Option<Made> {
        let document = Arc::new(Document::new(part));
        let lifted = self.run(&document, hash, Nothing)?;
        let findings = self.findings(&document, &lifted);
        Some(Made {
            bundle: lifted.bundle,
            patient: lifted.patient.map(|id| id.to_string()),
            findings,
        })
    }

    /// Ledger and lineage of a part. The parts of a transaction set share their header: [`Ledger`] makes one of those of
    /// all parts.
    pub fn trace(&self, part: Part, hash: &[u8; 32]) -> Option<Trace> {
        let document = Arc::new(Document::new(part));
        let lifted = self.run(&document, hash, Tracked::default())?;
        let place = |place: Place| document.place_text(place);
        Some(Trace {
            ledger: self.plan.ledger(&*document, &lifted, &place),
            lineage: lifted.bundle.lineage(),
        })
    }

    fn structure(&self, envelope: &Envelope) -> Option<&str> {
        let guide = if envelope.guide.is_empty() {
            &envelope.group_version
        } else {
            &envelope.guide
        };
        self.plan
            .structure_for(&envelope.set, guide)
            .map(|(structure, _)| structure)
    }

    fn run<T: Track>(&self, document: &Arc<Document>, hash: &[u8; 32], track: T) -> Option<Lifted<T>> {
        let envelope = &document.part().envelope;
        let structure = self.structure(envelope)?;
        let sender = sender(envelope);
        let hash = of_set(hash, envelope);
        let setting = Setting {
            hash: &hash,
            sender,
            kind: self.bundle,
            stated: None,
        };
        let texts = Arc::new(Texts {
            document: Arc::clone(document),
            plan: Arc::clone(&self.plan),
        });
        self.plan.run(structure, &**document, setting, texts, track)
    }

    fn findings<T>(&self, document: &Document, lifted: &Lifted<T>) -> Vec<Finding> {
        let place = |place: Option<Place>, finding: Finding| match place {
            Some(place) => finding.at_place(document.place_text(place)),
            None => finding,
        };
        let said = lifted.remarks.iter().map(|remark| {
            let finding = remarks::finding(&remark.code, &self.plan.row_text(remark.row), &remark.about);
            place(remark.place, finding)
        });
        let segments = &document.part().segments;
        let strays = lifted.strays.iter().filter_map(|item| segments.get(*item as usize));
        let unread = strays.map(|segment| {
            let finding = remarks::finding("segment-unknown", "", segment.id.as_str());
            place(Some(place::segment(segment.position)), finding)
        });
        said.chain(unread).collect()
    }
}

/// Who sends, as ids of what no authority numbers and sites know it: GS02, else ISA06.
pub fn sender(envelope: &Envelope) -> &str {
    if envelope.application_sender.is_empty() {
        &envelope.sender
    } else {
        &envelope.application_sender
    }
}

/// One ledger of those of the parts of a file: a leaf of a header that several parts share stands once, mapped where any
/// part maps it.
#[derive(Debug, Default)]
pub struct Ledger {
    records: Vec<LedgerRecord>,
    known: HashMap<String, usize>,
}

impl Ledger {
    /// Takes the ledger of a further part.
    pub fn add(&mut self, part: Vec<LedgerRecord>) {
        for record in part {
            let known = self.known.get(&record.place).and_then(|at| self.records.get_mut(*at));
            match known {
                Some(before) if before.to.is_empty() && !record.to.is_empty() => *before = record,
                Some(_) => {}
                None => {
                    self.known.insert(record.place.clone(), self.records.len());
                    self.records.push(record);
                }
            }
        }
    }

    /// The records, in the order of the file.
    pub fn into_records(self) -> Vec<LedgerRecord> {
        self.records
    }
}

/// The frame's hash with the numbers of interchange and transaction set in it: segments are numbered within a set.
fn of_set(hash: &[u8; 32], envelope: &Envelope) -> [u8; 32] {
    let mut hash = *hash;
    let numbers = envelope
        .interchange
        .to_be_bytes()
        .into_iter()
        .chain(envelope.transaction.to_be_bytes());
    hash.iter_mut().zip(numbers).for_each(|(byte, number)| *byte ^= number);
    hash
}

/// The texts of places and rows of a bundle.
struct Texts {
    document: Arc<Document>,
    plan: Arc<Plan<Document>>,
}

impl Places for Texts {
    fn place(&self, place: Place) -> String {
        self.document.place_text(place)
    }

    fn row(&self, row: u32) -> String {
        self.plan.row_text(row)
    }
}
