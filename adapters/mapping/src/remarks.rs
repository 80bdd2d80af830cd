//! What the remarks of rows and runs say to people: class, gravity and the sentence in Chinese and English for each code.
//! When one is made is said elsewhere.

use causeway_core::{Actor, ActorKind, Class, Finding, Severity, Text};

/// One remark as a finding. `row` is the row's own text, `FILE:LINE`.
pub fn finding(code: &str, row: &str, about: &str) -> Finding {
    let known = SENTENCES.iter().find(|sentence| sentence.code == code);
    let by = Actor::new(ActorKind::Map, row.to_owned());
    let Some(known) = known else {
        let text = Text::new(format!("映射规则提示：{code}"), format!("a map row remarks: {code}"));
        return Finding::new(code.to_owned(), Severity::Information, Class::Value, by, text);
    };
    let fill = |sentence: &str| sentence.replace("{}", about);
    Finding::new(
        known.code,
        known.severity,
        known.class,
        by,
        Text::new(fill(known.zh), fill(known.en)),
    )
}

struct Sentence {
    code: &'static str,
    severity: Severity,
    class: Class,
    zh: &'static str,
    en: &'static str,
}

const fn say(code: &'static str, severity: Severity, class: Class, zh: &'static str, en: &'static str) -> Sentence {
    Sentence {
        code,
        severity,
        class,
        zh,
        en,
    }
}

const SENTENCES: [Sentence; 13] = [
    say(
        "authority-unknown",
        Severity::Information,
        Class::Code,
        "签发机构“{}”未配置系统地址，已用私有 URN",
        "the authority {} has no configured address; a private URN stands for it",
    ),
    say(
        "code-unknown",
        Severity::Information,
        Class::Code,
        "代码“{}”不在对照表中",
        "the code {} is not in its table",
    ),
    say(
        "key-missing",
        Severity::Information,
        Class::Required,
        "没有可作标识的字段，{} 不会与其他消息合并",
        "nothing identifies this {}; it is not merged with any other message's",
    ),
    say(
        "reference-missing",
        Severity::Warning,
        Class::UnknownKey,
        "所引用的对象不在此消息中",
        "what is referred to is not in this message",
    ),
    say(
        "value-not-time",
        Severity::Warning,
        Class::Value,
        "“{}”不是有效的日期或时间，未采用",
        "{} is no date or time; it was left out",
    ),
    say(
        "period-reversed",
        Severity::Warning,
        Class::Value,
        "结束时间 {} 不能确定晚于开始时间，已另行保留",
        "the end {} does not surely lie after the start; it was kept beside the period",
    ),
    say(
        "value-not-number",
        Severity::Warning,
        Class::Value,
        "值不是数字，已按文本保留 {}",
        "the value is no number; it was kept as text {}",
    ),
    say(
        "value-wrong",
        Severity::Warning,
        Class::Value,
        "“{}”的格式不对，未采用",
        "{} is not of its type; it was left out",
    ),
    say(
        "value-type-missing",
        Severity::Warning,
        Class::Required,
        "缺少值类型（OBX-2），已按内容判断",
        "the value type (OBX-2) is missing; the content decided",
    ),
    say(
        "message-without-map",
        Severity::Warning,
        Class::UnsupportedEvent,
        "没有针对 {} 的映射，只读取通用部分",
        "there is no map for {}; what is common to all messages was read",
    ),
    say(
        "segment-unknown",
        Severity::Information,
        Class::Structure,
        "没有规则读取此段 {}",
        "no row reads this segment {}",
    ),
    say(
        "too-large",
        Severity::Error,
        Class::TooLong,
        "消息过大，其余部分未转换",
        "the message is too large; the rest was not translated",
    ),
    say(
        "null-left-out",
        Severity::Information,
        Class::Value,
        "\"\" 在此处无法表示删除，已略过",
        "\"\" cannot mean removal here and was left out",
    ),
];
