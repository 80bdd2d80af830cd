use causeway_core::MemorySource;
use proptest::prelude::*;

use super::*;
use crate::tag::Vr;

/// An explicit little-endian element.
fn element(tag: u32, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let mut out = tagged(tag);
    out.extend_from_slice(&vr);
    if Vr::read(vr).is_long() {
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&u32::try_from(value.len()).unwrap().to_le_bytes());
    } else {
        out.extend_from_slice(&u16::try_from(value.len()).unwrap().to_le_bytes());
    }
    out.extend_from_slice(value);
    out
}

fn tagged(tag: u32) -> Vec<u8> {
    let [a, b, c, d] = tag.to_be_bytes();
    vec![b, a, d, c]
}

fn undefined(tag: u32, vr: [u8; 2]) -> Vec<u8> {
    [tagged(tag), vr.to_vec(), vec![0, 0, 0xFF, 0xFF, 0xFF, 0xFF]].concat()
}

fn delimiter(tag: u32, length: u32) -> Vec<u8> {
    [tagged(tag), length.to_le_bytes().to_vec()].concat()
}

fn file(syntax: &str, set: &[u8]) -> Vec<u8> {
    let mut uid = syntax.as_bytes().to_vec();
    uid.resize(uid.len().next_multiple_of(2), 0);
    let group = element(0x0002_0010, *b"UI", &uid);
    let length = u32::try_from(group.len()).unwrap().to_le_bytes();
    [
        vec![0; 128],
        b"DICM".to_vec(),
        element(0x0002_0000, *b"UL", &length),
        group,
        set.to_vec(),
    ]
    .concat()
}

fn check(bytes: &[u8], limits: &Limits) -> (Object, Vec<ProblemKind>) {
    let (object, problems) = read(&mut MemorySource(Bytes::copy_from_slice(bytes)), limits);
    (object.unwrap(), problems.iter().map(|problem| problem.kind).collect())
}

const EXPLICIT: &str = "1.2.840.10008.1.2.1";

#[test]
fn metadata_ends_where_pixels_begin() {
    let set = [
        element(0x0008_0060, *b"CS", b"CT"),
        element(0x0010_0010, *b"PN", b"A^B "),
        element(0x7FE0_0010, *b"OW", &[0; 100]),
    ]
    .concat();
    let bytes = file(EXPLICIT, &set);
    let (object, problems) = check(&bytes, &Limits::default());
    assert_eq!(problems, []);
    assert_eq!(object.end, End::Bulk(Tag::PIXELS));
    assert_eq!(object.length, bytes.len() - 112);
    assert_eq!(object.set.elements().len(), 2);
    assert_eq!(object.set.plain(Tag(0x0010_0010)), Some("A^B"));
    let data = Bytes::from(set);
    assert_eq!(metadata_length(&data, EXPLICIT, false), Some(data.len() - 112));
    assert_eq!(metadata_length(&data.slice(..15), EXPLICIT, false), None);
}

#[test]
fn sequences_of_every_kind_have_their_items() {
    let inner = element(0x0008_1155, *b"UI", b"1.2\0");
    let length = u32::try_from(inner.len()).unwrap();
    let set = [
        // Items with lengths in a sequence without one, and the other way about.
        undefined(0x0008_1140, *b"SQ"),
        delimiter(0xFFFE_E000, length),
        inner.clone(),
        delimiter(0xFFFE_E000, length),
        inner.clone(),
        delimiter(0xFFFE_E0DD, 0),
        element(
            0x0008_1199,
            *b"SQ",
            &[
                delimiter(0xFFFE_E000, u32::MAX),
                inner.clone(),
                delimiter(0xFFFE_E00D, 0),
            ]
            .concat(),
        ),
        element(0x0010_0020, *b"LO", b"ID"),
    ]
    .concat();
    let (object, problems) = check(&file(EXPLICIT, &set), &Limits::default());
    assert_eq!((problems, object.end), (vec![], End::Whole));
    let set = &object.set;
    let places: Vec<String> = (0..6).map(|index| set.place(index)).collect();
    assert_eq!(
        places,
        [
            "(0008,1140)",
            "(0008,1140)[1]/(0008,1155)",
            "(0008,1140)[2]/(0008,1155)",
            "(0008,1199)",
            "(0008,1199)[1]/(0008,1155)",
            "(0010,0020)",
        ]
    );
    let sequence = set.find(0, Tag(0x0008_1140)).unwrap();
    assert_eq!(set.items(sequence).count(), 2);
    assert_eq!(set.within(0).count(), 3);
}

#[test]
fn what_was_forwarded_as_unknown_is_read_without_vr() {
    // PS3.5 6.2.2 note 2: the content of UN is implicit little endian.
    let inner = [tagged(0x0008_1155), 4u32.to_le_bytes().to_vec(), b"1.2\0".to_vec()].concat();
    let set = [
        undefined(0x0008_1140, *b"UN"),
        delimiter(0xFFFE_E000, u32::MAX),
        inner,
        delimiter(0xFFFE_E00D, 0),
        delimiter(0xFFFE_E0DD, 0),
        element(0x0010_0020, *b"LO", b"ID"),
    ]
    .concat();
    let (object, problems) = check(&file(EXPLICIT, &set), &Limits::default());
    assert_eq!(problems, []);
    assert_eq!(object.set.elements().len(), 3);
    assert_eq!(object.set.elements()[1].vr, Vr::UI);
    assert_eq!(object.set.plain(Tag(0x0010_0020)), Some("ID"));
}

#[test]
fn declared_lengths_cost_nothing() {
    let set = [
        element(0x0008_0060, *b"CS", b"CT"),
        tagged(0x0010_0010),
        b"UN\0\0\xF0\xFF\xFF\xFF".to_vec(),
    ]
    .concat();
    let (object, problems) = check(&file(EXPLICIT, &set), &Limits::default());
    assert_eq!((problems, object.end), (vec![ProblemKind::Truncated], End::Broken));
    assert_eq!(object.set.plain(Tag(0x0008_0060)), Some("CT"));
}

#[test]
fn nesting_has_a_bottom() {
    let level = [undefined(0x0008_1140, *b"SQ"), delimiter(0xFFFE_E000, u32::MAX)].concat();
    let (object, problems) = check(&file(EXPLICIT, &level.repeat(100_000)), &Limits::default());
    assert!(problems.contains(&ProblemKind::TooDeep));
    assert_eq!(object.set.elements().len(), 32);
}

#[test]
fn a_deflate_bomb_is_cut_off() {
    let set = [
        element(0x0008_0060, *b"CS", b"CT"),
        element(0x0042_0011, *b"OB", &vec![0; 64 << 20]),
    ]
    .concat();
    let small = miniz_oxide::deflate::compress_to_vec(&set, 6);
    assert!(small.len() < 100_000);
    let (object, problems) = check(&file("1.2.840.10008.1.2.1.99", &small), &Limits::default());
    assert_eq!((problems, object.end), (vec![ProblemKind::Beyond], End::Beyond));
    assert_eq!(object.set.plain(Tag(0x0008_0060)), Some("CT"));
    assert_eq!(object.set.bytes.len(), 8 << 20);
}

#[test]
fn a_file_that_lies_about_itself_is_read_as_it_is() {
    let implicit = [
        tagged(0x0008_0060),
        2u32.to_le_bytes().to_vec(),
        b"CT".to_vec(),
        tagged(0x0010_0020),
        2u32.to_le_bytes().to_vec(),
        b"ID".to_vec(),
    ]
    .concat();
    let (object, problems) = check(&file(EXPLICIT, &implicit), &Limits::default());
    assert_eq!(
        (problems, object.syntax),
        (vec![ProblemKind::OtherSyntax], Syntax::IMPLICIT)
    );
    assert_eq!(object.set.plain(Tag(0x0010_0020)), Some("ID"));
    // No preamble, no meta information.
    let (object, problems) = check(&implicit, &Limits::default());
    assert_eq!(problems, [ProblemKind::NoPreamble, ProblemKind::NoMeta]);
    assert_eq!(object.set.plain(Tag(0x0010_0020)), Some("ID"));
}

#[test]
fn other_files_are_no_dicom() {
    for bytes in [
        &b"MSH|^~\\&|A|B"[..],
        b"%PDF-1.7\n",
        b"",
        b"\0\0",
        b"ISA*00*          *00*",
    ] {
        let (object, problems) = read(&mut MemorySource(Bytes::from_static(b"").clone()), &Limits::default());
        assert!(object.is_none() && !problems.is_empty());
        let (object, _) = read(&mut MemorySource(Bytes::copy_from_slice(bytes)), &Limits::default());
        assert!(object.is_none(), "{bytes:?}");
    }
}

proptest! {
    /// No bytes make it panic, and no element lies outside of them.
    #[test]
    fn any_bytes_are_survived(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..600),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        syntax in prop::sample::select(vec!["1.2.840.10008.1.2", EXPLICIT, "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"]),
    ) {
        let sound = [
            undefined(0x0008_1140, *b"SQ"),
            delimiter(0xFFFE_E000, u32::MAX),
            element(0x0008_1155, *b"UI", b"1.2\0"),
            delimiter(0xFFFE_E00D, 0),
            delimiter(0xFFFE_E0DD, 0),
            element(0x0010_0010, *b"PN", b"A^B "),
        ]
        .concat();
        let mut data = file(syntax, &sound);
        data.append(&mut bytes);
        for (at, byte) in cuts {
            let at = at.index(data.len());
            data[at] = byte;
        }
        let (object, _) = read(&mut MemorySource(data.into()), &Limits::default());
        if let Some(object) = object {
            for (index, element) in (0..).zip(object.set.elements()) {
                prop_assert!(element.start <= element.end && element.end as usize <= object.set.bytes.len());
                prop_assert!(!object.set.place(index).is_empty());
            }
            let charsets = crate::text::Charsets::of(&object.set, None, &mut Vec::new());
            for element in object.set.elements() {
                drop(crate::text::values(&object.set, &charsets, element));
            }
        }
    }
}
