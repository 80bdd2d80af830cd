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
            Self::ExtensionType { .. } => ("extension-type", Class::Value),
            Self::TooDeep => ("nesting-too-deep", Class::Structure),
            Self::Cut => ("findings-cut", Class::Incomplete),
        }
    }

    fn text(&self) -> Text {
        let (zh, en) = match self {
            Self::NoResourceType => (
                "资源缺少 resourceType".into(),
                "the resource has no resourceType".into(),
            ),
            Self::UnknownResource { name, .. } => (
                format!("FHIR R4 中没有资源类型“{}”", brief(name)),
                format!("FHIR R4 has no resource type '{}'", brief(name)),
            ),
            Self::UnknownElement { name, .. } => (
                format!("未知元素“{}”", brief(name)),
                format!("unknown element '{}'", brief(name)),
            ),
            Self::WrongJson { expected } => (
                format!("JSON 类型不符，应为 {}", zh_kind(expected)),
                format!("{expected} expected"),
            ),
            Self::NoArray { path } => (
                format!("{path} 可重复，应写成数组"),
                format!("{path} repeats: an array is expected"),
            ),
            Self::AnArray { path } => (
                format!("{path} 不可重复，不应为数组"),
                format!("{path} does not repeat: no array is expected"),
            ),
            Self::TooFew { path, name, min } => (
                format!("缺少元素“{name}”（{path} 至少 {min} 个）"),
                format!("element '{name}' is missing ({path} needs at least {min})"),
            ),
            Self::TooMany { path, max: 0 } => (format!("{path} 在此不允许出现"), format!("{path} is not allowed here")),
            Self::TooMany { path, max } => (format!("{path} 最多 {max} 个"), format!("{path} takes at most {max}")),
            Self::TwoChoices { path, first, second } => (
                format!("{path} 只能选一种类型，却同时有 {first} 和 {second}"),
                format!("{path} takes one type, and there are {first} and {second}"),
            ),
            _ => return self.text_of_value(),
        };
        Text::new(zh, en)
    }

    fn text_of_value(&self) -> Text {
        let (zh, en) = match self {
            Self::EmptyObject => ("对象没有内容".into(), "the object is empty".into()),
            Self::EmptyArray => ("数组没有内容".into(), "the array is empty".into()),
            Self::EmptyString => ("字符串为空".into(), "the string is empty".into()),
            Self::Null => (
                "null 没有对应的扩展".into(),
                "null without an extension that explains it".into(),
            ),
            Self::Primitive { kind, text } => (
                format!("“{}”不是有效的 {kind} 值", brief(text)),
                format!("'{}' is not a valid {kind}", brief(text)),
            ),
            Self::Code { code, value_set } => (
                format!("代码“{}”不在必须遵循的值集 {value_set} 中", brief(code)),
                format!(
                    "the code '{}' is not in the required value set {value_set}",
                    brief(code)
                ),
            ),
            Self::NoCode { value_set } => (
                format!("缺少必须遵循的值集 {value_set} 中的代码"),
                format!("a code of the required value set {value_set} is missing"),
            ),
            Self::NotInSystem { code, system } => (
                format!("代码系统 {} 中没有代码“{}”", brief(system), brief(code)),
                format!("the code system {} has no code '{}'", brief(system), brief(code)),
            ),
            Self::Reference { reference } => (
                format!("“{}”不是有效的引用", brief(reference)),
                format!("'{}' is not a valid reference", brief(reference)),
            ),
            Self::Target {
                found,
                allowed: [] | ["Resource"],
            } => (
                format!("引用指向 {}，而 R4 没有此资源", brief(found)),
                format!("the reference is to a {}, and R4 has no such resource", brief(found)),
            ),
            Self::Target { found, allowed } => (
                format!("引用指向 {}，此处只允许 {}", brief(found), allowed.join("、")),
                format!(
                    "the reference is to a {}, and only {} may be referred to here",
                    brief(found),
                    allowed.join(", ")
                ),
            ),
            Self::Unresolved { reference } => (
                format!("找不到引用“{}”所指的资源", brief(reference)),
                format!("the reference '{}' does not name anything here", brief(reference)),
            ),
            Self::ExtensionType { url, found } => (
                format!("扩展 {} 的值不能是 {}", brief(url), brief(found)),
                format!("the extension {} takes no {}", brief(url), brief(found)),
            ),
            Self::TooDeep => ("嵌套过深，未再检查".into(), "nested too deep to be checked".into()),
            _ => (
                format!("发现超过 {MOST_FINDINGS} 条，其余未列出"),
                format!("more than {MOST_FINDINGS} findings; the rest is not listed"),
            ),
        };
        Text::new(zh, en)
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

fn zh_kind(kind: &str) -> &str {
    match kind {
        "an object" => "对象",
        "a string" => "字符串",
        "a number" => "数字",
        "true or false" => "布尔值",
        other => other,
    }
}

/// The beginning of a value: a finding holds no more of the message than it needs.
fn brief(text: &str) -> &str {
    const LONGEST: usize = 60;
    text.char_indices()
        .nth(LONGEST)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text)
}
