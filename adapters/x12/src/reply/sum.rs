//! What the reply needs of the answers: which transaction sets have a claim that was refused, and where what refused it
//! stands. Answers may come in any number, so only what is refused is kept, and of that a bounded part.

use std::collections::BTreeMap;

use causeway_core::{ActorKind, Answer, Class, Finding, Severity};

use crate::locate::Spot;
use crate::name::SegmentId;
use crate::problem::{ElementFault, ElementProblem, Problem, SegmentFault};
use crate::reading::Reading;

/// Problems that are given in a set's acknowledgement because of its answers.
const MAX_PROBLEMS_OF_SET: usize = 100;
/// Places of findings that are kept of a file.
const MAX_SPOTS: usize = 10_000;

/// What the answers of a file come to.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    /// Refused parts as ranges of numbers, in order.
    refused: Vec<Refused>,
    /// Where what refused a part stands.
    spots: Vec<(u32, Spot, ElementFault)>,
    /// What came of it, by set.
    told: BTreeMap<usize, Told>,
}

/// A run of refused parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refused {
    first: u32,
    last: u32,
    /// Whether it was not only their syntax.
    by_content: bool,
}

/// What the answers say of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Whether one of its parts was refused.
    pub(super) refused: bool,
    /// Whether that was for more than their syntax.
    pub(super) by_content: bool,
    /// What of their content, in the order of the segments.
    pub(super) problems: Vec<Problem>,
}

impl Sum {
    /// Takes an answer.
    pub fn add(&mut self, part: u32, answer: &Answer) {
        if answer.verdict.is_positive() {
            return;
        }
        let errors = || {
            answer
                .findings
                .iter()
                .filter(|finding| finding.severity == Severity::Error)
        };
        let content = |finding: &&Finding| finding.by.kind != ActorKind::Parser;
        let by_content = errors().any(|finding| content(&finding)) || errors().next().is_none();
        let spots = errors()
            .filter(content)
            .filter_map(|finding| Some((part, spot(finding)?, fault(finding.class))));
        let room = MAX_SPOTS.saturating_sub(self.spots.len());
        self.spots.extend(spots.take(room));
        match self.refused.last_mut() {
            Some(last) if last.last.checked_add(1) == Some(part) && last.by_content == by_content => last.last = part,
            _ => self.refused.push(Refused {
                first: part,
                last: part,
                by_content,
            }),
        }
    }

    /// Sorts what was refused by set, with its places in the file that was read.
    pub(crate) fn place(&mut self, reading: &Reading) {
        for (part, spot, fault) in std::mem::take(&mut self.spots) {
            let placed = reading.set_of(part).zip(problem(reading, part, spot, fault));
            if let Some((set, problem)) = placed {
                self.tell(set, problem);
            }
        }
        for refused in std::mem::take(&mut self.refused) {
            for part in refused.first..=refused.last {
                let Some(set) = reading.set_of(part) else { continue };
                let told = self.told.entry(set).or_default();
                told.refused = true;
                told.by_content |= refused.by_content;
            }
            self.place_claims(refused, reading);
        }
        for told in self.told.values_mut() {
            told.problems.sort_by_key(|problem| problem.position);
            told.problems.dedup();
        }
    }

    /// A claim that was refused for its content, and nothing is known of where, is named itself.
    fn place_claims(&mut self, refused: Refused, reading: &Reading) {
        for part in (refused.first..=refused.last)
            .filter(|_| refused.by_content)
            .take(MAX_SPOTS)
        {
            let Some(set) = reading.set_of(part) else { continue };
            let told = self.told.entry(set).or_default();
            if told.problems.len() >= MAX_PROBLEMS_OF_SET {
                continue; // and no position is looked for
            }
            let Some(own) = reading.position_of(part) else { continue };
            let next = part.checked_add(1).filter(|next| reading.set_of(*next) == Some(set));
            let end = next.and_then(|next| reading.position_of(next)).unwrap_or(u32::MAX);
            if !told
                .problems
                .iter()
                .any(|problem| (own..end).contains(&problem.position))
            {
                told.problems.push(claim(own));
            }
        }
    }

    fn tell(&mut self, set: usize, problem: Problem) {
        let told = self.told.entry(set).or_default();
        if told.problems.len() < MAX_PROBLEMS_OF_SET {
            told.problems.push(problem);
        }
    }

    /// What the answers say of a set, by its index.
    pub(super) fn of_set(&self, set: usize) -> Option<&Told> {
        self.told.get(&set)
    }
}

fn spot(finding: &Finding) -> Option<Spot> {
    Spot::read(finding.place.as_deref()?)
}

/// What a remark on the content is in IK403.
fn fault(class: Class) -> ElementFault {
    match class {
        Class::Required => ElementFault::DependentMissing,
        Class::Code => ElementFault::Code,
        Class::TooLong => ElementFault::TooLong,
        _ => ElementFault::Pattern,
    }
}

/// What was found at a place, as the acknowledgement says it.
fn problem(reading: &Reading, part: u32, spot: Spot, fault: ElementFault) -> Option<Problem> {
    let records = reading.records();
    let set = records.sets.get(reading.set_of(part)?)?;
    let position = records.position(set, &spot)?;
    let guide = records.guide(set)?;
    let element = (spot.element > 0).then(|| {
        Box::new(ElementProblem {
            fault,
            element: spot.element,
            component: spot.component,
            repetition: spot.repetition,
            number: guide.number_of(spot.segment.0, spot.element, spot.component),
            copy: None,
        })
    });
    Some(Problem {
        fault: SegmentFault::Elements,
        segment: spot.segment.0,
        position,
        within: spot.within.0,
        around: spot.within,
        occurrence: spot.segment.1,
        element,
        claim: None,
    })
}

/// A claim as a whole.
fn claim(position: u32) -> Problem {
    let within = crate::LoopId::of(crate::guide::CLAIM).unwrap_or(crate::LoopId::ROOT);
    Problem {
        fault: SegmentFault::Elements,
        segment: SegmentId::new(b"CLM"),
        position,
        within,
        around: (within, 1),
        occurrence: 1,
        element: None,
        claim: None,
    }
}
