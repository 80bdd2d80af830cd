//! DICOM: the metadata of stored objects, and what of them its adapter must account for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bytes::Bytes;
use causeway_core::{Finding, Head, MemorySource, Reply};
use causeway_dicom::{Config, Dicom, Limits, Tag, read};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::{Known, holds_for_any, holds_for_good, spoilt};

static ADAPTER: LazyLock<Dicom> = LazyLock::new(|| Dicom::new(&Config::default()).expect("the embedded maps"));

/// What is named where it is missing: an object's UIDs, the length of its meta group, and a character set that bytes need.
const REQUIRED: [u32; 6] = [
    0x0002_0000,
    0x0008_0005,
    0x0008_0016,
    0x0008_0018,
    0x0020_000D,
    0x0020_000E,
];

/// A value of an object.
#[derive(Debug, Clone)]
enum Value {
    /// A representation with a short length, and its text.
    Text([u8; 2], String),
    Short(u16),
    Items(Vec<BTreeMap<u32, Value>>),
}

type Object = BTreeMap<u32, Value>;

fn text(representation: [u8; 2], text: &str) -> Value {
    Value::Text(representation, text.to_owned())
}

/// Elements in explicit little endian (PS3.5 7.1.2), items and sequences of defined length.
fn encode(object: &Object) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, value) in object {
        let [a, b, c, d] = tag.to_be_bytes();
        bytes.extend([b, a, d, c]);
        let (representation, value) = match value {
            Value::Text(representation, text) => (*representation, padded(*representation, text)),
            Value::Short(number) => (*b"US", number.to_le_bytes().to_vec()),
            Value::Items(items) => (*b"SQ", items.iter().flat_map(item).collect()),
        };
        bytes.extend(representation);
        if representation == *b"SQ" {
            bytes.extend([0, 0]);
            bytes.extend(u32::try_from(value.len()).expect("few bytes").to_le_bytes());
        } else {
            bytes.extend(u16::try_from(value.len()).expect("few bytes").to_le_bytes());
        }
        bytes.extend(value);
    }
    bytes
}

fn item(object: &Object) -> Vec<u8> {
    let inner = encode(object);
    let length = u32::try_from(inner.len()).expect("few bytes").to_le_bytes();
    [&[0xFE, 0xFF, 0x00, 0xE0], &length[..], &inner].concat()
}

fn padded(representation: [u8; 2], text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(if representation == *b"UI" { 0 } else { b' ' });
    }
    bytes
}

/// A file (PS3.10 7.1) of an object.
fn file(object: &Object) -> Vec<u8> {
    let meta = Object::from([
        (0x0002_0002, text(*b"UI", "1.2.840.10008.5.1.4.1.1.2")),
        (0x0002_0003, text(*b"UI", "1.2.3.4")),
        (0x0002_0010, text(*b"UI", "1.2.840.10008.1.2.1")),
    ]);
    let meta = encode(&meta);
    let length = u32::try_from(meta.len()).expect("few bytes").to_le_bytes();
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM\x02\0\0\0UL\x04\0");
    bytes.extend(length);
    bytes.extend(meta);
    bytes.extend(encode(object));
    bytes
}

/// What every object says.
fn least() -> Object {
    Object::from([
        (0x0008_0005, text(*b"CS", "ISO_IR 192")),
        (0x0008_0016, text(*b"UI", "1.2.840.10008.5.1.4.1.1.2")),
        (0x0008_0018, text(*b"UI", "1.2.3.4")),
        (0x0008_0060, text(*b"CS", "CT")),
        (0x0010_0010, text(*b"PN", "Zhang^Wei=张^伟")),
        (0x0010_0020, text(*b"LO", "P-1")),
        (0x0020_000D, text(*b"UI", "1.2.3")),
        (0x0020_000E, text(*b"UI", "1.2.3.1")),
    ])
}

/// The leaves of a scope, by what was written and not by the bytes.
fn leaves_of(object: &Object, before: &str, leaves: &mut BTreeSet<String>) {
    for (tag, value) in object {
        let place = format!("{before}({:04X},{:04X})", tag >> 16, tag & 0xFFFF);
        match value {
            Value::Short(_) => drop(leaves.insert(format!("{place}#1"))),
            Value::Items(items) => {
                for (number, item) in (1..).zip(items) {
                    leaves_of(item, &format!("{place}[{number}]/"), leaves);
                }
            }
            Value::Text(representation, text) => {
                for (number, value) in (1..).zip(text.split('\\')) {
                    let place = format!("{place}#{number}");
                    if *representation == *b"PN" {
                        leaves.extend(names(&place, value));
                    } else if !value.trim().is_empty() {
                        leaves.insert(place);
                    }
                }
            }
        }
    }
}

/// Groups and components of a person's name (PS3.5 6.2.1).
fn names(place: &str, value: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (group, text) in (1..).zip(value.split('=')) {
        let parts = (1..).zip(text.split('^')).filter(|(_, part)| !part.trim().is_empty());
        all.extend(parts.map(|(part, _)| format!("{place}={group}^{part}")));
    }
    all
}

/// Reads back what `encode` writes.
fn decode(mut bytes: &[u8]) -> Object {
    let mut object = Object::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let [b, a, d, c, first, second, low, high] = *head;
        let sequence = [first, second] == *b"SQ";
        let (length, rest) = if sequence {
            let (length, rest) = rest.split_first_chunk::<4>().expect("a length");
            (u32::from_le_bytes(*length) as usize, rest)
        } else {
            (usize::from(u16::from_le_bytes([low, high])), rest)
        };
        let (value, behind) = rest.split_at(length);
        let plain = || {
            let text = String::from_utf8_lossy(value).into_owned();
            text.trim_end_matches(['\0', ' ']).to_owned()
        };
        let value = match &[first, second] {
            b"SQ" => Value::Items(items(value)),
            b"US" => Value::Short(u16::from_le_bytes([value[0], value[1]])),
            b"PN" => Value::Text(*b"PN", plain()),
            _ => Value::Text(*b"LO", plain()),
        };
        object.insert(u32::from_be_bytes([a, b, c, d]), value);
        bytes = behind;
    }
    object
}

fn items(mut bytes: &[u8]) -> Vec<Object> {
    let mut all = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let (item, behind) = rest.split_at(length);
        all.push(decode(item));
        bytes = behind;
    }
    all
}

impl Known for Dicom {
    const BYTES: &[u8] = b"\0\x01\x02\x08\x10\x20\x40\xe0\xfe\xff\\^= SQUILODICM";
    /// The connection says which request a status answers.
    const NAMES: bool = false;

    fn head() -> Head {
        Head::file("object.dcm")
    }

    fn samples() -> Vec<Vec<u8>> {
        let mut rich = least();
        let code = Object::from([
            (0x0008_0100, text(*b"SH", "CTCHEST")),
            (0x0008_0104, text(*b"LO", "Chest")),
        ]);
        rich.insert(0x0008_1032, Value::Items(vec![code.clone(), code]));
        rich.insert(0x0008_1070, text(*b"PN", "One^A\\Two^B"));
        rich.insert(0x0019_0010, text(*b"LO", "MAKER"));
        rich.insert(0x0019_1001, text(*b"LO", "private"));
        rich.insert(0x0028_0010, Value::Short(512));
        let bare = encode(&rich); // as it comes over an association
        let mut wrong = rich.clone();
        wrong.insert(0x0008_0005, text(*b"CS", "ISO 2022 IR 87\\NOTHING"));
        wrong.insert(0x0008_0018, text(*b"UI", "1.2.x"));
        wrong.remove(&0x0020_000D);
        let mut pixels = file(&rich);
        pixels.extend(b"\xe0\x7f\x10\0OW\0\0\xff\xff\xff\xff");
        vec![file(&least()), file(&rich), bare, file(&wrong), pixels]
    }

    fn answers(_reply: &Reply) -> Option<String> {
        None
    }

    /// `(0040,0275)[1]/(0008,0050)#1`, `(0010,0010)#1=2^1`: an element that stands there; or the tag of one that should, or
    /// that begins there and is broken.
    fn resolves(&self, frame: &[u8], place: &str) -> bool {
        let begins = |bytes: &[u8]| {
            let [b, a, d, c] = bytes.try_into().unwrap_or_default();
            place == Tag(u32::from_be_bytes([a, b, c, d])).to_string()
        };
        let named = REQUIRED.iter().any(|tag| place == Tag(*tag).to_string()) || frame.windows(4).any(begins);
        let mut source = MemorySource(Bytes::copy_from_slice(frame));
        let Some(object) = read(&mut source, &Limits::default()).0 else {
            return false;
        };
        let sets = [&object.meta, &object.set];
        let mut all = sets
            .into_iter()
            .flat_map(|set| (0..).take(set.elements().len()).map(|index| set.place(index)));
        let narrowed = |rest: &str| {
            let mut last = 0;
            let steps = rest.split_inclusive(|c: char| c.is_ascii_digit()).all(|step| {
                let rank = match step.chars().next() {
                    Some('#') => 1,
                    Some('=') => 2,
                    Some('^') => 3,
                    _ => last, // a number's next digit
                };
                std::mem::replace(&mut last, rank) <= rank
            });
            steps && (rest.is_empty() || rest.starts_with(['#', '=', '^']))
        };
        named || all.any(|known| place.strip_prefix(&known).is_some_and(narrowed))
    }

    /// Elements of the file's own group are checked for no order, and may lie, wrongly, among the others, too.
    fn repeats(frame: &[u8], findings: &[Finding]) -> bool {
        let mut source = MemorySource(Bytes::copy_from_slice(frame));
        let object = read(&mut source, &Limits::default()).0;
        let twice = object.is_some_and(|object| {
            let all = object.meta.elements().iter().chain(object.set.elements());
            let own: Vec<Tag> = all.map(|element| element.tag).filter(|tag| tag.group() == 2).collect();
            own.iter().collect::<BTreeSet<_>>().len() < own.len()
        });
        twice || findings.iter().any(|finding| finding.code == "unordered-elements")
    }

    fn leaves(frame: &[u8]) -> BTreeSet<String> {
        let mut leaves = BTreeSet::new();
        leaves_of(&decode(&frame[132..]), "", &mut leaves);
        // The length of the meta group has a representation of its own.
        leaves.insert("(0002,0000)#1".to_owned());
        leaves
    }
}

/// Texts as modalities write them.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => "[A-Z0-9]{0,12}".prop_map(|one| text(*b"LO", &one)),
        1 => vec("[A-Za-z0-9 ]{0,8}[a-z]", 1..4).prop_map(|all| text(*b"LO", &all.join("\\"))),
        1 => Just(text(*b"LO", "上海")),
    ]
}

fn name() -> impl Strategy<Value = Value> {
    let group = vec("[A-Z]{0,6}", 1..6).prop_map(|all| all.join("^"));
    vec(group, 1..4).prop_map(|groups| text(*b"PN", &groups.join("=")))
}

fn objects() -> impl Strategy<Value = Object> {
    let plain = select(vec![
        0x0008_0050_u32,
        0x0008_0070,
        0x0008_0080,
        0x0008_1010,
        0x0008_1030,
        0x0008_103E,
        0x0008_1090,
        0x0010_0021,
        0x0018_1000,
        0x0018_1020,
        0x0018_1030,
        0x0020_0010,
    ]);
    let named = select(vec![
        0x0008_0090_u32,
        0x0008_1048,
        0x0008_1050,
        0x0008_1070,
        0x0010_0010,
    ]);
    let sequence = select(vec![0x0008_1032_u32, 0x0010_1002, 0x0040_0275, 0x0008_1140]);
    let inner = btree_map(
        select(vec![0x0008_0100_u32, 0x0008_0102, 0x0008_0104, 0x0010_0020]),
        value(),
        0..4,
    );
    let items = vec(inner, 0..3).prop_map(Value::Items);
    (
        btree_map(plain, value(), 0..8),
        btree_map(named, name(), 0..3),
        btree_map(sequence, items, 0..3),
        any::<u16>(),
    )
        .prop_map(|(plain, named, sequences, rows)| {
            let mut object = least();
            object.extend(plain.into_iter().chain(named).chain(sequences));
            object.insert(0x0028_0010, Value::Short(rows));
            object
        })
}

#[test]
fn real_frames_of_dicom() {
    for frame in Dicom::samples() {
        holds_for_any(&*ADAPTER, &frame);
    }
    holds_for_good(&*ADAPTER, &file(&least()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_of_dicom(frame in vec(any::<u8>(), 0..300)) {
        holds_for_any(&*ADAPTER, &frame);
    }

    #[test]
    fn spoilt_frames_of_dicom(frame in spoilt::<Dicom>()) {
        holds_for_any(&*ADAPTER, &frame.0);
    }

    #[test]
    fn well_formed_frames_of_dicom(object in objects()) {
        let frame = file(&object);
        holds_for_any(&*ADAPTER, &frame);
        holds_for_good(&*ADAPTER, &frame);
    }
}
