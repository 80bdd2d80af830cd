//! The acknowledgement of one functional group: AK1, for each of its transaction sets AK2 to IK5, and AK9 (X231).

use super::interchange::GroupWriter;
use super::sum::{Sum, Told};
use crate::problem::{Problem, SegmentFault};
use crate::record::{Group, Records, Set};

/// Faults of a set or a group that are given; IK5 and AK9 have room for five.
const CODES: usize = 5;

/// Acknowledges a group; whether all of it was taken.
pub(super) fn acknowledge(
    to: &mut GroupWriter<'_, '_>,
    _number: u32,
    group: &Group,
    records: &Records,
    sum: &Sum,
) -> bool {
    to.begin(&group.sender, &group.receiver);
    to.writer.segment(
        "AK1",
        &[&code(&group.functional_id, 2), &group.control, &version(&group.version)],
    );
    let (mut taken, mut noted) = (0_u32, false);
    let sets = records.sets_of(group);
    for (offset, set) in sets.iter().enumerate() {
        let told = sum.of_set(group.sets.start + offset);
        let verdict = acknowledge_set(to, set, records, told);
        taken += u32::from(verdict != "R");
        noted |= verdict == "E";
    }
    let count = u32::try_from(sets.len()).unwrap_or(u32::MAX);
    let whole = group.faults.is_empty();
    let verdict = match (whole, taken == count) {
        (true, true) if noted => "E",
        (true, true) => "A",
        (true, false) if taken > 0 => "P",
        _ => "R",
    };
    let accepted = if verdict == "R" { 0 } else { taken };
    to.writer.begin("AK9");
    to.writer.element(&verdict);
    for number in [group.declared, count, accepted] {
        to.writer.element(&number.min(999_999)); // AK902 to AK904 have six digits
    }
    group
        .faults
        .of_group()
        .take(CODES)
        .for_each(|fault| to.writer.element(&fault.code()));
    to.writer.end();
    to.end();
    verdict != "R" && taken == count
}

fn acknowledge_set(to: &mut GroupWriter<'_, '_>, set: &Set, records: &Records, told: Option<&Told>) -> &'static str {
    let said = records.version(set);
    to.writer
        .segment("AK2", &[&set.kind, &set.control.as_str(), &version(said)]);
    problems(to, records.problems_of(set));
    problems(to, told.map(|told| told.problems.as_slice()).unwrap_or_default());
    let refused = told.is_some_and(|told| told.refused);
    let verdict = match (set.rejected || refused, set.faults.is_empty()) {
        (true, _) => "R",
        (false, false) => "E",
        (false, true) => "A",
    };
    to.writer.begin("IK5");
    to.writer.element(&verdict);
    let own: Vec<&str> = set.faults.of_set().map(crate::problem::SetFault::code).collect();
    let by_content = told.is_some_and(|told| told.by_content);
    let by_answer = (by_content && !own.contains(&"I5")).then_some("I5");
    own.into_iter()
        .chain(by_answer)
        .take(CODES)
        .for_each(|code| to.writer.element(&code));
    to.writer.end();
    verdict
}

/// IK3 for each segment, CTX, and IK4 for each of its elements.
fn problems(to: &mut GroupWriter<'_, '_>, problems: &[Problem]) {
    let mut problems = problems.iter().peekable();
    while let Some(first) = problems.next() {
        segment(to, first);
        if let Some(one) = &first.element {
            element(to, one);
            while let Some(next) = problems.next_if(|next| is_same_segment(first, next)) {
                next.element.iter().for_each(|more| element(to, more));
            }
        }
    }
}

/// Problems of the elements of one segment stand under one IK3.
fn is_same_segment(first: &Problem, next: &Problem) -> bool {
    next.position == first.position && next.fault == SegmentFault::Elements && next.element.is_some()
}

/// IK3, and CTX with the claim it stands in.
fn segment(to: &mut GroupWriter<'_, '_>, problem: &Problem) {
    // Data element 447 holds four characters: the loop as the standard's own diagram numbers it, 2010 of 2010AA.
    let within = if problem.within == crate::LoopId::ROOT {
        ""
    } else {
        code(problem.within.as_str(), 4)
    };
    to.writer.segment(
        "IK3",
        &[&problem.segment, &problem.position, &within, &problem.fault.code()],
    );
    if let Some(claim) = &problem.claim {
        to.writer.begin("CTX");
        to.writer.parts(&[&"CLM01", claim]);
        to.writer.end();
    }
}

/// IK4.
fn element(to: &mut GroupWriter<'_, '_>, problem: &crate::problem::ElementProblem) {
    let number = |number: u16| if number == 0 { String::new() } else { number.to_string() };
    to.writer.begin("IK4");
    to.writer.parts(&[
        &problem.element,
        &number(problem.component),
        &number(problem.repetition),
    ]);
    to.writer.element(&number(problem.number));
    to.writer.element(&problem.fault.code());
    to.writer.element(&problem.copy.as_deref().unwrap_or_default());
    to.writer.end();
}

/// A version as it may stand in AK103 and AK203: at most twelve and thirty-five characters, what was sent.
fn version(text: &str) -> &str {
    text.get(..35).unwrap_or(text)
}

fn code(text: &str, width: usize) -> &str {
    text.get(..width).unwrap_or(text)
}
