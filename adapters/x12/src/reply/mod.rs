//! What goes back to the sender of an interchange: TA1 for its envelope (X12.56), once it is kept, and 999 for each of its
//! functional groups (X231), once it is decided. What is wrong is known from `validate` and from the answers; here it is
//! only said in the sender's own format, with the sender's delimiters, sender and receiver changed over.

mod group;
mod interchange;
mod sum;
mod writer;

use bytes::Bytes;
use causeway_core::{Class, Finding, Reply, ReplyHead, ReplyKind, Stamp};

use crate::delimiters::Delimiters;
use crate::problem::InterchangeFault;
use crate::record::{Interchange, Records};
use crate::tokenise::{Isa, Kind, Tokens};

pub use sum::Sum;

use interchange::Answering;
use writer::Writer;

/// TA1 for each interchange that asks for one or is in error, in one reply; none where nobody is to be told. What is
/// itself acknowledgements is never acknowledged.
pub fn commit(records: &Records, stamp: &Stamp) -> Option<Reply> {
    let (mut bytes, mut positive) = (Vec::new(), true);
    for (index, interchange) in records.interchanges.iter().enumerate() {
        let asked = interchange.isa.value(14) == "1" || interchange.fault.is_some();
        if asked && !is_acknowledgement(records, interchange) {
            let answering = Answering::new(&interchange.isa, stamp, index);
            answering.ta1(interchange.fault, &mut bytes);
            positive &= !interchange.is_rejected();
        }
    }
    (!bytes.is_empty()).then(|| reply(ReplyKind::Commit, bytes, positive))
}

/// 999 for each interchange whose envelope was taken, one functional group of ours for all of its groups.
pub fn reply_all(records: &Records, sum: &Sum, stamp: &Stamp) -> Vec<Reply> {
    let mut replies = Vec::new();
    for (index, interchange) in records.interchanges.iter().enumerate() {
        let groups = records
            .groups_of(interchange)
            .iter()
            .filter(|group| !group.is_acknowledgement());
        if interchange.is_rejected() || groups.clone().next().is_none() {
            continue;
        }
        let answering = Answering::new(&interchange.isa, stamp, index);
        let mut bytes = Vec::new();
        let mut positive = true;
        answering.wrap(&mut bytes, |writer| {
            for (number, group) in (1_u32..).zip(groups) {
                positive &= group::acknowledge(writer, number, group, records, sum);
            }
        });
        replies.push(reply(ReplyKind::Application, bytes, positive));
    }
    replies
}

/// TA1 that refuses a file as a whole: what can be read of its first header says whom it is for.
pub fn refuse(first: &[u8], findings: &[Finding], stamp: &Stamp) -> Reply {
    let isa = header(first).unwrap_or_else(nobody);
    let unread = findings.iter().any(|finding| finding.class == Class::Structure);
    let fault = if unread {
        InterchangeFault::Structure
    } else {
        InterchangeFault::Content
    };
    let mut bytes = Vec::new();
    Answering::new(&isa, stamp, 0).ta1(Some(fault), &mut bytes);
    reply(ReplyKind::Refusal, bytes, false)
}

fn reply(kind: ReplyKind, bytes: Vec<u8>, positive: bool) -> Reply {
    Reply {
        head: ReplyHead::None,
        kind,
        bytes: Bytes::from(bytes),
        positive,
    }
}

fn is_acknowledgement(records: &Records, interchange: &Interchange) -> bool {
    let groups = records.groups_of(interchange);
    let all = groups.iter().all(crate::record::Group::is_acknowledgement);
    all && (interchange.has_ta1 || !groups.is_empty())
}

/// The first header that can be read.
fn header(first: &[u8]) -> Option<Isa> {
    let mut source = causeway_core::MemorySource(Bytes::copy_from_slice(first));
    let mut tokens = Tokens::new(&mut source);
    while let Ok(Some(token)) = tokens.next() {
        if let Kind::Header(isa) = token.kind {
            return Some(*isa);
        }
    }
    None
}

/// The header of nobody, for refusing what names no sender.
fn nobody() -> Isa {
    let blank = |width: usize| -> Box<[u8]> { vec![b' '; width].into() };
    let text = |value: &str| -> Box<[u8]> { value.as_bytes().into() };
    Isa {
        delimiters: Delimiters::USUAL,
        elements: [
            text("00"),
            blank(10),
            text("00"),
            blank(10),
            text("ZZ"),
            blank(15),
            text("ZZ"),
            blank(15),
            text("000000"),
            text("0000"),
            text("^"),
            text("00501"),
            text("000000000"),
            text("0"),
            text("P"),
            text(":"),
        ],
        padded: true,
    }
}

/// A number of nine digits out of our own control id, which ends in the second of our start and a counter, each eight
/// hexadecimal digits: their sum does not come again within one run, nor in a later one that answered fewer than one frame
/// a second. Of other control ids the bytes are summed.
fn control_number(stamp: &Stamp, index: usize) -> u32 {
    let id = stamp.control_id.as_bytes();
    let hex = |from: usize, to: usize| {
        let range = id.len().checked_sub(from)?..id.len().checked_sub(to)?;
        u64::from_str_radix(std::str::from_utf8(id.get(range)?).ok()?, 16).ok()
    };
    let base = match (hex(16, 8), hex(8, 0)) {
        (Some(start), Some(counter)) => start.wrapping_add(counter),
        _ => id
            .iter()
            .fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte))),
    };
    let number = base.wrapping_add(index as u64 * 10_000_019) % 999_999_999;
    u32::try_from(number).unwrap_or(0).saturating_add(1)
}
