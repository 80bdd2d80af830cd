//! The interchange header. It is the one segment of fixed width (X12.5 section 3.2): 106 bytes from `I` to the
//! terminator, so the delimiters can be told before anything is cut. Headers whose values were not padded to their width
//! are read by their separators instead, and said to be so.

use causeway_core::{Fault, Source};

use super::{Cut, Kind, Token, Tokens};
use crate::delimiters::Delimiters;

/// Widths of ISA01 to ISA16.
const WIDTHS: [usize; 16] = [2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1];
/// Length of the header with its terminator.
const LENGTH: usize = 106;
/// How far an unpadded or overlong header is looked at.
const REACH: usize = 400;

/// ISA01 to ISA16.
type Elements = [Box<[u8]>; 16];

/// An interchange header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isa {
    /// The delimiters that it sets.
    pub delimiters: Delimiters,
    /// ISA01 to ISA16 as they stand, padding among them.
    pub elements: Elements,
    /// Whether every value has the width that the standard gives it.
    pub padded: bool,
}

/// Why an interchange header cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsaFault {
    /// The end of the file stands in it.
    Short,
    /// It has no sixteen elements in its reach.
    Elements,
    /// Two delimiters are the same byte, or one is a letter or digit, so nothing can be cut.
    Delimiters,
}

impl Isa {
    /// An element by its number, from 1, without padding; empty for other numbers.
    pub fn value(&self, number: usize) -> String {
        let raw = number.checked_sub(1).and_then(|index| self.elements.get(index));
        String::from_utf8_lossy(raw.map(|raw| raw.trim_ascii()).unwrap_or_default()).into_owned()
    }

    /// Reads the header at the beginning of `bytes`, and its length with the terminator.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, usize), IsaFault> {
        let separator = *bytes.get(3).ok_or(IsaFault::Short)?;
        let (elements, length) = match fixed(bytes, separator) {
            Some(found) => found,
            None => loose(bytes, separator)?,
        };
        let padded = elements.iter().zip(WIDTHS).all(|(value, width)| value.len() == width);
        let one = |index: usize| elements.get(index).and_then(|value| value.first()).copied();
        let version = elements.get(11).map(AsRef::as_ref).unwrap_or_default();
        let delimiters = Delimiters {
            element: separator,
            repetition: one(10).filter(|byte| version >= b"00402".as_slice() && !byte.is_ascii_alphanumeric()),
            component: one(15).ok_or(IsaFault::Elements)?,
            terminator: *bytes.get(length - 1).ok_or(IsaFault::Short)?,
        };
        if !usable(delimiters) {
            return Err(IsaFault::Delimiters);
        }
        Ok((
            Self {
                delimiters,
                elements,
                padded,
            },
            length,
        ))
    }
}

/// Whether the delimiters can cut anything. A repetition separator that is also another delimiter is left out by no
/// standard, so it is not usable either.
fn usable(delimiters: Delimiters) -> bool {
    let Delimiters {
        element,
        repetition,
        component,
        terminator,
    } = delimiters;
    let good = |byte: u8| !byte.is_ascii_alphanumeric();
    let apart = element != component && element != terminator && component != terminator;
    let repeats = repetition.is_none_or(|byte| byte != element && byte != component && byte != terminator);
    apart && repeats && good(element) && good(component) && good(terminator)
}

/// By the widths of the standard.
fn fixed(bytes: &[u8], separator: u8) -> Option<(Elements, usize)> {
    let mut elements = Elements::default();
    let mut at = 3;
    for (value, width) in elements.iter_mut().zip(WIDTHS) {
        if bytes.get(at) != Some(&separator) {
            return None;
        }
        let text = bytes.get(at + 1..at + 1 + width)?;
        if text.contains(&separator) {
            return None;
        }
        *value = text.into();
        at += 1 + width;
    }
    (bytes.len() >= LENGTH).then_some((elements, LENGTH))
}

/// By its separators; the terminator is the byte behind the one of ISA16.
fn loose(bytes: &[u8], separator: u8) -> Result<(Elements, usize), IsaFault> {
    let reach = bytes.get(..REACH.min(bytes.len())).unwrap_or_default();
    let mut ends: Vec<usize> = memchr::memchr_iter(separator, reach).take(16).collect();
    let short = || {
        if bytes.len() < REACH {
            IsaFault::Short
        } else {
            IsaFault::Elements
        }
    };
    let last = *ends.get(15).ok_or_else(short)?;
    ends.push(last + 2);
    if bytes.get(last + 2).is_none() {
        return Err(IsaFault::Short);
    }
    let mut elements = Elements::default();
    for (value, pair) in elements.iter_mut().zip(ends.windows(2)) {
        if let [before, end] = *pair {
            *value = bytes.get(before + 1..end).unwrap_or_default().into();
        }
    }
    Ok((elements, last + 3))
}

impl<S: Source + ?Sized> Tokens<'_, S> {
    /// The header that begins here.
    pub(super) fn header(&mut self) -> Result<Token<'_>, Fault> {
        self.fill(REACH + 8)?;
        match Isa::read(self.rest()) {
            Ok((isa, length)) => {
                let delimiters = isa.delimiters;
                let end = self.after_breaks(self.at + length)?;
                self.delimiters = Some(delimiters);
                let (text, start) = ((self.at, self.at + length - 1), self.start());
                Ok(self.token(Cut {
                    kind: Kind::Header(Box::new(isa)),
                    text,
                    start,
                    end,
                }))
            }
            Err(fault) => {
                self.delimiters = None;
                let length = 3.min(self.rest().len());
                let (text, start) = ((self.at, self.at + length), self.start());
                let kind = Kind::BadHeader(fault);
                Ok(self.token(Cut {
                    kind,
                    text,
                    start,
                    end: start + length as u64,
                }))
            }
        }
    }
}
