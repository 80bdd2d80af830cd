//! The messages of a load run: as given, with a MSH-10 of their own, or with a patient, visit and order of their own
//! besides. Bytes only: in GBK a second byte that looks like a delimiter is taken for one.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::super::client::Want;
use super::super::{codec, correlate};

/// What is new in every message of a load run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fresh {
    /// Nothing: all but the first are resends.
    Nothing,
    /// MSH-10, so that none is taken for a resend.
    #[default]
    Ids,
    /// MSH-10 and the first identifier of PID-3, PV1-19, ORC-2, ORC-3, OBR-2 and OBR-3.
    Everything,
}

/// The fields that tell patients, visits and orders apart, by segment.
const KEYS: [(&[u8], &[usize]); 4] = [(b"PID", &[3]), (b"PV1", &[19]), (b"ORC", &[2, 3]), (b"OBR", &[2, 3])];

/// A piece of a message, and what stands before it.
#[derive(Debug)]
struct Piece {
    before: Bytes,
    value: Bytes,
    is_id: bool,
}

/// A message cut around what changes.
#[derive(Debug)]
struct Template {
    pieces: Vec<Piece>,
    rest: Bytes,
    /// MSH-10 as given.
    control_id: Bytes,
    want: Want,
}

#[derive(Debug)]
pub(super) struct Templates {
    all: Vec<Template>,
    /// What fresh ids begin with.
    prefix: String,
}

/// A message as it was sent.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) control_id: Vec<u8>,
    pub(super) want: Want,
}

impl Templates {
    pub(super) fn new(messages: &[Bytes], fresh: Fresh) -> Self {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        Self {
            all: messages.iter().map(|message| template(message, fresh)).collect(),
            prefix: format!("{seconds:X}-"),
        }
    }

    /// Appends message `number` with its framing; `None` if there are no messages. Fresh ids are unique over runs that
    /// start in different seconds, and at most 20 characters long up to 68 billion messages (MSH-10 holds 20 up to
    /// version 2.6).
    pub(super) fn write(&self, number: u64, out: &mut Vec<u8>) -> Option<Written> {
        let index = usize::try_from(number.checked_rem(self.all.len() as u64)?).ok()?;
        let template = self.all.get(index)?;
        let fresh = format!("{}{number:X}", self.prefix);
        let mut parts: Vec<&[u8]> = Vec::with_capacity(template.pieces.len() * 3 + 1);
        let mut control_id = &*template.control_id;
        for piece in &template.pieces {
            parts.push(&piece.before);
            if piece.is_id {
                control_id = fresh.as_bytes();
            } else {
                parts.push(&piece.value); // equal identifiers stay equal
            }
            parts.push(fresh.as_bytes());
        }
        parts.push(&template.rest);
        codec::encode_parts(&parts, out);
        Some(Written {
            control_id: control_id.to_vec(),
            want: template.want,
        })
    }
}

fn template(message: &Bytes, fresh: Fresh) -> Template {
    let id = correlate::control_id_range(message);
    let mut cuts: Vec<(Range<usize>, bool)> = Vec::new();
    if fresh != Fresh::Nothing {
        cuts.extend(id.clone().map(|range| (range, true)));
    }
    if fresh == Fresh::Everything {
        cuts.extend(keys(message).into_iter().map(|range| (range, false)));
    }
    let mut at = 0;
    let mut pieces = Vec::with_capacity(cuts.len());
    for (range, is_id) in cuts {
        // MSH comes first wherever it has an MSH-10, and the rest is found in order.
        if range.start >= at {
            pieces.push(Piece {
                before: message.slice(at..range.start),
                value: message.slice(range.clone()),
                is_id,
            });
            at = range.end;
        }
    }
    Template {
        pieces,
        rest: message.slice(at..),
        control_id: id.map(|range| message.slice(range)).unwrap_or_default(),
        want: Want::by(message),
    }
}

/// Where the first components of the keys stand, those that have a value.
fn keys(message: &[u8]) -> Vec<Range<usize>> {
    let text = message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message);
    let Some(&separator) = text.get(3) else {
        return Vec::new();
    };
    let within: Vec<u8> = text
        .iter()
        .skip(4)
        .take(4)
        .copied()
        .take_while(|b| *b != separator)
        .collect();
    let mut found = Vec::new();
    let mut start = 0;
    for segment in message.split(|byte| matches!(byte, b'\r' | b'\n')) {
        let fields = KEYS
            .iter()
            .find(|(name, _)| segment.starts_with(name))
            .map(|(_, fields)| *fields);
        let mut at = start;
        for (number, field) in segment.split(|byte| *byte == separator).enumerate() {
            let first = field.split(|byte| within.contains(byte)).next().unwrap_or_default();
            if fields.is_some_and(|fields| fields.contains(&number)) && !first.is_empty() {
                found.push(at..at + first.len());
            }
            at += field.len() + 1;
        }
        start += segment.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"MSH|^~\\&|A|B|C|D|1||ADT^A01|OLD|P|2.5\rPID|1\r";

    fn written(templates: &Templates, number: u64) -> String {
        let mut out = Vec::new();
        templates.write(number, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fresh_ids_replace_only_msh_10_and_differ() {
        let templates = Templates::new(&[Bytes::from_static(MESSAGE)], Fresh::Ids);
        let (one, two) = (written(&templates, 1), written(&templates, 2));
        assert_ne!(one, two);
        assert!(one.starts_with("\x0bMSH|^~\\&|A|B|C|D|1||ADT^A01|"));
        assert!(one.ends_with("-1|P|2.5\rPID|1\r\x1c\r"));
    }

    #[test]
    fn messages_go_in_turn_and_stay_as_given_when_asked() {
        let messages = [Bytes::from_static(MESSAGE), Bytes::from_static(b"no message at all")];
        let templates = Templates::new(&messages, Fresh::Nothing);
        assert_eq!(
            written(&templates, 2).as_bytes(),
            [b"\x0b", MESSAGE, b"\x1c\r"].concat()
        );
        assert_eq!(written(&templates, 3), "\x0bno message at all\x1c\r");
    }

    #[test]
    fn everything_fresh_is_a_new_patient_and_order_whose_numbers_still_agree() {
        let text = "MSH|^~\\&|A|B|C|D|1||ORU^R01|OLD|P|2.5\rPID|1||77^^^H~88||X\rORC|RE|P1|F1^L\rOBR|1|P1||K\r";
        let mut templates = Templates::new(&[Bytes::from(text)], Fresh::Everything);
        templates.prefix = "T-".to_owned();
        let expected = "\x0bMSH|^~\\&|A|B|C|D|1||ORU^R01|T-A|P|2.5\rPID|1||77T-A^^^H~88||X\r\
                        ORC|RE|P1T-A|F1T-A^L\rOBR|1|P1T-A||K\r\x1c\r";
        assert_eq!(written(&templates, 10), expected);
    }
}
