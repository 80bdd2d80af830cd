//! The little of HL7v2 that a client needs to tell whose reply it holds: MSH-10, MSH-15, MSH-16, MSA-1 and MSA-2. Bytes
//! only, compared as they are (HL7 v2.9 2.15.8: MSA-2 echoes MSH-10). The server side does not use it.

/// What of a message matters to its sender's client.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent<'a> {
    /// MSH-10.
    pub(super) control_id: &'a [u8],
    /// MSH-15 and MSH-16.
    pub(super) commit: &'a [u8],
    pub(super) application: &'a [u8],
}

/// What of a reply matters.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said<'a> {
    /// MSA-1.
    pub(super) code: &'a [u8],
    /// MSA-2.
    pub(super) control_id: &'a [u8],
}

/// Reads the MSH segment.
pub(super) fn sent(message: &[u8]) -> Sent<'_> {
    let Some((segment, separator)) = segment(message, b"MSH") else {
        return Sent::default();
    };
    // MSH-1 is the separator itself, so piece n is MSH-(n+1).
    let mut pieces = segment.split(|byte| *byte == separator);
    Sent {
        control_id: pieces.nth(9).unwrap_or_default(),
        commit: pieces.nth(4).unwrap_or_default(),
        application: pieces.next().unwrap_or_default(),
    }
}

/// Reads the first MSA segment.
pub(super) fn said(reply: &[u8]) -> Option<Said<'_>> {
    let (segment, separator) = segment(reply, b"MSA")?;
    let mut pieces = segment.split(|byte| *byte == separator);
    Some(Said {
        code: pieces.nth(1)?,
        control_id: pieces.next().unwrap_or_default(),
    })
}

/// Where MSH-10 stands in the message, if it has one.
pub(super) fn control_id_range(message: &[u8]) -> Option<std::ops::Range<usize>> {
    let id = sent(message).control_id;
    let start = (id.as_ptr() as usize).checked_sub(message.as_ptr() as usize)?;
    (!id.is_empty()).then_some(start..start + id.len())
}

/// The first segment of that name and the field separator.
fn segment<'a>(message: &'a [u8], name: &[u8]) -> Option<(&'a [u8], u8)> {
    let separator = *message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message).get(3)?;
    let mut segments = message.split(|byte| matches!(byte, b'\r' | b'\n'));
    let found = segments.find(|segment| {
        let segment = segment.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(segment);
        segment
            .strip_prefix(name)
            .is_some_and(|rest| rest.first() == Some(&separator))
    })?;
    Some((found, separator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn msh_10_15_and_16_are_found_by_their_places() {
        let message = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|ID 7|P|2.5.1|||AL|NE\rEVN|\r";
        let sent = sent(message);
        assert_eq!(sent.control_id, b"ID 7");
        assert_eq!((sent.commit, sent.application), (&b"AL"[..], &b"NE"[..]));
        assert_eq!(&message[control_id_range(message).unwrap()], b"ID 7");
    }

    #[test]
    fn other_separators_line_ends_and_a_bom_do_not_matter() {
        let reply = b"\xEF\xBB\xBFMSH#^~\\&#A\nMSA#AE#ID|7#text\n";
        let said = said(reply).unwrap();
        assert_eq!((said.code, said.control_id), (&b"AE"[..], &b"ID|7"[..]));
        assert_eq!(sent(b"\xEF\xBB\xBFMSH|^~\\&|1|2|3|4|5|6|7|X1").control_id, b"X1");
    }

    #[test]
    fn what_is_no_message_has_no_id() {
        for bytes in [&b""[..], b"MSH", b"MSH|", b"hello", b"MSH|^~\\&|||||||ADT"] {
            assert_eq!(control_id_range(bytes), None);
        }
        assert_eq!(said(b"MSH|^~\\&|\rMSAX|AA|1\r"), None);
    }
}
