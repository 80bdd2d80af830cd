//! What an object's encoding can have wrong with it: one closed list. No problem here stops the reading; what it means for
//! the sender is decided where it becomes a finding.

use causeway_core::{Actor, ActorKind, Class, Finding, Severity, Text};

use crate::tag::Tag;

/// One oddity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is odd.
    pub kind: ProblemKind,
    /// The element it is about.
    pub tag: Option<Tag>,
    /// More about it: a name, a number, never a value of the patient's.
    pub about: String,
}

/// What is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// No data set can be found in the bytes.
    NotDicom,
    /// The 128 bytes and DICM are missing (PS3.10 7.1).
    NoPreamble,
    /// There is no file meta information.
    NoMeta,
    /// The file meta information is not of the length that it says.
    MetaLength,
    /// The file meta information names no transfer syntax.
    NoSyntax,
    /// The data set is encoded otherwise than its transfer syntax says.
    OtherSyntax,
    /// A deflated data set breaks off or is no deflate stream.
    Deflate,
    /// An element says more bytes than there are.
    Truncated,
    /// A value goes beyond the prefix that is read; what stands behind it was not read.
    Beyond,
    /// Sequences are nested too deeply; what lies in there was not read.
    TooDeep,
    /// Too many elements; the rest was not read.
    TooMany,
    /// Bytes where an element, item or delimiter should begin.
    Garbage,
    /// Elements do not stand in the order of their tags.
    Unordered,
    /// (0008,0005) names no character set of the standard, and a near one was taken.
    CharsetMisspelt,
    /// (0008,0005) names nothing that is known.
    CharsetUnknown,
    /// (0008,0005) joins sets that stand alone with others (PS3.3 C.12.1.1.2).
    CharsetMixed,
    /// The text is not in the character set that is declared; the one that fits was taken.
    Mislabelled,
    /// Some bytes are in no declared set.
    Undecodable,
    /// A UID is missing, too long or not of digits and dots (PS3.5 9.1).
    BadUid,
}

impl Problem {
    /// A problem of the whole.
    pub fn new(kind: ProblemKind, about: impl Into<String>) -> Self {
        Self {
            kind,
            tag: None,
            about: about.into(),
        }
    }

    /// A problem of an element.
    pub fn at(kind: ProblemKind, tag: Tag, about: impl Into<String>) -> Self {
        Self {
            kind,
            tag: Some(tag),
            about: about.into(),
        }
    }

    /// What is said of it.
    pub fn finding(&self) -> Finding {
        let (code, severity, class, zh, en) = said(self.kind);
        let about = if self.about.is_empty() {
            String::new()
        } else {
            format!(" ({})", self.about)
        };
        let text = Text::new(format!("{zh}{about}"), format!("{en}{about}"));
        let finding = Finding::new(code, severity, class, Actor::new(ActorKind::Parser, "dicom"), text);
        match self.tag {
            Some(tag) => finding.at_place(tag.to_string()),
            None => finding,
        }
    }
}

type Said = (&'static str, Severity, Class, &'static str, &'static str);

fn said(kind: ProblemKind) -> Said {
    use Severity::{Error, Information, Warning};
    match kind {
        ProblemKind::NotDicom => (
            "not-dicom",
            Error,
            Class::Structure,
            "无法识别为 DICOM 数据",
            "this is no DICOM data set",
        ),
        ProblemKind::Deflate => (
            "deflate-broken",
            Error,
            Class::Structure,
            "压缩的数据集不完整或已损坏",
            "the deflated data set is broken",
        ),
        ProblemKind::BadUid => (
            "bad-uid",
            Warning,
            Class::Value,
            "UID 缺失或无效",
            "a UID is missing or invalid",
        ),
        ProblemKind::NoPreamble
        | ProblemKind::NoMeta
        | ProblemKind::MetaLength
        | ProblemKind::NoSyntax
        | ProblemKind::OtherSyntax => said_of_file(kind),
        ProblemKind::Truncated
        | ProblemKind::Beyond
        | ProblemKind::TooDeep
        | ProblemKind::TooMany
        | ProblemKind::Garbage
        | ProblemKind::Unordered => said_of_elements(kind),
        ProblemKind::CharsetMisspelt => (
            "charset-misspelt",
            Information,
            Class::Code,
            "字符集名称写法不规范，已按最接近的读取",
            "the character set's name is misspelt; the nearest was taken",
        ),
        ProblemKind::CharsetUnknown => (
            "charset-unknown",
            Warning,
            Class::Code,
            "字符集名称未知",
            "the character set is not known",
        ),
        ProblemKind::CharsetMixed => (
            "charset-mixed",
            Information,
            Class::Code,
            "该字符集不能与其他字符集并用，只用了第一个",
            "a character set that stands alone was joined with others; the first was taken",
        ),
        ProblemKind::Mislabelled => (
            "wrong-charset",
            Warning,
            Class::Code,
            "文本与声明的字符集不符，已按实际字符集读取",
            "the text is not in the declared character set; the one that fits was taken",
        ),
        ProblemKind::Undecodable => (
            "undecodable-text",
            Warning,
            Class::Value,
            "部分字节无法按声明的字符集读取",
            "some bytes are in no declared character set",
        ),
    }
}

fn said_of_file(kind: ProblemKind) -> Said {
    use Severity::{Information, Warning};
    let (code, severity, zh, en) = match kind {
        ProblemKind::NoPreamble => (
            "no-preamble",
            Information,
            "缺少文件前导",
            "the file's preamble is missing",
        ),
        ProblemKind::NoMeta => (
            "no-file-meta",
            Information,
            "缺少文件元信息",
            "the file meta information is missing",
        ),
        ProblemKind::MetaLength => (
            "file-meta-length",
            Information,
            "文件元信息长度不符",
            "the file meta information is not as long as it says",
        ),
        ProblemKind::NoSyntax => (
            "no-transfer-syntax",
            Warning,
            "未说明传输语法，已按内容判断",
            "no transfer syntax is named; it was taken from the data",
        ),
        _ => (
            "other-transfer-syntax",
            Warning,
            "数据的编码与传输语法不符，已按实际编码读取",
            "the data is not encoded as its transfer syntax says; it was read as it is",
        ),
    };
    (code, severity, Class::Structure, zh, en)
}

fn said_of_elements(kind: ProblemKind) -> Said {
    use Severity::{Information, Warning};
    let (code, severity, zh, en) = match kind {
        ProblemKind::Truncated => (
            "truncated-element",
            Warning,
            "元素声明的长度超出数据",
            "an element says more bytes than there are",
        ),
        ProblemKind::Beyond => (
            "beyond-prefix",
            Information,
            "数据过大，此元素及其后的内容未读取",
            "a value is too large to be read; it and what stands behind it was not read",
        ),
        ProblemKind::TooDeep => (
            "nested-too-deep",
            Warning,
            "序列嵌套过深",
            "sequences are nested too deeply",
        ),
        ProblemKind::TooMany => (
            "too-many-elements",
            Warning,
            "元素过多，其余未读取",
            "too many elements; the rest was not read",
        ),
        ProblemKind::Garbage => (
            "bad-element",
            Warning,
            "此处不是有效的元素，其后内容未读取",
            "no element can begin here; what follows was not read",
        ),
        _ => (
            "unordered-elements",
            Information,
            "元素未按标签顺序排列",
            "the elements are not in the order of their tags",
        ),
    };
    (code, severity, Class::Structure, zh, en)
}
