//! The character set of a body, decided before anything is split: byte order mark, MSH-18, the listener's setting, and
//! what the bytes themselves say when those are silent or wrong (HL7 v2.9 2.14.9.18, table 0211). What comes out is
//! UTF-8, without a copy when it was that already. A wrong MSH-18 is a remark; nothing is refused here.

mod judge;
pub mod names;
pub mod scan;

use std::borrow::Cow;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use judge::Look;
use names::Declared;

/// The character set a sender speaks, to answer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset {
    /// Its encoding.
    pub encoding: &'static Encoding,
    /// Nothing but ASCII may be sent back: the sender declared it, or declared nothing and sent nothing else.
    pub ascii: bool,
    /// The body began with a byte order mark.
    pub mark: bool,
}

impl Charset {
    /// An encoding without a byte order mark.
    pub const fn of(encoding: &'static Encoding) -> Self {
        Self {
            encoding,
            ascii: false,
            mark: false,
        }
    }

    /// Seven bits.
    pub const ASCII: Self = Self {
        encoding: UTF_8,
        ascii: true,
        mark: false,
    };

    /// Its name for a sentence.
    pub fn name(self) -> &'static str {
        if self.ascii { "ASCII" } else { self.encoding.name() }
    }
}

/// What was odd about the character set; all of it is about MSH-18.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// MSH-18 names no set that is known here.
    Unknown {
        /// What it says.
        name: String,
    },
    /// MSH-18 names a set that the bytes are not in.
    Wrong {
        /// What it says.
        name: String,
    },
    /// MSH-18 is empty, the listener has no setting, and there is more than ASCII.
    Undeclared,
    /// Bytes that mean nothing were replaced.
    Replaced {
        /// How many characters were put in for them.
        count: usize,
    },
}

/// A body as text.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// UTF-8, without a byte order mark.
    pub text: Bytes,
    /// What it came in.
    pub charset: Charset,
    /// What was odd.
    pub remarks: Vec<Remark>,
}

/// Decodes a body. `default` is the listener's setting for senders that declare nothing.
pub fn decode(raw: &Bytes, default: Option<&'static Encoding>) -> Decoded {
    let (marked, mark) = Encoding::for_bom(raw).map_or((None, 0), |(set, length)| (Some(set), length));
    let body = raw.slice(mark.min(raw.len())..);
    if let Some(set) = marked.or_else(|| utf16(&body)) {
        return unicode(&body, set, mark > 0);
    }
    let said = Said::read(&body, default);
    if body.is_ascii() && !said.shifts(&body) {
        return Decoded {
            text: body,
            charset: said.for_ascii(),
            remarks: said.remarks(None),
        };
    }
    if said.is_utf8() && std::str::from_utf8(&body).is_ok() {
        return Decoded {
            text: body,
            charset: Charset::of(UTF_8),
            remarks: said.remarks(Some(UTF_8)),
        };
    }
    let look = Look::at(&body);
    let set = said.sets.iter().copied().find(|set| look.fits(set, &body, default));
    if let Some(set) = set {
        // The first set that MSH-18 names may be left unused when another that it names fits.
        return strict(&body, set, said.remarks(Some(set)));
    }
    match look.guess(&body, default) {
        Some(set) => strict(&body, set, said.remarks(Some(set))),
        None => replaced(&body, &said, &look, default),
    }
}

/// What MSH-18 says.
struct Said {
    name: String,
    first: Option<Declared>,
    /// The sets named, in order; ASCII and UTF-16 are not among them.
    sets: Vec<&'static Encoding>,
    default: Option<&'static Encoding>,
}

impl Said {
    fn read(body: &[u8], default: Option<&'static Encoding>) -> Self {
        let bytes = scan::declared(body).unwrap_or_default();
        let known: Vec<Declared> = scan::names_of(bytes).filter_map(names::named).collect();
        let set = |declared: &Declared| {
            if let Declared::Set(set) = declared {
                Some(*set)
            } else {
                None
            }
        };
        let name = scan::names_of(bytes).collect::<Vec<_>>().join("~");
        Self {
            name,
            first: known.first().copied(),
            sets: known.iter().filter_map(set).collect(),
            default,
        }
    }

    /// Whether UTF-8 is the first set named, or the setting where none is.
    fn is_utf8(&self) -> bool {
        let silent = self.first.is_none().then_some(self.default).flatten();
        self.sets.first().copied().or(silent) == Some(UTF_8)
    }

    /// Whether bytes of seven bits are more than ASCII: ISO 2022 shifts by escape sequences.
    fn shifts(&self, body: &[u8]) -> bool {
        self.sets.contains(&encoding_rs::ISO_2022_JP) && memchr::memchr(0x1B, body).is_some()
    }

    /// What to answer in when all that came was ASCII.
    fn for_ascii(&self) -> Charset {
        let set = self.sets.first().copied();
        let silent = self.first.is_none().then_some(self.default).flatten();
        set.or(silent).map_or(Charset::ASCII, Charset::of)
    }

    /// The remarks when the body is in `used`; none is plain ASCII.
    fn remarks(&self, used: Option<&'static Encoding>) -> Vec<Remark> {
        let name = self.name.clone();
        let remark = match (self.first, used) {
            (None, _) if !name.is_empty() => Some(Remark::Unknown { name }),
            (None, Some(used)) if self.default != Some(used) => Some(Remark::Undeclared),
            (Some(Declared::Utf16), _) => Some(Remark::Wrong { name }),
            (Some(_), Some(used)) if !self.sets.contains(&used) => Some(Remark::Wrong { name }),
            _ => None,
        };
        remark.into_iter().collect()
    }
}

/// UTF-16 without a byte order mark shows in the header: every second byte of `MSH` is zero.
fn utf16(body: &[u8]) -> Option<&'static Encoding> {
    let start = body.get(..body.len().min(512))?;
    let at = memchr::memmem::find(start, b"M\0S\0H")?;
    Some(if at % 2 == 0 { UTF_16LE } else { UTF_16BE })
}

fn unicode(body: &Bytes, set: &'static Encoding, mark: bool) -> Decoded {
    let mut decoded = lossy(body, set);
    decoded.charset.mark = mark;
    let bytes = scan::declared(&decoded.text).unwrap_or_default();
    let said: Vec<_> = scan::names_of(bytes).collect();
    let right = |declared| match declared {
        Declared::Utf16 => set != UTF_8,
        Declared::Set(named) => named == set || named == UTF_8,
        Declared::Ascii => decoded.text.is_ascii(),
    };
    let name = said.join("~");
    let remark = match said.iter().find_map(|name| names::named(name)) {
        Some(declared) if right(declared) => None,
        Some(_) => Some(Remark::Wrong { name }),
        None if said.is_empty() => None,
        None => Some(Remark::Unknown { name }),
    };
    decoded.remarks.extend(remark);
    decoded
}

fn strict(body: &Bytes, set: &'static Encoding, remarks: Vec<Remark>) -> Decoded {
    let mut decoded = lossy(body, set);
    decoded.remarks.splice(0..0, remarks);
    decoded
}

/// The last resort: of the sets that have something speaking for them, the one that leaves the fewest replacements; if
/// nothing speaks for any, the one in which every byte means something.
fn replaced(body: &Bytes, said: &Said, look: &Look, default: Option<&'static Encoding>) -> Decoded {
    let mut sets: Vec<_> = said.sets.iter().copied().chain(default).collect();
    if look.mostly_utf8() {
        sets = vec![UTF_8];
    } else if sets.is_empty() {
        sets.push(if look.mostly_pairs() {
            encoding_rs::GB18030
        } else {
            encoding_rs::WINDOWS_1252
        });
    }
    // The first of equals stays: what the sender named before the setting.
    let best = sets
        .into_iter()
        .min_by_key(|set| replacements(&lossy(body, set)))
        .unwrap_or(UTF_8);
    strict(body, best, said.remarks(Some(best)))
}

fn replacements(decoded: &Decoded) -> usize {
    decoded
        .remarks
        .iter()
        .map(|remark| {
            if let Remark::Replaced { count } = remark {
                *count
            } else {
                0
            }
        })
        .sum()
}

fn lossy(body: &Bytes, set: &'static Encoding) -> Decoded {
    let (text, broken) = set.decode_without_bom_handling(body);
    let count = if broken { text.matches('\u{FFFD}').count() } else { 0 };
    let text = match text {
        Cow::Borrowed(_) => body.clone(),
        Cow::Owned(text) => Bytes::from(text),
    };
    let remarks = (count > 0).then_some(Remark::Replaced { count }).into_iter().collect();
    Decoded {
        text,
        charset: Charset::of(set),
        remarks,
    }
}

#[cfg(test)]
mod tests;
