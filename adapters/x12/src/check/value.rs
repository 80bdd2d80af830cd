//! Checks one value: its characters, its length, its code, its date or time (X12.6 section 3.5).

use crate::guide::{Simple, Type};
use crate::problem::ElementFault;

/// What is wrong with a value. `format` is the format qualifier (data element 1250) of a date time period.
pub(super) fn fault(text: &[u8], simple: &Simple, format: &[u8]) -> Option<ElementFault> {
    let counted = match simple.kind {
        Type::Whole(_) => whole(text),
        Type::Decimal => decimal(text),
        _ => characters(text),
    };
    let Some(length) = counted else {
        return Some(ElementFault::Character);
    };
    if length < usize::from(simple.min) {
        return Some(ElementFault::TooShort);
    }
    if length > usize::from(simple.max) {
        return Some(ElementFault::TooLong);
    }
    match simple.kind {
        Type::Date if !is_date(text) => Some(ElementFault::Date),
        Type::Time if !is_time(text) => Some(ElementFault::Time),
        _ if !simple.allows(text) => Some(ElementFault::Code),
        _ => period(text, format),
    }
}

/// How many characters a text has; none if one is a control character. Text is ASCII by the standard; other bytes are kept
/// and counted as the characters of UTF-8 they are, or one by one.
fn characters(text: &[u8]) -> Option<usize> {
    if text.iter().any(u8::is_ascii_control) {
        return None;
    }
    if text.is_ascii() {
        return Some(text.len());
    }
    Some(std::str::from_utf8(text).map_or(text.len(), |text| text.chars().count()))
}

/// How many digits a whole number has; its sign does not count.
fn whole(text: &[u8]) -> Option<usize> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let good = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    good.then_some(digits.len())
}

/// How many digits a decimal number has; sign, point and exponent sign do not count.
fn decimal(text: &[u8]) -> Option<usize> {
    let (mantissa, exponent) = match text.iter().position(|byte| *byte == b'E') {
        Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
        None => (text, None),
    };
    let digits = mantissa.strip_prefix(b"-").unwrap_or(mantissa);
    let (mut points, mut count) = (0, 0);
    for byte in digits {
        match byte {
            b'.' => points += 1,
            b'0'..=b'9' => count += 1,
            _ => return None,
        }
    }
    if points > 1 || count == 0 {
        return None;
    }
    Some(count + exponent.map_or(Some(0), whole)?)
}

/// A number of a few digits.
fn number(text: &[u8]) -> Option<u32> {
    let digit = |number: u32, byte: &u8| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0'));
    let short = !text.is_empty() && text.len() <= 8;
    short.then(|| text.iter().try_fold(0, digit)).flatten()
}

/// Whether a text is a date, `CCYYMMDD` or `YYMMDD`.
pub fn is_date(text: &[u8]) -> bool {
    let split = match text.len() {
        8 => 4,
        6 => 2,
        _ => return false,
    };
    let (year, rest) = (text.get(..split), text.get(split..split + 2));
    let parts = (
        year.and_then(number),
        rest.and_then(number),
        text.get(split + 2..).and_then(number),
    );
    let (Some(year), Some(month), Some(day)) = parts else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0 || split == 2);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether a text is a time: `HHMM`, `HHMMSS`, `HHMMSSD` or `HHMMSSDD`.
pub fn is_time(text: &[u8]) -> bool {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(number);
    let hours = part(0..2).is_some_and(|hours| hours < 24);
    let minutes = part(2..4).is_some_and(|minutes| minutes < 60);
    let seconds = text.len() == 4 || part(4..6).is_some_and(|seconds| seconds < 60);
    let rest = text.get(6..).is_none_or(|rest| rest.iter().all(u8::is_ascii_digit));
    matches!(text.len(), 4 | 6 | 7 | 8) && hours && minutes && seconds && rest
}

/// What is wrong with a date time period of a format: `D8` a date, `RD8` two of them, `DT` a date and a time to the
/// minute, `D6` and `RD6` without the century, `TM` a time.
fn period(text: &[u8], format: &[u8]) -> Option<ElementFault> {
    let range = |length: usize| {
        let (first, second) = (text.get(..length), text.get(length + 1..));
        let dash = text.get(length) == Some(&b'-');
        dash && first.is_some_and(is_date) && second.is_some_and(|second| second.len() == length && is_date(second))
    };
    let good = match format {
        b"D8" => text.len() == 8 && is_date(text),
        b"D6" => text.len() == 6 && is_date(text),
        b"RD8" => range(8),
        b"RD6" => range(6),
        b"DT" => {
            matches!(text.len(), 12 | 14) && text.get(..8).is_some_and(is_date) && text.get(8..).is_some_and(is_time)
        }
        b"TM" => is_time(text),
        _ => true,
    };
    match (good, format) {
        (true, _) => None,
        (false, b"TM") => Some(ElementFault::Time),
        (false, _) => Some(ElementFault::Date),
    }
}
