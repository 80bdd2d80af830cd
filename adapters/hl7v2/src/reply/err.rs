//! Findings as errors of an acknowledgement: ERR since version 2.5 (HL7 v2.9 2.14.5), ERR-1 before (HL7 v2.4 2.16.5),
//! and table 0357. Which findings are told, and how grave the whole is, is in `ack`.

use causeway_core::finding::Lang;
use causeway_core::{Class, Finding, Place, Severity};

use super::writer::Writer;
use crate::message::{Body, Message};

/// Characters of ERR-8 (HL7 v2.9 2.14.5.8) and of the text in ERR-5.
const MOST_TEXT: usize = 250;
/// Characters of ERR-7 (HL7 v2.9 2.14.5.7).
const MOST_DIAGNOSTIC: usize = 2048;
/// The coding system of our finding codes; table 0396 gives the prefix `99` to local ones.
const OUR_CODES: &str = "99CAUSEWAY";

/// Code and text of table 0357 for a finding. A remark on the meaning is no error of the message: code 0.
pub(super) fn table_0357(class: Class, severity: Severity) -> (&'static str, &'static str) {
    match class {
        Class::Business | Class::Incomplete | Class::Conflict if severity < Severity::Error => {
            ("0", "Message accepted")
        }
        Class::Structure => ("100", "Segment sequence error"),
        Class::Required => ("101", "Required field missing"),
        Class::Value => ("102", "Data type error"),
        Class::Code => ("103", "Table value not found"),
        Class::TooLong => ("104", "Value too long"),
        Class::UnsupportedType => ("200", "Unsupported message type"),
        Class::UnsupportedEvent => ("201", "Unsupported event code"),
        Class::ProcessingId => ("202", "Unsupported processing id"),
        Class::Version => ("203", "Unsupported version id"),
        Class::UnknownKey => ("204", "Unknown key identifier"),
        Class::Duplicate => ("205", "Duplicate key identifier"),
        Class::Conflict => ("206", "Application record locked"),
        Class::Business | Class::Incomplete | Class::Busy | Class::Internal => ("207", "Application internal error"),
    }
}

/// HL7 table 0516.
fn table_0516(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "E",
        Severity::Warning => "W",
        Severity::Information => "I",
    }
}

/// The message that findings are about, so that their places can be told.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) body: &'a Body,
    pub(super) message: &'a Message,
}

impl About<'_> {
    fn place(self, finding: &Finding) -> Option<Place> {
        let place = self.body.place_of(finding.place.as_deref()?)?;
        self.message.segment_at(place).map(|_| place)
    }
}

/// The sentence in the language asked for, or in English when the sender's character set cannot hold it.
pub(super) fn sentence<'a>(writer: &Writer, finding: &'a Finding, lang: Lang) -> &'a str {
    let text = finding.text.get(lang);
    if writer.can(text) {
        text
    } else {
        finding.text.get(Lang::En)
    }
}

/// Writes one ERR with its location, codes and texts.
pub(super) fn located(writer: &mut Writer, about: Option<About<'_>>, finding: &Finding, lang: Lang) {
    let delims = writer.delims;
    let place = about.and_then(|about| Some(about.message.erl(about.place(finding)?, delims)));
    let (code, text) = table_0357(finding.class, finding.severity);
    let said = sentence(writer, finding, lang);
    let english = finding.text.get(Lang::En);
    let other = if said == english {
        String::new()
    } else {
        writer.escaped(english, MOST_TEXT)
    };
    let ours = writer.escaped(&finding.code, MOST_TEXT);
    writer.segment("ERR");
    writer.raw(2, &place.unwrap_or_default());
    writer.components(3, &[code, text, "HL70357"]);
    writer.raw(4, table_0516(finding.severity));
    writer.components(5, &[&ours, &other, OUR_CODES]);
    writer.text(7, &diagnostic(finding), MOST_DIAGNOSTIC);
    writer.text(8, said, MOST_TEXT);
    writer.end();
}

/// Who said it, of which element, on what ground: for whoever has to find out.
fn diagnostic(finding: &Finding) -> String {
    let by = &finding.by;
    let version = by
        .version
        .as_deref()
        .map(|version| format!(" {version}"))
        .unwrap_or_default();
    let who = Some(format!("{}{version}", by.id));
    let grounds = finding.evidence.iter().cloned();
    who.into_iter()
        .chain(finding.path.clone())
        .chain(grounds)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Writes the one ERR of older versions: ERR-1, a repetition for each finding (ELD, HL7 v2.4 2.A.22).
pub(super) fn listed(writer: &mut Writer, about: Option<About<'_>>, findings: &[&Finding]) {
    let delims = writer.delims;
    let one = |finding: &&Finding| {
        let place = about.and_then(|about| Some(about.message.eld(about.place(finding)?, delims)));
        let component = char::from(delims.component);
        let place = place.unwrap_or_else(|| component.to_string());
        // Segment, sequence and field position are three components even when the field is not known.
        let missing = 2usize.saturating_sub(place.matches(component).count());
        let padding = component.to_string().repeat(missing);
        let (code, text) = table_0357(finding.class, finding.severity);
        let code = [code, text, "HL70357"].join(&char::from(delims.subcomponent).to_string());
        format!("{place}{padding}{component}{code}")
    };
    let repetitions: Vec<_> = findings.iter().map(one).collect();
    writer.segment("ERR");
    writer.raw(1, &repetitions.join(&char::from(delims.repetition).to_string()));
    writer.end();
}
