//! What a format must do to be spoken: read a frame, lift it part by part, and render answers as replies. Adapters are
//! pure: no I/O, no clock, no async, and they never see each other or the rules.

use crate::ledger::{LedgerRecord, LineageRecord};
use crate::{Answer, Context, Draft, Finding, Head, Parcel, Reply, Source, Stamp};

/// A value and the problems met on the way to it: not one or the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<T> {
    /// What could be read.
    pub value: Option<T>,
    /// What was wrong or odd.
    pub findings: Vec<Finding>,
}

impl<T> Parsed<T> {
    /// A value without problems.
    pub fn clean(value: T) -> Self {
        Self {
            value: Some(value),
            findings: Vec::new(),
        }
    }

    /// No value, for a reason.
    pub fn failed(finding: Finding) -> Self {
        Self {
            value: None,
            findings: vec![finding],
        }
    }
}

/// The sender's own id of a message, for telling one from another: MSH-10, ISA13, SOP Instance UID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Who numbers: sending application and facility, interchange sender, calling AE.
    pub sender: String,
    /// The number.
    pub id: String,
}

/// What became of a frame's leaves and where its FHIR came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// One record a populated source leaf.
    pub ledger: Vec<LedgerRecord>,
    /// One record a FHIR leaf.
    pub lineage: Vec<LineageRecord>,
}

/// A format.
pub trait Adapter: Send + Sync + 'static {
    /// The format's parsed form. It holds slices of the body, so it borrows nothing; it never leaves adapter and joint.
    type Message: Send + Sync + 'static;

    /// The little that a reply needs of the answers.
    type Sum: Default + Send + 'static;

    /// The format's name: `hl7v2`.
    fn name(&self) -> &'static str;

    /// Hash of the maps, tables and site in force; a refused frame runs again when it changed.
    fn snapshot(&self) -> String;

    /// Reads a frame. No value only when nothing at all can be made of it.
    fn parse(&self, head: &Head, source: &mut dyn Source) -> Parsed<Self::Message>;

    /// The sender's id of the message.
    fn key(&self, message: &Self::Message) -> Option<Key>;

    /// The key of the patient that the message speaks of, as its drafts will say it, without lifting anything; for a
    /// message that is set aside for later, so that a later one does not overtake it.
    fn patient(&self, message: &Self::Message) -> Option<String> {
        let _ = message;
        None
    }

    /// What the message says of itself (type, control id, sender) without being lifted, for one that never is.
    fn envelope(&self, message: &Self::Message) -> Context;

    /// Whether the sender wants to hear what was decided, and not only that the frame is kept.
    fn wants_answer(&self, message: &Self::Message) -> bool {
        let _ = message;
        true
    }

    /// What is said as soon as the frame is kept, where the sender asked for it.
    fn commit(&self, message: &Self::Message, stamp: &Stamp) -> Option<Reply>;

    /// Lifts the next part; `None` when there is no more. `hash` is the frame's SHA-256, for ids of what has no key.
    fn next(&self, message: &mut Self::Message, source: &mut dyn Source, hash: &[u8; 32]) -> Option<Draft>;

    /// Takes from an answer what the reply will need.
    fn add(&self, sum: &mut Self::Sum, part: u32, answer: &Answer);

    /// Renders the answers.
    fn reply(&self, message: &Self::Message, sum: Self::Sum, stamp: &Stamp) -> Vec<Reply>;

    /// Says no to a frame that is unreadable, too large, or cannot be taken now. `first` is the body or its beginning.
    fn refuse(&self, head: &Head, first: &[u8], findings: &[Finding], stamp: &Stamp) -> Reply;

    /// Renders a delivery in the format, the way back from FHIR.
    #[expect(
        clippy::wrong_self_convention,
        reason = "`to_`/`from_` name the two directions of a translation"
    )]
    fn from_fhir(&self, parcel: &Parcel<'_>, stamp: &Stamp) -> Parsed<Vec<u8>>;

    /// Ledger and lineage of a frame, made by reading it again.
    fn trace(&self, head: &Head, source: &mut dyn Source, hash: &[u8; 32]) -> Parsed<Trace>;
}
