//! Names of character sets: HL7 table 0211, and what senders write instead. How bytes are judged is one level up.

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6,
    ISO_8859_7, ISO_8859_8, ISO_8859_10, ISO_8859_13, ISO_8859_14, ISO_8859_15, ISO_8859_16, UTF_8, UTF_16LE,
    WINDOWS_874, WINDOWS_1252, WINDOWS_1254,
};

/// What a name in MSH-18 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    /// Seven bits.
    Ascii,
    /// UTF-16 in either byte order; the bytes tell which.
    Utf16,
    /// One of the WHATWG encodings.
    Set(&'static Encoding),
}

/// The character set of a name: HL7 v2.9 table 0211 first, then the labels of the WHATWG Encoding Standard (`utf-8`,
/// `gb2312`, `windows-1252`), since many senders write those. 8859/1 and 8859/9 are read as their Windows supersets, as
/// the Encoding Standard asks; no printable character differs.
pub fn named(name: &str) -> Option<Declared> {
    let key: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|char| char.to_ascii_uppercase())
        .collect();
    if let Some(part) = key.strip_prefix("ISO8859").or_else(|| key.strip_prefix("8859")) {
        return latin(part).map(Declared::Set);
    }
    let set = match key.as_str() {
        "ASCII" | "USASCII" | "ISOIR6" => return Some(Declared::Ascii),
        "UNICODEUTF16" | "UTF16" | "UTF16LE" | "UTF16BE" => return Some(Declared::Utf16),
        // `UNICODE` alone is kept for old senders, who mean whatever Unicode their language writes: today UTF-8.
        "UNICODE" | "UNICODEUTF8" | "UTF8" => UTF_8,
        "GB180302000" | "GB18030" | "GB180302005" | "GB180302022" => GB18030,
        "GBK" | "GB2312" | "GB231280" | "CP936" | "EUCCN" | "ISOIR58" => GBK,
        "BIG5" | "BIG5HKSCS" | "CP950" => BIG5,
        "KSX1001" | "KSC5601" | "ISOIR149" => EUC_KR,
        "ISOIR14" | "ISOIR87" | "ISOIR159" => ISO_2022_JP,
        _ => return Encoding::for_label(name.trim().as_bytes()).map(of_label),
    };
    Some(Declared::Set(set))
}

/// A character set that messages can be read in, by its name.
pub fn usable(name: &str) -> Option<&'static Encoding> {
    match named(name)? {
        Declared::Set(set) => Some(set),
        Declared::Ascii => Some(UTF_8),
        Declared::Utf16 => None,
    }
}

fn of_label(set: &'static Encoding) -> Declared {
    if set == UTF_16LE || set == encoding_rs::UTF_16BE {
        Declared::Utf16
    } else {
        Declared::Set(set)
    }
}

fn latin(part: &str) -> Option<&'static Encoding> {
    let set = match part {
        "1" => WINDOWS_1252,
        "2" => ISO_8859_2,
        "3" => ISO_8859_3,
        "4" => ISO_8859_4,
        "5" => ISO_8859_5,
        "6" => ISO_8859_6,
        "7" => ISO_8859_7,
        "8" => ISO_8859_8,
        "9" => WINDOWS_1254,
        "10" => ISO_8859_10,
        "11" => WINDOWS_874,
        "13" => ISO_8859_13,
        "14" => ISO_8859_14,
        "15" => ISO_8859_15,
        "16" => ISO_8859_16,
        _ => return None,
    };
    Some(set)
}

/// Whether characters of the set take two bytes of which the second may look like a delimiter.
pub fn is_double_byte(set: &'static Encoding) -> bool {
    [GB18030, GBK, BIG5, EUC_KR, encoding_rs::SHIFT_JIS, encoding_rs::EUC_JP].contains(&set)
}

/// Whether the set is one of one byte a character, in which nearly every byte means something.
pub fn is_single_byte(set: &'static Encoding) -> bool {
    set.is_single_byte()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_table_0211_are_known() {
        let set = |name| match named(name) {
            Some(Declared::Set(set)) => set.name(),
            Some(Declared::Ascii) => "ascii",
            Some(Declared::Utf16) => "utf-16",
            None => "none",
        };
        let table = [
            ("ASCII", "ascii"),
            ("8859/1", "windows-1252"),
            ("8859/2", "ISO-8859-2"),
            ("8859/5", "ISO-8859-5"),
            ("8859/9", "windows-1254"),
            ("8859/15", "ISO-8859-15"),
            ("ISO IR6", "ascii"),
            ("ISO IR87", "ISO-2022-JP"),
            ("GB 18030-2000", "gb18030"),
            ("KS X 1001", "EUC-KR"),
            ("BIG-5", "Big5"),
            ("UNICODE", "UTF-8"),
            ("UNICODE UTF-8", "UTF-8"),
            ("UNICODE UTF-16", "utf-16"),
        ];
        for (name, expect) in table {
            assert_eq!(set(name), expect, "{name}");
        }
    }

    #[test]
    fn what_senders_write_instead_is_known_too() {
        for (name, expect) in [
            ("utf-8", UTF_8),
            ("GB18030", GB18030),
            ("gb2312", GBK),
            ("GBK", GBK),
            ("ISO-8859-1", WINDOWS_1252),
        ] {
            assert_eq!(named(name), Some(Declared::Set(expect)), "{name}");
        }
        assert_eq!(named("windows-1251"), Some(Declared::Set(encoding_rs::WINDOWS_1251)));
        assert_eq!((named("KLINGON"), named(""), named("8859/12")), (None, None, None));
    }
}
