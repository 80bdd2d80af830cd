//! Reads a file through once and finds everything that is wrong with it: envelopes, counts and control numbers here and in
//! `envelope`, transaction sets in `set`. What is found is kept as records; what it means for the sender is decided in
//! `reply`, and what it is called in `remark`.

mod envelope;
mod set;

use std::collections::HashSet;

use causeway_core::{Fault, Source};

use crate::delimiters::Delimiters;
use crate::problem::{GroupFault, InterchangeFault, SetFault};
use crate::record::{Control, Group, Interchange, MAX_GROUPS, MAX_INTERCHANGES, MAX_SETS, Records};
use crate::segment::Segment;
use crate::tokenise::{Isa, IsaFault, Kind, Token, Tokens};

use set::OpenSet;

/// What was read of a file.
#[derive(Debug, Clone, Default)]
pub struct Read {
    /// Interchanges, groups and sets.
    pub records: Records,
    /// What belongs to no transaction set.
    pub oddities: Vec<Oddity>,
}

/// Something odd that belongs to no transaction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// Bytes that are no X12 outside of interchanges, from a place on.
    Junk {
        /// Where they begin in the file.
        start: u64,
        /// How many.
        count: u64,
    },
    /// A header that cannot be read as one.
    Header {
        /// Where it begins in the file.
        start: u64,
        /// Why.
        fault: IsaFault,
    },
    /// More interchanges, groups or sets than are read of a file.
    TooMany,
    /// Bytes in a segment of an interchange, by number, that are neither ASCII nor UTF-8.
    NotText {
        /// Number of the interchange, from 1.
        interchange: u32,
    },
}

/// Oddities that are kept of a file.
const MAX_ODDITIES: usize = 100;

/// Reads a file through.
///
/// # Errors
/// A read of the source that failed.
pub fn read<S: Source + ?Sized>(source: &mut S) -> Result<Read, Fault> {
    let mut tokens = Tokens::new(source);
    let mut reader = Reader::new();
    while let Some(token) = tokens.next()? {
        reader.take(token);
        if reader.full() {
            reader.odd(Oddity::TooMany);
            break;
        }
    }
    reader.end_interchange(Some(InterchangeFault::PrematureEnd));
    Ok(reader.read)
}

/// The state of the reading.
#[derive(Debug)]
struct Reader {
    read: Read,
    /// Delimiters of the interchange in hand; none between interchanges.
    delimiters: Option<Delimiters>,
    /// Whether a group is open.
    in_group: bool,
    set: Option<OpenSet>,
    /// Sets of the interchange so far.
    transactions: u32,
    /// Control numbers of the group so far.
    controls: HashSet<Control>,
}

impl Reader {
    fn new() -> Self {
        let mut read = Read::default();
        read.records.versions.push("".into());
        Self {
            read,
            delimiters: None,
            in_group: false,
            set: None,
            transactions: 0,
            controls: HashSet::new(),
        }
    }

    fn full(&self) -> bool {
        let records = &self.read.records;
        records.sets.len() >= MAX_SETS
            || records.groups.len() >= MAX_GROUPS
            || records.interchanges.len() >= MAX_INTERCHANGES
    }

    fn odd(&mut self, oddity: Oddity) {
        if self.read.oddities.len() < MAX_ODDITIES {
            self.read.oddities.push(oddity);
        }
    }

    fn take(&mut self, token: Token<'_>) {
        match token.kind {
            Kind::Header(isa) => {
                self.end_interchange(Some(InterchangeFault::PrematureEnd));
                self.begin_interchange(*isa);
            }
            Kind::BadHeader(fault) => {
                self.end_interchange(Some(InterchangeFault::PrematureEnd));
                self.odd(Oddity::Header {
                    start: token.start,
                    fault,
                });
            }
            Kind::Junk { blank: false } => {
                self.odd(Oddity::Junk {
                    start: token.start,
                    count: token.end - token.start,
                });
            }
            Kind::Junk { blank: true } => {}
            Kind::Segment | Kind::Broken | Kind::TooLong | Kind::Binary(_) | Kind::BadBinary => self.segment(&token),
        }
    }

    fn segment(&mut self, token: &Token<'_>) {
        let Some(delimiters) = self.delimiters else { return };
        let segment = Segment::cut(token.text, delimiters);
        if !token.text.is_ascii() && std::str::from_utf8(token.text).is_err() {
            let interchange = u32::try_from(self.read.records.interchanges.len()).unwrap_or(u32::MAX);
            let known = |odd: &Oddity| *odd == Oddity::NotText { interchange };
            if !self.read.oddities.iter().any(known) {
                self.odd(Oddity::NotText { interchange });
            }
        }
        match segment.element(0) {
            b"ST" => self.begin_set(&segment, token.start),
            b"SE" if self.set.is_some() => self.end_set(Some(&segment)),
            b"GS" => self.begin_group(&segment),
            b"GE" => self.end_group(Some(&segment)),
            b"IEA" => self.iea(&segment),
            b"TA1" if !self.in_group => {
                if let Some(interchange) = self.read.records.interchanges.last_mut() {
                    interchange.has_ta1 = true;
                }
            }
            _ => match &mut self.set {
                Some(set) => set.take(&segment, &token.kind, &mut self.read.records),
                None => self.interchange_fault(InterchangeFault::Structure),
            },
        }
    }

    fn begin_interchange(&mut self, isa: Isa) {
        self.delimiters = Some(isa.delimiters);
        self.transactions = 0;
        let groups = self.read.records.groups.len();
        self.read.records.interchanges.push(Interchange {
            fault: envelope::of_header(&isa),
            isa,
            groups: groups..groups,
            has_ta1: false,
        });
    }

    /// Notes what is wrong with the interchange in hand; what is fatal replaces what is not.
    fn interchange_fault(&mut self, fault: InterchangeFault) {
        if let Some(interchange) = self
            .read
            .records
            .interchanges
            .last_mut()
            .filter(|_| self.delimiters.is_some())
            && (interchange.fault.is_none() || (fault.is_fatal() && !interchange.is_rejected()))
        {
            interchange.fault = Some(fault);
        }
    }

    fn iea(&mut self, segment: &Segment<'_>) {
        self.end_group(None);
        let fault = self
            .read
            .records
            .interchanges
            .last()
            .and_then(|interchange| envelope::of_trailer(interchange, segment));
        self.end_interchange(fault);
    }

    fn end_interchange(&mut self, fault: Option<InterchangeFault>) {
        self.end_group(None);
        if let Some(fault) = fault {
            self.interchange_fault(fault);
        }
        self.delimiters = None;
    }

    fn begin_group(&mut self, segment: &Segment<'_>) {
        self.end_group(None);
        let records = &mut self.read.records;
        let sets = records.sets.len();
        records.groups.push(Group {
            sets: sets..sets,
            ..envelope::of_group(segment)
        });
        if let Some(interchange) = records.interchanges.last_mut() {
            interchange.groups.end = records.groups.len();
        }
        self.in_group = true;
        self.controls.clear();
    }

    /// Ends the group in hand, with its GE or without.
    fn end_group(&mut self, trailer: Option<&Segment<'_>>) {
        self.end_set(None);
        if !self.in_group {
            if trailer.is_some() {
                self.interchange_fault(InterchangeFault::Structure);
            }
            return;
        }
        self.in_group = false;
        let Some(group) = self.read.records.groups.last_mut() else {
            return;
        };
        let count = u32::try_from(group.sets.len()).unwrap_or(u32::MAX);
        group.declared = count;
        match trailer {
            Some(trailer) => envelope::check_group(group, count, trailer),
            None => group.faults.group(GroupFault::NoTrailer),
        }
    }

    fn begin_set(&mut self, segment: &Segment<'_>, start: u64) {
        self.end_set(None);
        if !self.in_group {
            return self.interchange_fault(InterchangeFault::Structure);
        }
        self.transactions = self.transactions.saturating_add(1);
        let records = &mut self.read.records;
        let mut set = envelope::of_set(segment, start, self.transactions, records);
        if !self.controls.insert(set.control) {
            set.faults.set(SetFault::Duplicate);
        }
        let mut open = OpenSet::new(set, records);
        open.take(segment, &Kind::Segment, records);
        self.set = Some(open);
    }

    fn end_set(&mut self, trailer: Option<&Segment<'_>>) {
        let Some(open) = self.set.take() else { return };
        let records = &mut self.read.records;
        let set = open.end(trailer, records);
        records.sets.push(set);
        if let Some(group) = records.groups.last_mut() {
            group.sets.end = records.sets.len();
        }
    }
}
