//! Whether text is in the set that it claims, and in which it is if not. The wrong label is common where records are
//! Chinese: GBK bytes under `ISO_IR 100`, or under nothing at all. What counts is validity, and what people write; a set is
//! never put aside for one that merely would do as well.

use encoding_rs::{GB18030, GBK};

use super::iso2022::Decoder;
use super::names::{Coding, Set};
use crate::tag::Vr;

/// The set that the texts are in, when the declared one does not fit and another does.
pub fn better(declared: &Coding, texts: &[&[u8]]) -> Option<Set> {
    let utf8 = is_utf8(texts);
    match declared.first {
        Set::Utf8 if utf8 == Utf8::No => Some(if is_gbk(texts) { Set::Gb18030 } else { Set::Latin1 }),
        Set::Utf8 => None,
        // Names in GBK are seldom valid as UTF-8, and then as two-byte letters: only what needs three bytes counts.
        Set::Gb18030 | Set::Gbk => (utf8 == Utf8::Far).then_some(Set::Utf8),
        _ if texts.iter().all(|text| text.contains(&0x1B)) => None,
        Set::Ascii if declared.more.is_empty() => Some(undeclared(utf8, texts)),
        Set::Ascii => {
            let fails = texts.iter().any(|text| !decodes(declared, text));
            fails.then(|| undeclared(utf8, texts))
        }
        _ if utf8 == Utf8::Far => Some(Set::Utf8),
        Set::Latin1 if is_hanzi(texts) => Some(Set::Gb18030),
        _ => None,
    }
}

fn undeclared(utf8: Utf8, texts: &[&[u8]]) -> Set {
    match utf8 {
        Utf8::Far => Set::Utf8,
        Utf8::Near if !is_hanzi(texts) => Set::Utf8,
        _ if is_hanzi(texts) => Set::Gb18030,
        Utf8::Near => Set::Utf8,
        Utf8::No => Set::Latin1,
    }
}

fn decodes(coding: &Coding, text: &[u8]) -> bool {
    Decoder::new(coding, Vr::LO).decode(text).1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Utf8 {
    No,
    /// Valid, with letters of two bytes only.
    Near,
    /// Valid, with characters of three or more bytes.
    Far,
}

fn is_utf8(texts: &[&[u8]]) -> Utf8 {
    let mut found = Utf8::Near;
    for text in texts {
        match std::str::from_utf8(text) {
            Err(_) => return Utf8::No,
            Ok(text) if text.chars().any(|c| c >= '\u{800}') => found = Utf8::Far,
            Ok(_) => {}
        }
    }
    found
}

/// Whether all of it can be read as GB 18030 and most of it are Chinese characters.
fn is_gbk(texts: &[&[u8]]) -> bool {
    let (mut han, mut other) = (0usize, 0usize);
    for text in texts {
        let Some(text) = GB18030.decode_without_bom_handling_and_without_replacement(text) else {
            return false;
        };
        for c in text.chars().filter(|c| !c.is_ascii()) {
            if is_han_or_its_marks(c) {
                han += 1;
            } else {
                other += 1;
            }
        }
    }
    han > other
}

fn is_han_or_its_marks(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303F}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF00}'..='\u{FFEF}' | '·')
}

/// Whether every run of bytes above 127 reads as ideographs of GBK (or their punctuation), an odd one with the ASCII byte
/// behind it. Accented letters of European names stand alone as a rule; where two stand together (`créée`) both are small
/// letters, which common ideographs are not, so at least one pair must be of another kind.
fn is_hanzi(texts: &[&[u8]]) -> bool {
    let mut sure = 0;
    for text in texts {
        let mut rest = *text;
        while let Some(at) = rest.iter().position(|byte| *byte >= 0x80) {
            let run = rest.get(at..).unwrap_or_default();
            let Some((taken, found)) = hanzi_run(run) else {
                return false;
            };
            sure += found;
            rest = run.get(taken..).unwrap_or_default();
        }
    }
    sure > 0
}

/// How many bytes a run of ideographs has, and how many pairs of it are surely none of accented letters.
fn hanzi_run(run: &[u8]) -> Option<(usize, usize)> {
    let high = run.iter().take_while(|byte| **byte >= 0x80).count();
    let length = high.next_multiple_of(2);
    // One accent with a letter behind it is a pair as well: too little to tell.
    if length != high && length < 4 {
        return None;
    }
    let bytes = run.get(..length)?;
    let text = GBK.decode_without_bom_handling_and_without_replacement(bytes)?;
    let small = |byte: &u8| *byte >= 0xE0;
    let sure = bytes.chunks(2).filter(|pair| !pair.iter().all(small)).count();
    text.chars().all(is_han_or_its_marks).then_some((length, sure))
}
