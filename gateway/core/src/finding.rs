//! A finding is one remark on the content of a message. It is made once, by parser, map, profile, rule or hook, and
//! rendered everywhere: ERR, 999, OperationOutcome, DIMSE comment, CDS card, console line. It holds its texts in Chinese
//! and English and the place in the sender's own message; how it looks to anybody is not known here.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::NodeId;

/// How grave the content is. Only an error changes an acknowledgement code: a critical potassium is news, not a fault of
/// the sender, and so a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Information,
    /// Needs somebody's eye.
    Warning,
    /// The message cannot be accepted as it is.
    Error,
}

/// What kind of remark it is, independent of any format; each rendering has a table from it (HL7 table 0357, IK304,
/// `IssueType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A remark on the meaning: rules and advice. Nothing is wrong with the message.
    Business,
    /// The message or a segment stands where it cannot.
    Structure,
    /// Something required is missing.
    Required,
    /// A value is not of its type.
    Value,
    /// A code is not in its table.
    Code,
    /// A value is too long.
    TooLong,
    /// A message type that is not taken.
    UnsupportedType,
    /// A trigger event that is not taken.
    UnsupportedEvent,
    /// A processing id that is not taken.
    ProcessingId,
    /// A version that is not taken.
    Version,
    /// A key that names nothing known.
    UnknownKey,
    /// A key that is there already.
    Duplicate,
    /// A newer statement is there already.
    Conflict,
    /// Something was not evaluated. Not the same as nothing found.
    Incomplete,
    /// The gateway cannot take it now; trying again can help.
    Busy,
    /// A defect of the gateway.
    Internal,
}

/// Who made a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// An adapter's parser.
    Parser,
    /// A map row.
    Map,
    /// A profile.
    Profile,
    /// A rule of a pack.
    Rule,
    /// A decision-support service.
    Hook,
    /// The gateway itself.
    Gateway,
}

/// Who made a finding, with the version that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What it is.
    pub kind: ActorKind,
    /// Its name: a map's `FILE:LINE`, a pack and row, a service.
    pub id: Cow<'static, str>,
    /// Its version, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'static, str>>,
}

impl Actor {
    /// An actor without a version.
    pub fn new(kind: ActorKind, id: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            id: id.into(),
            version: None,
        }
    }
}

/// The same sentence in both languages of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Chinese.
    pub zh: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

/// A language to render texts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    #[default]
    En,
}

impl Text {
    /// A text from its two forms.
    pub fn new(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// The form in a language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// One remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable name of the remark, in kebab-case; scripts and partners rely on it.
    pub code: Cow<'static, str>,
    /// How grave.
    pub severity: Severity,
    /// What kind.
    pub class: Class,
    /// FHIRPath of the element in the bundle, `Bundle.entry[3].resource.value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The element's node in the bundle at hand; the place is looked up from it. Not kept.
    #[serde(skip)]
    pub node: Option<NodeId>,
    /// The place in the sender's message, always full: `OBX[3]-5[1]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What is said.
    pub text: Text,
    /// Who says it.
    pub by: Actor,
    /// What it rests on: a citation, a bound value, a link.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// What may be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<Text>,
}

impl Finding {
    /// A finding of a severity and class, by an actor, with its text; place and path are added with the `at` methods.
    pub fn new(code: impl Into<Cow<'static, str>>, severity: Severity, class: Class, by: Actor, text: Text) -> Self {
        Self {
            code: code.into(),
            severity,
            class,
            path: None,
            node: None,
            place: None,
            text,
            by,
            evidence: Vec::new(),
            suggestion: None,
        }
    }

    /// The same finding at a place of the sender's message.
    #[must_use]
    pub fn at_place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// The same finding at an element of the bundle.
    #[must_use]
    pub fn at_node(mut self, node: NodeId) -> Self {
        self.node = Some(node);
        self
    }

    /// Whether it is a mere note of parser, map or profile: for whoever keeps the gateway, and nobody else. What rules and
    /// services say, "not evaluated" among it, is always the sender's business.
    pub fn is_note(&self) -> bool {
        let noted = matches!(self.by.kind, ActorKind::Parser | ActorKind::Map | ActorKind::Profile);
        noted && self.severity == Severity::Information
    }

    /// The same finding with a ground.
    #[must_use]
    pub fn because(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }
}

/// The gravest severity among findings that are more than notes.
pub fn gravest<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Option<Severity> {
    findings
        .into_iter()
        .filter(|finding| !finding.is_note())
        .map(|finding| finding.severity)
        .max()
}
