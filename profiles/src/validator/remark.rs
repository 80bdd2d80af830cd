//! What the validator can say: each remark with its stable code, its class and its sentence in both languages.

use causeway_core::{Actor, ActorKind, Class, Finding, NodeId, Severity, Text, Tree};

/// How many findings one resource or Bundle draws. Whoever sends more wrong than that needs no longer list.
pub const MOST_FINDINGS: usize = 1_000;

/// A remark, not yet in words.
pub(super) enum Remark<'a> {
    /// There is no `resourceType`.
    NoResourceType,
    /// R4 has no such resource.
    UnknownResource { name: &'a str, nearest: Option<&'a str> },
    /// There is no such element here.
    UnknownElement { name: &'a str, nearest: Option<&'a str> },
    /// Another JSON kind belongs here.
    WrongJson { expected: &'static str },
    /// JSON needs an array, since the element repeats.
    NoArray { path: &'a str },
    /// JSON takes no array, since the element does not repeat.
    AnArray { path: &'a str },
    /// There are fewer than there must be.
    TooFew { path: &'a str, name: &'a str, min: u32 },
    /// There are more than there may be.
    TooMany { path: &'a str, max: u32 },
    /// A choice has values of two types.
    TwoChoices {
        path: &'a str,
        first: &'a str,
        second: &'a str,
    },
    /// An object without members.
    EmptyObject,
    /// An array without items.
    EmptyArray,
    /// `""`
    EmptyString,
    /// `null` where no extension explains it.
    Null,
    /// The text is no value of the primitive.
    Primitive { kind: &'a str, text: &'a str },
    /// The code is not of the required value set.
    Code { code: &'a str, value_set: &'a str },
    /// The code is not of its own system.
    NotInSystem { code: &'a str, system: &'a str },
    /// The text cannot be a reference.
    Reference { reference: &'a str },
    /// A code of the required value set is missing.
    NoCode { value_set: &'a str },
    /// The reference points to a resource that the element does not take.
    Target {
        found: &'a str,
        allowed: &'static [&'static str],
    },
    /// Nothing of that name is contained or in the Bundle.
    Unresolved { reference: &'a str },
    /// The extension has no address.
    ExtensionUrl { url: &'a str },
    /// The extension may not stand here.
    ExtensionContext { url: &'a str, allowed: &'static str },
    /// The extension needs a value.
    ExtensionEmpty { url: &'a str },
    /// Nothing of that name is nested in the extension.
    ExtensionPart { url: &'a str, name: &'a str },
    /// The extension takes another type.
    ExtensionType { url: &'a str, found: &'a str },
    /// Deeper than any resource is.
    TooDeep,
    /// There would be more findings.
    Cut,
}

impl Remark<'_> {
    /// The finding at a node.
    pub(super) fn finding(&self, tree: &Tree, node: NodeId) -> Finding {
        let (code, class) = self.code();
        let mut actor = Actor::new(ActorKind::Profile, "hl7.fhir.r4");
        actor.version = Some("4.0.1".into());
        let mut finding = Finding::new(code, self.severity(), class, actor, self.text()).at_node(node);
        finding.path = Some(tree.path(node));
        finding.suggestion = self.suggestion();
        match self.evidence() {
            Some(evidence) => finding.because(evidence),
            None => finding,
        }
    }

    /// What a URN names may be sent later or lie elsewhere; what `#` names cannot. Senders put local codes into standard
    /// tables, and the code says what it says all the same.
    fn severity(&self) -> Severity {
        match self {
            Self::Cut => Severity::Information,
            Self::NotInSystem { .. } => Severity::Warning,
            Self::Unresolved { reference } if !reference.starts_with('#') => Severity::Warning,
            _ => Severity::Error,
        }
    }

    fn code(&self) -> (&'static str, Class) {
        match self {
            Self::NoResourceType => ("resource-type-missing", Class::Required),
            Self::UnknownResource { .. } => ("resource-type-unknown", Class::Structure),
            Self::UnknownElement { .. } => ("element-unknown", Class::Structure),
            Self::WrongJson { .. } => ("json-kind", Class::Value),
            Self::NoArray { .. } => ("array-expected", Class::Structure),
            Self::AnArray { .. } => ("array-unexpected", Class::Structure),
            Self::TooFew { .. } => ("cardinality-min", Class::Required),
            Self::TooMany { .. } => ("cardinality-max", Class::Structure),
            Self::TwoChoices { .. } => ("choice-twice", Class::Structure),
            Self::EmptyObject => ("empty-object", Class::Structure),
            Self::EmptyArray => ("empty-array", Class::Structure),
            Self::EmptyString => ("empty-string", Class::Value),
            Self::Null => ("null-value", Class::Value),
            Self::Primitive { .. } => ("primitive-invalid", Class::Value),
            Self::Code { .. } => ("code-unknown", Class::Code),
            Self::NoCode { .. } => ("code-missing", Class::Code),
            Self::NotInSystem { .. } => ("code-not-in-system", Class::Code),
            Self::Reference { .. } => ("reference-invalid", Class::Value),
            Self::Target { .. } => ("reference-target", Class::Structure),
            Self::Unresolved { .. } => ("reference-unresolved", Class::UnknownKey),
            Self::ExtensionUrl { .. } => ("extension-url", Class::Value),
            Self::ExtensionContext { .. } => ("extension-context", Class::Structure),
            Self::ExtensionEmpty { .. } => ("extension-empty", Class::Required),
            Self::ExtensionPart { .. } => ("extension-unknown-part", Class::Structure),
            Self::ExtensionType { .. } => ("extension-type", Class::Value),
            Self::TooDeep => ("nesting-too-deep", Class::Structure),
            Self::Cut => ("findings-cut", Class::Incomplete),
        }
    }

    fn suggestion(&self) -> Option<Text> {
        let (Self::UnknownResource { nearest, .. } | Self::UnknownElement { nearest, .. }) = self else {
            return None;
        };
        nearest.map(|name| Text::new(format!("是否为“{name}”？"), format!("did you mean '{name}'?")))
    }

    fn evidence(&self) -> Option<String> {
        match self {
            Self::TooFew { path, .. }
            | Self::TooMany { path, .. }
            | Self::NoArray { path }
            | Self::AnArray { path }
            | Self::TwoChoices { path, .. } => Some((*path).to_owned()),
            Self::Code { value_set, .. } | Self::NoCode { value_set } => Some((*value_set).to_owned()),
            _ => None,
        }
    }
}
