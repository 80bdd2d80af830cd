//! What the rows' remarks say to people: class, gravity and the sentence in Chinese and English for each code.

use causeway_core::{Actor, ActorKind, Class, Finding, Severity, Text};

/// One remark as a finding. `row` is the row's own text, `FILE:LINE`.
pub(crate) fn finding(code: &str, row: &str, about: &str) -> Finding {
    let (severity, class, zh, en) = match code {
        "key-missing" => (
            Severity::Information,
            Class::Required,
            "没有可作标识的元素，{} 不会与其他对象合并",
            "nothing identifies this {}; it is not merged with any other object's",
        ),
        "code-unknown" => (
            Severity::Information,
            Class::Code,
            "代码“{}”不在对照表中",
            "the code {} is not in its table",
        ),
        "authority-unknown" => (
            Severity::Information,
            Class::Code,
            "签发机构“{}”未配置系统地址，已用私有 URN",
            "the authority {} has no configured address; a private URN stands for it",
        ),
        "value-not-time" | "value-wrong" | "value-not-number" => (
            Severity::Warning,
            Class::Value,
            "“{}”的格式不对，未采用",
            "{} is not of its type; it was left out",
        ),
        "body-part-unknown" => (
            Severity::Information,
            Class::Code,
            "部位“{}”不在 PS3.16 附录 L 的对照表中",
            "the body part {} is not in the table of PS3.16 annex L",
        ),
        _ => (
            Severity::Information,
            Class::Value,
            "映射规则提示：{}",
            "a map row remarks: {}",
        ),
    };
    let about = if about.is_empty() { code } else { about };
    let text = Text::new(zh.replace("{}", about), en.replace("{}", about));
    Finding::new(
        code.to_owned(),
        severity,
        class,
        Actor::new(ActorKind::Map, row.to_owned()),
        text,
    )
}
