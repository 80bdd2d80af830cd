//! One element's header: tag, value representation and length, in each of the encodings (PS3.5 7.1), and what is done
//! with those that break the rules.

use crate::syntax::Syntax;
use crate::tag::{Tag, Vr};

/// The length that means "until the delimiter" (PS3.5 7.1).
const UNDEFINED: u32 = 0xFFFF_FFFF;

/// What stands before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) tag: Tag,
    pub(super) vr: Vr,
    /// Length of the value; `None` until a delimiter.
    pub(super) length: Option<u32>,
    /// Length of the header itself.
    pub(super) size: usize,
    /// Whether what lies in it is encoded without VR though it stands in an explicit data set: a sequence that somebody
    /// forwarded as unknown (PS3.5 6.2.2 note 2, CP-246).
    pub(super) implicit_within: bool,
}

/// Reads the header at the beginning of bytes; `None` when there are not enough for one.
pub(super) fn read(bytes: &[u8], syntax: Syntax) -> Option<Header> {
    let tag = Tag::new(short(bytes, 0, syntax)?, short(bytes, 2, syntax)?);
    if tag.group() == 0xFFFE {
        return Some(delimiter(tag, long(bytes, 4, syntax)?));
    }
    let letters = Vr::read([*bytes.get(4)?, *bytes.get(5)?]);
    if !syntax.explicit || !letters.is_plausible() {
        return Some(implicit(tag, long(bytes, 4, syntax)?));
    }
    let wide = letters.is_long() || (!letters.is_known() && short(bytes, 6, syntax)? == 0);
    let header = if wide {
        plain(tag, letters, long(bytes, 8, syntax)?, 12)
    } else {
        plain(tag, letters, u32::from(short(bytes, 6, syntax)?), 8)
    };
    Some(forwarded(header))
}

fn plain(tag: Tag, vr: Vr, length: u32, size: usize) -> Header {
    Header {
        tag,
        vr,
        length: (length != UNDEFINED || size == 8).then_some(length),
        size,
        implicit_within: false,
    }
}

fn delimiter(tag: Tag, length: u32) -> Header {
    Header {
        length: (length != UNDEFINED).then_some(length),
        ..plain(tag, Vr::UN, 0, 8)
    }
}

/// Without a VR the dictionary says it; what has no length and is not known can only be a sequence.
fn implicit(tag: Tag, length: u32) -> Header {
    let known = tag.vr();
    let vr = match known {
        None if length == UNDEFINED => Vr::SQ,
        other => other.unwrap_or(Vr::UN),
    };
    Header {
        length: (length != UNDEFINED).then_some(length),
        ..plain(tag, vr, 0, 8)
    }
}

/// What was forwarded as unknown gets back what the dictionary knows of it.
fn forwarded(header: Header) -> Header {
    if header.vr != Vr::UN {
        return header;
    }
    let vr = match header.length {
        None => Vr::SQ,
        Some(_) => header.tag.vr().unwrap_or(Vr::UN),
    };
    Header {
        vr,
        implicit_within: vr == Vr::SQ,
        ..header
    }
}

fn short(bytes: &[u8], at: usize, syntax: Syntax) -> Option<u16> {
    let bytes: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(if syntax.big_endian {
        u16::from_be_bytes(bytes)
    } else {
        u16::from_le_bytes(bytes)
    })
}

fn long(bytes: &[u8], at: usize, syntax: Syntax) -> Option<u32> {
    let bytes: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(if syntax.big_endian {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    })
}
