use causeway_core::MemorySource;

use super::person::PersonName;
use super::*;
use crate::scan::{self, Limits};

/// An implicit data set with a character set and a patient's name.
fn object(charset: &str, name: &[u8]) -> scan::Object {
    let mut bytes = Vec::new();
    let mut put = |tag: u32, value: &[u8]| {
        let padded = [value, if value.len() % 2 == 1 { b" " } else { b"" }].concat();
        bytes.extend_from_slice(&u16::try_from(tag >> 16).unwrap().to_le_bytes());
        bytes.extend_from_slice(&u16::try_from(tag & 0xFFFF).unwrap().to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(padded.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(&padded);
    };
    if !charset.is_empty() {
        put(0x0008_0005, charset.as_bytes());
    }
    put(0x0008_0060, b"CT");
    put(0x0010_0010, name);
    let (object, _) = scan::read(&mut MemorySource(bytes.into()), &Limits::default());
    object.unwrap()
}

fn read(charset: &str, name: &[u8]) -> (String, Vec<ProblemKind>) {
    let object = object(charset, name);
    let mut problems = Vec::new();
    let charsets = Charsets::of(&object.set, None, &mut problems);
    let element = object.set.find(0, Tag(0x0010_0010)).unwrap();
    let (values, clean) = values(&object.set, &charsets, element);
    let mut kinds: Vec<ProblemKind> = problems.iter().map(|problem| problem.kind).collect();
    if !clean {
        kinds.push(ProblemKind::Undecodable);
    }
    (values.join("|"), kinds)
}

fn is(charset: &str, name: &[u8], expected: &str) {
    assert_eq!(read(charset, name), (expected.to_owned(), vec![]), "{charset}");
}

/// The examples of PS3.5 annexes H, I, J and K.
#[test]
fn the_examples_of_the_standard_read_as_they_are_printed() {
    is(
        r"\ISO 2022 IR 87",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    );
    is(
        r"ISO 2022 IR 13\ISO 2022 IR 87",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    );
    is(
        r"\ISO 2022 IR 149",
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        "Hong^Gildong=洪^吉洞=홍^길동",
    );
    is(
        r"\ISO 2022 IR 58",
        b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
        "Zhang^XiaoDong=张^小东=",
    );
    is(
        "GB18030",
        b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=",
        "Wang^XiaoDong=王^小东=",
    );
    is(
        "ISO_IR 192",
        "Wang^XiaoDong=王^小東=".as_bytes(),
        "Wang^XiaoDong=王^小東=",
    );
}

#[test]
fn every_set_of_one_byte_reads() {
    is("ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme");
    is("ISO_IR 101", b"W\xb1\xb3\xeasa", "Wąłęsa");
    is("ISO_IR 109", b"\xa1\xb1", "Ħħ");
    is("ISO_IR 110", b"\xa2\xb3", "ĸŗ");
    is("ISO_IR 144", b"\xbb\xee\xda\x63e\xdc\xd1yp\xd3", "Люкceмбypг");
    is(
        "ISO_IR 127",
        b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1",
        "قباني^لنزار",
    );
    is("ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος");
    is("ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה");
    is("ISO_IR 148", b"\xd0\xdd\xfe", "Ğİş");
    is("ISO_IR 166", b"\xb7\xb4\xca\xcd\xba", "ทดสอบ");
    is("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ");
    is(
        r"ISO 2022 IR 100\ISO 2022 IR 144",
        b"Buc^J\xe9r\xf4me=\x1b-L\xbb\xee\xda",
        "Buc^Jérôme=Люк",
    );
    is(r"\ISO 2022 IR 159", b"\x1b$(D0!\x1b(B", "丂");
}

/// The second bytes of GBK are among the delimiters: 5C in 誠, 5E in 乛.
#[test]
fn delimiters_within_characters_part_nothing() {
    let name = [b"\x8f\x88^\xd5\x5c".as_slice(), b"="].concat();
    let (text, _, broken) = encoding_rs::GBK.decode(&name);
    assert!(!broken);
    is("GBK", &name, &text);
    assert_eq!(PersonName::read(&text).alphabetic.unwrap().components.len(), 2);
}

#[test]
fn mislabelled_text_is_read_as_what_it_is_and_that_is_said() {
    let gbk = b"\xd5\xc5^\xce\xb0"; // 张^伟
    for label in ["", "ISO_IR 100", "ISO_IR 6", "ISO_IR 192"] {
        assert_eq!(
            read(label, gbk),
            ("张^伟".to_owned(), vec![ProblemKind::Mislabelled]),
            "{label}"
        );
    }
    for label in ["", "ISO_IR 100", "GB18030", "GBK"] {
        let utf8 = "欧阳^建国".as_bytes();
        assert_eq!(
            read(label, utf8),
            ("欧阳^建国".to_owned(), vec![ProblemKind::Mislabelled]),
            "{label}"
        );
    }
    assert_eq!(
        read("", b"M\xfcller"),
        ("Müller".to_owned(), vec![ProblemKind::Mislabelled])
    );
    // What is labelled rightly stays, odd as it may be.
    is("ISO_IR 100", b"cr\xe9\xe9e", "créée");
    is("ISO_IR 100", b"\xc5ngstr\xf6m", "Ångström");
    is("ISO_IR 144", b"\xbb\xee\xda\xd1", "Люкб");
}

#[test]
fn misspelt_terms_are_read_as_what_was_meant() {
    let gbk = b"\xd5\xc5^\xce\xb0";
    for label in ["GB2312", "ISO_IR58", "gb18030-2000", "ISO 2022 GBK"] {
        let (text, problems) = read(label, gbk);
        assert_eq!(text, "张^伟", "{label}");
        assert!(!problems.is_empty(), "{label}");
    }
    let (text, problems) = read("UTF-8", "张".as_bytes());
    assert_eq!((text.as_str(), problems), ("张", vec![ProblemKind::CharsetMisspelt]));
    let (text, problems) = read(r"GB18030\ISO IR 192", gbk);
    assert_eq!(text, "张^伟");
    assert_eq!(problems, [ProblemKind::CharsetMisspelt, ProblemKind::CharsetMixed]);
    assert_eq!(read("KLINGON", b"Kor").1, [ProblemKind::CharsetUnknown]);
}

#[test]
fn names_are_split_into_groups_first() {
    let name = PersonName::read("Wang^XiaoDong^^Dr.^Jr. =王^小东=");
    let alphabetic = name.alphabetic.unwrap();
    assert_eq!(alphabetic.components, ["Wang", "XiaoDong", "", "Dr.", "Jr."]);
    assert_eq!((alphabetic.component(3), alphabetic.component(4)), (None, Some("Dr.")));
    assert_eq!(name.ideographic.unwrap().components, ["王", "小东"]);
    assert_eq!(name.phonetic, None);
    // No caret: nobody guesses where the family name ends.
    assert_eq!(PersonName::read("张伟").alphabetic.unwrap().components, ["张伟"]);
    assert_eq!(PersonName::read("").alphabetic, None);
}

/// 2,000 names of the 300 commonest family names' first and common given characters, in GBK under a wrong label.
#[test]
fn mislabelled_gbk_is_found_in_nearly_every_name() {
    let families =
        "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎";
    let given = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂建国华文玉志红梅晓东海燕鑫鹏浩宇轩然子涵梓欣怡博睿泽";
    let (families, given): (Vec<char>, Vec<char>) = (families.chars().collect(), given.chars().collect());
    let (mut right, mut all) = (0, 0);
    for (number, family) in families.iter().cycle().take(2_000).enumerate() {
        let first = given[number * 7 % given.len()];
        let second = given[number * 11 % given.len()];
        let name = format!("{family}^{first}{second}");
        let (bytes, _, _) = encoding_rs::GBK.encode(&name);
        for label in ["", "ISO_IR 100"] {
            let (text, problems) = read(label, &bytes);
            all += 1;
            right += usize::from(text == name && problems == [ProblemKind::Mislabelled]);
        }
    }
    assert!(right * 100 >= all * 99, "{right} of {all}");
}
