//! The primitives that are times. Each function states the pattern of R4's data types page that it decides; a date must
//! also be one of the calendar.

/// `YYYY(-MM(-DD)?)?`
pub(super) fn date(text: &str) -> bool {
    read_date(text.as_bytes()).is_some_and(|(rest, _)| rest.is_empty())
}

/// A date, or a whole date with `Thh:mm:ss(.s+)?` and a zone.
pub(super) fn date_time(text: &str) -> bool {
    match read_date(text.as_bytes()) {
        Some(([], _)) => true,
        Some((rest, 3)) => read_clock(rest).is_some_and(is_zone),
        _ => false,
    }
}

/// A whole date with `Thh:mm:ss(.s+)?` and a zone.
pub(super) fn instant(text: &str) -> bool {
    text.len() > 10 && date_time(text)
}

/// `hh:mm:ss(.s+)?`
pub(super) fn time(text: &str) -> bool {
    read_time(text.as_bytes()).is_some_and(<[u8]>::is_empty)
}

/// What stands behind the date, and how many of year, month and day it has. Year 0000 is none (R4's pattern).
fn read_date(text: &[u8]) -> Option<(&[u8], usize)> {
    let (century, rest) = two(text)?;
    let (of_century, rest) = two(rest)?;
    let year = century * 100 + of_century;
    if year == 0 {
        return None;
    }
    let Some((month, after)) = behind(rest, b'-').and_then(two) else {
        return Some((rest, 1));
    };
    if !(1..=12).contains(&month) {
        return None;
    }
    let Some((day, last)) = behind(after, b'-').and_then(two) else {
        return Some((after, 2));
    };
    (1..=days(year, month)).contains(&day).then_some((last, 3))
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn read_clock(text: &[u8]) -> Option<&[u8]> {
    read_time(behind(text, b'T')?)
}

/// What stands behind `hh:mm:ss(.s+)?`. A leap second is written 60.
fn read_time(text: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = two(text)?;
    let (minute, rest) = two(behind(rest, b':')?)?;
    let (second, rest) = two(behind(rest, b':')?)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let Some(fraction) = behind(rest, b'.') else {
        return Some(rest);
    };
    let end = fraction
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(fraction.len());
    (end > 0).then(|| fraction.get(end..)).flatten()
}

/// `Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00)`
fn is_zone(text: &[u8]) -> bool {
    let Some(offset) = behind(text, b'+').or_else(|| behind(text, b'-')) else {
        return text == b"Z";
    };
    let read = two(offset).and_then(|(hour, rest)| Some((hour, two(behind(rest, b':')?)?)));
    read.is_some_and(|(hour, (minute, rest))| {
        rest.is_empty() && (hour < 14 && minute < 60 || hour == 14 && minute == 0)
    })
}

fn behind(text: &[u8], byte: u8) -> Option<&[u8]> {
    text.strip_prefix(&[byte])
}

fn two(text: &[u8]) -> Option<(u32, &[u8])> {
    let (tens, rest) = text.split_first().filter(|(byte, _)| byte.is_ascii_digit())?;
    let (ones, rest) = rest.split_first().filter(|(byte, _)| byte.is_ascii_digit())?;
    Some((u32::from(tens - b'0') * 10 + u32::from(ones - b'0'), rest))
}
