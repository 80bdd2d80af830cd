//! Dates as stretches of time: `2026-11` is from its first microsecond to its last (FHIR R4 search 3.1.1.5.5). Without an
//! offset a time is taken as UTC.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Microseconds since 1970, the first and the last.
pub(super) fn stretch(text: &str) -> Option<(i64, i64)> {
    if text.contains('T') {
        return moment(text);
    }
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map(|month| number(month, 2));
    let day = parts.next().map(|day| number(day, 2));
    if parts.next().is_some() {
        return None;
    }
    let first = Date::new(
        year,
        month.unwrap_or(Some(1))?.try_into().ok()?,
        day.unwrap_or(Some(1))?.try_into().ok()?,
    );
    let first = first.ok()?;
    let next = match (month, day) {
        (None, _) => Date::new(year.checked_add(1)?, 1, 1).ok()?,
        (Some(_), None) => first.last_of_month().tomorrow().ok()?,
        (Some(_), Some(_)) => first.tomorrow().ok()?,
    };
    Some((micros(first)?, micros(next)? - 1))
}

fn number(text: &str, digits: usize) -> Option<i16> {
    let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok())?
}

fn micros(date: Date) -> Option<i64> {
    Some(date.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

fn moment(text: &str) -> Option<(i64, i64)> {
    let (_, time) = text.split_once('T')?;
    let zoned = time.ends_with('Z') || time.contains(['+', '-']);
    let parsed: Timestamp = if zoned {
        text.parse().ok()?
    } else {
        format!("{text}Z").parse().ok()?
    };
    let first = parsed.as_microsecond();
    // What is said to the second is the whole second.
    let width = if time.contains('.') { 1_000 } else { 1_000_000 };
    Some((first, first + width - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(at: i64) -> String {
        Timestamp::from_microsecond(at).unwrap().to_string()
    }

    #[test]
    fn a_date_is_as_long_as_it_is_exact() {
        let stretch = |date: &str| stretch(date).map(|(low, high)| (text(low), text(high)));
        let all = [
            ("2024", "2024-01-01T00:00:00Z", "2024-12-31T23:59:59.999999Z"),
            ("2024-02", "2024-02-01T00:00:00Z", "2024-02-29T23:59:59.999999Z"),
            ("2024-12-31", "2024-12-31T00:00:00Z", "2024-12-31T23:59:59.999999Z"),
            (
                "2026-11-24T08:15:12+08:00",
                "2026-11-24T00:15:12Z",
                "2026-11-24T00:15:12.999999Z",
            ),
            (
                "2026-11-24T00:15:12.5Z",
                "2026-11-24T00:15:12.5Z",
                "2026-11-24T00:15:12.500999Z",
            ),
        ];
        for (date, low, high) in all {
            assert_eq!(stretch(date), Some((low.to_owned(), high.to_owned())), "{date}");
        }
        for wrong in [
            "",
            "26",
            "2026-13",
            "2026-1",
            "2026-11-24-1",
            "yesterday",
            "2026-11-24Tnoon",
            "2026-02-30",
        ] {
            assert_eq!(stretch(wrong), None, "{wrong}");
        }
    }
}
