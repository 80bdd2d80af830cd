//! The control segments: what ISA, GS and ST say, and whether their trailers agree (X12.5, X12.22; SNIP type 1).

use crate::check::{is_date, is_time};
use crate::name::SegmentId;
use crate::problem::{Faults, GroupFault, InterchangeFault, SetFault};
use crate::record::{Control, Group, Interchange, Records, Set};
use crate::segment::Segment;
use crate::tokenise::Isa;

/// Different ST03 that are told apart in a file.
const MAX_VERSIONS: usize = 100;

/// Most characters that are kept of an element of GS.
const MAX_TEXT: usize = 80;

/// What is wrong with an interchange header, the gravest first.
pub(super) fn of_header(isa: &Isa) -> Option<InterchangeFault> {
    let raw = |number: usize| isa.elements.get(number - 1).map(AsRef::as_ref).unwrap_or_default();
    let digits = |number: usize, count: usize| {
        let value: &[u8] = raw(number);
        value.len() == count && value.iter().all(u8::is_ascii_digit)
    };
    let coded = |number: usize| raw(number).len() == 2 && raw(number).iter().all(u8::is_ascii_alphanumeric);
    let named = |number: usize| raw(number).len() == 15 && !raw(number).trim_ascii().is_empty();
    let rules = [
        (digits(13, 9), InterchangeFault::BadControlNumber),
        (digits(12, 5), InterchangeFault::Version),
        (coded(1) && raw(2).len() == 10, InterchangeFault::AuthorisationQualifier),
        (coded(3) && raw(4).len() == 10, InterchangeFault::SecurityQualifier),
        (coded(5), InterchangeFault::SenderQualifier),
        (named(6), InterchangeFault::Sender),
        (coded(7), InterchangeFault::ReceiverQualifier),
        (named(8), InterchangeFault::Receiver),
        (raw(9).len() == 6 && is_date(raw(9)), InterchangeFault::Date),
        (raw(10).len() == 4 && is_time(raw(10)), InterchangeFault::Time),
        (matches!(raw(14), b"0" | b"1"), InterchangeFault::AckRequested),
        (matches!(raw(15), b"P" | b"T" | b"I"), InterchangeFault::Usage),
    ];
    rules.into_iter().find(|(good, _)| !good).map(|(_, fault)| fault)
}

/// What is wrong with an interchange by its IEA.
pub(super) fn of_trailer(interchange: &Interchange, segment: &Segment<'_>) -> Option<InterchangeFault> {
    let control = interchange.isa.value(13);
    if segment.text(2) != control {
        return Some(InterchangeFault::ControlNumber);
    }
    let counted = number(segment.element(1)) == u32::try_from(interchange.groups.len()).ok();
    (!counted).then_some(InterchangeFault::GroupCount)
}

/// What a GS says.
pub(super) fn of_group(segment: &Segment<'_>) -> Group {
    let text = |number: usize| -> Box<str> {
        let element = segment.element(number).trim_ascii();
        String::from_utf8_lossy(element.get(..MAX_TEXT.min(element.len())).unwrap_or_default()).into()
    };
    let mut faults = Faults::default();
    let functional_id = segment.element(1);
    if functional_id.len() != 2 || !functional_id.iter().all(u8::is_ascii_uppercase) {
        faults.group(GroupFault::Unknown);
    }
    let control = segment.element(6);
    if !(1..=9).contains(&control.len()) || !control.iter().all(u8::is_ascii_digit) {
        faults.group(GroupFault::BadControlNumber);
    }
    let time = text(4).into_string() + &text(5);
    Group {
        functional_id: text(1),
        sender: text(2),
        receiver: text(3),
        time: time.into(),
        control: text(6),
        version: text(8),
        declared: 0,
        faults,
        sets: 0..0,
    }
}

/// Compares a group with its GE.
pub(super) fn check_group(group: &mut Group, count: u32, trailer: &Segment<'_>) {
    let declared = number(trailer.element(1));
    group.declared = declared.unwrap_or(count).min(999_999); // AK902 has six digits
    if declared != Some(count) {
        group.faults.group(GroupFault::SetCount);
    }
    if trailer.text(2) != *group.control {
        group.faults.group(GroupFault::ControlNumber);
    }
}

/// What an ST says.
pub(super) fn of_set(segment: &Segment<'_>, start: u64, transaction: u32, records: &mut Records) -> Set {
    let mut faults = Faults::default();
    let kind = segment.element(1);
    let group = records.groups.last();
    if kind.len() != 3 || !kind.iter().all(u8::is_ascii_alphanumeric) {
        faults.set(SetFault::Identifier);
    } else if group.is_some_and(|group| !belongs(&group.functional_id, kind)) {
        faults.set(SetFault::NotInGroup);
    }
    let control = segment.element(2);
    if !(4..=9).contains(&control.len()) || !control.iter().all(u8::is_ascii_graphic) {
        faults.set(SetFault::BadControlNumber);
    }
    let said = segment.text(3);
    if !said.is_empty() && group.is_some_and(|group| *group.version != *said) {
        faults.set(SetFault::Guide);
    }
    let index = |count: usize| u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX);
    let problems = u32::try_from(records.problems.len()).unwrap_or(u32::MAX);
    Set {
        start,
        interchange: index(records.interchanges.len()),
        group: index(records.groups.len()),
        transaction,
        kind: SegmentId::like(kind),
        control: Control::of(control),
        version: version(said, &mut records.versions),
        rejected: false,
        faults,
        more: 0,
        segments: (u32::try_from(records.index.len()).unwrap_or(u32::MAX), 0),
        problems: problems..problems,
    }
}

/// The number of an ST03 among those of the file.
fn version(said: String, versions: &mut Vec<Box<str>>) -> u16 {
    let known = versions.iter().position(|known| **known == *said);
    let index = known.unwrap_or_else(|| {
        if versions.len() < MAX_VERSIONS && said.len() <= MAX_TEXT {
            versions.push(said.into());
            versions.len() - 1
        } else {
            0
        }
    });
    u16::try_from(index).unwrap_or(0)
}

/// Whether a transaction set belongs into a group of a functional identifier (data element 479). What is not listed here
/// is not judged.
fn belongs(functional_id: &str, kind: &[u8]) -> bool {
    let sets: &[&[u8]] = match functional_id {
        "HC" => &[b"837"],
        "HP" => &[b"835"],
        "HS" => &[b"270"],
        "HB" => &[b"271"],
        "HR" => &[b"276"],
        "HN" => &[b"277"],
        "HI" => &[b"278"],
        "PI" => &[b"275"],
        "BE" => &[b"834"],
        "RA" => &[b"820"],
        "AG" => &[b"824"],
        "FA" => &[b"997", b"999"],
        _ => return true,
    };
    sets.contains(&kind)
}

/// A count; none if it is no number.
pub(super) fn number(text: &[u8]) -> Option<u32> {
    let good = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| good)?.parse().ok()
}
