//! Operations on times: a start with a length.

use causeway_core::fhir::Value as Json;
use causeway_mapping::doc::Doc;
use causeway_mapping::ops::{Input, Output};
use jiff::{SignedDuration, Timestamp};

use crate::message::Message;

type In<'a> = Input<'a, Message>;

/// A start and minutes (PR1-5 and PR1-7) as a period.
pub(super) fn start_and_minutes(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let Some(start) = out.date_time(&input.leaf(0)) else {
        return false;
    };
    let minutes: Option<f64> = out.decimal(&input.leaf(1)).and_then(|text| text.parse().ok());
    let end = minutes.and_then(|minutes| later(&start, minutes * 60.0));
    let Some(end) = end else { return false };
    let Some(object) = out.object() else { return false };
    out.put(object, "start", Json::String(&start));
    out.put(object, "end", Json::String(&end));
    true
}

/// A start and a length (TQ1-7 and TQ1-6, a CQ) as the time when it ends.
pub(super) fn add_duration(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let Some(start) = out.date_time(&input.leaf(0)) else {
        return false;
    };
    let Some(length) = input.values.get(1).copied().flatten() else {
        return false;
    };
    let part = |number| {
        input
            .text(input.doc.nth(length, number).map(|part| Doc::first(input.doc, part)))
            .trim()
            .to_owned()
    };
    let amount: Option<f64> = out.decimal(&part(1)).and_then(|text| text.parse().ok());
    let seconds = amount.zip(seconds(&part(2))).map(|(amount, seconds)| amount * seconds);
    let end = seconds.and_then(|seconds| later(&start, seconds));
    end.is_some_and(|end| out.value(Json::String(&end)).is_some())
}

/// The seconds of a UCUM unit of time, or of a word that senders use for it. Months and years have no fixed length.
fn seconds(unit: &str) -> Option<f64> {
    match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" => Some(1.0),
        "min" | "m" => Some(60.0),
        "h" | "hr" => Some(3_600.0),
        "d" | "day" | "days" => Some(86_400.0),
        "wk" | "w" => Some(604_800.0),
        _ => None,
    }
}

/// A time so many seconds later, in the offset of the start. A date alone has no end to the second.
fn later(start: &str, seconds: f64) -> Option<String> {
    // A year of seconds and a bit: longer is a slip.
    let sound = seconds.is_finite() && (0.0..=100_000_000.0).contains(&seconds);
    let time: Timestamp = start.parse().ok().filter(|_| start.contains('T') && sound)?;
    let end = time
        .checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?)
        .ok()?;
    let offset = start.get(start.len().checked_sub(6)?..)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let total = hours.parse::<i32>().ok()? * 3_600 + minutes.parse::<i32>().ok()? * 60;
    let total = if offset.starts_with('-') { -total } else { total };
    let local = jiff::tz::Offset::from_seconds(total).ok()?.to_datetime(end);
    Some(format!("{}{offset}", local.strftime("%Y-%m-%dT%H:%M:%S")))
}

#[cfg(test)]
mod tests {
    use super::later;

    #[test]
    fn an_end_keeps_the_offset_of_its_start() {
        assert_eq!(
            later("2023-02-28T23:50:00+08:00", 900.0).as_deref(),
            Some("2023-03-01T00:05:00+08:00")
        );
        assert_eq!(
            later("2023-02-28T23:50:00-03:30", 60.0).as_deref(),
            Some("2023-02-28T23:51:00-03:30")
        );
        assert_eq!(later("2023-02-28", 60.0), None);
    }
}
