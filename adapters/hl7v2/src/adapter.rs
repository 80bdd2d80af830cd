//! HL7v2 as the gateway sees it: frames in, one draft a message, acknowledgements out. Everything it does is done by the
//! modules around it; here they are only put together.

use std::fmt::Write as _;
use std::sync::Arc;

use causeway_core::adapter::Trace;
use causeway_core::{
    Actor, ActorKind, Adapter, Answer, Class, Context, Draft, Finding, Head, Intent, Key, Parcel, Parsed, Place,
    Places, Reply, Severity, Source, Stamp, Text,
};
use causeway_mapping::Plan;
use causeway_mapping::run::{BundleKind, Fit, Lifted, Nothing, Setting, Track, Tracked};
use encoding_rs::Encoding;
use jiff::tz::TimeZone;

use crate::annotate;
use crate::charset::names::usable;
use crate::config::{Config, Unsupported, Unusable};
use crate::header::{self, Takes};
use crate::intake::Intake;
use crate::lift;
use crate::message::Message;
use crate::place;
use crate::reply::{self, Settings, Sum};

/// The HL7v2 adapter of one listener. Clones share the compiled maps.
#[derive(Debug, Clone)]
pub struct Hl7v2 {
    plan: Arc<Plan<Message>>,
    settings: Settings,
    bundle: BundleKind,
    charset: Option<&'static Encoding>,
    unsupported: Unsupported,
    snapshot: Arc<str>,
}

/// A frame, read; it hands out one message after the other.
#[derive(Debug)]
pub struct Reading {
    intake: Arc<Intake>,
    next: usize,
}

impl Reading {
    /// The frame, decoded and split.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }
}

impl Hl7v2 {
    /// Compiles the maps for a listener.
    ///
    /// # Errors
    /// What of the configuration cannot be used.
    pub fn new(config: Config) -> Result<Self, Unusable> {
        let Config {
            mode,
            charset,
            zone: usual_zone,
            bundle,
            lang,
            unsupported,
            site,
            files,
        } = config;
        let charset = match charset {
            None => None,
            Some(name) => Some(usable(&name).ok_or(Unusable::Charset(name))?),
        };
        let (mut library, mut problems) = lift::library(&files);
        if let Some(site) = &site {
            let sources: Vec<_> = site
                .files
                .iter()
                .map(|(name, text)| causeway_mapping::Source { name, text })
                .collect();
            library = library.with_site(&site.name, &sources).map_err(Unusable::Maps)?;
        }
        if library.site.zone.is_none() {
            library.site.zone.clone_from(&usual_zone);
        }
        let zone = match &library.site.zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name).map_err(|_| Unusable::Zone(name.clone()))?,
        };
        library.site.zone.get_or_insert_with(|| "UTC".to_owned());
        let (plan, more) = Plan::compile(&library, &lift::Hl7v2Format);
        problems.extend(more);
        if site.is_some() || !files.is_empty() {
            problems.extend(crate::maps::check(&library)); // the embedded ones are checked by a test
        }
        problems.retain(|problem| problem.level == causeway_mapping::syntax::Level::Error);
        if !problems.is_empty() {
            return Err(Unusable::Maps(problems));
        }
        let hash = library.hash();
        let mut snapshot = String::with_capacity(72);
        for byte in hash {
            // Writing to a String cannot fail.
            let _written = write!(snapshot, "{byte:02x}");
        }
        if unsupported == Unsupported::Accept {
            snapshot.push_str("-accept"); // what was rejected before runs again when it is sent again
        }
        let settings = Settings {
            mode,
            lang,
            zone,
            charset,
        };
        Ok(Self {
            plan: Arc::new(plan),
            settings,
            bundle,
            charset,
            unsupported,
            snapshot: snapshot.into(),
        })
    }

    /// The character set that is supposed where MSH-18 declares none: what the transport says of the body, else the
    /// listener's.
    fn supposed(&self, head: &Head) -> Option<&'static Encoding> {
        let said = match head {
            Head::Http(head) => head.charset().and_then(usable),
            Head::Mllp | Head::File { .. } | Head::Dimse { .. } => None,
        };
        said.or(self.charset)
    }

    fn run<T: Track>(&self, intake: &Arc<Intake>, number: usize, hash: &[u8; 32], track: T) -> Option<Work<T>> {
        let message = intake.body.messages.get(number)?;
        let (structure, fit) = self
            .plan
            .structure_for(message.raw_part(9, 1), message.raw_part(9, 2))?;
        let sender = message.sender();
        let stated = message.first(0, 7);
        let setting = Setting {
            hash,
            sender: &sender,
            kind: self.bundle,
            stated: Some(&stated),
        };
        let texts = Arc::new(Texts {
            intake: Arc::clone(intake),
            plan: Arc::clone(&self.plan),
        });
        let lifted = self.plan.run(structure, message, setting, texts, track)?;
        Some(Work { lifted, sender, fit })
    }

    /// Whether a message is taken. An event without a map of its own is, by what its type has in common; a type without
    /// any is not, unless the listener is set so.
    fn takes(&self, message: &Message) -> Takes {
        let (kind, trigger) = (message.raw_part(9, 1), message.raw_part(9, 2));
        match self.plan.structure_for(kind, trigger) {
            Some((_, Fit::Own | Fit::Type)) => Takes::Yes,
            Some((_, Fit::Any)) if self.unsupported == Unsupported::Accept => Takes::Yes,
            _ if self.plan.knows_type(kind) => Takes::NoEvent,
            _ => Takes::NoType,
        }
    }

    fn findings<T>(&self, intake: &Intake, message: &Message, work: &Work<T>) -> Vec<Finding> {
        let takes = self.takes(message);
        let mut findings = header::check(&intake.body, message, |_, _| takes);
        if message.number <= 1 {
            findings.extend(intake.findings());
        }
        if work.fit != Fit::Own && takes == Takes::Yes {
            let mut finding = lift::finding("message-without-map", "messages.csv", &message.kind());
            if work.fit == Fit::Any {
                finding.class = Class::UnsupportedType;
            }
            let header = message.segments.first().map(|header| place::field(header.place(), 9));
            findings.extend(header.map(|place| finding.at_place(intake.body.place_text(place))));
        }
        for remark in &work.lifted.remarks {
            let finding = lift::finding(&remark.code, &self.plan.row_text(remark.row), &remark.about);
            findings.push(match remark.place {
                Some(place) => finding.at_place(intake.body.place_text(place)),
                None => finding,
            });
        }
        for item in &work.lifted.strays {
            if let Some(segment) = message.segments.get(*item as usize) {
                let finding = lift::finding("segment-unknown", "", segment.name.as_str());
                findings.push(finding.at_place(intake.body.place_text(segment.place())));
            }
        }
        findings
    }

    fn context(&self, message: &Message, sender: String, patient: Option<String>) -> Context {
        Context {
            format: "hl7v2".to_owned(),
            message_type: message.kind(),
            control_id: message.control_id().into_owned(),
            sender,
            stated: stated(message, &self.settings.zone),
            patient,
            snapshot: self.snapshot.to_string(),
        }
    }
}

struct Work<T> {
    lifted: Lifted<T>,
    sender: String,
    fit: Fit,
}

/// When the statement was made: the recorded event (EVN-2), the last change of a result (OBR-22), else the message
/// (MSH-7).
fn stated(message: &Message, zone: &TimeZone) -> Option<jiff::Timestamp> {
    let of = |name: &[u8; 3], field: u32| {
        let segments = message.positions(crate::message::Name(*name));
        segments
            .map(|position| message.first(position, field).into_owned())
            .filter_map(|text| time(&text, zone))
            .max()
    };
    of(b"EVN", 2).or_else(|| of(b"OBR", 22)).or_else(|| of(b"MSH", 7))
}

fn time(text: &str, zone: &TimeZone) -> Option<jiff::Timestamp> {
    causeway_mapping::primitives::timestamp(text, zone)
}

/// The texts of places and rows of a bundle.
struct Texts {
    intake: Arc<Intake>,
    plan: Arc<Plan<Message>>,
}

impl Places for Texts {
    fn place(&self, place: Place) -> String {
        self.intake.body.place_text(place)
    }

    fn row(&self, row: u32) -> String {
        self.plan.row_text(row)
    }
}

impl Adapter for Hl7v2 {
    type Message = Reading;
    type Sum = Sum;

    fn name(&self) -> &'static str {
        "hl7v2"
    }

    fn snapshot(&self) -> String {
        self.snapshot.to_string()
    }

    fn parse(&self, head: &Head, source: &mut dyn Source) -> Parsed<Reading> {
        let raw = match source.whole() {
            Ok(raw) => raw,
            Err(fault) => return Parsed::failed(unread(&fault.to_string())),
        };
        let mut intake = Intake::read(raw, self.supposed(head));
        intake.body.messages.iter_mut().for_each(Message::look);
        if intake.body.messages.is_empty() {
            return Parsed {
                value: None,
                findings: intake.findings(),
            };
        }
        Parsed::clean(Reading {
            intake: Arc::new(intake),
            next: 0,
        })
    }

    fn key(&self, reading: &Reading) -> Option<Key> {
        let message = reading.intake.body.messages.first()?;
        let id = message.control_id().into_owned();
        (!id.is_empty()).then(|| Key {
            sender: message.sender(),
            id,
        })
    }

    fn commit(&self, reading: &Reading, stamp: &Stamp) -> Option<Reply> {
        let takes = |message: &Message| self.takes(message);
        reply::commit(&reading.intake, &self.settings, stamp, takes)
    }

    fn wants_answer(&self, reading: &Reading) -> bool {
        reply::wants_answer(&reading.intake, &self.settings)
    }

    /// The first identifier of PID-3 as it stands; the same sender names a patient the same way each time.
    fn patient(&self, reading: &Reading) -> Option<String> {
        let message = reading.intake.body.messages.first()?;
        let pid = message.positions(crate::message::Name(*b"PID")).next()?;
        let id = message.first(pid, 3).into_owned();
        (!id.is_empty()).then_some(id)
    }

    fn envelope(&self, reading: &Reading) -> Context {
        let message = reading.intake.body.messages.first();
        message.map_or_else(Context::default, |message| {
            self.context(message, message.sender(), self.patient(reading))
        })
    }

    fn next(&self, reading: &mut Reading, _source: &mut dyn Source, hash: &[u8; 32]) -> Option<Draft> {
        let number = reading.next;
        let message = reading.intake.body.messages.get(number)?;
        reading.next += 1;
        let intake = &reading.intake;
        let Some(work) = self.run(intake, number, hash, Nothing) else {
            let takes = self.takes(message);
            let findings = header::check(&intake.body, message, |_, _| takes);
            return Some(Draft {
                context: self.context(message, message.sender(), None),
                findings,
                ..Draft::default()
            });
        };
        let findings = self.findings(intake, message, &work);
        let patient = work.lifted.patient.map(|id| id.to_string());
        let context = self.context(message, work.sender, patient);
        Some(Draft {
            bundle: work.lifted.bundle,
            intent: Intent::Notice,
            context,
            findings,
            verbatim: false,
        })
    }

    fn add(&self, sum: &mut Sum, part: u32, answer: &Answer) {
        sum.add(part, answer);
    }

    fn reply(&self, reading: &Reading, sum: Sum, stamp: &Stamp) -> Vec<Reply> {
        reply::reply(&reading.intake, &sum, &self.settings, stamp)
    }

    fn refuse(&self, head: &Head, first: &[u8], findings: &[Finding], stamp: &Stamp) -> Reply {
        let settings = Settings {
            charset: self.supposed(head),
            ..self.settings.clone()
        };
        reply::refuse(first, findings, &settings, stamp)
    }

    /// The kept ORU with what was found about it; see `annotate`.
    fn from_fhir(&self, parcel: &Parcel<'_>, stamp: &Stamp) -> Parsed<Vec<u8>> {
        annotate::of_parcel(parcel, self.supposed(&parcel.frame.head), &self.settings, stamp)
    }

    fn trace(&self, head: &Head, source: &mut dyn Source, hash: &[u8; 32]) -> Parsed<Trace> {
        let raw = match source.whole() {
            Ok(raw) => raw,
            Err(fault) => return Parsed::failed(unread(&fault.to_string())),
        };
        let intake = Arc::new(Intake::read(raw, self.supposed(head)));
        let mut trace = Trace::default();
        for (number, message) in intake.body.messages.iter().enumerate() {
            if let Some(work) = self.run(&intake, number, hash, Tracked::default()) {
                trace.lineage.extend(work.lifted.bundle.lineage());
                let place = |place| intake.body.place_text(place);
                trace.ledger.extend(self.plan.ledger(message, &work.lifted, &place));
            }
        }
        Parsed::clean(trace)
    }
}

fn gateway() -> Actor {
    Actor::new(ActorKind::Gateway, "hl7v2")
}

fn unread(why: &str) -> Finding {
    let text = Text::new(
        format!("无法读取报文：{why}"),
        format!("the frame could not be read: {why}"),
    );
    Finding::new("unreadable", Severity::Error, Class::Internal, gateway(), text)
}
