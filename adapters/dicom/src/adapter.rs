//! DICOM as the gateway sees it: a frame is the metadata of one stored instance, the answer a status of C-STORE (PS3.4
//! B.2.3). What rules and services find never becomes a status: many modalities take a warning for a failure.

use std::fmt::Write as _;
use std::sync::Arc;

use causeway_core::adapter::Trace;
use causeway_core::{
    Actor, ActorKind, Adapter, Answer, Class, Context, Draft, Finding, Head, Intent, Key, Parcel, Parsed, Place,
    Places, Reply, ReplyHead, ReplyKind, Severity, Source, Stamp, Text,
};

use causeway_mapping::run::{BundleKind, Lifted, Nothing, Setting, Track, Tracked};
use causeway_mapping::{Plan, syntax};

use crate::config::{Config, Unusable};
use crate::data_set::DataSet;
use crate::lift::{self, DicomFormat, Document};
use crate::problem::{Problem, ProblemKind};
use crate::scan::{self, Limits, Object};
use crate::tag::Tag;
use crate::text::Charsets;
use crate::text::names::{self, Set};

/// The object is kept.
pub const SUCCESS: u16 = 0x0000;
/// Refused: out of resources. The sender tries again.
pub const OUT_OF_RESOURCES: u16 = 0xA700;
/// The data set does not match the SOP class.
pub const MISMATCH: u16 = 0xA900;
/// The data set cannot be understood.
pub const NOT_UNDERSTOOD: u16 = 0xC000;
/// An Error Comment has at most 64 characters (PS3.7 E.1: LO).
const COMMENT: usize = 64;

/// The DICOM adapter of one listener.
#[derive(Debug, Clone)]
pub struct Dicom {
    plan: Arc<Plan<Document>>,
    snapshot: Arc<str>,
    limits: Limits,
    charset: Option<Set>,
}

/// An instance, read.
#[derive(Debug)]
pub struct Reading {
    /// Its metadata.
    pub object: Arc<Object>,
    /// The character sets in force in it.
    pub charsets: Charsets,
    /// Who sent it, where that is known.
    calling: String,
    /// Why it is refused though it is kept: a status and its reason.
    refused: Option<(u16, Finding)>,
    findings: Vec<Finding>,
    done: bool,
}

impl Dicom {
    /// Compiles the maps for a listener.
    ///
    /// # Errors
    /// What of the configuration cannot be used.
    pub fn new(config: &Config) -> Result<Self, Unusable> {
        let charset = config.charset.as_deref().map(named).transpose()?;
        let (mut library, mut problems) = lift::library(&config.files);
        if library.site.zone.is_none() {
            library.site.zone.clone_from(&config.zone);
        }
        let (plan, more) = Plan::compile(&library, &DicomFormat);
        problems.extend(more);
        problems.retain(|problem| problem.level == syntax::Level::Error);
        if !problems.is_empty() {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(Unusable::Maps(lines.join("; ")));
        }
        let mut snapshot = String::with_capacity(64);
        for byte in library.hash() {
            // Writing to a String cannot fail.
            let _written = write!(snapshot, "{byte:02x}");
        }
        Ok(Self {
            plan: Arc::new(plan),
            snapshot: snapshot.into(),
            limits: config.limits,
            charset,
        })
    }

    fn lift<T: Track>(&self, reading: &Reading, hash: &[u8; 32], track: T) -> Option<(Arc<Document>, Lifted<T>)> {
        let document = Arc::new(Document::new(&reading.object, &reading.charsets));
        let (structure, _) = self.plan.structure_for("DICOM", "")?;
        let setting = Setting {
            hash,
            sender: &reading.calling,
            kind: BundleKind::Collection,
            stated: None,
        };
        let texts = Arc::new(Texts {
            document: Arc::clone(&document),
            plan: Arc::clone(&self.plan),
        });
        let lifted = self.plan.run(structure, document.as_ref(), setting, texts, track)?;
        Some((document, lifted))
    }

    /// What the rows remarked.
    fn remarks<T>(&self, document: &Document, lifted: &Lifted<T>) -> Vec<Finding> {
        let made = lifted.remarks.iter().map(|remark| {
            let finding = lift::finding(&remark.code, &self.plan.row_text(remark.row), &remark.about);
            // What is missing in the whole stands nowhere.
            match remark.place.map(|place| lift::place_text(document, place)) {
                Some(place) if place != lift::WHOLE => finding.at_place(place),
                _ => finding,
            }
        });
        made.collect()
    }

    fn read(&self, head: &Head, source: &mut dyn Source) -> (Option<Reading>, Vec<Problem>) {
        let (object, mut problems) = scan::read(source, &self.limits);
        let Some(object) = object else { return (None, problems) };
        let charsets = Charsets::of(&object.set, self.charset, &mut problems);
        check_uids(&object.set, &mut problems);
        let mut findings: Vec<Finding> = problems.iter().map(Problem::finding).collect();
        let refused = mismatch(head, &object.set);
        findings.extend(refused.iter().map(|(_, finding)| finding.clone()));
        let reading = Reading {
            calling: calling(head, &object),
            object: Arc::new(object),
            charsets,
            refused,
            findings,
            done: false,
        };
        (Some(reading), Vec::new())
    }
}

/// The character set of a name.
fn named(name: &str) -> Result<Set, Unusable> {
    let mut problems = Vec::new();
    let coding = names::declared(name.as_bytes(), &mut problems);
    let unknown = problems
        .iter()
        .any(|problem| problem.kind == ProblemKind::CharsetUnknown);
    (!unknown)
        .then_some(coding.first)
        .ok_or_else(|| Unusable::Charset(name.to_owned()))
}

/// The texts of places and rows of a bundle.
struct Texts {
    document: Arc<Document>,
    plan: Arc<Plan<Document>>,
}

impl Places for Texts {
    fn place(&self, place: Place) -> String {
        lift::place_text(&self.document, place)
    }

    fn row(&self, row: u32) -> String {
        self.plan.row_text(row)
    }
}

/// (PS3.5 9.1): at most 64 characters, digits and dots.
fn check_uids(set: &DataSet, problems: &mut Vec<Problem>) {
    for tag in [Tag::SOP_CLASS, Tag::SOP_INSTANCE, Tag::STUDY, Tag::SERIES] {
        if !set.plain(tag).is_some_and(is_uid) {
            problems.push(Problem::at(ProblemKind::BadUid, tag, tag.keyword().unwrap_or_default()));
        }
    }
}

/// Whether a text is a UID (PS3.5 9.1); leading zeros of a component are let pass, since they are met.
pub fn is_uid(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 64 && text.split('.').all(digits)
}

/// What the association said of the object must be what the object says (PS3.7 9.1.1, PS3.4 B.2.3 status A9xx).
fn mismatch(head: &Head, set: &DataSet) -> Option<(u16, Finding)> {
    let Head::Dimse {
        sop_class,
        sop_instance,
        ..
    } = head
    else {
        return None;
    };
    for (tag, said) in [(Tag::SOP_CLASS, sop_class), (Tag::SOP_INSTANCE, sop_instance)] {
        if set.plain(tag) != Some(said.as_str()) {
            let text = Text::new(
                format!("数据集的 {tag} 与 C-STORE 请求不符"),
                format!("{tag} of the data set is not what the C-STORE request says"),
            );
            let finding = Finding::new("sop-mismatch", Severity::Error, Class::Value, gateway(), text);
            return Some((MISMATCH, finding.at_place(tag.to_string())));
        }
    }
    None
}

fn calling(head: &Head, object: &Object) -> String {
    match head {
        Head::Dimse { calling_ae, .. } => calling_ae.clone(),
        // (0002,0016) Source Application Entity Title.
        _ => object.meta.plain(Tag(0x0002_0016)).unwrap_or_default().to_owned(),
    }
}

fn gateway() -> Actor {
    Actor::new(ActorKind::Parser, "dicom")
}

impl Reading {
    fn context(&self, snapshot: &str, patient: Option<String>) -> Context {
        let set = &self.object.set;
        let modality = set.plain(Tag(0x0008_0060)).unwrap_or("?");
        Context {
            format: "dicom".to_owned(),
            message_type: format!("C-STORE {modality}"),
            control_id: set.plain(Tag::SOP_INSTANCE).unwrap_or_default().to_owned(),
            sender: self.calling.clone(),
            stated: None,
            patient,
            snapshot: snapshot.to_owned(),
        }
    }

    /// Patient ID and its issuer, as they stand.
    fn patient(&self) -> Option<String> {
        let set = &self.object.set;
        let raw = |tag| {
            set.find(0, tag)
                .map(|element| String::from_utf8_lossy(set.raw(element)))
        };
        let id = raw(Tag::PATIENT_ID)?;
        let id = id.trim_matches(['\0', ' ']);
        let issuer = raw(Tag::ISSUER).unwrap_or_default();
        (!id.is_empty()).then(|| format!("{id}^{}", issuer.trim_matches(['\0', ' '])))
    }
}

fn status(status: u16, text: &str, kind: ReplyKind) -> Reply {
    let comment: String = text
        .chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .take(COMMENT)
        .collect();
    Reply {
        head: ReplyHead::Dimse { status, comment },
        kind,
        bytes: bytes::Bytes::new(),
        positive: status == SUCCESS,
    }
}

impl Adapter for Dicom {
    type Message = Reading;
    type Sum = ();

    fn name(&self) -> &'static str {
        "dicom"
    }

    fn snapshot(&self) -> String {
        self.snapshot.to_string()
    }

    fn parse(&self, head: &Head, source: &mut dyn Source) -> Parsed<Reading> {
        let (value, problems) = self.read(head, source);
        Parsed {
            value,
            findings: problems.iter().map(Problem::finding).collect(),
        }
    }

    fn key(&self, reading: &Reading) -> Option<Key> {
        let id = reading.object.set.plain(Tag::SOP_INSTANCE)?.to_owned();
        Some(Key {
            sender: reading.calling.clone(),
            id,
        })
    }

    fn patient(&self, reading: &Reading) -> Option<String> {
        reading.patient()
    }

    fn envelope(&self, reading: &Reading) -> Context {
        reading.context(&self.snapshot, reading.patient())
    }

    /// The status says that the object is kept, and waits for nothing else.
    fn wants_answer(&self, reading: &Reading) -> bool {
        reading.refused.is_some()
    }

    fn commit(&self, reading: &Reading, _stamp: &Stamp) -> Option<Reply> {
        let kept = reading.refused.is_none();
        kept.then(|| status(SUCCESS, "", ReplyKind::Commit))
    }

    fn next(&self, reading: &mut Reading, _source: &mut dyn Source, hash: &[u8; 32]) -> Option<Draft> {
        if std::mem::replace(&mut reading.done, true) {
            return None;
        }
        let mut findings = std::mem::take(&mut reading.findings);
        let Some((document, lifted)) = self.lift(reading, hash, Nothing) else {
            return Some(Draft {
                context: reading.context(&self.snapshot, None),
                findings,
                ..Draft::default()
            });
        };
        findings.extend(self.remarks(&document, &lifted));
        let patient = lifted.patient.map(|id| id.to_string());
        Some(Draft {
            bundle: lifted.bundle,
            intent: Intent::Notice,
            context: reading.context(&self.snapshot, patient),
            findings,
            ..Draft::default()
        })
    }

    fn add(&self, _sum: &mut (), _part: u32, _answer: &Answer) {}

    fn reply(&self, reading: &Reading, _sum: (), _stamp: &Stamp) -> Vec<Reply> {
        let refusal = reading.refused.as_ref();
        refusal
            .map(|(code, finding)| status(*code, &finding.text.en, ReplyKind::Application))
            .into_iter()
            .collect()
    }

    fn refuse(&self, _head: &Head, _first: &[u8], findings: &[Finding], _stamp: &Stamp) -> Reply {
        let first = findings.iter().find(|finding| finding.severity == Severity::Error);
        let code = match first.map(|finding| finding.class) {
            Some(Class::Busy | Class::Internal | Class::TooLong) => OUT_OF_RESOURCES,
            _ => NOT_UNDERSTOOD,
        };
        let text = first.map(|finding| finding.text.en.as_ref()).unwrap_or_default();
        status(code, text, ReplyKind::Refusal)
    }

    fn from_fhir(&self, _parcel: &Parcel<'_>, _stamp: &Stamp) -> Parsed<Vec<u8>> {
        let text = Text::new("尚无从 FHIR 到 DICOM 的映射", "no map leads from FHIR to DICOM yet");
        Parsed::failed(Finding::new(
            "no-way-back",
            Severity::Error,
            Class::UnsupportedType,
            gateway(),
            text,
        ))
    }

    fn trace(&self, head: &Head, source: &mut dyn Source, hash: &[u8; 32]) -> Parsed<Trace> {
        let (value, problems) = self.read(head, source);
        let findings = problems.iter().map(Problem::finding).collect();
        let lifted = value.and_then(|reading| self.lift(&reading, hash, Tracked::default()));
        let trace = lifted.map(|(document, lifted)| Trace {
            lineage: lifted.bundle.lineage(),
            ledger: self
                .plan
                .ledger(document.as_ref(), &lifted, &|place| lift::place_text(&document, place)),
        });
        Parsed { value: trace, findings }
    }
}
