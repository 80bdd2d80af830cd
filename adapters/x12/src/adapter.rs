//! X12 as the gateway sees it: files in, one draft a claim, TA1 and 999 out. Everything it does is done by the modules
//! around it; here they are only put together.

use causeway_core::adapter::Trace;
use causeway_core::{
    Actor, ActorKind, Adapter, Answer, Class, Context, Draft, Finding, Head, Key, Parcel, Parsed, Reply, Severity,
    Source, Stamp, Text,
};

use crate::lift::{Ledger, Lift, Options, Unusable};
use crate::reading::{Piece, Reading};
use crate::remark;
use crate::reply::{self, Sum};
use crate::validate::{self, Oddity};

/// The X12 adapter of one listener.
#[derive(Debug, Clone)]
pub struct X12 {
    lift: Lift,
}

impl X12 {
    /// Makes the maps ready.
    ///
    /// # Errors
    /// What of the options cannot be used.
    pub fn new(options: &Options) -> Result<Self, Unusable> {
        Ok(Self {
            lift: Lift::new(options)?,
        })
    }

    /// A piece of a file as a draft.
    fn draft(&self, piece: Piece, hash: &[u8; 32]) -> Draft {
        let mut draft = Draft {
            context: piece.context,
            findings: piece.findings,
            intent: piece.intent,
            ..Draft::default()
        };
        self.lift.snapshot().clone_into(&mut draft.context.snapshot);
        if let Some(made) = piece.part.and_then(|part| self.lift.lift(part, hash)) {
            draft.bundle = made.bundle;
            draft.context.patient = made.patient;
            draft.findings.extend(made.findings);
        }
        draft
    }
}

impl Adapter for X12 {
    type Message = Reading;
    type Sum = Sum;

    fn name(&self) -> &'static str {
        "x12"
    }

    fn snapshot(&self) -> String {
        self.lift.snapshot().to_owned()
    }

    fn parse(&self, _head: &Head, source: &mut dyn Source) -> Parsed<Reading> {
        let read = match validate::read(source) {
            Ok(read) => read,
            Err(fault) => return Parsed::failed(remark::unreadable(&fault.to_string())),
        };
        let (errors, notes): (Vec<Finding>, Vec<Finding>) = read
            .oddities
            .iter()
            .map(remark::of_oddity)
            .partition(|finding| finding.severity == Severity::Error);
        let whole = !read.oddities.contains(&Oddity::TooMany);
        if read.records.interchanges.is_empty() || !whole {
            let nothing = whole.then(|| remark::unreadable("no interchange"));
            let findings = errors.into_iter().chain(notes).chain(nothing).collect();
            return Parsed { value: None, findings };
        }
        Parsed {
            value: Some(Reading::new(read.records, errors)),
            findings: notes,
        }
    }

    fn key(&self, reading: &Reading) -> Option<Key> {
        let isa = &reading.records().interchanges.first()?.isa;
        let id = isa.value(13);
        (!id.is_empty()).then(|| Key {
            sender: format!("{}:{}", isa.value(5), isa.value(6)),
            id,
        })
    }

    fn envelope(&self, reading: &Reading) -> Context {
        Context {
            snapshot: self.snapshot(),
            ..reading.context()
        }
    }

    fn commit(&self, reading: &Reading, stamp: &Stamp) -> Option<Reply> {
        reply::commit(reading.records(), stamp)
    }

    fn next(&self, reading: &mut Reading, source: &mut dyn Source, hash: &[u8; 32]) -> Option<Draft> {
        let piece = reading.next(source)?;
        Some(self.draft(piece, hash))
    }

    fn add(&self, sum: &mut Sum, part: u32, answer: &Answer) {
        sum.add(part, answer);
    }

    fn reply(&self, reading: &Reading, mut sum: Sum, stamp: &Stamp) -> Vec<Reply> {
        sum.place(reading);
        reply::reply_all(reading.records(), &sum, stamp)
    }

    fn refuse(&self, _head: &Head, first: &[u8], findings: &[Finding], stamp: &Stamp) -> Reply {
        reply::refuse(first, findings, stamp)
    }

    fn from_fhir(&self, _parcel: &Parcel<'_>, _stamp: &Stamp) -> Parsed<Vec<u8>> {
        let text = Text::new("尚无从 FHIR 到 X12 的映射", "no map leads from FHIR to X12 yet");
        let by = Actor::new(ActorKind::Gateway, "x12");
        Parsed::failed(Finding::new(
            "no-way-back",
            Severity::Error,
            Class::UnsupportedType,
            by,
            text,
        ))
    }

    fn trace(&self, head: &Head, source: &mut dyn Source, hash: &[u8; 32]) -> Parsed<Trace> {
        let parsed = self.parse(head, source);
        let Some(mut reading) = parsed.value else {
            return Parsed {
                value: None,
                findings: parsed.findings,
            };
        };
        let (mut ledger, mut lineage) = (Ledger::default(), Vec::new());
        while let Some(piece) = reading.next(source) {
            if let Some(trace) = piece.part.and_then(|part| self.lift.trace(part, hash)) {
                ledger.add(trace.ledger);
                lineage.extend(trace.lineage);
            }
        }
        Parsed::clean(Trace {
            ledger: ledger.into_records(),
            lineage,
        })
    }
}
