//! Operations that make text of values: whole, joined, concatenated, encoded.

use causeway_core::fhir::Value as Json;
use causeway_mapping::doc::{Doc, Value};
use causeway_mapping::ops::{Input, Output};

use crate::message::Message;

type In<'a> = Input<'a, Message>;

/// The leaves of a value, in order, unescaped.
fn leaves(input: &In<'_>, value: Value) -> Vec<String> {
    let doc = input.doc;
    let mut out = Vec::new();
    let mut number = 1;
    while let Some(part) = doc.nth(value, number) {
        if part.place == value.place {
            out.push(Doc::text(doc, value).into_owned());
            break;
        }
        let mut inner = 1;
        while let Some(leaf) = doc.nth(part, inner) {
            out.push(Doc::text(doc, leaf).into_owned());
            inner += 1;
            if leaf.place == part.place {
                break;
            }
        }
        number += 1;
    }
    out.retain(|leaf| !leaf.trim().is_empty());
    out
}

pub(super) fn concat(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let Some(Some(value)) = input.values.first() else {
        return false;
    };
    out.text(&leaves(input, *value).concat())
}

pub(super) fn join(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let all: Vec<String> = input
        .values
        .iter()
        .flatten()
        .flat_map(|value| leaves(input, *value))
        .collect();
    out.text(&all.join(" "))
}

pub(super) fn join_lines(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let lines: Vec<_> = input
        .values
        .iter()
        .flatten()
        .map(|value| Doc::text(input.doc, *value))
        .collect();
    out.text(&lines.join("\n"))
}

/// The value with the delimiters that the standard recommends in place of the message's own.
pub(super) fn text(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let Some(Some(value)) = input.values.first() else {
        return false;
    };
    let delims = &input.doc.delims;
    let usual = delims.component == b'^' && delims.subcomponent == b'&';
    if usual || !input.doc.is_complex(*value) {
        return out.text(&Doc::text(input.doc, *value));
    }
    let mut text = String::new();
    let mut number = 1;
    while let Some(component) = input.doc.nth(*value, number) {
        if number > 1 {
            text.push('^');
        }
        let mut inner = 1;
        while let Some(leaf) = input.doc.nth(component, inner) {
            if inner > 1 {
                text.push('&');
            }
            text.push_str(&Doc::text(input.doc, leaf));
            inner += 1;
            if leaf.place == component.place {
                break;
            }
        }
        number += 1;
        if component.place == value.place {
            break;
        }
    }
    out.text(&text)
}

/// Country, area, local and extension, `+44 20 5550100 X12` (ITU E.123).
pub(super) fn phone(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let part = |at| input.leaf(at).trim().to_owned();
    let (country, area, local, extension) = (part(0), part(1), part(2), part(3));
    let mut number = Vec::new();
    if !country.is_empty() {
        number.push(format!("+{}", country.trim_start_matches('+')));
    }
    number.extend([area, local].into_iter().filter(|part| !part.is_empty()));
    if !extension.is_empty() {
        number.push(format!("X{extension}"));
    }
    out.text(&number.join(" "))
}

/// Numbers of an array side by side; the origin is 0 and the period 1, since the field says neither (HL7 v2.9 2A.2.43).
pub(super) fn waveform(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let data: Vec<String> = input
        .values
        .iter()
        .flatten()
        .flat_map(|value| leaves(input, *value))
        .collect();
    let numbers: Option<Vec<String>> = data.iter().map(|text| out.decimal(text)).collect();
    let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else {
        return false;
    };
    let Some(object) = out.object() else { return false };
    let origin = out.put(object, "origin", Json::Object);
    out.put(origin, "value", Json::Number("0"));
    out.put(object, "period", Json::Number("1"));
    out.put(object, "dimensions", Json::Number("1"));
    out.put(object, "data", Json::String(&numbers.join(" ")));
    true
}

pub(super) fn base64(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let text = input.first();
    !text.is_empty() && out.value(Json::String(&encoded(text.as_bytes()))).is_some()
}

pub(super) fn hex_base64(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let text = input.first();
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?))
        .collect();
    match bytes {
        Some(bytes) if rest.is_empty() && !bytes.is_empty() => out.value(Json::String(&encoded(&bytes))).is_some(),
        _ => false,
    }
}

/// Base64 with padding (RFC 4648 4).
fn encoded(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = 0u32;
        for at in 0..3 {
            group = group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            let six = (group >> (18 - at * 6)) & 0x3F;
            let letter = LETTERS.get(six as usize).copied().unwrap_or(b'A');
            out.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        // RFC 4648 section 10.
        for (text, expect) in [
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encoded(text.as_bytes()), expect);
        }
    }
}
