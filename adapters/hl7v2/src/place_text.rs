//! Texts of places: the canonical `MSH[2]/OBX[3]-5[1].2.1` of lineage, ledger and findings, read back too, and the forms
//! that acknowledgements use (ERR-2 and, before version 2.5, ERR-1). Packing is in `place`.

use causeway_core::Place;

use crate::delims::Delims;
use crate::message::{Body, Message, Name};
use crate::place::{self, Spot};

impl Body {
    /// The canonical text of a place. In a body of several messages the message stands before it; `MSH[0]/` is before a
    /// segment that belongs to no message and is no batch segment. A place that is not in this body is the empty text.
    pub fn place_text(&self, place: Place) -> String {
        let Some(holder) = self.holder(place) else {
            return String::new();
        };
        let text = holder.place_text(place);
        let stray = holder.number == 0 && !holder.segment_at(place).is_some_and(|segment| segment.name.is_batch());
        if stray || (holder.number > 0 && self.messages.len() > 1) {
            return format!("MSH[{}]/{text}", holder.number);
        }
        text
    }

    /// The place of a canonical text, when this body has its segment.
    pub fn place_of(&self, text: &str) -> Option<Place> {
        let Some((prefix, rest)) = text.split_once('/') else {
            let only = self.messages.first().filter(|_| self.messages.len() == 1);
            return only
                .into_iter()
                .chain([&self.outside])
                .find_map(|message| message.place_of(text));
        };
        let number: u32 = prefix.strip_prefix("MSH[")?.strip_suffix(']')?.parse().ok()?;
        let message = number
            .checked_sub(1)
            .map_or(Some(&self.outside), |before| self.messages.get(before as usize));
        message?.place_of(rest)
    }
}

impl Message {
    /// The canonical text of a place of this message, without the message's own number: `OBX[3]-5[1].2.1`.
    pub fn place_text(&self, place: Place) -> String {
        let Some(segment) = self.segment_at(place) else {
            return String::new();
        };
        let spot = place::spot(place);
        let mut text = format!("{}[{}]", segment.name, segment.occurrence);
        let mut add = |before: &str, number: u16, after: &str| {
            if number > 0 {
                text.push_str(before);
                text.push_str(&number.to_string());
                text.push_str(after);
            }
        };
        add("-", spot.field, "");
        add("[", spot.repetition, "]");
        add(".", spot.component, "");
        add(".", spot.subcomponent, "");
        text
    }

    /// The place of a canonical text without a message's number, when this message has its segment.
    pub fn place_of(&self, text: &str) -> Option<Place> {
        let parsed = Parsed::read(text)?;
        let found = self
            .segments
            .iter()
            .find(|segment| segment.name == parsed.name && segment.occurrence == parsed.occurrence)?;
        Some(place::pack(Spot {
            segment: Some(found.index),
            ..parsed.spot
        }))
    }

    /// The place as ERR-2 has it (ERL, HL7 v2.9 2A.2.31): segment, sequence, field, repetition, component,
    /// subcomponent, with the delimiters of the reply. Sequence counts the segments of that name in the message.
    pub fn erl(&self, place: Place, delims: Delims) -> String {
        let Some(segment) = self.segment_at(place) else {
            return String::new();
        };
        let spot = place::spot(place);
        let numbers = [spot.field, spot.repetition, spot.component, spot.subcomponent];
        let given = numbers.into_iter().take_while(|number| *number > 0).map(u32::from);
        joined(segment.name, std::iter::once(segment.occurrence).chain(given), delims)
    }

    /// The first three components of ERR-1 (ELD, HL7 v2.4 2.A.22): segment, sequence, field position.
    pub fn eld(&self, place: Place, delims: Delims) -> String {
        let Some(segment) = self.segment_at(place) else {
            return String::new();
        };
        let field = Some(place::spot(place).field)
            .filter(|number| *number > 0)
            .map(u32::from);
        joined(segment.name, std::iter::once(segment.occurrence).chain(field), delims)
    }
}

fn joined(name: Name, numbers: impl Iterator<Item = u32>, delims: Delims) -> String {
    let mut text = name.to_string();
    for number in numbers {
        text.push(char::from(delims.component));
        text.push_str(&number.to_string());
    }
    text
}

/// A canonical text, read but not yet looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parsed {
    name: Name,
    occurrence: u32,
    spot: Spot,
}

impl Parsed {
    /// Reads `OBX[3]-5[1].2.1`, each part after the first optional; a missing repetition with components is none.
    fn read(text: &str) -> Option<Self> {
        let (segment, value) = text
            .split_once('-')
            .map_or((text, None), |(segment, value)| (segment, Some(value)));
        let (name, occurrence) = bracketed(segment)?;
        let name = if name == "???" {
            Name::UNKNOWN
        } else {
            Name::read(name.as_bytes())?
        };
        let mut spot = Spot::default();
        if let Some(value) = value {
            let mut parts = value.split('.');
            let (field, repetition) = bracketed(parts.next()?)?;
            spot.field = number(field)?;
            spot.repetition = repetition.map_or(Some(0), number)?;
            spot.component = parts.next().map_or(Some(0), number)?;
            spot.subcomponent = parts.next().map_or(Some(0), number)?;
            parts.next().is_none().then_some(())?;
        }
        Some(Self {
            name,
            occurrence: occurrence?.parse().ok()?,
            spot,
        })
    }
}

/// Splits `NAME[NUMBER]`.
fn bracketed(text: &str) -> Option<(&str, Option<&str>)> {
    let Some((name, rest)) = text.split_once('[') else {
        return Some((text, None));
    };
    Some((name, Some(rest.strip_suffix(']')?)))
}

fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenise::tokenise;
    use bytes::Bytes;

    const ONE: &str = "MSH|^~\\&|LAB\rPID|1\rOBX|1|NM|K\rOBX|2|ST|N||a~b^c&d\rOBX|3\r";

    fn body(text: &str) -> Body {
        tokenise(&Bytes::copy_from_slice(text.as_bytes()), encoding_rs::UTF_8)
    }

    fn check(body: &Body, text: &str) -> Place {
        let place = body.place_of(text).unwrap_or_else(|| panic!("{text} names no place"));
        assert_eq!(body.place_text(place), text);
        place
    }

    #[test]
    fn canonical_texts_are_read_and_written() {
        let body = body(ONE);
        for text in [
            "OBX[2]",
            "OBX[2]-5",
            "OBX[2]-5[2]",
            "OBX[2]-5[2].1",
            "OBX[2]-5[2].2.2",
            "MSH[1]-9[1].1.1",
        ] {
            check(&body, text);
        }
        for wrong in [
            "",
            "OBX",
            "OBX[4]",
            "OBX[0]",
            "OBX[1]-",
            "OBX[1]-0",
            "OBX[1]-5[1",
            "OBX[1]-5.1.1.1",
            "NTE[1]",
            "MSH[2]/OBX[1]",
            "OBX[1]-99999999999",
        ] {
            assert_eq!(body.place_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_message_stands_before_the_place_when_there_are_several() {
        let body = body(&format!("BHS|^~\\&|A\r{ONE}{ONE}BTS|2\r"));
        check(&body, "MSH[1]/OBX[2]-5[2].2.2");
        let second = check(&body, "MSH[2]/OBX[3]");
        assert_eq!(body.holder(second).map(|message| message.number), Some(2));
        check(&body, "BTS[1]-1[1].1.1");
        assert_eq!(body.place_of("OBX[1]"), None);
    }

    #[test]
    fn a_segment_outside_of_messages_is_not_taken_for_one_within() {
        let body = body(&format!("{ONE}BTS|1\rOBX|9\r"));
        let stray = check(&body, "MSH[0]/OBX[1]-1[1].1.1");
        assert!(check(&body, "OBX[1]-1[1].1.1") < stray);
        check(&body, "BTS[1]");
    }

    #[test]
    fn error_locations_have_the_form_of_the_version() {
        let body = body(ONE);
        let message = &body.messages[0];
        let delims = Delims::default();
        let erl = |text| message.erl(message.place_of(text).unwrap(), delims);
        assert_eq!(erl("OBX[2]-5[2].1.2"), "OBX^2^5^2^1^2");
        assert_eq!(erl("OBX[2]-5[2]"), "OBX^2^5^2");
        assert_eq!(erl("OBX[2]"), "OBX^2");
        assert_eq!(
            message.eld(message.place_of("OBX[2]-5[2].1.2").unwrap(), delims),
            "OBX^2^5"
        );
        assert_eq!(message.erl(Place(0), delims), "");
    }
}
