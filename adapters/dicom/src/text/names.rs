//! The defined terms of (0008,0005) (PS3.3 C.12.1.1.2, tables C.12-2 to C.12-5) and what people write in their stead. How
//! bytes are decoded is not known here.

use encoding_rs::Encoding;

use crate::problem::{Problem, ProblemKind};
use crate::tag::Tag;

/// One character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// ISO 646, the default repertoire.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// Another set of one byte each, by its decoder: ISO 8859-2 and on, TIS 620.
    Single(&'static Encoding),
    /// JIS X 0201: romaji below, half-width katakana above.
    JisX0201,
    /// JIS X 0208, two bytes each, below.
    JisX0208,
    /// JIS X 0212, two bytes each, below.
    JisX0212,
    /// KS X 1001, two bytes each, above.
    KsX1001,
    /// GB 2312, two bytes each, above.
    Gb2312,
    /// UTF-8, alone.
    Utf8,
    /// GB 18030, alone.
    Gb18030,
    /// GBK, alone.
    Gbk,
}

impl Set {
    /// Whether no other set may be joined with it, and no escape sequence stands in its text.
    pub fn is_alone(self) -> bool {
        matches!(self, Self::Utf8 | Self::Gb18030 | Self::Gbk)
    }

    /// The standard's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ISO_IR 6",
            Self::Latin1 => "ISO_IR 100",
            Self::Single(encoding) => SINGLE
                .iter()
                .find(|(_, known, _)| *known == encoding)
                .map_or("", |(_, _, name)| name),
            Self::JisX0201 => "ISO_IR 13",
            Self::JisX0208 => "ISO 2022 IR 87",
            Self::JisX0212 => "ISO 2022 IR 159",
            Self::KsX1001 => "ISO 2022 IR 149",
            Self::Gb2312 => "ISO 2022 IR 58",
            Self::Utf8 => "ISO_IR 192",
            Self::Gb18030 => "GB18030",
            Self::Gbk => "GBK",
        }
    }

    /// The set of a registration number in ISO-IR.
    pub fn registered(number: u16) -> Option<Self> {
        Some(match number {
            6 => Self::Ascii,
            13 => Self::JisX0201,
            58 => Self::Gb2312,
            87 => Self::JisX0208,
            100 => Self::Latin1,
            149 => Self::KsX1001,
            159 => Self::JisX0212,
            192 => Self::Utf8,
            _ => {
                let (_, encoding, _) = SINGLE.iter().find(|(known, _, _)| *known == number)?;
                Self::Single(encoding)
            }
        })
    }
}

/// Sets of one byte each; `encoding_rs` reads ISO 8859-9 as its superset windows-1254 and TIS 620 as windows-874.
pub(super) static SINGLE: [(u16, &Encoding, &str); 10] = [
    (101, encoding_rs::ISO_8859_2, "ISO_IR 101"),
    (109, encoding_rs::ISO_8859_3, "ISO_IR 109"),
    (110, encoding_rs::ISO_8859_4, "ISO_IR 110"),
    (126, encoding_rs::ISO_8859_7, "ISO_IR 126"),
    (127, encoding_rs::ISO_8859_6, "ISO_IR 127"),
    (138, encoding_rs::ISO_8859_8, "ISO_IR 138"),
    (144, encoding_rs::ISO_8859_5, "ISO_IR 144"),
    (148, encoding_rs::WINDOWS_1254, "ISO_IR 148"),
    (166, encoding_rs::WINDOWS_874, "ISO_IR 166"),
    (203, encoding_rs::ISO_8859_15, "ISO_IR 203"),
];

/// The sets of a data set: the one that text begins in, and those that escape sequences may bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coding {
    /// The set that text begins in, anew after each delimiter.
    pub first: Set,
    /// What escape sequences may bring; empty without code extensions.
    pub more: Vec<Set>,
}

impl Coding {
    /// The default repertoire alone.
    pub fn ascii() -> Self {
        Self::alone(Set::Ascii)
    }

    /// One set.
    pub fn alone(set: Set) -> Self {
        Self {
            first: set,
            more: Vec::new(),
        }
    }

    /// How it is named in texts to people.
    pub fn name(&self) -> &'static str {
        match (self.first, self.more.first()) {
            (Set::Ascii, Some(more)) => more.name(),
            (first, _) => first.name(),
        }
    }
}

/// What a value of (0008,0005) declares. Terms that are misspelt are read as the nearest, and that is said.
pub fn declared(raw: &[u8], problems: &mut Vec<Problem>) -> Coding {
    let text = String::from_utf8_lossy(raw);
    let terms: Vec<&str> = text
        .split('\\')
        .map(|term| term.trim_matches(|c: char| c == '\0' || c.is_whitespace()))
        .collect();
    let mut sets = terms.iter().map(|term| read(term, problems));
    let first = sets.next().flatten().unwrap_or(Set::Ascii);
    let more: Vec<Set> = sets.flatten().collect();
    if first.is_alone() || more.iter().any(|set| set.is_alone()) {
        let alone = std::iter::once(first)
            .chain(more.iter().copied())
            .find(|set| set.is_alone());
        if terms.len() > 1 {
            let about = terms.join(" ");
            problems.push(Problem::at(ProblemKind::CharsetMixed, Tag::CHARSET, about));
        }
        return Coding::alone(alone.unwrap_or(first));
    }
    // A set of two bytes each cannot be what text begins in: ASCII stands below it (ISO_IR 58, met in the field).
    let double = matches!(first, Set::JisX0208 | Set::JisX0212 | Set::KsX1001 | Set::Gb2312);
    if double {
        let more = std::iter::once(first).chain(more).collect();
        return Coding {
            first: Set::Ascii,
            more,
        };
    }
    let extends = terms.iter().any(|term| term.contains("2022"));
    let more = if extends && more.is_empty() { vec![first] } else { more };
    Coding { first, more }
}

/// One term; an empty one is the default repertoire.
fn read(term: &str, problems: &mut Vec<Problem>) -> Option<Set> {
    if term.is_empty() {
        return Some(Set::Ascii);
    }
    if let Some(set) = exact(term) {
        return Some(set);
    }
    let near = near(term);
    let kind = if near.is_some() {
        ProblemKind::CharsetMisspelt
    } else {
        ProblemKind::CharsetUnknown
    };
    let shown: String = term.chars().filter(|c| !c.is_control()).take(32).collect();
    problems.push(Problem::at(kind, Tag::CHARSET, shown));
    near
}

fn exact(term: &str) -> Option<Set> {
    match term {
        "GB18030" => Some(Set::Gb18030),
        "GBK" => Some(Set::Gbk),
        "ISO_IR 192" => Some(Set::Utf8),
        _ => {
            let single = term.strip_prefix("ISO_IR ");
            let extended = term.strip_prefix("ISO 2022 IR ");
            let number: u16 = single.or(extended)?.parse().ok()?;
            let set = Set::registered(number)?;
            let double = matches!(set, Set::JisX0208 | Set::JisX0212 | Set::KsX1001 | Set::Gb2312);
            let fits = set != Set::Utf8 && (extended.is_some() || !double);
            fits.then_some(set)
        }
    }
}

/// What somebody meant by `GB2312`, `UTF-8`, `ISO IR 192`, `ISO-8859-1`, `ISO2022 IR58`.
fn near(term: &str) -> Option<Set> {
    let plain: String = term
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    match plain.as_str() {
        "UTF8" | "UNICODE" => return Some(Set::Utf8),
        "GB2312" | "CP936" | "EUCCN" | "GB2312GBK" => return Some(Set::Gbk),
        "GB180302000" | "GB180302005" | "GB180302022" => return Some(Set::Gb18030),
        "ASCII" | "ISO646" | "ISOIR" => return Some(Set::Ascii),
        _ => {}
    }
    if let Some(part) = plain.strip_prefix("ISO8859") {
        return latin(part);
    }
    let rest = plain
        .strip_prefix("ISO2022IR")
        .or_else(|| plain.strip_prefix("ISO2022"));
    let rest = rest
        .or_else(|| plain.strip_prefix("ISOIR"))
        .or_else(|| plain.strip_prefix("ISO"))?;
    Set::registered(rest.parse().ok()?)
}

/// The parts of ISO 8859 by number.
fn latin(part: &str) -> Option<Set> {
    let number = match part {
        "1" => 100,
        "2" => 101,
        "3" => 109,
        "4" => 110,
        "5" => 144,
        "6" => 127,
        "7" => 126,
        "8" => 138,
        "9" => 148,
        "11" => 166,
        "15" => 203,
        _ => return None,
    };
    Set::registered(number)
}
