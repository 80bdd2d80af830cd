//! Type maps that make a primitive: a closed list, since a row cannot say how a date is read. Each takes the text of one
//! value and writes the FHIR text, or says that it is none. Where the text comes from is not known here.

mod time;

use jiff::tz::TimeZone;

pub use time::timestamp;
pub(crate) use time::{in_order, offset_of};

/// A type map that makes a primitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primitive {
    /// Text without the control characters that FHIR forbids (R4 2.24.0.1).
    String,
    /// The whole of a value as text, as free text has no parts.
    Text,
    /// A personal name as one text, in the order it is spoken.
    Name,
    /// The first part as text: an organisation's name.
    First,
    /// Text without spaces around it, single ones within.
    Code,
    /// Text without spaces.
    Uri,
    /// A hierarchic designator as a system address.
    Authority,
    /// Date and time with the precision that it has.
    DateTime,
    /// A date.
    Date,
    /// A full date and time; one that is less makes nothing.
    Instant,
    /// A time of day.
    Time,
    /// A decimal number, its digits kept.
    Decimal,
    /// The number of a measure, without its comparator.
    Measured,
    /// The comparator of a measure (R4 Quantity.comparator).
    Comparator,
    /// A whole number.
    Integer,
    /// A whole number above 0.
    PositiveInt,
    /// A whole number from 0.
    UnsignedInt,
    /// Base64 without white space.
    Base64,
}

/// The names that rows write, with what each makes.
pub const NAMES: [(&str, Primitive); 32] = [
    ("CNN.string", Primitive::Name),
    ("DT.date", Primitive::Date),
    ("DTM.date", Primitive::Date),
    ("DTM.dateTime", Primitive::DateTime),
    ("DTM.instant", Primitive::Instant),
    ("DTM.time", Primitive::Time),
    ("ED.base64Binary", Primitive::Base64),
    ("FT.markdown", Primitive::Text),
    ("FT.string", Primitive::Text),
    ("HD.string", Primitive::First),
    ("HD.uri", Primitive::Authority),
    ("ID.code", Primitive::Code),
    ("ID.string", Primitive::String),
    ("IS.code", Primitive::Code),
    ("IS.string", Primitive::String),
    ("NM.decimal", Primitive::Decimal),
    ("NM.integer", Primitive::Integer),
    ("NM.positiveInt", Primitive::PositiveInt),
    ("NM.string", Primitive::String),
    ("NM.unsignedInt", Primitive::UnsignedInt),
    ("SN.code", Primitive::Comparator),
    ("SN.decimal", Primitive::Measured),
    ("ST.code", Primitive::Code),
    ("ST.id", Primitive::Code),
    ("ST.markdown", Primitive::String),
    ("ST.string", Primitive::String),
    ("ST.uri", Primitive::Uri),
    ("ST.url", Primitive::Uri),
    ("TM.time", Primitive::Time),
    ("TX.string", Primitive::Text),
    ("XCN.string", Primitive::Name),
    ("XON.string", Primitive::First),
];

/// The names that read a person's name in another order of parts, and those that stand beside [`NAMES`].
pub const MORE_NAMES: [(&str, Primitive); 2] = [
    ("XPN.string", Primitive::Name),
    ("SI.positiveInt", Primitive::PositiveInt),
];

/// What a primitive became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// A JSON string.
    Text,
    /// A JSON string that a setting of the site completed: a time in the site's zone.
    Completed,
    /// A JSON number.
    Number,
    /// Nothing was said.
    Nothing,
    /// It is not what it should be.
    Wrong,
}

/// What a primitive may need besides its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The offset that the document states for all its times, such as `+08:00`.
    pub(crate) offset: Option<&'a str>,
    /// The zone of times without an offset.
    pub(crate) zone: Option<&'a TimeZone>,
}

impl Primitive {
    /// The type map of a name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = NAMES.iter().chain(&MORE_NAMES);
        all.find(|(known, _)| *known == name).map(|(_, primitive)| *primitive)
    }

    /// Whether it looks at the first leaf of a value only, instead of its whole text.
    pub(crate) fn reads_first(self) -> bool {
        !matches!(
            self,
            Self::String | Self::Base64 | Self::Name | Self::Authority | Self::Uri
        )
    }

    /// Writes the FHIR text.
    pub(crate) fn write(self, text: &str, around: Around<'_>, out: &mut String) -> Made {
        match self {
            Self::String | Self::Text | Self::Name | Self::First => clean(text, out),
            Self::Code | Self::Authority => code(text, out),
            Self::Uri => {
                out.extend(text.chars().filter(|c| !c.is_whitespace() && !c.is_control()));
                some_text(out)
            }
            Self::Base64 => base64(text, out),
            Self::DateTime => time::date_time(text, around, out),
            Self::Date => time::date(text, out),
            Self::Instant => time::instant(text, around, out),
            Self::Time => time::time(text, out),
            Self::Decimal => decimal(text, out),
            Self::Measured => decimal(behind_comparator(text).1, out),
            Self::Comparator => {
                out.push_str(behind_comparator(text).0);
                some_text(out)
            }
            Self::Integer => integer(text, i64::from(i32::MIN), out),
            Self::PositiveInt => integer(text, 1, out),
            Self::UnsignedInt => integer(text, 0, out),
        }
    }
}

/// Base64 with its padding (RFC 4648 4), white space taken out.
fn base64(text: &str, out: &mut String) -> Made {
    out.extend(text.chars().filter(|c| !c.is_whitespace()));
    let letters = out.trim_end_matches('=');
    let padding = out.len() - letters.len();
    let sound = letters
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    if sound && padding <= 2 && out.len().is_multiple_of(4) {
        some_text(out)
    } else {
        Made::Wrong
    }
}

fn some_text(out: &str) -> Made {
    if out.is_empty() { Made::Nothing } else { Made::Text }
}

/// A text without white space around it; most have none, which two bytes tell.
pub(crate) fn trimmed(text: &str) -> &str {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    if edge(text.as_bytes().first()) && edge(text.as_bytes().last()) {
        text
    } else {
        text.trim()
    }
}

/// Whether a text can stand as a FHIR string as it is.
pub(crate) fn is_clean(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f)
}

/// A FHIR string holds no control characters but tab, carriage return and line feed, and is not empty.
pub(crate) fn clean(text: &str, out: &mut String) -> Made {
    let text = text.trim();
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        out.extend(
            text.chars()
                .filter(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n')),
        );
    } else {
        out.push_str(text);
    }
    some_text(out)
}

/// A FHIR code has no white space around it and single spaces within (R4 2.24.0.1).
pub(crate) fn code(text: &str, out: &mut String) -> Made {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        out.push_str(text);
        return some_text(out);
    }
    for (n, word) in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .enumerate()
    {
        if n > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
    some_text(out)
}

/// A number as JSON writes it. HL7v2 allows a leading `+`, a missing digit before or after the point and leading zeros
/// (v2.9 2A.2.47); its other digits are kept, `5.0` stays `5.0`.
pub(crate) fn decimal(text: &str, out: &mut String) -> Made {
    let text = text.trim();
    if text.is_empty() {
        return Made::Nothing;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (number, exponent) = digits
        .split_once(['e', 'E'])
        .map_or((digits, None), |(n, e)| (n, Some(e)));
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(w, f)| (w, Some(f)));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fraction_text = fraction.unwrap_or("");
    let sound = is_digits(whole) && is_digits(fraction_text) && !(whole.is_empty() && fraction_text.is_empty());
    let exponent_sound = exponent.is_none_or(|e| {
        let digits = e.strip_prefix(['+', '-']).unwrap_or(e);
        !digits.is_empty() && is_digits(digits) && digits.len() < 5
    });
    // FHIR asks for at most 18 digits before the point; more is no measurement.
    if !sound || !exponent_sound || whole.len() > 18 || fraction_text.len() > 64 {
        return Made::Wrong;
    }
    if negative {
        out.push('-');
    }
    let whole = whole.trim_start_matches('0');
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction_text.is_empty() {
        out.push('.');
        out.push_str(fraction_text);
    }
    if let Some(exponent) = exponent {
        out.push('e');
        out.push_str(exponent);
    }
    Made::Number
}

/// The comparator of a measure as R4 writes it, empty where there is none, and what stands behind it: `≥ 5.0` is `>=` and
/// `5.0`.
pub(crate) fn behind_comparator(text: &str) -> (&'static str, &str) {
    const SIGNS: [(&str, &str); 8] = [
        ("<=", "<="),
        (">=", ">="),
        ("<", "<"),
        (">", ">"),
        ("≤", "<="),
        ("≥", ">="),
        ("＜", "<"),
        ("＞", ">"),
    ];
    let text = text.trim();
    let found = SIGNS
        .iter()
        .find_map(|(sign, comparator)| Some((*comparator, text.strip_prefix(sign)?.trim_start())));
    found.unwrap_or(("", text))
}

fn integer(text: &str, least: i64, out: &mut String) -> Made {
    let text = text.trim();
    if text.is_empty() {
        return Made::Nothing;
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    // A whole number written with zero decimals, `3.0`, is a whole number.
    let plain = plain.split_once('.').map_or(plain, |(whole, zeros)| {
        if !whole.is_empty() && zeros.bytes().all(|byte| byte == b'0') {
            whole
        } else {
            plain
        }
    });
    match plain.parse::<i32>() {
        Ok(number) if i64::from(number) >= least => {
            out.push_str(&number.to_string());
            Made::Number
        }
        _ => Made::Wrong,
    }
}

#[cfg(test)]
mod tests;
