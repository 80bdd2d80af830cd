//! Message types as label values: of a closed form, since what a sender writes there may be anything, a name too.

/// The label of what has no known form.
pub(super) const OTHER: &str = "other";
/// The longest label, in bytes.
const LONGEST: usize = 64;

/// A message type as a label: one of the forms that types have, or `other`.
pub fn label(message_type: &str) -> &str {
    let known = [hl7v2, x12, dicom, fhir];
    let fits = message_type.len() <= LONGEST && known.iter().any(|form| form(message_type));
    if fits { message_type } else { OTHER }
}

/// `ORU^R01`, `ACK` (HL7 tables 0076 and 0003): three letters, and a letter with two digits.
fn hl7v2(text: &str) -> bool {
    let (code, event) = text.split_once('^').unwrap_or((text, "A01"));
    let letters = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let numbered = matches!(event.as_bytes(), [letter, tens, ones]
        if letter.is_ascii_uppercase() && tens.is_ascii_digit() && ones.is_ascii_digit());
    letters(code) && numbered
}

/// `837`, `837 005010X222A1` (ST01 and ST03).
fn x12(text: &str) -> bool {
    let (set, guide) = text.split_once([' ', '^', '/']).unwrap_or((text, "005010X"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    set.len() == 3 && digits(set) && guide.starts_with("00") && guide.len() <= 12 && guide.bytes().all(upper)
}

/// A SOP class of the standard (PS3.6 A): below 1.2.840.10008.
fn dicom(text: &str) -> bool {
    let known = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.strip_prefix("1.2.840.10008.").is_some_and(known)
}

/// What is done over HTTP, with a resource type or without: `transaction`, `create Patient`.
fn fhir(text: &str) -> bool {
    let doings = [
        "batch",
        "transaction",
        "message",
        "document",
        "create",
        "update",
        "patch",
        "delete",
        "read",
        "vread",
        "search",
    ];
    let (doing, on) = text.split_once([' ', '/']).unwrap_or((text, ""));
    let resources = [
        "Patient",
        "Observation",
        "DiagnosticReport",
        "Claim",
        "Bundle",
        "ImagingStudy",
        "Encounter",
    ];
    doings.contains(&doing) && (on.is_empty() || resources.contains(&on))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_labels_and_names_are_not() {
        for known in [
            "ORU^R01",
            "ACK",
            "837",
            "837 005010X222A1",
            "1.2.840.10008.5.1.4.1.1.2",
            "create Patient",
        ] {
            assert_eq!(label(known), known);
        }
        let names = [
            "SMITH^JOHN",
            "LEE^TOM",
            "张伟",
            "",
            "ORU^R01^ORU_R01",
            "12345678",
            "837 SMITH",
            "create Smith",
        ];
        for strange in names {
            assert_eq!(label(strange), OTHER, "{strange}");
        }
    }
}
