//! The messages of a load run: as given, or with a MSH-10 of their own. Bytes only.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::super::client::Want;
use super::super::{codec, correlate};

/// A message cut around its MSH-10.
#[derive(Debug)]
struct Template {
    before: Bytes,
    /// As given.
    control_id: Bytes,
    after: Bytes,
    want: Want,
}

#[derive(Debug)]
pub(super) struct Templates {
    all: Vec<Template>,
    /// What fresh ids begin with; absent: ids stay.
    prefix: Option<String>,
}

/// A message as it was sent.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) control_id: Vec<u8>,
    pub(super) want: Want,
}

impl Templates {
    pub(super) fn new(messages: &[Bytes], fresh_ids: bool) -> Self {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        Self {
            all: messages.iter().map(template).collect(),
            prefix: fresh_ids.then(|| format!("{seconds:X}-")),
        }
    }

    /// Appends message `number` with its framing; `None` if there are no messages. Fresh ids are unique over runs that
    /// start in different seconds, and at most 20 characters long up to 68 billion messages (MSH-10 holds 20 up to
    /// version 2.6).
    pub(super) fn write(&self, number: u64, out: &mut Vec<u8>) -> Option<Written> {
        let index = usize::try_from(number.checked_rem(self.all.len() as u64)?).ok()?;
        let template = self.all.get(index)?;
        let control_id = match &self.prefix {
            Some(prefix) if !template.control_id.is_empty() => format!("{prefix}{number:X}").into_bytes(),
            _ => template.control_id.to_vec(),
        };
        codec::encode_parts(&[&template.before, &control_id, &template.after], out);
        Some(Written {
            control_id,
            want: template.want,
        })
    }
}

fn template(message: &Bytes) -> Template {
    let range = correlate::control_id_range(message).unwrap_or(0..0);
    Template {
        before: message.slice(..range.start),
        control_id: message.slice(range.clone()),
        after: message.slice(range.end..),
        want: Want::by(message),
    }
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
        let templates = Templates::new(&[Bytes::from_static(MESSAGE)], true);
        let (one, two) = (written(&templates, 1), written(&templates, 2));
        assert_ne!(one, two);
        assert!(one.starts_with("\x0bMSH|^~\\&|A|B|C|D|1||ADT^A01|"));
        assert!(one.ends_with("-1|P|2.5\rPID|1\r\x1c\r"));
    }

    #[test]
    fn messages_go_in_turn_and_stay_as_given_when_asked() {
        let messages = [Bytes::from_static(MESSAGE), Bytes::from_static(b"no message at all")];
        let templates = Templates::new(&messages, false);
        assert_eq!(
            written(&templates, 2).as_bytes(),
            [b"\x0b", MESSAGE, b"\x1c\r"].concat()
        );
        assert_eq!(written(&templates, 3), "\x0bno message at all\x1c\r");
    }
}
