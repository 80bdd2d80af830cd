//! The little of HL7v2 that a client needs to tell whose reply it holds: MSH-10, MSH-15, MSH-16, MSA-1 and MSA-2. Bytes
//! only, compared as they are (HL7 v2.9 2.15.8: MSA-2 echoes MSH-10). The server side does not use it.

use std::borrow::Cow;

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

/// The message, asking for a commit: one in enhanced mode that lets the receiver keep silent (MSH-15 other than AL, HL7 v2.9
/// 2.9.2) gets AL there. MSH-15 is between the two ends of one connection, and without a word nothing is delivered.
pub fn asking(message: &[u8]) -> Cow<'_, [u8]> {
    let sent = sent(message);
    let enhanced = !sent.commit.is_empty() || !sent.application.is_empty();
    if !enhanced || sent.commit == b"AL" {
        return Cow::Borrowed(message);
    }
    let start = (sent.commit.as_ptr() as usize).checked_sub(message.as_ptr() as usize);
    let around = start.and_then(|start| {
        let (before, rest) = message.split_at_checked(start)?;
        Some((before, rest.get(sent.commit.len()..)?))
    });
    around.map_or(Cow::Borrowed(message), |(before, after)| {
        Cow::Owned([before, b"AL", after].concat())
    })
}

/// What a reply says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// AA or CA: the receiver has it.
    Taken,
    /// AE or CE: it could not be processed.
    Failed,
    /// AR or CR: it will not be taken.
    Rejected,
}

/// What a reply says, with the code of MSA-1 and, of an error, that of ERR-3 (HL7 table 0357) where there is one. Nothing else
/// of a reply is a code.
pub fn word(reply: &[u8]) -> Option<(Word, String)> {
    let said = said(reply)?;
    let (word, code) = match said.code {
        b"AA" => (Word::Taken, "AA"),
        b"CA" => (Word::Taken, "CA"),
        b"AE" => (Word::Failed, "AE"),
        b"CE" => (Word::Failed, "CE"),
        b"AR" => (Word::Rejected, "AR"),
        b"CR" => (Word::Rejected, "CR"),
        _ => return None,
    };
    let error = error_code(reply).filter(|_| word != Word::Taken);
    Some((
        word,
        error.map_or_else(|| code.to_owned(), |error| format!("{code} {error}")),
    ))
}

fn error_code(reply: &[u8]) -> Option<&str> {
    let (segment, separator) = segment(reply, b"ERR")?;
    let field = segment.split(|byte| *byte == separator).nth(3)?;
    let code = field.split(|byte| matches!(byte, b'^' | b'~')).next()?;
    // Those of table 0357 have three digits; anything longer may be a name or a patient's number.
    let known = code.len() == 3 && code.iter().all(u8::is_ascii_digit);
    known.then(|| std::str::from_utf8(code).ok()).flatten()
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
    fn a_message_that_lets_the_receiver_keep_silent_asks_for_a_commit() {
        let message = |modes: &str| format!("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|7|P|2.5.1{modes}\rPID|1\r");
        let asks = |modes: &str| String::from_utf8(asking(message(modes).as_bytes()).into_owned()).unwrap();
        for (modes, asked) in [
            ("|||NE|NE", "|||AL|NE"),
            ("|||ER|AL|CHN", "|||AL|AL|CHN"),
            ("||||NE", "|||AL|NE"),
            ("|||SU", "|||AL"),
        ] {
            assert_eq!(asks(modes), message(asked));
        }
        for unchanged in ["", "|||", "|||AL|AL", "|||AL"] {
            assert!(
                matches!(asking(message(unchanged).as_bytes()), Cow::Borrowed(_)),
                "{unchanged}"
            );
        }
    }

    #[test]
    fn a_reply_says_one_of_three_things_and_its_error_has_a_code() {
        let word = |text: &str| word(format!("MSH|^~\\&|A\r{text}\r").as_bytes());
        assert_eq!(word("MSA|AA|7"), Some((Word::Taken, "AA".to_owned())));
        assert_eq!(word("MSA|CR|7"), Some((Word::Rejected, "CR".to_owned())));
        let error = "MSA|AE|7\rERR||PID^1|207^Application error^HL70357|E";
        assert_eq!(word(error), Some((Word::Failed, "AE 207".to_owned())));
        // What is no code may be a name or a number.
        for no_code in ["ZHANG WEI", "ZHANG", "0084512"] {
            let error = format!("MSA|AE|7\rERR|||{no_code}|E");
            assert_eq!(word(&error), Some((Word::Failed, "AE".to_owned())));
        }
        assert_eq!(word("MSA|OK|7"), None);
    }

    #[test]
    fn what_is_no_message_has_no_id() {
        for bytes in [&b""[..], b"MSH", b"MSH|", b"hello", b"MSH|^~\\&|||||||ADT"] {
            assert_eq!(control_id_range(bytes), None);
        }
        assert_eq!(said(b"MSH|^~\\&|\rMSAX|AA|1\r"), None);
    }
}
