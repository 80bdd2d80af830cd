//! Ages as bands. A band is reached on a day of the calendar, so a child born on 29 February or a neonate on its 28th
//! day falls where people count it.

use std::fmt;

use causeway_core::Text;
use jiff::Span;
use jiff::civil::Date;

/// A number of days, weeks, months or years, by their UCUM codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age {
    pub(crate) count: i32,
    unit: AgeUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AgeUnit {
    Day,
    Week,
    Month,
    Year,
}

impl Age {
    /// Reads `28 d`, `7 wk`, `6 mo`, `16 a`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.split_once(' ')?;
        let count = count.parse().ok().filter(|count| (0..=40_000).contains(count))?;
        let unit = match unit.trim() {
            "d" => AgeUnit::Day,
            "wk" => AgeUnit::Week,
            "mo" => AgeUnit::Month,
            "a" if count <= 200 => AgeUnit::Year,
            _ => return None,
        };
        Some(Self { count, unit })
    }

    /// The age as a span of the calendar.
    pub(crate) fn span(self) -> Span {
        match self.unit {
            AgeUnit::Day => Span::new().days(self.count),
            AgeUnit::Week => Span::new().weeks(self.count),
            AgeUnit::Month => Span::new().months(self.count),
            AgeUnit::Year => Span::new().years(self.count),
        }
    }

    /// The day somebody born on a day reaches this age.
    fn day(self, birth: Date) -> Option<Date> {
        birth.checked_add(self.span()).ok()
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            AgeUnit::Day => "d",
            AgeUnit::Week => "wk",
            AgeUnit::Month => "mo",
            AgeUnit::Year => "a",
        };
        write!(f, "{} {unit}", self.count)
    }
}

/// A band of ages: from an age on, up to and without another.
#[derive(Debug, Clone)]
pub(crate) struct Band {
    pub(crate) id: String,
    pub(crate) from: Age,
    pub(crate) to: Option<Age>,
    pub(crate) name: Text,
}

impl Band {
    fn holds(&self, birth: Date, day: Date) -> bool {
        let begun = self.from.day(birth).is_some_and(|from| from <= day);
        let over = self.to.is_some_and(|to| to.day(birth).is_some_and(|to| to <= day));
        begun && !over
    }
}

/// The days a birth date may mean: a year or month alone means any day of it (FHIR `date`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Birth {
    pub(crate) first: Date,
    pub(crate) last: Date,
}

impl Birth {
    /// Reads a FHIR `date`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(day) = day(text) {
            return Some(Self { first: day, last: day });
        }
        let year: i16 = text.get(..4)?.parse().ok()?;
        if text.len() == 4 {
            return Some(Self {
                first: Date::new(year, 1, 1).ok()?,
                last: Date::new(year, 12, 31).ok()?,
            });
        }
        let month = text.get(4..)?.strip_prefix('-')?;
        let first = Date::new(year, month.parse().ok().filter(|_| month.len() == 2)?, 1).ok()?;
        Some(Self {
            first,
            last: first.last_of_month(),
        })
    }

    /// The band on a day; `None` when it is before birth or the birth date leaves it open.
    pub(crate) fn band(self, bands: &[Band], day: Date) -> Option<usize> {
        let band = |birth| bands.iter().position(|band| band.holds(birth, day));
        let first = band(self.first)?;
        (self.first == self.last || band(self.last) == Some(first)).then_some(first)
    }
}

/// The day at the front of a FHIR `dateTime`, `instant` or `date`; `None` when it is not as precise.
pub(crate) fn day(text: &str) -> Option<Date> {
    let front = text.get(..10)?;
    if text.len() > 10 && !text.get(10..)?.starts_with('T') {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = front.get(from..to)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse::<i16>().ok()).flatten()
    };
    let dashes = front.as_bytes().get(4) == Some(&b'-') && front.as_bytes().get(7) == Some(&b'-');
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    dashes.then(|| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bands() -> Vec<Band> {
        let band = |id: &str, from, to: Option<&str>| Band {
            id: id.into(),
            from: Age::parse(from).unwrap(),
            to: to.map(|to| Age::parse(to).unwrap()),
            name: Text::new(id.to_owned(), id.to_owned()),
        };
        vec![
            band("neonate", "0 d", Some("28 d")),
            band("child", "28 d", Some("16 a")),
            band("adult", "16 a", None),
        ]
    }

    fn on(birth: &str, day: &str) -> Option<String> {
        let bands = bands();
        let index = Birth::parse(birth)?.band(&bands, day.parse().unwrap())?;
        Some(bands[index].id.clone())
    }

    #[test]
    fn a_band_is_reached_on_its_day() {
        for (birth, day, band) in [
            ("2026-01-01", "2026-01-01", Some("neonate")),
            ("2026-01-01", "2026-01-28", Some("neonate")),
            ("2026-01-01", "2026-01-29", Some("child")),
            ("2010-06-15", "2026-06-14", Some("child")),
            ("2010-06-15", "2026-06-15", Some("adult")),
            // Born on a leap day: the sixteenth year is full on 29 February 2028.
            ("2012-02-29", "2028-02-28", Some("child")),
            ("2012-02-29", "2028-02-29", Some("adult")),
            ("1920", "2026-01-01", Some("adult")),
            ("2010", "2026-06-15", None),
            ("2010-06", "2026-07-01", Some("adult")),
            ("2010-06", "2026-06-15", None),
            ("2026-02-01", "2026-01-01", None),
        ] {
            assert_eq!(on(birth, day).as_deref(), band, "{birth} on {day}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "20",
            "2026-13",
            "2026-02-30",
            "2026-1-1",
            "2026/01/01",
            "19800101",
            "张三李四王五",
        ] {
            assert_eq!(Birth::parse(text), None, "{text}");
        }
        assert_eq!(day("2026-01-02T03:04:05+08:00"), day("2026-01-02"));
        assert_eq!(day("2026-01"), None);
        assert_eq!(day("2026-01-0x"), None);
        assert_eq!(day("2026-01-023"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,14}") {
            let _ = (Birth::parse(&text), day(&text), Age::parse(&text));
        }
    }
}
