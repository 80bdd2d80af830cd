//! Command sets (PS3.7 6.3, annex E): always implicit VR and little endian. Only what C-ECHO and C-STORE need is read, and
//! what every response needs is written.

/// C-STORE request (PS3.7 E.1).
pub(super) const STORE: u16 = 0x0001;
/// C-ECHO request.
pub(super) const ECHO: u16 = 0x0030;
/// C-CANCEL request; there is never anything to cancel.
pub(super) const CANCEL: u16 = 0x0FFF;
/// Set in the command field of a response.
const RESPONSE: u16 = 0x8000;
/// "No data set follows" in (0000,0800).
const NO_DATA: u16 = 0x0101;
/// Priority (0000,0700).
const MEDIUM: u16 = 0x0000;

/// Success.
pub(super) const SUCCESS: u16 = 0x0000;
/// Refused: SOP class not supported (PS3.7 C.5.6).
pub(super) const CLASS_NOT_SUPPORTED: u16 = 0x0122;
/// Unrecognised operation (PS3.7 C.5.23).
pub(super) const UNRECOGNISED: u16 = 0x0211;
/// Refused: out of resources (PS3.4 B.2.3).
pub(super) const OUT_OF_RESOURCES: u16 = 0xA700;
/// Cannot understand.
pub(super) const NOT_UNDERSTOOD: u16 = 0xC000;

/// The most that a command set may have; real ones have some hundred bytes.
pub(super) const LONGEST: usize = 16 << 10;

/// A request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) field: u16,
    pub(super) message: u16,
    pub(super) has_data: bool,
    pub(super) sop_class: String,
    pub(super) sop_instance: String,
}

impl Command {
    /// Reads a command set; none when it is cut or has no command field.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut command = Self {
            has_data: true,
            ..Self::default()
        };
        let mut field = None;
        for (element, value) in elements(bytes)? {
            match element {
                0x0002 => command.sop_class = text(value),
                0x0100 => field = number(value),
                0x0110 => command.message = number(value)?,
                0x0800 => command.has_data = number(value) != Some(NO_DATA),
                0x1000 => command.sop_instance = text(value),
                _ => {}
            }
        }
        command.field = field?;
        Some(command)
    }

    /// Whether it is a request at all.
    pub(super) fn is_request(&self) -> bool {
        self.field & RESPONSE == 0
    }

    /// The response to it.
    pub(super) fn response(&self, status: u16, comment: &str) -> Vec<u8> {
        let mut set = Vec::with_capacity(256);
        element(&mut set, 0x0002, &text_value(&self.sop_class, 0));
        element(&mut set, 0x0100, &(self.field | RESPONSE).to_le_bytes());
        element(&mut set, 0x0120, &self.message.to_le_bytes());
        element(&mut set, 0x0800, &NO_DATA.to_le_bytes());
        element(&mut set, 0x0900, &status.to_le_bytes());
        if !comment.is_empty() {
            element(&mut set, 0x0902, &text_value(comment, b' '));
        }
        if self.field == STORE {
            element(&mut set, 0x1000, &text_value(&self.sop_instance, 0));
        }
        with_length(&set)
    }
}

/// A request; with an instance it is one that a data set follows.
pub(super) fn request(field: u16, message: u16, sop_class: &str, instance: Option<&str>) -> Vec<u8> {
    let mut set = Vec::with_capacity(256);
    element(&mut set, 0x0002, &text_value(sop_class, 0));
    element(&mut set, 0x0100, &field.to_le_bytes());
    element(&mut set, 0x0110, &message.to_le_bytes());
    if let Some(instance) = instance {
        element(&mut set, 0x0700, &MEDIUM.to_le_bytes());
        element(&mut set, 0x0800, &0u16.to_le_bytes());
        element(&mut set, 0x1000, &text_value(instance, 0));
    } else {
        element(&mut set, 0x0800, &NO_DATA.to_le_bytes());
    }
    with_length(&set)
}

/// A response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    field: u16,
    message: u16,
    pub(super) status: u16,
    pub(super) comment: String,
}

impl Response {
    /// Reads a command set; none when it is cut or no response.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (mut field, mut message, mut status, mut comment) = (None, None, None, String::new());
        for (element, value) in elements(bytes)? {
            match element {
                0x0100 => field = number(value),
                0x0120 => message = number(value),
                0x0900 => status = number(value),
                0x0902 => comment = text(value),
                _ => {}
            }
        }
        Some(Self {
            field: field?,
            message: message?,
            status: status?,
            comment,
        })
    }

    /// Whether it is the one to a request.
    pub(super) fn answers(&self, field: u16, message: u16) -> bool {
        self.field == field | RESPONSE && self.message == message
    }
}

/// The elements of a command set; none when it is cut.
fn elements(bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut elements = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let ([g0, g1, e0, e1, l0, l1, l2, l3], behind) = rest.split_first_chunk::<8>()?;
        let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        let (value, next) = behind.split_at_checked(length)?;
        if [*g0, *g1] == [0, 0] {
            elements.push((u16::from_le_bytes([*e0, *e1]), value));
        }
        rest = next;
    }
    Some(elements)
}

/// A command set behind its group length.
fn with_length(set: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(set.len() + 12);
    element(&mut out, 0x0000, &u32::try_from(set.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(set);
    out
}

pub(super) fn text(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.trim_matches(|c: char| c == '\0' || c == ' ').to_owned()
}

fn number(value: &[u8]) -> Option<u16> {
    Some(u16::from_le_bytes(value.try_into().ok()?))
}

/// A text padded to even length (PS3.5 7.1.1).
pub(super) fn text_value(text: &str, pad: u8) -> Vec<u8> {
    let mut value = text.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(pad);
    }
    value
}

fn element(out: &mut Vec<u8>, element: u16, value: &[u8]) {
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&element.to_le_bytes());
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(value);
}

/// Whether a text is a UID (PS3.5 9.1).
pub(super) fn is_uid(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 64 && text.split('.').all(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_and_answered_to_the_byte() {
        let mut bytes = Vec::new();
        element(&mut bytes, 0x0000, &100u32.to_le_bytes());
        element(&mut bytes, 0x0002, b"1.2.840.10008.1.1\0");
        element(&mut bytes, 0x0100, &ECHO.to_le_bytes());
        element(&mut bytes, 0x0110, &7u16.to_le_bytes());
        element(&mut bytes, 0x0800, &NO_DATA.to_le_bytes());
        let echo = Command::read(&bytes).unwrap();
        assert_eq!((echo.field, echo.message, echo.has_data), (ECHO, 7, false));
        assert_eq!(echo.sop_class, "1.2.840.10008.1.1");
        // PS3.7 table 9.3-13: group length, affected class, 8030H, message responded to, 0101H, status.
        let mut expected = b"\0\0\0\0\x04\0\0\0\x42\0\0\0\0\0\x02\0\x12\0\0\x001.2.840.10008.1.1\0".to_vec();
        expected.extend_from_slice(b"\0\0\0\x01\x02\0\0\0\x30\x80\0\0\x20\x01\x02\0\0\0\x07\0");
        expected.extend_from_slice(b"\0\0\0\x08\x02\0\0\0\x01\x01\0\0\0\x09\x02\0\0\0\0\0");
        assert_eq!(echo.response(SUCCESS, ""), expected);
    }

    #[test]
    fn a_request_is_written_to_the_byte_and_its_response_read() {
        // PS3.7 table 9.3-1: group length, affected class, 0001H, message, priority, data set, affected instance.
        let mut expected = b"\0\0\0\0\x04\0\0\0\x40\0\0\0\0\0\x02\0\x04\0\0\x001.2\0".to_vec();
        expected.extend_from_slice(b"\0\0\0\x01\x02\0\0\0\x01\0\0\0\x10\x01\x02\0\0\0\x07\0");
        expected.extend_from_slice(b"\0\0\0\x07\x02\0\0\0\0\0\0\0\0\x08\x02\0\0\0\0\0");
        expected.extend_from_slice(b"\0\0\0\x10\x04\0\0\x001.23");
        let written = request(STORE, 7, "1.2", Some("1.23"));
        assert_eq!(written.len(), expected.len());
        assert_eq!(written, expected);
        let command = Command::read(&written).unwrap();
        let response = Response::read(&command.response(OUT_OF_RESOURCES, "the disk is full")).unwrap();
        assert!(response.answers(STORE, 7) && !response.answers(STORE, 8) && !response.answers(ECHO, 7));
        assert_eq!(
            (response.status, response.comment.as_str()),
            (0xA700, "the disk is full")
        );
        assert_eq!(Response::read(&written), None);
    }

    #[test]
    fn what_is_cut_is_no_command() {
        assert_eq!(Command::read(b"\0\0\0\x01\x02\0\0\0\x30"), None);
        assert_eq!(Command::read(b"\0\0\x10\x01\x02\0\0\0\x30\0"), None);
        assert_eq!(Command::read(b"\0\0\0\x01\xff\xff\xff\xff\x30\0"), None);
    }
}
