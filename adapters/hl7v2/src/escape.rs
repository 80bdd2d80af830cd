//! Escape sequences, both ways (HL7 v2.9 2.7). Decoding loses nothing: what has no meaning here, is broken or stands for
//! itself stays as it was written.

use std::borrow::Cow;

use encoding_rs::Encoding;
use memchr::memchr;

use crate::delims::Delims;

/// Blank lines or spaces that one formatting command may ask for; more is a slip or an attack.
const MOST_BLANKS: usize = 100;

/// The meaning of a text: delimiters, hexadecimal data in the message's character set, line breaks; highlighting and
/// page layout have no counterpart and are left out.
pub fn decode<'a>(raw: &'a str, delims: Delims, charset: &'static Encoding) -> Cow<'a, str> {
    let Some(first) = memchr(delims.escape, raw.as_bytes()) else {
        return Cow::Borrowed(raw);
    };
    let escape = char::from(delims.escape);
    let (plain, mut rest) = raw.split_at_checked(first).unwrap_or((raw, ""));
    let mut out = String::with_capacity(raw.len());
    out.push_str(plain);
    while let Some(body) = rest.strip_prefix(escape) {
        let (sequence, mut after) = body.split_once(escape).unwrap_or((body, ""));
        let closed = sequence.len() < body.len();
        if !closed || !apply(sequence, &mut after, &mut out, delims, charset) {
            // Not a sequence: the character stands for itself, and what follows it may begin one.
            out.push(escape);
            after = body;
        }
        let next = memchr(delims.escape, after.as_bytes()).unwrap_or(after.len());
        let (plain, next) = after.split_at_checked(next).unwrap_or((after, ""));
        out.push_str(plain);
        rest = next;
    }
    Cow::Owned(out)
}

/// Writes the meaning of one sequence; false when it has none. Hexadecimal data may take the sequences that follow with
/// it, since one character's bytes can be spread over several.
fn apply(sequence: &str, after: &mut &str, out: &mut String, delims: Delims, charset: &'static Encoding) -> bool {
    let delimiter = match sequence {
        "F" => delims.field,
        "S" => delims.component,
        "T" => delims.subcomponent,
        "R" => delims.repetition,
        "E" => delims.escape,
        "P" => delims.truncation.unwrap_or(b'#'),
        "H" | "N" => return true,
        _ if sequence.starts_with('.') => return format(sequence, out),
        _ => return hexadecimal(sequence, after, out, delims.escape, charset),
    };
    out.push(char::from(delimiter));
    true
}

/// Formatting commands of FT (HL7 v2.9 2.7.6).
fn format(sequence: &str, out: &mut String) -> bool {
    let (command, argument) = sequence.split_at_checked(3).unwrap_or((sequence, ""));
    let count = match argument.trim() {
        "" => Some(1),
        digits => digits.trim_start_matches(['+', '-']).parse::<usize>().ok(),
    };
    let Some(count) = count.map(|count| count.min(MOST_BLANKS)) else {
        return false;
    };
    match command {
        ".br" | ".ce" => out.push('\n'),
        ".sp" => out.extend(std::iter::repeat_n('\n', count.max(1))),
        ".sk" => out.extend(std::iter::repeat_n(' ', count)),
        ".in" | ".ti" | ".fi" | ".nf" => {}
        _ => return false,
    }
    true
}

fn hexadecimal(sequence: &str, after: &mut &str, out: &mut String, escape: u8, charset: &'static Encoding) -> bool {
    let Some(mut bytes) = hex_bytes(sequence) else {
        return false;
    };
    let mut rest = *after;
    while let Some((next, tail)) = rest
        .strip_prefix(char::from(escape))
        .and_then(|body| body.split_once(char::from(escape)))
    {
        let Some(more) = hex_bytes(next) else { break };
        bytes.extend(more);
        rest = tail;
    }
    let Some(text) = charset.decode_without_bom_handling_and_without_replacement(&bytes) else {
        return false;
    };
    if text
        .chars()
        .any(|char| char.is_control() && !matches!(char, '\t' | '\r' | '\n'))
    {
        return false;
    }
    out.push_str(&text);
    *after = rest;
    true
}

/// The bytes of `Xhhhh`.
fn hex_bytes(sequence: &str) -> Option<Vec<u8>> {
    let digits = sequence
        .strip_prefix('X')
        .filter(|digits| !digits.is_empty())?
        .as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    rest.is_empty().then_some(())?;
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?))
        .collect()
}

/// A text made fit to stand in a field: delimiters escaped, line breaks as `\.br\`, other control characters dropped.
pub fn encode(text: &str, delims: Delims, out: &mut String) {
    let escape = char::from(delims.escape);
    let mut characters = text.chars().peekable();
    while let Some(char) = characters.next() {
        if char == '\r' && characters.peek() == Some(&'\n') {
            continue;
        }
        match letter(char, delims) {
            Some(letter) => out.extend([escape, letter, escape]),
            None if matches!(char, '\r' | '\n') => out.extend([escape, '.', 'b', 'r', escape]),
            None if char.is_control() => out.push(' '),
            None => out.push(char),
        }
    }
}

fn letter(char: char, delims: Delims) -> Option<char> {
    let byte = u8::try_from(char).ok().filter(u8::is_ascii)?;
    match byte {
        _ if byte == delims.field => Some('F'),
        _ if byte == delims.component => Some('S'),
        _ if byte == delims.subcomponent => Some('T'),
        _ if byte == delims.repetition => Some('R'),
        _ if byte == delims.escape => Some('E'),
        _ if Some(byte) == delims.truncation => Some('P'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{GB18030, UTF_8, WINDOWS_1252};

    fn check(raw: &str, expect: &str) {
        assert_eq!(decode(raw, Delims::default(), UTF_8), expect, "{raw}");
    }

    #[test]
    fn delimiters_are_unescaped() {
        check(r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f");
        check(r"\F\\S\", "|^");
        check(r"1\P\", "1#");
    }

    #[test]
    fn text_without_escapes_is_not_copied() {
        assert!(matches!(
            decode("plain 文字", Delims::default(), UTF_8),
            Cow::Borrowed("plain 文字")
        ));
    }

    #[test]
    fn formatting_becomes_lines() {
        check(r"one\.br\two\.sp\three\.sp2\four", "one\ntwo\nthree\n\nfour");
        check(r"a\.in+4\b\.ti-2\c\.fi\d\.nf\e\.sk 3\f\.ce\g", "abcde   f\ng");
        check(r"\.sp99999999\", &"\n".repeat(100));
    }

    #[test]
    fn highlighting_is_left_out() {
        check(r"\H\high\N\ normal", "high normal");
    }

    #[test]
    fn hexadecimal_data_is_read_in_the_character_set() {
        check(r"A\X0D0A\B", "A\r\nB");
        check(r"\XE5BCA0\", "张");
        assert_eq!(decode(r"\XD5C5\", Delims::default(), GB18030), "张");
        assert_eq!(decode(r"\XD5\\XC5\三", Delims::default(), GB18030), "张三");
        assert_eq!(decode(r"\XE9\t\XE9\", Delims::default(), WINDOWS_1252), "été");
    }

    #[test]
    fn what_has_no_meaning_stays_as_it_is() {
        for raw in [
            r"\Zabc\",
            r"\C2842\",
            r"\M244142\",
            r"\X0\",
            r"\XZZ\",
            r"\X00\",
            r"\XFF\",
            r"\.xy\",
            r"\Q\",
            "\\",
        ] {
            check(raw, raw);
        }
        check(r"C:\temp\F\x", r"C:\temp|x");
        check(r"lone \ here", r"lone \ here");
        check(r"\\", r"\\");
        check(r"路径\数据\F\完", r"路径\数据|完");
    }

    #[test]
    fn encoding_is_undone_by_decoding() {
        let text = "a|b^c&d~e\\f\n张伟";
        let mut out = String::new();
        encode(text, Delims::default(), &mut out);
        assert_eq!(out, r"a\F\b\S\c\T\d\R\e\E\f\.br\张伟");
        check(&out, text);
    }
}
