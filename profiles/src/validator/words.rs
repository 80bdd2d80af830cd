//! The sentences of the validator's remarks, in Chinese and English. What is told of the message is cut short: a finding
//! holds no more of it than it needs.

use causeway_core::Text;

use super::remark::{MOST_FINDINGS, Remark};

impl Remark<'_> {
    /// What is said.
    pub(super) fn text(&self) -> Text {
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
            Self::TooDeep => ("嵌套过深，未再检查".into(), "nested too deep to be checked".into()),
            Self::Cut => (
                format!("发现超过 {MOST_FINDINGS} 条，其余未列出"),
                format!("more than {MOST_FINDINGS} findings; the rest is not listed"),
            ),
            _ => return self.text_of_link(),
        };
        Text::new(zh, en)
    }

    fn text_of_link(&self) -> Text {
        let (zh, en) = match self {
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
            Self::ExtensionUrl { url } => (
                format!("扩展的 url “{}”不是绝对地址", brief(url)),
                format!("the url '{}' of the extension is not absolute", brief(url)),
            ),
            Self::ExtensionContext { url, allowed } => (
                format!("扩展 {} 不能用在此处，只能用于 {allowed}", brief(url)),
                format!("the extension {} cannot stand here, only in {allowed}", brief(url)),
            ),
            Self::ExtensionEmpty { url } => (
                format!("扩展 {} 缺少值", brief(url)),
                format!("the extension {} has no value", brief(url)),
            ),
            Self::ExtensionPart { url, name } => (
                format!("扩展 {} 中没有“{}”", brief(url), brief(name)),
                format!("the extension {} has no part '{}'", brief(url), brief(name)),
            ),
            Self::ExtensionType { url, found } => (
                format!("扩展 {} 的值不能是 {}", brief(url), brief(found)),
                format!("the extension {} takes no {}", brief(url), brief(found)),
            ),
            // The others have theirs above; a new remark is missed by the compiler here.
            Self::NoResourceType
            | Self::UnknownResource { .. }
            | Self::UnknownElement { .. }
            | Self::WrongJson { .. }
            | Self::NoArray { .. }
            | Self::AnArray { .. }
            | Self::TooFew { .. }
            | Self::TooMany { .. }
            | Self::TwoChoices { .. }
            | Self::EmptyObject
            | Self::EmptyArray
            | Self::EmptyString
            | Self::Null
            | Self::Primitive { .. }
            | Self::Code { .. }
            | Self::NoCode { .. }
            | Self::TooDeep
            | Self::Cut => (String::new(), String::new()),
        };
        Text::new(zh, en)
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

/// The beginning of a value.
fn brief(text: &str) -> &str {
    const LONGEST: usize = 60;
    text.char_indices()
        .nth(LONGEST)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text)
}
