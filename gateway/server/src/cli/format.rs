//! Which format a file is of, where nobody says so.

use crate::config::Format;

/// What an input looks like: DICOM by its prefix (PS3.10 7.1), X12 by its ISA, FHIR by the object that JSON begins with,
/// everything else HL7v2.
pub(super) fn of(bytes: &[u8]) -> Format {
    if bytes.get(128..132).is_some_and(|mark| mark == b"DICM") {
        return Format::Dicom;
    }
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = text.trim_ascii_start();
    match text {
        [b'I', b'S', b'A', ..] => Format::X12,
        [b'{', ..] => Format::Fhir,
        _ => Format::Hl7v2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_how_they_begin() {
        assert_eq!(of(b"MSH|^~\\&|"), Format::Hl7v2);
        assert_eq!(of(b"\xEF\xBB\xBF\r\nISA*00*"), Format::X12);
        assert_eq!(of(&[&[0; 128][..], b"DICM"].concat()), Format::Dicom);
        assert_eq!(of(b"\n {\"resourceType\""), Format::Fhir);
        assert_eq!(of(b""), Format::Hl7v2);
    }
}
