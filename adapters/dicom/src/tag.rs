//! Tags and value representations (PS3.5 6.2, 7.1), and what the data dictionary (PS3.6) says of a tag. No bytes are read
//! here.

use std::fmt;

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
use dicom_dictionary_std::StandardDataDictionary;

/// A tag: group in the high half, element in the low one, so that tags sort as data sets do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

impl Tag {
    /// (0002,0010) Transfer Syntax UID.
    pub const TRANSFER_SYNTAX: Self = Self(0x0002_0010);
    /// (0008,0005) Specific Character Set.
    pub const CHARSET: Self = Self(0x0008_0005);
    /// (0008,0016) SOP Class UID.
    pub const SOP_CLASS: Self = Self(0x0008_0016);
    /// (0008,0018) SOP Instance UID.
    pub const SOP_INSTANCE: Self = Self(0x0008_0018);
    /// (0010,0020) Patient ID.
    pub const PATIENT_ID: Self = Self(0x0010_0020);
    /// (0010,0021) Issuer of Patient ID.
    pub const ISSUER: Self = Self(0x0010_0021);
    /// (0020,000D) Study Instance UID.
    pub const STUDY: Self = Self(0x0020_000D);
    /// (0020,000E) Series Instance UID.
    pub const SERIES: Self = Self(0x0020_000E);
    /// (5200,9230) Per-frame Functional Groups Sequence: it and all behind it is bulk (frames, waveforms, spectra, pixels).
    pub const BULK: Self = Self(0x5200_9230);
    /// (7FE0,0010) Pixel Data.
    pub const PIXELS: Self = Self(0x7FE0_0010);
    /// (FFFE,E000) Item.
    pub const ITEM: Self = Self(0xFFFE_E000);
    /// (FFFE,E00D) Item Delimitation Item.
    pub const ITEM_END: Self = Self(0xFFFE_E00D);
    /// (FFFE,E0DD) Sequence Delimitation Item.
    pub const SEQUENCE_END: Self = Self(0xFFFE_E0DD);

    /// The tag of a group and an element.
    pub fn new(group: u16, element: u16) -> Self {
        Self((u32::from(group) << 16) | u32::from(element))
    }

    /// The group.
    pub fn group(self) -> u16 {
        u16::try_from(self.0 >> 16).unwrap_or(0)
    }

    /// The element within the group.
    pub fn element(self) -> u16 {
        u16::try_from(self.0 & 0xFFFF).unwrap_or(0)
    }

    /// Whether it belongs to a vendor (PS3.5 7.8: odd groups).
    pub fn is_private(self) -> bool {
        self.group() % 2 == 1
    }

    /// Whether it names the creator of a private block (PS3.5 7.8.1: gggg,0010 to 00FF).
    pub fn is_creator(self) -> bool {
        self.is_private() && (0x10..=0xFF).contains(&self.element())
    }

    /// The tag of the creator of the private block that it stands in.
    pub fn creator(self) -> Option<Self> {
        let block = self.element() >> 8;
        (self.is_private() && block >= 0x10).then(|| Self::new(self.group(), block))
    }

    /// What the dictionary says it is, `None` for tags that it does not know.
    pub fn vr(self) -> Option<Vr> {
        if self.element() == 0 {
            return Some(Vr::UL); // group length, retired (PS3.5 7.2)
        }
        if self.is_creator() {
            return Some(Vr::LO);
        }
        let entry = StandardDataDictionary.by_tag(dicom_core::Tag(self.group(), self.element()))?;
        Some(match entry.vr() {
            VirtualVr::Exact(vr) => Vr::read(vr.to_bytes()),
            VirtualVr::Xs => Vr::US,
            _ => Vr::OW,
        })
    }

    /// The keyword of the dictionary, `PatientName`.
    pub fn keyword(self) -> Option<&'static str> {
        let entry = StandardDataDictionary.by_tag(dicom_core::Tag(self.group(), self.element()))?;
        Some(entry.alias())
    }

    /// The tag of a keyword.
    pub fn named(keyword: &str) -> Option<Self> {
        let entry = StandardDataDictionary.by_name(keyword)?;
        let tag = entry.tag();
        Some(Self::new(tag.group(), tag.element()))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:04X},{:04X})", self.group(), self.element())
    }
}

/// A value representation: its two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Vr(pub [u8; 2]);

/// All of PS3.5 table 6.2-1, sorted.
const KNOWN: [&[u8; 2]; 34] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"OB", b"OD", b"OF", b"OL",
    b"OV", b"OW", b"PN", b"SH", b"SL", b"SQ", b"SS", b"ST", b"SV", b"TM", b"UC", b"UI", b"UL", b"UN", b"UR", b"US",
    b"UT", b"UV",
];

impl Vr {
    /// Code string.
    pub const CS: Self = Self(*b"CS");
    /// Long string.
    pub const LO: Self = Self(*b"LO");
    /// Other words.
    pub const OW: Self = Self(*b"OW");
    /// Person name.
    pub const PN: Self = Self(*b"PN");
    /// Sequence of items.
    pub const SQ: Self = Self(*b"SQ");
    /// Unique identifier.
    pub const UI: Self = Self(*b"UI");
    /// Unsigned long.
    pub const UL: Self = Self(*b"UL");
    /// Unknown.
    pub const UN: Self = Self(*b"UN");
    /// Unsigned short.
    pub const US: Self = Self(*b"US");

    /// The representation of two letters.
    pub fn read(letters: [u8; 2]) -> Self {
        Self(letters)
    }

    /// Whether the standard has it.
    pub fn is_known(self) -> bool {
        KNOWN.binary_search(&&self.0).is_ok()
    }

    /// Whether it could be one of a later edition: two capitals.
    pub fn is_plausible(self) -> bool {
        self.0.iter().all(u8::is_ascii_uppercase)
    }

    /// Whether its length has 32 bits in explicit encodings (PS3.5 7.1.2).
    pub fn is_long(self) -> bool {
        const LONG: [&[u8; 2]; 13] = [
            b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV",
        ];
        LONG.contains(&&self.0)
    }

    /// Whether its text is in the Specific Character Set (PS3.5 6.1.2.2).
    pub fn is_free_text(self) -> bool {
        const FREE: [&[u8; 2]; 7] = [b"LO", b"LT", b"PN", b"SH", b"ST", b"UC", b"UT"];
        FREE.contains(&&self.0)
    }

    /// Whether it is text of the default repertoire.
    pub fn is_plain_text(self) -> bool {
        const PLAIN: [&[u8; 2]; 10] = [b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"IS", b"TM", b"UI", b"UR"];
        PLAIN.contains(&&self.0)
    }

    /// Whether a backslash parts its values (PS3.5 6.4): not in LT, ST, UR and UT.
    pub fn is_multiple(self) -> bool {
        const WHOLE: [&[u8; 2]; 4] = [b"LT", b"ST", b"UR", b"UT"];
        !WHOLE.contains(&&self.0)
    }
}

impl fmt::Display for Vr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.0;
        write!(f, "{}{}", char::from(a), char::from(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_knows_standard_tags() {
        assert_eq!(Tag::named("PatientName"), Some(Tag(0x0010_0010)));
        assert_eq!(Tag(0x0010_0010).vr(), Some(Vr::PN));
        assert_eq!(Tag(0x0008_0016).keyword(), Some("SOPClassUID"));
        assert_eq!(Tag(0x0019_0010).vr(), Some(Vr::LO));
        assert_eq!(Tag(0x0019_1002).creator(), Some(Tag(0x0019_0010)));
        assert_eq!(Tag(0x0008_0000).vr(), Some(Vr::UL));
        assert_eq!(Tag(0x0010_0010).to_string(), "(0010,0010)");
    }
}
