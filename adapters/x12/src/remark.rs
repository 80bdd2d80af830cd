//! What is wrong with a file, said to people: a finding in Chinese and English for each kind of problem, with its class,
//! its gravity and its code. How the same problem looks to the sender is in `reply`.

use causeway_core::{Actor, ActorKind, Class, Finding, Severity, Text};

use crate::problem::{ElementFault, InterchangeFault, Problem, SegmentFault, SetFault};
use crate::record::{Records, Set};
use crate::validate::Oddity;

/// Who finds these: the checks of X12.
fn parser() -> Actor {
    Actor::new(ActorKind::Parser, "x12")
}

fn finding(code: &'static str, severity: Severity, class: Class, zh: String, en: String) -> Finding {
    Finding::new(code, severity, class, parser(), Text::new(zh, en))
}

/// A problem of a transaction set.
pub(crate) fn of_problem(problem: &Problem, interchange: u32, transaction: u32) -> Finding {
    let place = problem.place(interchange, transaction);
    let severity = if problem.is_tolerable() {
        Severity::Warning
    } else {
        Severity::Error
    };
    let evidence = match &problem.element {
        Some(element) => format!("IK403 {}", element.fault.code()),
        None => format!("IK304 {}", problem.fault.code()),
    };
    let made = if let Some(element) = &problem.element {
        let (code, class, zh, en) = element_words(element.fault);
        let component = if element.component > 0 {
            format!("-{}", element.component)
        } else {
            String::new()
        };
        let name = format!("{}{:02}{component}", problem.segment, element.element);
        finding(code, severity, class, format!("{name}：{zh}"), format!("{name}: {en}"))
    } else {
        let (code, class, zh, en) = segment_words(problem.fault);
        let (name, within) = (problem.segment, problem.within);
        let texts = (
            format!("循环 {within} 的 {name}：{zh}"),
            format!("{name} of loop {within}: {en}"),
        );
        finding(code, severity, class, texts.0, texts.1)
    };
    made.at_place(place).because(evidence)
}

fn segment_words(fault: SegmentFault) -> (&'static str, Class, &'static str, &'static str) {
    match fault {
        SegmentFault::Unrecognised => (
            "segment-unrecognised",
            Class::Structure,
            "不是段标识",
            "no segment identifier",
        ),
        SegmentFault::Unexpected => (
            "segment-unexpected",
            Class::Structure,
            "不应出现在此处",
            "it may not stand here",
        ),
        SegmentFault::Missing => (
            "segment-missing",
            Class::Required,
            "必需的段缺失",
            "it is required and missing",
        ),
        SegmentFault::LoopTooOften => (
            "loop-too-often",
            Class::Structure,
            "循环次数超过上限",
            "the loop stands more often than it may",
        ),
        SegmentFault::TooOften => (
            "segment-too-often",
            Class::Structure,
            "段次数超过上限",
            "it stands more often than it may",
        ),
        SegmentFault::NotInSet => (
            "segment-not-in-set",
            Class::Structure,
            "不属于该交易集",
            "it is not in the transaction set",
        ),
        SegmentFault::OutOfSequence => (
            "segment-out-of-sequence",
            Class::Structure,
            "顺序错误",
            "it stands later than it may",
        ),
        SegmentFault::Elements => (
            "segment-broken",
            Class::Value,
            "段过长、被截断或长度不符",
            "it is too long, broken off or of another length than it says",
        ),
    }
}

fn element_words(fault: ElementFault) -> (&'static str, Class, &'static str, &'static str) {
    use ElementFault as F;
    match fault {
        F::Missing | F::MissingByOther | F::DependentMissing | F::NotUsed | F::Excluded => usage_words(fault),
        F::TooMany => (
            "element-too-many",
            Class::Structure,
            "数据元过多",
            "more elements than the segment has",
        ),
        F::TooShort => (
            "element-too-short",
            Class::Value,
            "字符过少",
            "fewer characters than it needs",
        ),
        F::TooLong => (
            "element-too-long",
            Class::TooLong,
            "字符过多",
            "more characters than it may have",
        ),
        F::Character => (
            "element-character",
            Class::Value,
            "含有不允许的字符",
            "a character that it may not have",
        ),
        F::Code => (
            "element-code",
            Class::Code,
            "代码不在允许之列",
            "not among the codes allowed",
        ),
        F::Date => ("element-date", Class::Value, "不是日期", "no date"),
        F::Time => ("element-time", Class::Value, "不是时间", "no time"),
        F::TooManyRepetitions => {
            let (zh, en) = ("重复次数超过上限", "more repetitions than it may have");
            ("element-repetitions", Class::Structure, zh, en)
        }
        F::TooManyComponents => (
            "element-components",
            Class::Structure,
            "组件过多",
            "more components than it may have",
        ),
        F::Pattern => (
            "level-flag",
            Class::Value,
            "与下级是否存在不符",
            "it does not fit the levels that follow",
        ),
    }
}

/// What is wrong with whether an element stands.
fn usage_words(fault: ElementFault) -> (&'static str, Class, &'static str, &'static str) {
    use ElementFault as F;
    match fault {
        F::MissingByOther => {
            let (zh, en) = ("因另一数据元存在而必需", "it is required since another stands");
            ("element-missing-by-other", Class::Required, zh, en)
        }
        F::DependentMissing => {
            let (zh, en) = ("因其他内容而必需", "it is required by what else is said");
            ("element-missing-by-rule", Class::Required, zh, en)
        }
        F::NotUsed => (
            "element-not-used",
            Class::Structure,
            "实施指南不使用",
            "the guide does not use it",
        ),
        F::Excluded => {
            let (zh, en) = ("与另一数据元互斥", "it may not stand beside another that stands");
            ("element-excluded", Class::Structure, zh, en)
        }
        _ => (
            "element-missing",
            Class::Required,
            "必需的数据元缺失",
            "it is required and missing",
        ),
    }
}

/// What is wrong with a set as a whole.
pub(crate) fn of_set(set: &Set) -> Vec<Finding> {
    let place = format!("ISA[{}]/ST[{}]", set.interchange.saturating_add(1), set.transaction);
    let whole = set.faults.of_set().filter_map(set_words);
    let mut findings: Vec<Finding> = whole
        .map(|(code, class, zh, en)| {
            finding(code, Severity::Error, class, zh.to_owned(), en.to_owned()).at_place(place.clone())
        })
        .collect();
    if set.more > 0 {
        let (zh, en) = (
            format!("另有 {} 个问题未列出", set.more),
            format!("{} more problems are not listed", set.more),
        );
        findings.push(finding("more-problems", Severity::Warning, Class::Structure, zh, en).at_place(place));
    }
    findings
}

fn set_words(fault: SetFault) -> Option<(&'static str, Class, &'static str, &'static str)> {
    Some(match fault {
        SetFault::NoTrailer => (
            "set-no-trailer",
            Class::Structure,
            "交易集没有 SE",
            "the transaction set has no SE",
        ),
        SetFault::ControlNumber => (
            "set-control-number",
            Class::Structure,
            "ST02 与 SE02 不同",
            "ST02 and SE02 differ",
        ),
        SetFault::SegmentCount => (
            "set-segment-count",
            Class::Structure,
            "SE01 与段数不符",
            "SE01 is not the number of segments",
        ),
        SetFault::Identifier => (
            "set-identifier",
            Class::UnsupportedType,
            "ST01 不是交易集标识",
            "ST01 is no transaction set",
        ),
        SetFault::BadControlNumber => (
            "set-control-malformed",
            Class::Value,
            "ST02 缺失或格式错误",
            "ST02 is missing or malformed",
        ),
        SetFault::NotInGroup => (
            "set-not-in-group",
            Class::Structure,
            "交易集不属于该功能组",
            "the set does not belong into its group",
        ),
        SetFault::Duplicate => (
            "set-duplicate",
            Class::Duplicate,
            "ST02 在组内重复",
            "ST02 stands twice in the group",
        ),
        SetFault::Guide => ("set-guide", Class::Version, "ST03 与 GS08 不同", "ST03 and GS08 differ"),
        SetFault::Segments | SetFault::GuideSegments => return None, // each is said by itself
    })
}

/// What refuses a set besides its own problems: the interchange around it.
pub(crate) fn of_interchange(fault: InterchangeFault, number: usize) -> Finding {
    let (zh, en) = (
        format!("交换信封有误（TA1 {}）", fault.code()),
        format!("the interchange is in error (TA1 {})", fault.code()),
    );
    let severity = if fault.is_fatal() {
        Severity::Error
    } else {
        Severity::Warning
    };
    let made = finding("interchange-fault", severity, Class::Structure, zh, en);
    made.at_place(format!("ISA[{}]", number.saturating_add(1)))
        .because(format!("TA105 {}", fault.code()))
}

/// What refuses a claim that has no problem itself: the set it stands in.
pub(crate) fn rejected_with_set(set: &Set) -> Finding {
    let (zh, en) = (
        "所在交易集被拒绝，须整体重发",
        "the transaction set it stands in is rejected; it is to be sent again as a whole",
    );
    let made = finding(
        "set-rejected",
        Severity::Error,
        Class::Structure,
        zh.to_owned(),
        en.to_owned(),
    );
    made.at_place(format!(
        "ISA[{}]/ST[{}]",
        set.interchange.saturating_add(1),
        set.transaction
    ))
}

/// A claim that is too large to be lifted.
pub(crate) fn too_large(place: String) -> Finding {
    let (zh, en) = ("理赔过大，未转换", "the claim is too large and was not lifted");
    finding(
        "claim-too-large",
        Severity::Error,
        Class::TooLong,
        zh.to_owned(),
        en.to_owned(),
    )
    .at_place(place)
}

/// Something odd that belongs to no transaction set.
pub(crate) fn of_oddity(oddity: &Oddity) -> Finding {
    match oddity {
        Oddity::Junk { start, count } => finding(
            "bytes-outside",
            Severity::Warning,
            Class::Structure,
            format!("第 {start} 字节起有 {count} 字节不属于任何交换"),
            format!("{count} bytes from byte {start} on belong to no interchange"),
        ),
        Oddity::Header { start, fault } => finding(
            "interchange-header",
            Severity::Error,
            Class::Structure,
            format!("第 {start} 字节处的 ISA 无法读取"),
            format!("the ISA at byte {start} cannot be read ({fault:?})"),
        ),
        Oddity::TooMany => finding(
            "file-too-many",
            Severity::Error,
            Class::TooLong,
            "文件中的交换、功能组或交易集过多".to_owned(),
            "more interchanges, groups or transaction sets than are read of one file".to_owned(),
        ),
        Oddity::NotText { interchange } => finding(
            "not-text",
            Severity::Warning,
            Class::Value,
            "含有既非 ASCII 又非 UTF-8 的字节".to_owned(),
            "bytes that are neither ASCII nor UTF-8".to_owned(),
        )
        .at_place(format!("ISA[{interchange}]")),
    }
}

/// A file in which no interchange can be read.
pub(crate) fn unreadable(why: &str) -> Finding {
    let (zh, en) = (
        format!("无法读取文件：{why}"),
        format!("the file could not be read: {why}"),
    );
    finding("unreadable", Severity::Error, Class::Structure, zh, en)
}

/// Everything that is wrong with the set and with its envelope, problems of single segments apart.
pub(crate) fn around(records: &Records, set: &Set) -> Vec<Finding> {
    let mut findings = of_set(set);
    let fault = records
        .interchanges
        .get(set.interchange as usize)
        .and_then(|interchange| interchange.fault);
    findings.extend(fault.map(|fault| of_interchange(fault, set.interchange as usize)));
    findings
}
