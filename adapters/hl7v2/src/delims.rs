//! The delimiters of one message, read from its header segment (HL7 v2.9 2.5.4, MSH-1 and MSH-2). Splitting by them is
//! in `tokenise` and `value`; nothing here looks past the header.

/// Delimiters of a message. Each is one ASCII byte, so that a span between two of them always lies on character
/// boundaries of the UTF-8 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delims {
    /// Between fields, MSH-1.
    pub field: u8,
    /// Between components, the first of MSH-2.
    pub component: u8,
    /// Between repetitions, the second of MSH-2.
    pub repetition: u8,
    /// Around escapes, the third of MSH-2.
    pub escape: u8,
    /// Between subcomponents, the fourth of MSH-2.
    pub subcomponent: u8,
    /// Marks a truncated value, the fifth of MSH-2 (since version 2.7), when the sender named one.
    pub truncation: Option<u8>,
}

impl Default for Delims {
    /// The delimiters that the standard recommends.
    fn default() -> Self {
        Self {
            field: b'|',
            component: b'^',
            repetition: b'~',
            escape: b'\\',
            subcomponent: b'&',
            truncation: None,
        }
    }
}

/// How MSH-2 departed from what the standard asks; the delimiters were completed all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelimFault {
    /// MSH-2 has fewer than four characters.
    Short,
    /// A character of MSH-2 cannot be a delimiter, or stands there twice.
    Unusable,
}

impl Delims {
    /// Whether a byte may be a delimiter: any ASCII but letters, digits, space, quotes and what ends a segment.
    pub fn usable(byte: u8) -> bool {
        byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'\r' | b'\n' | 0 | b' ' | b'"')
    }

    /// Reads `text`, which begins with the three letters of a header segment (MSH, BHS or FHS), up to the end of its
    /// second field. What the sender left out or cannot be used is completed with the recommended characters.
    pub fn read(text: &[u8]) -> (Self, Option<DelimFault>) {
        let field = text.get(3).copied().filter(|byte| Self::usable(*byte)).unwrap_or(b'|');
        let rest = text.get(4..).unwrap_or_default();
        let given = rest
            .split(|byte| *byte == field || matches!(byte, b'\r' | b'\n'))
            .next()
            .unwrap_or_default();
        Self::from_encoding(field, given)
    }

    fn from_encoding(field: u8, given: &[u8]) -> (Self, Option<DelimFault>) {
        let mut taken = vec![field];
        for byte in given.iter().take(8) {
            if Self::usable(*byte) && !taken.contains(byte) {
                taken.push(*byte);
            }
        }
        let unusable = taken.len() <= given.len();
        let fault = if unusable {
            Some(DelimFault::Unusable)
        } else {
            (given.len() < 4).then_some(DelimFault::Short)
        };
        let mut chosen = [0u8; 5];
        chosen
            .iter_mut()
            .zip(taken.iter().skip(1))
            .for_each(|(slot, byte)| *slot = *byte);
        let [component, repetition, escape, subcomponent, truncation] = chosen;
        let mut fill = |slot: u8, usual: u8| if slot == 0 { vacant(usual, &mut taken) } else { slot };
        let delims = Self {
            field,
            component: fill(component, b'^'),
            repetition: fill(repetition, b'~'),
            escape: fill(escape, b'\\'),
            subcomponent: fill(subcomponent, b'&'),
            truncation: (truncation != 0).then_some(truncation),
        };
        (delims, fault)
    }

    /// MSH-1 and MSH-2 as they are written.
    pub fn header(&self) -> String {
        let mut text = String::with_capacity(6);
        let five = [
            self.field,
            self.component,
            self.repetition,
            self.escape,
            self.subcomponent,
        ];
        text.extend(five.into_iter().chain(self.truncation).map(char::from));
        text
    }
}

/// The usual delimiter, or `NEVER` when the sender uses that character for something else.
fn vacant(usual: u8, taken: &mut Vec<u8>) -> u8 {
    if taken.contains(&usual) {
        return NEVER;
    }
    taken.push(usual);
    usual
}

/// A byte that no UTF-8 text holds: the delimiter that splits nothing.
pub const NEVER: u8 = 0xFF;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expect: &str, fault: Option<DelimFault>) {
        let (delims, found) = Delims::read(header.as_bytes());
        assert_eq!((delims.header().as_str(), found), (expect, fault), "{header}");
    }

    #[test]
    fn delimiters_come_from_the_header() {
        check("MSH|^~\\&|LAB", "|^~\\&", None);
        check("MSH|^~\\&#|LAB", "|^~\\&#", None);
        check("MSH$%*!@$LAB", "$%*!@", None);
    }

    #[test]
    fn what_is_missing_gets_the_recommended_character() {
        check("MSH|^~\\|LAB", "|^~\\&", Some(DelimFault::Short));
        check("MSH|", "|^~\\&", Some(DelimFault::Short));
        check("MSH", "|^~\\&", Some(DelimFault::Short));
        check("MSH||LAB", "|^~\\&", Some(DelimFault::Short));
    }

    #[test]
    fn a_character_that_cannot_delimit_is_passed_over() {
        check("MSH|ABCD|LAB", "|^~\\&", Some(DelimFault::Unusable));
        check("MSH|^~\\\\&|LAB", "|^~\\&", Some(DelimFault::Unusable));
    }

    #[test]
    fn a_recommended_character_in_other_use_is_not_taken_twice() {
        let (delims, _) = Delims::read(b"MSH&^~\\&LAB");
        assert_eq!((delims.field, delims.subcomponent), (b'&', NEVER));
    }
}
