//! Reference ranges as senders write them in OBX-7, `3.5-5.1`, `<5`, `>= 10`, `3.5 - 5.1 mmol/L` (HL7 v2.9 7.4.2.7), and
//! titres as they write them in OBX-5. What a number means is not known here.

use std::borrow::Cow;

use causeway_core::NodeId;
use causeway_core::fhir::Value as Json;
use causeway_mapping::doc::{Doc, Value};
use causeway_mapping::ops::{Input, Output};

use crate::message::Message;

/// UCUM, the only system of units that a range may claim.
const UCUM: &str = "http://unitsofmeasure.org";

pub(super) fn low_high(input: &Input<'_, Message>, out: &mut Output<'_>) -> bool {
    let text = input.first();
    let unit = input.others.first().copied().flatten();
    let Some((low, high)) = bounds(&text) else { return false };
    let (low, high) = (
        low.and_then(|text| out.decimal(text)),
        high.and_then(|text| out.decimal(text)),
    );
    if low.is_none() && high.is_none() {
        return false;
    }
    let Some(object) = out.object() else { return false };
    let unit = Unit::of(input, unit);
    for (name, number) in [("low", low), ("high", high)] {
        if let Some(number) = number {
            let quantity = out.put(object, name, Json::Object);
            out.put(quantity, "value", Json::Number(&number));
            unit.write(quantity, out);
        }
    }
    // The same row's text, which rows inside the range would write at a greater cost.
    out.put(object, "text", Json::String(text.trim()));
    true
}

/// The unit of OBX-6: its text, and its code when the sender says that it is UCUM.
struct Unit<'a> {
    code: Cow<'a, str>,
    name: Cow<'a, str>,
    ucum: bool,
}

impl<'a> Unit<'a> {
    fn of(input: &'a Input<'_, Message>, unit: Option<Value>) -> Self {
        let part = |number| input.text(unit.and_then(|unit| Doc::nth(input.doc, unit, number)));
        Self {
            code: part(1),
            name: part(2),
            ucum: matches!(part(3).trim(), "UCUM" | "ucum"),
        }
    }

    fn write(&self, quantity: NodeId, out: &mut Output<'_>) {
        let (code, name) = (self.code.trim(), self.name.trim());
        let shown = if name.is_empty() { code } else { name };
        if shown.is_empty() {
            return;
        }
        out.put(quantity, "unit", Json::String(shown));
        if !code.is_empty() && self.ucum {
            out.put(quantity, "system", Json::String(UCUM));
            out.put(quantity, "code", Json::String(code));
        }
    }
}

/// Low and high of a text; none when it is not a range of numbers.
fn bounds(text: &str) -> Option<(Option<&str>, Option<&str>)> {
    let text = text.trim();
    for (sign, low) in [
        ("<=", false),
        (">=", true),
        ("<", false),
        (">", true),
        ("≤", false),
        ("≥", true),
    ] {
        if let Some(rest) = text.strip_prefix(sign) {
            let bound = number(rest.trim())?;
            // "Below 5" does not hold 5 itself; FHIR's bounds do, so only the inclusive signs make one.
            let inclusive = matches!(sign, "<=" | ">=" | "≤" | "≥");
            return inclusive.then_some(if low { (Some(bound), None) } else { (None, Some(bound)) });
        }
    }
    let separators = ["--", "-", "~", "–", "—", "～", " to "];
    separators.into_iter().find_map(|separator| {
        // A first number may be negative, so the search begins behind its first character.
        let skip = text.chars().next()?.len_utf8();
        let at = text.get(skip..)?.find(separator)? + skip;
        let (low, high) = (text.get(..at)?, text.get(at + separator.len()..)?);
        Some((Some(number(low.trim())?), Some(number(high.trim())?)))
    })
}

/// A titre as a ratio. Its first number is 1: another would be a time of day as well as a ratio.
pub(super) fn titre(input: &Input<'_, Message>, out: &mut Output<'_>) -> bool {
    let text = input.first();
    let Some((comparator, dilution)) = dilution(&text) else {
        return false;
    };
    let Some(dilution) = out.decimal(dilution) else {
        return false;
    };
    let Some(object) = out.object() else { return false };
    let numerator = out.put(object, "numerator", Json::Object);
    out.put(numerator, "value", Json::Number("1"));
    if !comparator.is_empty() {
        out.put(numerator, "comparator", Json::String(comparator));
    }
    let denominator = out.put(object, "denominator", Json::Object);
    out.put(denominator, "value", Json::Number(&dilution));
    true
}

/// The comparator of a titre, empty where there is none, and its second number.
fn dilution(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let (comparator, ratio) = ["<=", ">=", "<", ">"]
        .into_iter()
        .find_map(|sign| Some((sign, text.strip_prefix(sign)?)))
        .unwrap_or(("", text));
    let (one, dilution) = ratio.split_once([':', '：'])?;
    (one.trim() == "1" && number(dilution.trim()).is_some()).then_some((comparator, dilution.trim()))
}

fn number(text: &str) -> Option<&str> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sound = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (sound && digits.bytes().any(|byte| byte.is_ascii_digit()) && digits.matches('.').count() <= 1).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{bounds, dilution};

    #[test]
    fn ranges_are_read_where_they_are_numbers() {
        assert_eq!(bounds("3.5-5.1"), Some((Some("3.5"), Some("5.1"))));
        assert_eq!(bounds(" 3.5 - 5.1 "), Some((Some("3.5"), Some("5.1"))));
        assert_eq!(bounds("-2 - +3"), Some((Some("-2"), Some("+3"))));
        assert_eq!(bounds("3.9～6.1"), Some((Some("3.9"), Some("6.1"))));
        assert_eq!(bounds(">=60"), Some((Some("60"), None)));
        assert_eq!(bounds("<= 5"), Some((None, Some("5"))));
        assert_eq!(bounds("<5"), None);
        assert_eq!(bounds("negative"), None);
        assert_eq!(bounds("1:40-1:80"), None);
        assert_eq!(bounds(""), None);
    }

    #[test]
    fn titres_begin_with_one() {
        assert_eq!(dilution("1:40"), Some(("", "40")));
        assert_eq!(dilution("<1:20"), Some(("<", "20")));
        assert_eq!(dilution(">= 1 : 640"), Some((">=", "640")));
        assert_eq!(dilution("10:30"), None);
        assert_eq!(dilution("1:many"), None);
    }
}
