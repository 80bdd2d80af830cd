//! Which SOP classes are stored and in which transfer syntaxes (PS3.4 annex B, PS3.6 annex A). Every storage class of the
//! standard is taken, those of later editions too; nothing is transcoded.

/// Verification (PS3.4 annex A).
pub(super) const VERIFICATION: &str = "1.2.840.10008.1.1";
/// The one application context of DICOM (PS3.7 A.2.1).
pub(super) const APPLICATION: &str = "1.2.840.10008.3.1.1.1";

/// Below it are the composite storage classes.
const STORAGE: &str = "1.2.840.10008.5.1.4.1.1.";
/// Storage classes that are registered elsewhere: RT beams delivery instruction (two), hanging protocol, colour palette,
/// implant template, assembly and group, inventory (PS3.4 B.5, GG).
const STORAGE_TOO: [&str; 9] = [
    "1.2.840.10008.5.1.4.34.7",
    "1.2.840.10008.5.1.4.34.1",
    "1.2.840.10008.5.1.4.34.10",
    "1.2.840.10008.5.1.4.38.1",
    "1.2.840.10008.5.1.4.39.1",
    "1.2.840.10008.5.1.4.43.1",
    "1.2.840.10008.5.1.4.44.1",
    "1.2.840.10008.5.1.4.45.1",
    "1.2.840.10008.5.1.4.1.1.201.1",
];

/// Implicit VR little endian, which everybody has to know (PS3.5 10.1).
pub(super) const IMPLICIT: &str = "1.2.840.10008.1.2";
/// Explicit, JPIP and JPIP with HTJ2K, each deflated (PS3.5 A.5, A.9, A.11).
const DEFLATED: [&str; 3] = [
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.95",
    "1.2.840.10008.1.2.4.205",
];
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
/// Transfer syntaxes besides those of compressed pixels: explicit, deflated, RLE, and GE's private one.
const SYNTAXES: [&str; 6] = [
    IMPLICIT,
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    BIG_ENDIAN,
    "1.2.840.10008.1.2.5",
    "1.2.840.113619.5.2",
];
/// Below it are the compressed ones.
const COMPRESSED: &str = "1.2.840.10008.1.2.4.";
/// Without fragments for each frame, registered beside RLE and JPEG (2023): encapsulated uncompressed, deflated frames.
const COMPRESSED_TOO: [&str; 2] = ["1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.8.1"];

/// Whether objects of a class are stored; `more` are the configured ones.
pub(super) fn is_storage(uid: &str, more: &[String]) -> bool {
    let configured = |pattern: &String| match pattern.strip_suffix('*') {
        Some(root) => uid.starts_with(root),
        None => uid == pattern,
    };
    uid.starts_with(STORAGE) || STORAGE_TOO.contains(&uid) || more.iter().any(configured)
}

fn is_known_syntax(uid: &str) -> bool {
    SYNTAXES.contains(&uid) || COMPRESSED_TOO.contains(&uid) || uid.starts_with(COMPRESSED)
}

/// Whether the whole data set is deflated, and may have any length.
pub(super) fn is_deflated(uid: &str) -> bool {
    DEFLATED.contains(&uid)
}

/// The transfer syntax to take of those offered: the first that says its value representations and is little endian, else
/// the first that is known.
pub(super) fn choose<'a>(offered: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let mut known = offered.filter(|uid| is_known_syntax(uid));
    let first = known.clone().next();
    known.find(|uid| ![IMPLICIT, BIG_ENDIAN].contains(uid)).or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_classes_are_told_from_services() {
        let more = ["1.3.46.670589.*".to_owned(), "1.2.3".to_owned()];
        for uid in [
            "1.2.840.10008.5.1.4.1.1.2",
            "1.3.46.670589.5.0.1",
            "1.2.3",
            "1.2.840.10008.5.1.4.34.7",
        ] {
            assert!(is_storage(uid, &more), "{uid}");
        }
        for uid in [
            "1.2.840.10008.5.1.4.1.2.1.1",
            "1.2.840.10008.5.1.4.31",
            "1.2.34",
            VERIFICATION,
        ] {
            assert!(!is_storage(uid, &more), "{uid}");
        }
    }

    #[test]
    fn a_syntax_that_says_more_is_preferred() {
        let choice = |offered: &[&'static str]| choose(offered.iter().copied());
        assert_eq!(choice(&[IMPLICIT, "1.2.840.10008.1.2.1"]), Some("1.2.840.10008.1.2.1"));
        assert_eq!(choice(&[BIG_ENDIAN, IMPLICIT]), Some(BIG_ENDIAN));
        assert_eq!(
            choice(&["1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.1"]),
            Some("1.2.840.10008.1.2.4.70")
        );
        assert_eq!(choice(&["1.2.3", "1.2.840.10008.1.2.6.1"]), None);
    }
}
