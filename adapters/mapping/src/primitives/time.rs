//! Times of HL7v2 and its kin, `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]` (HL7 v2.9 2A.2.22), as FHIR writes them.
//! Precision and offset stay as they came; a time without an offset takes that of the document or the site, and says so.

use std::fmt::Write as _;

use jiff::civil;

use super::{Around, Made};

/// A time taken apart. Numbers were checked, the day against its month.
struct Parts<'a> {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
    hour: Option<i8>,
    minute: i8,
    second: i8,
    fraction: &'a str,
    offset: Option<&'a str>,
}

enum Read<'a> {
    Parts(Parts<'a>),
    Nothing,
    Wrong,
}

/// Whether a period's end surely does not lie before its start: moments as such, else by the date. Where one of two equal
/// dates says more than the other it is not sure, and R4 (per-1) asks for what is.
pub(crate) fn in_order(start: &str, end: &str) -> bool {
    let moment = |text: &str| {
        text.contains('T')
            .then(|| text.parse::<jiff::Timestamp>().ok())
            .flatten()
    };
    if let (Some(start), Some(end)) = (moment(start), moment(end)) {
        return start <= end;
    }
    let shared = start.len().min(end.len()).min("YYYY-MM-DD".len());
    let order = start.get(..shared).cmp(&end.get(..shared));
    order.is_lt() || (order.is_eq() && start.len() == end.len())
}

fn read(text: &str) -> Read<'_> {
    let text = text.trim();
    if text.is_empty() || text.bytes().all(|byte| byte == b'0') {
        return Read::Nothing;
    }
    parts(text).map_or(Read::Wrong, Read::Parts)
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let text = text
        .strip_suffix(['Z', 'z'])
        .map_or((text, None), |rest| (rest, Some("+0000")));
    let (text, offset) = match text {
        (rest, Some(zulu)) => (rest, Some(zulu)),
        (text, None) => match text.find(['+', '-']) {
            Some(at) => (text.get(..at)?, Some(text.get(at..)?)),
            None => (text, None),
        },
    };
    let (digits, fraction) = text
        .split_once('.')
        .map_or((text, ""), |(digits, fraction)| (digits, fraction));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(digits) || !all_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let two = |at: usize| -> Option<Option<i8>> {
        match digits.get(at..at + 2) {
            Some(two) => two.parse().ok().map(Some),
            None if digits.len() <= at => Some(None),
            None => None,
        }
    };
    let parts = Parts {
        year: digits.get(..4)?.parse().ok()?,
        month: two(4)?.filter(|month| *month > 0 || digits.len() > 6),
        day: two(6)?.filter(|day| *day > 0 || digits.len() > 8),
        hour: two(8)?,
        minute: two(10)?.unwrap_or(0),
        second: two(12)?.unwrap_or(0),
        fraction: if digits.len() == 14 { fraction } else { "" },
        offset,
    };
    (digits.len() <= 14 && sound(&parts)).then_some(parts)
}

fn sound(parts: &Parts<'_>) -> bool {
    let month = parts.month.unwrap_or(1);
    let day = parts.day.unwrap_or(1);
    let date = civil::Date::new(parts.year, month, day);
    let hour = parts.hour.unwrap_or(0);
    let time = (0..=23).contains(&hour) || (hour == 24 && parts.minute == 0 && parts.second == 0);
    parts.year > 0 && date.is_ok() && time && (0..=59).contains(&parts.minute) && (0..=60).contains(&parts.second)
}

impl Parts<'_> {
    fn date(&self) -> Option<civil::Date> {
        let date = civil::Date::new(self.year, self.month?, self.day?).ok()?;
        // 24:00 is the midnight that the next day begins with.
        if self.hour == Some(24) {
            date.tomorrow().ok()
        } else {
            Some(date)
        }
    }

    fn write_date(&self, out: &mut String) {
        if let (Some(24), Some(date)) = (self.hour, self.date()) {
            // Writing to a String cannot fail, here and below.
            let _ignored = write!(out, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
            return;
        }
        digits(out, u32::from(self.year.unsigned_abs()), 4);
        for part in [self.month, self.day].into_iter().map_while(|part| part) {
            out.push('-');
            digits(out, u32::from(part.unsigned_abs()), 2);
        }
    }

    fn write_time(&self, out: &mut String) {
        let hour = self.hour.unwrap_or(0) % 24;
        for (n, part) in [hour, self.minute, self.second].into_iter().enumerate() {
            if n > 0 {
                out.push(':');
            }
            digits(out, u32::from(part.unsigned_abs()), 2);
        }
        if !self.fraction.is_empty() {
            out.push('.');
            out.push_str(self.fraction);
        }
    }

    fn write_offset(&self, around: Around<'_>, out: &mut String) -> Option<Made> {
        if let Some(offset) = self.offset {
            return offset_text(offset, out).then_some(Made::Text);
        }
        if let Some(offset) = around.offset {
            out.push_str(offset);
            return Some(Made::Text);
        }
        let date = self.date()?;
        let hour = self.hour.unwrap_or(0) % 24;
        let time = civil::Time::new(hour, self.minute, self.second.min(59), 0).ok()?;
        let zone = around.zone?;
        let offset = zone.to_ambiguous_timestamp(date.to_datetime(time)).offset();
        let seconds = match offset {
            jiff::tz::AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
            // A time that is missing or double: the offset before the change, as jiff's and RFC 5545's "compatible".
            jiff::tz::AmbiguousOffset::Gap { before, .. } | jiff::tz::AmbiguousOffset::Fold { before, .. } => {
                before.seconds()
            }
        };
        out.push(if seconds < 0 { '-' } else { '+' });
        let minutes = seconds.unsigned_abs() / 60;
        digits(out, minutes / 60, 2);
        out.push(':');
        digits(out, minutes % 60, 2);
        Some(Made::Completed)
    }
}

fn digits(out: &mut String, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10u32.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

/// `+0800`, `+08` and `+08:00` as FHIR writes them.
fn offset_text(offset: &str, out: &mut String) -> bool {
    let (Some(sign), Some(rest)) = (offset.get(..1), offset.get(1..)) else {
        return false;
    };
    let numbers: String = rest.chars().filter(|c| *c != ':').collect();
    let valid = matches!(numbers.len(), 2 | 4) && numbers.bytes().all(|byte| byte.is_ascii_digit());
    let hours = numbers.get(..2).unwrap_or("");
    let minutes = numbers.get(2..).filter(|minutes| !minutes.is_empty()).unwrap_or("00");
    if !valid || hours > "14" || minutes > "59" {
        return false;
    }
    // -00:00 is not an offset that FHIR knows apart from +00:00.
    out.push_str(if hours == "00" && minutes == "00" { "+" } else { sign });
    out.push_str(hours);
    out.push(':');
    out.push_str(minutes);
    true
}

/// The offset that a time states, as FHIR writes it: MSH-7's is the default of its message (HL7 v2.9 2A.2.22).
pub(crate) fn offset_of(text: &str) -> Option<String> {
    let at = text.find(['+', '-'])?;
    let mut out = String::new();
    offset_text(text.get(at..)?.trim(), &mut out).then_some(out)
}

/// The moment of a time, the beginning of what it leaves open; without an offset in the zone given.
pub fn timestamp(text: &str, zone: &jiff::tz::TimeZone) -> Option<jiff::Timestamp> {
    let Read::Parts(parts) = read(text) else { return None };
    let parts = Parts {
        month: parts.month.or(Some(1)),
        day: parts.day.or(Some(1)),
        ..parts
    };
    let (mut offset, around) = (
        String::new(),
        Around {
            offset: None,
            zone: Some(zone),
        },
    );
    parts.write_offset(around, &mut offset)?;
    let mut whole = String::new();
    parts.write_date(&mut whole);
    whole.push('T');
    parts.write_time(&mut whole);
    whole.push_str(&offset);
    whole.parse().ok()
}

pub(super) fn date(text: &str, out: &mut String) -> Made {
    match read(text) {
        Read::Nothing => Made::Nothing,
        Read::Wrong => Made::Wrong,
        Read::Parts(parts) => {
            Parts { hour: None, ..parts }.write_date(out);
            Made::Text
        }
    }
}

pub(super) fn date_time(text: &str, around: Around<'_>, out: &mut String) -> Made {
    let parts = match read(text) {
        Read::Nothing => return Made::Nothing,
        Read::Wrong => return Made::Wrong,
        Read::Parts(parts) => parts,
    };
    parts.write_date(out);
    if parts.hour.is_none() {
        return Made::Text;
    }
    out.push('T');
    parts.write_time(out);
    parts.write_offset(around, out).unwrap_or(Made::Wrong)
}

/// An instant is known at least to the second (R4 2.24.0.1); what is less is omitted, not padded.
pub(super) fn instant(text: &str, around: Around<'_>, out: &mut String) -> Made {
    let digits = text.trim().bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        14 => date_time(text, around, out),
        _ => match read(text) {
            Read::Wrong => Made::Wrong,
            _ => Made::Nothing,
        },
    }
}

/// `HH[MM[SS[.SSSS]]][+/-ZZZZ]` (HL7 v2.9 2A.2.75), also behind a date. A FHIR time has no offset.
pub(super) fn time(text: &str, out: &mut String) -> Made {
    let text = text.trim();
    if text.is_empty() {
        return Made::Nothing;
    }
    let plain: String = text.chars().filter(|c| *c != ':').collect();
    let count = plain.bytes().take_while(u8::is_ascii_digit).count();
    let whole = if count <= 6 { format!("20000101{plain}") } else { plain };
    match parts(&whole) {
        Some(parts) if parts.hour.is_some_and(|hour| hour < 24) => {
            // Zeros beyond the millisecond say nothing, and many readers of FHIR take no more digits in a time.
            let spare = parts
                .fraction
                .get(3..)
                .is_some_and(|rest| rest.bytes().all(|byte| byte == b'0'));
            let fraction = if spare {
                parts.fraction.get(..3).unwrap_or("")
            } else {
                parts.fraction
            };
            Parts { fraction, ..parts }.write_time(out);
            Made::Text
        }
        _ => Made::Wrong,
    }
}
