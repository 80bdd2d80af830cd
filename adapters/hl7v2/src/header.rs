//! What a message says of itself in MSH: type, trigger, version, processing id and which acknowledgements it wants (HL7
//! v2.9 2.14.9). What is done about it is in `reply`; which types have maps is known by whoever calls [`check`].

use std::borrow::Cow;

use causeway_core::{Actor, ActorKind, Class, Finding, Severity, Text};

use crate::message::{Body, Message};
use crate::place;

/// When an acknowledgement is wanted: HL7 table 0155.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// `AL`.
    Always,
    /// `NE`.
    Never,
    /// `ER`: when something is wrong.
    Error,
    /// `SU`: when all is well.
    Success,
}

impl When {
    /// The code of table 0155; nothing else counts, as senders put all kinds of words there.
    pub fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "AL" => Some(Self::Always),
            "NE" => Some(Self::Never),
            "ER" => Some(Self::Error),
            "SU" => Some(Self::Success),
            _ => None,
        }
    }

    /// Whether an acknowledgement of that sign is wanted.
    pub fn wants(self, positive: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Error => !positive,
            Self::Success => positive,
        }
    }
}

/// A version of the standard, 2.5.1 as `(2, 5, 1)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16, pub u16);

impl Version {
    /// Reads `2.5.1`; what follows the third number is not looked at.
    pub fn read(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split('.').map(str::parse::<u16>);
        let major = numbers.next()?.ok()?;
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Self(major, next(), next()))
    }

    /// Whether it is one of version 2 (HL7 table 0104, and what may still come).
    pub fn is_two(self) -> bool {
        self.0 == 2
    }

    /// Whether ERR has its fields from 2 on (HL7 v2.5 2.15.5), and not only ERR-1.
    pub fn has_located_errors(self) -> bool {
        self >= Self(2, 5, 0)
    }
}

impl Message {
    /// MSH-9.1, the message type.
    pub fn message_type(&self) -> Cow<'_, str> {
        self.first(0, 9)
    }

    /// MSH-9.2, the trigger event.
    pub fn trigger(&self) -> Cow<'_, str> {
        self.header_component(9, 2)
    }

    /// MSH-9.3, the message structure.
    pub fn structure(&self) -> Cow<'_, str> {
        self.header_component(9, 3)
    }

    /// MSH-10, the message control id.
    pub fn control_id(&self) -> Cow<'_, str> {
        self.field(0, 10).map_or(Cow::Borrowed(""), |value| self.text(value))
    }

    /// MSH-11.1, the processing id.
    pub fn processing_id(&self) -> Cow<'_, str> {
        self.first(0, 11)
    }

    /// MSH-12.1, when it can be read.
    pub fn version(&self) -> Option<Version> {
        Version::read(&self.first(0, 12))
    }

    /// MSH-3 and MSH-4, as the message names them.
    pub(crate) fn sender(&self) -> String {
        let (application, facility) = (self.first(0, 3), self.first(0, 4));
        let (application, facility) = (application.trim(), facility.trim());
        if facility.is_empty() {
            application.to_owned()
        } else {
            format!("{application}/{facility}")
        }
    }

    /// MSH-9.1 and MSH-9.2 as they stand: `ORU^R01`.
    pub(crate) fn kind(&self) -> String {
        let (kind, trigger) = (self.raw_part(9, 1), self.raw_part(9, 2));
        if trigger.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}^{trigger}")
        }
    }

    fn header_component(&self, field: u32, component: u32) -> Cow<'_, str> {
        let value = self.field(0, field).and_then(|value| self.component(value, component));
        value.map_or(Cow::Borrowed(""), |value| self.text(value))
    }
}

/// Whether a message type and trigger are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// There is a map for it.
    Yes,
    /// No message of this type is taken.
    NoType,
    /// The type is taken, this trigger is not.
    NoEvent,
}

/// Checks the header of a message. Errors among the findings mean that it is rejected, AR or CR (HL7 v2.9 2.9.2.2):
/// type, event, processing id (table 0103) or version not taken. `takes` is asked with MSH-9.1 and MSH-9.2.
pub fn check(body: &Body, message: &Message, takes: impl Fn(&str, &str) -> Takes) -> Vec<Finding> {
    let (kind, trigger) = (message.message_type(), message.trigger());
    let mut remarks = Remarks {
        body,
        message,
        findings: Vec::new(),
    };
    match takes(&kind, &trigger) {
        Takes::Yes => {}
        Takes::NoType => remarks.refuse(9, "unsupported-message-type", Class::UnsupportedType, UNSUPPORTED_TYPE),
        Takes::NoEvent => remarks.refuse(9, "unsupported-event", Class::UnsupportedEvent, UNSUPPORTED_EVENT),
    }
    if !matches!(message.processing_id().trim(), "" | "P" | "T" | "D" | "N") {
        remarks.refuse(11, "unsupported-processing-id", Class::ProcessingId, PROCESSING_ID);
    }
    let version = message.first(0, 12);
    match message.version() {
        Some(version) if version.is_two() => {}
        _ if version.trim().is_empty() => remarks.warn(12, "missing-version", MISSING_VERSION),
        _ => remarks.refuse(12, "unsupported-version", Class::Version, VERSION),
    }
    if message.control_id().trim().is_empty() {
        remarks.warn(10, "missing-control-id", MISSING_CONTROL_ID);
    }
    remarks.findings
}

type Both = (&'static str, &'static str);
const UNSUPPORTED_TYPE: Both = ("不受理此消息类型（MSH-9）", "this message type is not taken (MSH-9)");
const UNSUPPORTED_EVENT: Both = ("不受理此触发事件（MSH-9）", "this trigger event is not taken (MSH-9)");
const PROCESSING_ID: Both = (
    "处理标识（MSH-11）不在表 0103 中",
    "the processing id (MSH-11) is not in table 0103",
);
const VERSION: Both = (
    "不受理此版本（MSH-12），只受理 2.x",
    "this version (MSH-12) is not taken, only 2.x is",
);
const MISSING_VERSION: Both = ("缺少版本号（MSH-12）", "the version (MSH-12) is missing");
const MISSING_CONTROL_ID: Both = (
    "缺少消息控制号（MSH-10），应答无法对应",
    "the control id (MSH-10) is missing, so no reply can name this message",
);

struct Remarks<'a> {
    body: &'a Body,
    message: &'a Message,
    findings: Vec<Finding>,
}

impl Remarks<'_> {
    fn refuse(&mut self, field: u32, code: &'static str, class: Class, text: Both) {
        self.add(field, code, Severity::Error, class, text);
    }

    fn warn(&mut self, field: u32, code: &'static str, text: Both) {
        self.add(field, code, Severity::Warning, Class::Required, text);
    }

    fn add(&mut self, field: u32, code: &'static str, severity: Severity, class: Class, text: Both) {
        let by = Actor::new(ActorKind::Parser, "hl7v2");
        let finding = Finding::new(code, severity, class, by, Text::new(text.0, text.1));
        let segment = self.message.segments.first();
        let place = segment.map(|segment| self.body.place_text(place::field(segment.place(), field)));
        self.findings.push(match place {
            Some(place) => finding.at_place(place),
            None => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn findings(header: &str) -> Vec<(String, Severity, String)> {
        let body = crate::tokenise(&Bytes::copy_from_slice(header.as_bytes()), encoding_rs::UTF_8);
        let takes = |kind: &str, trigger: &str| match (kind, trigger) {
            ("ORU", "R01") => Takes::Yes,
            ("ORU", _) => Takes::NoEvent,
            _ => Takes::NoType,
        };
        let found = check(&body, &body.messages[0], takes);
        found
            .into_iter()
            .map(|found| (found.code.into_owned(), found.severity, found.place.unwrap_or_default()))
            .collect()
    }

    fn check_header(rest: &str, expect: &[(&str, Severity, &str)]) {
        let expect: Vec<_> = expect
            .iter()
            .map(|(code, severity, place)| ((*code).to_owned(), *severity, (*place).to_owned()))
            .collect();
        assert_eq!(findings(&format!("MSH|^~\\&|A|B|C|D|7||{rest}\r")), expect, "{rest}");
    }

    #[test]
    fn headers_are_checked_against_what_is_taken() {
        use Severity::{Error, Warning};
        check_header("ORU^R01^ORU_R01|1|P|2.5.1", &[]);
        check_header("ORU^R01|1|P^A|2.9", &[]);
        check_header("ORU^R01|1||2.1", &[]);
        check_header("ORU^R40|1|P|2.5", &[("unsupported-event", Error, "MSH[1]-9")]);
        check_header("MFN^M01|1|P|2.5", &[("unsupported-message-type", Error, "MSH[1]-9")]);
        check_header("ORU^R01|1|X|2.5", &[("unsupported-processing-id", Error, "MSH[1]-11")]);
        check_header("ORU^R01|1|P|3.0", &[("unsupported-version", Error, "MSH[1]-12")]);
        check_header("ORU^R01|1|P|latest", &[("unsupported-version", Error, "MSH[1]-12")]);
        check_header(
            "ORU^R01||P",
            &[
                ("missing-version", Warning, "MSH[1]-12"),
                ("missing-control-id", Warning, "MSH[1]-10"),
            ],
        );
    }

    #[test]
    fn versions_are_ordered() {
        let version = |text| Version::read(text).unwrap();
        assert!(
            version("2.3.1") < version("2.4") && version("2.5") < version("2.5.1") && version("2.5.1") < version("2.9")
        );
        assert!(!version("2.4").has_located_errors() && version("2.5").has_located_errors());
        assert_eq!(Version::read(""), None);
    }

    #[test]
    fn only_the_codes_of_table_0155_count() {
        assert_eq!(When::read("AL"), Some(When::Always));
        for other in ["", " ", "ACCEPT", "al", "ACKNOWLEDGE", "Y"] {
            assert_eq!(When::read(other), None, "{other}");
        }
        assert!(
            When::Error.wants(false)
                && !When::Error.wants(true)
                && When::Success.wants(true)
                && !When::Never.wants(false)
        );
    }
}
