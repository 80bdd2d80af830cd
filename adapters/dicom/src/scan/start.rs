//! Where a data set begins and how it is encoded: preamble, file meta information (PS3.10 chapter 7), and files that lack
//! them or lie about themselves.

use bytes::Bytes;

use super::header;
use super::walk;
use super::{End, Limits};
use crate::data_set::DataSet;
use crate::problem::{Problem, ProblemKind};
use crate::syntax::Syntax;
use crate::tag::Tag;

const PREAMBLE: usize = 128;
const PREFIX: &[u8] = b"DICM";

/// Where the file meta information should begin.
pub(super) fn begin(bytes: &[u8], problems: &mut Vec<Problem>) -> usize {
    if bytes.get(PREAMBLE..).is_some_and(|rest| rest.starts_with(PREFIX)) {
        return PREAMBLE + PREFIX.len();
    }
    problems.push(Problem::new(ProblemKind::NoPreamble, ""));
    if bytes.starts_with(PREFIX) { PREFIX.len() } else { 0 }
}

/// The file meta information and where it ends. Its group length is compared and not relied on.
pub(super) fn meta(bytes: &Bytes, begin: usize, limits: &Limits, problems: &mut Vec<Problem>) -> (DataSet, usize) {
    let rest = bytes.slice(begin.min(bytes.len())..);
    let first = header::read(&rest, Syntax::EXPLICIT);
    if first.is_none_or(|first| first.tag.group() != 2) {
        problems.push(Problem::new(ProblemKind::NoMeta, ""));
        return (DataSet::default(), begin);
    }
    let walked = walk::walk(&rest, Syntax::EXPLICIT, true, limits, |tag| tag.group() != 2);
    let says = walked.set.find(0, Tag(0x0002_0000)).map(|element| {
        let raw: [u8; 4] = walked.set.raw(element).try_into().unwrap_or_default();
        element.end as usize + u32::from_le_bytes(raw) as usize
    });
    let is = walked.length;
    if says.is_some_and(|says| says != is) || matches!(walked.end, End::Broken) {
        problems.push(Problem::at(ProblemKind::MetaLength, Tag(0x0002_0000), ""));
    }
    (walked.set, begin + is)
}

/// How the data set is encoded: as it says if that fits the first elements, else as fits them. `None` when nothing fits.
pub(super) fn syntax(bytes: &[u8], named: &str, has_meta: bool, problems: &mut Vec<Problem>) -> Option<Syntax> {
    if bytes.is_empty() && has_meta {
        return Some(Syntax::of(named));
    }
    if !named.is_empty() {
        let said = Syntax::of(named);
        if said.deflated || fits(bytes, said) {
            return Some(said);
        }
    }
    let candidates = [Syntax::EXPLICIT, Syntax::IMPLICIT, Syntax::BIG_ENDIAN, BIG_IMPLICIT];
    let found = candidates.into_iter().find(|syntax| fits(bytes, *syntax));
    match (found, named.is_empty()) {
        (Some(_), true) if has_meta => problems.push(Problem::new(ProblemKind::NoSyntax, "")),
        (Some(_), false) => problems.push(Problem::new(ProblemKind::OtherSyntax, named)),
        // A file that says that it is DICOM is read as it says, however odd it begins.
        (None, _) if has_meta => return Some(Syntax::of(named)),
        _ => {}
    }
    found
}

/// Met in files of before 1993 (ACR-NEMA 2.0 on big-endian machines).
const BIG_IMPLICIT: Syntax = Syntax {
    explicit: false,
    big_endian: true,
    deflated: false,
};

/// Whether the first elements could be encoded so: a low group, a VR that is one, a length that ends before the bytes do,
/// and a second element that does not stand before the first.
fn fits(bytes: &[u8], syntax: Syntax) -> bool {
    let Some(first) = header::read(bytes, syntax) else {
        return false;
    };
    if !(1..=0x0040).contains(&first.tag.group()) || !vr_fits(bytes, first, syntax) {
        return false;
    }
    let Some(length) = first.length else { return true };
    let Some(end) = first.size.checked_add(length as usize) else {
        return false;
    };
    let Some(rest) = bytes.get(end..) else { return false };
    match header::read(rest, syntax) {
        Some(second) => second.tag > first.tag && vr_fits(rest, second, syntax),
        None => true,
    }
}

fn vr_fits(bytes: &[u8], header: header::Header, syntax: Syntax) -> bool {
    if !syntax.explicit {
        return header.tag.vr().is_some() || header.tag.is_private();
    }
    let letters = bytes.get(4..6).and_then(|two| <[u8; 2]>::try_from(two).ok());
    letters.is_some_and(|letters| crate::tag::Vr::read(letters).is_known())
}
