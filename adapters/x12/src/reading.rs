//! A file that was read through once and is now taken apart: one piece a claim, one for each transaction set that has no
//! claims or no guide, and one for what is wrong with the file itself. What each piece is to say is put together here.

use causeway_core::{Context, Finding, Intent, Severity, Source};
use jiff::Timestamp;

use crate::cut::{Claim, Cutter};
use crate::envelope::Envelope;
use crate::lift;
use crate::part::Part;
use crate::problem::{Problem, SegmentFault};
use crate::record::{Records, Set};
use crate::remark;

/// Claims whose positions are kept for the reply; two bytes each.
const MAX_PLACES: usize = 8 * 1024 * 1024;

/// What is lifted and decided by itself.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The claim; none for what has none.
    pub part: Option<Part>,
    /// What is known besides.
    pub context: Context,
    /// What the sender wants.
    pub intent: Intent,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// A file being taken apart.
#[derive(Debug)]
pub struct Reading {
    records: Records,
    /// What is wrong with the file itself.
    errors: Vec<Finding>,
    /// The set in hand.
    set: usize,
    cutter: Option<Cutter>,
    /// Problems of the set in hand that were handed out.
    told: usize,
    /// Pieces of the set in hand that were handed out.
    given: u32,
    /// All pieces that were handed out.
    pieces: u32,
    /// The first piece of each set, in order.
    firsts: Vec<u32>,
    /// For each piece, how far its CLM stands behind the one before it in the set.
    places: Vec<u16>,
    /// Position of the CLM handed out last.
    last: u32,
    ended: bool,
}

impl Reading {
    pub(crate) fn new(records: Records, errors: Vec<Finding>) -> Self {
        Self {
            records,
            errors,
            set: 0,
            cutter: None,
            told: 0,
            given: 0,
            pieces: 0,
            firsts: Vec::new(),
            places: Vec::new(),
            last: 0,
            ended: false,
        }
    }

    /// What is known of the file.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// What the file says of itself: its first set, or its first interchange where it has none.
    pub(crate) fn context(&self) -> Context {
        let first = self.records.sets.first().map(|set| self.records.envelope(set));
        context(&first.unwrap_or_else(|| {
            let isa = self.records.interchanges.first().map(|interchange| &interchange.isa);
            Envelope {
                sender: isa.map(|isa| isa.value(6)).unwrap_or_default(),
                interchange_control: isa.map(|isa| isa.value(13)).unwrap_or_default(),
                ..Envelope::default()
            }
        }))
    }

    /// The set that a piece is of, an index into the file's sets.
    pub(crate) fn set_of(&self, piece: u32) -> Option<usize> {
        let set = self.firsts.partition_point(|first| *first <= piece).checked_sub(1)?;
        // Every set makes a piece, so no two begin with the same.
        (piece < self.pieces && set < self.records.sets.len()).then_some(set)
    }

    /// Position of the CLM of a piece in its set, where it is known.
    pub(crate) fn position_of(&self, piece: u32) -> Option<u32> {
        let first = *self.firsts.get(self.set_of(piece)?)? as usize;
        let steps = self.places.get(first..=piece as usize)?;
        let known = steps.iter().all(|step| *step != u16::MAX) && steps.last().is_some_and(|step| *step > 0);
        known.then(|| steps.iter().map(|step| u32::from(*step)).sum())
    }

    /// The next piece; none when there is no more.
    pub(crate) fn next<S: Source + ?Sized>(&mut self, source: &mut S) -> Option<Piece> {
        while self.set < self.records.sets.len() {
            if self.cutter.is_none() && self.firsts.len() == self.set {
                self.begin();
            }
            match self.cut(source) {
                Ok(Some(claim)) => return Some(self.claim(claim)),
                Ok(None) => {
                    if let Some(piece) = self.end() {
                        return Some(piece);
                    }
                }
                Err(fault) => {
                    self.errors.push(remark::unreadable(&fault.to_string()));
                    let undecided = self.records.sets.iter_mut().skip(self.set);
                    undecided.for_each(|set| set.rejected = true);
                    self.set = self.records.sets.len();
                }
            }
        }
        self.last()
    }

    fn begin(&mut self) {
        self.firsts.push(self.pieces);
        (self.told, self.given, self.last) = (0, 0, 0);
        let Some(set) = self.records.sets.get(self.set) else {
            return;
        };
        let guide = self.records.guide(set).zip(self.records.delimiters(set));
        self.cutter =
            guide.map(|(guide, delimiters)| Cutter::new(guide, set.start, delimiters, self.records.envelope(set)));
    }

    fn cut<S: Source + ?Sized>(&mut self, source: &mut S) -> Result<Option<Claim>, causeway_core::Fault> {
        self.cutter.as_mut().map_or(Ok(None), |cutter| cutter.next(source))
    }

    /// A claim with what is wrong with it and, if it is the first, with what stands before it.
    fn claim(&mut self, claim: Claim) -> Piece {
        let envelope = claim.part.envelope.clone();
        let until = |problem: &Problem| {
            let closing = problem.fault == SegmentFault::Missing && problem.claim.is_some();
            problem.position <= claim.last || (closing && problem.position == claim.last.saturating_add(1))
        };
        let mut findings = self.told_until(until);
        if claim.is_cut_off {
            let place = claim
                .part
                .segments
                .get(claim.part.header)
                .map(|segment| claim.part.place(segment));
            findings.push(remark::too_large(place.unwrap_or_default()));
        }
        self.refuse_with_set(&mut findings);
        let step = u16::try_from(claim.first.saturating_sub(self.last)).unwrap_or(u16::MAX);
        self.count(step);
        self.last = claim.first;
        let part = Some(claim.part).filter(|_| !claim.is_cut_off);
        Piece {
            part,
            context: context(&envelope),
            intent: Intent::Submission,
            findings,
        }
    }

    /// Problems of the set in hand that were not told yet, as findings, as long as they are wanted; before the first, what
    /// is wrong around the set.
    fn told_until(&mut self, wanted: impl Fn(&Problem) -> bool) -> Vec<Finding> {
        let Some(set) = self.records.sets.get(self.set) else {
            return Vec::new();
        };
        let mut findings = if self.given == 0 {
            remark::around(&self.records, set)
        } else {
            Vec::new()
        };
        let (interchange, transaction) = (set.interchange.saturating_add(1), set.transaction);
        let problems = self.records.problems_of(set).get(self.told..).unwrap_or_default();
        let before = findings.len();
        let told = problems.iter().take_while(|problem| wanted(problem));
        findings.extend(told.map(|problem| remark::of_problem(problem, interchange, transaction)));
        self.told += findings.len() - before;
        findings
    }

    /// A claim of a set that is rejected is not taken, whatever it says itself.
    fn refuse_with_set(&self, findings: &mut Vec<Finding>) {
        let Some(set) = self.records.sets.get(self.set) else {
            return;
        };
        let interchange = self
            .records
            .around(set)
            .is_some_and(|(interchange, _)| interchange.is_rejected());
        let said = findings.iter().any(|finding| finding.severity == Severity::Error);
        if (set.rejected || interchange) && !said {
            findings.push(remark::rejected_with_set(set));
        }
    }

    /// The end of the set in hand: a piece for what is left to say of it, or for a set that had no claim.
    fn end(&mut self) -> Option<Piece> {
        let mut findings = self.told_until(|_| true);
        let piece = (self.given == 0 || !findings.is_empty()).then(|| {
            let set: Option<&Set> = self.records.sets.get(self.set);
            let envelope = set.map(|set| self.records.envelope(set)).unwrap_or_default();
            (context(&envelope), std::mem::take(&mut findings))
        });
        self.cutter = None;
        if let Some((context, mut findings)) = piece {
            self.refuse_with_set(&mut findings);
            self.count(0);
            self.set += 1;
            return Some(Piece {
                part: None,
                context,
                intent: Intent::Submission,
                findings,
            });
        }
        self.set += 1;
        None
    }

    fn count(&mut self, step: u16) {
        if self.places.len() < MAX_PLACES {
            self.places.push(step);
        }
        self.given = self.given.saturating_add(1);
        self.pieces = self.pieces.saturating_add(1);
    }

    /// What belongs to no set: errors of the file, interchanges without sets. A file always makes one piece at least.
    fn last(&mut self) -> Option<Piece> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        self.firsts.push(self.pieces);
        let mut findings = std::mem::take(&mut self.errors);
        for (index, interchange) in self.records.interchanges.iter().enumerate() {
            let groups = self.records.groups_of(interchange);
            let bare = groups.iter().all(|group| group.sets.is_empty());
            findings.extend(
                interchange
                    .fault
                    .filter(|_| bare)
                    .map(|fault| remark::of_interchange(fault, index)),
            );
        }
        if findings.is_empty() && self.pieces > 0 {
            return None;
        }
        self.pieces = self.pieces.saturating_add(1);
        Some(Piece {
            part: None,
            context: self.context(),
            intent: Intent::Notice,
            findings,
        })
    }
}

/// What an envelope says of what stands in it.
fn context(envelope: &Envelope) -> Context {
    let guide = if envelope.guide.is_empty() {
        &envelope.group_version
    } else {
        &envelope.guide
    };
    Context {
        format: "x12".to_owned(),
        message_type: format!("{} {guide}", envelope.set).trim().to_owned(),
        control_id: envelope.interchange_control.clone(),
        sender: lift::sender(envelope).to_owned(),
        stated: stated(&envelope.group_time),
        patient: None,
        snapshot: String::new(),
    }
}

/// GS04 and GS05 as a time; X12 says no zone, so it is taken for UTC.
fn stated(text: &str) -> Option<Timestamp> {
    let part = |range: std::ops::Range<usize>| {
        text.get(range)
            .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute) = (part(8..10)?, part(10..12)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:00Z").parse().ok()
}
