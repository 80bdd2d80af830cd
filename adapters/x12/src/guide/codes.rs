//! A list of codes as a guide allows them, made to be asked often: codes of up to four characters, nearly all there are,
//! are compared as numbers.

/// A list of codes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Codes {
    short: Box<[u32]>,
    long: Box<[Box<[u8]>]>,
}

impl Codes {
    /// The list of these codes.
    pub fn new<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for code in codes {
            match packed(code.as_bytes()) {
                Some(number) => short.push(number),
                None => long.push(code.as_bytes().into()),
            }
        }
        Self {
            short: short.into(),
            long: long.into(),
        }
    }

    /// Whether there is no code in it.
    pub fn is_empty(&self) -> bool {
        self.short.is_empty() && self.long.is_empty()
    }

    /// Whether a value is one of them.
    pub fn has(&self, value: &[u8]) -> bool {
        match packed(value) {
            Some(number) => self.short.contains(&number),
            None => self.long.iter().any(|code| code.as_ref() == value),
        }
    }

    /// Whether two lists have a code in common.
    pub fn meets(&self, other: &Self) -> bool {
        let long = self.long.iter().any(|code| other.long.contains(code));
        long || self.short.iter().any(|code| other.short.contains(code))
    }
}

/// Up to four bytes as a number, none of which is zero.
fn packed(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 4 || text.contains(&0) {
        return None;
    }
    Some(text.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_codes_are_told_apart() {
        let codes = Codes::new(["1", "XX", "005010X222A1"]);
        for code in ["1", "XX", "005010X222A1"] {
            assert!(codes.has(code.as_bytes()), "{code}");
        }
        for none in ["", "01", "X", "XXX", "005010X222", "\0XX"] {
            assert!(!codes.has(none.as_bytes()), "{none}");
        }
        assert!(codes.meets(&Codes::new(["2", "XX"])) && !codes.meets(&Codes::new(["2"])));
    }
}
