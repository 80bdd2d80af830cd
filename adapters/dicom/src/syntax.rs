//! Transfer syntaxes (PS3.5 chapter 10 and annex A, PS3.6 annex A): how a data set is encoded, by its UID. What the
//! pixels are compressed with does not matter to anybody here.

/// How the elements of a data set are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Syntax {
    /// Whether each element says its value representation.
    pub explicit: bool,
    /// Whether the high byte comes first.
    pub big_endian: bool,
    /// Whether the data set as a whole is deflated (RFC 1951).
    pub deflated: bool,
}

/// Implicit VR Little Endian, the default of the standard.
pub const IMPLICIT: &str = "1.2.840.10008.1.2";
/// Explicit VR Little Endian.
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
/// Explicit VR Big Endian, retired in 2006.
pub const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// What else has no VR: Papyrus 3 (retired), and a private syntax of GE whose pixels alone are big endian.
const IMPLICIT_TOO: [&str; 2] = ["1.2.840.10008.1.20", "1.2.840.113619.5.2"];
/// Deflated: image (1.2.1.99), JPIP Referenced Deflate (4.95), HTJ2K JPIP Referenced Deflate (4.205).
const DEFLATED: [&str; 3] = [
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.95",
    "1.2.840.10008.1.2.4.205",
];
/// Under it lie all transfer syntaxes of the standard.
const ROOT: &str = "1.2.840.10008.1.2";

impl Syntax {
    /// Implicit VR Little Endian.
    pub const IMPLICIT: Self = Self {
        explicit: false,
        big_endian: false,
        deflated: false,
    };
    /// Explicit VR Little Endian.
    pub const EXPLICIT: Self = Self {
        explicit: true,
        big_endian: false,
        deflated: false,
    };
    /// Explicit VR Big Endian.
    pub const BIG_ENDIAN: Self = Self {
        explicit: true,
        big_endian: true,
        deflated: false,
    };

    /// The encoding of a transfer syntax. One that is not known is explicit and little endian, as every one made since
    /// 1993 (PS3.5 10.2 asks it of encapsulated ones).
    pub fn of(uid: &str) -> Self {
        match uid {
            IMPLICIT => Self::IMPLICIT,
            BIG_ENDIAN => Self::BIG_ENDIAN,
            _ if IMPLICIT_TOO.contains(&uid) => Self::IMPLICIT,
            _ => Self {
                deflated: DEFLATED.contains(&uid),
                ..Self::EXPLICIT
            },
        }
    }

    /// The same without the deflation.
    #[must_use]
    pub fn inflated(self) -> Self {
        Self {
            deflated: false,
            ..self
        }
    }
}

/// Whether a UID is a transfer syntax of the standard or one of the private ones met in the field.
pub fn is_known(uid: &str) -> bool {
    let rest = uid.strip_prefix(ROOT);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) || IMPLICIT_TOO.contains(&uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntaxes_are_encoded_as_the_standard_says() {
        assert_eq!(Syntax::of(IMPLICIT), Syntax::IMPLICIT);
        assert_eq!(Syntax::of("1.2.840.10008.1.2.4.50"), Syntax::EXPLICIT);
        assert_eq!(Syntax::of(BIG_ENDIAN), Syntax::BIG_ENDIAN);
        assert!(Syntax::of("1.2.840.10008.1.2.1.99").deflated);
        assert!(is_known("1.2.840.10008.1.2.4.201") && is_known("1.2.840.113619.5.2"));
        assert!(!is_known("1.2.840.10008.1.20.1") && !is_known("1.2.3"));
    }
}
