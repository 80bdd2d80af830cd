use causeway_core::fhir::compact;
use causeway_core::{Adapter, Head, MemorySource, NodeId};
use causeway_mapping::syntax::Level;
use causeway_mapping::{Facts, OpFact, Plan};

use super::*;
use crate::adapter::Dicom;
use crate::config::Config;

#[test]
fn the_maps_are_clean() {
    let (library, mut problems) = library(&[]);
    let ops: Vec<OpFact<'static>> = ops::ALL.iter().map(OpFact::of).collect();
    problems.extend(causeway_mapping::check(&library, &Facts { ops: &ops }));
    let (_, more) = Plan::<Document>::compile(&library, &DicomFormat);
    problems.extend(more);
    let errors: Vec<String> = problems
        .iter()
        .filter(|problem| problem.level == Level::Error)
        .map(ToString::to_string)
        .collect();
    assert_eq!(errors, [""; 0]);
}

/// An implicit data set of text elements; a list in brackets is the one item of a sequence.
fn object(elements: &[(u32, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, value) in elements {
        let mut value = value.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(b' ');
        }
        put(&mut bytes, *tag, &value);
    }
    bytes
}

fn put(bytes: &mut Vec<u8>, tag: u32, value: &[u8]) {
    let [a, b, c, d] = tag.to_be_bytes();
    bytes.extend_from_slice(&[b, a, d, c]);
    bytes.extend_from_slice(&u32::try_from(value.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(value);
}

fn lifted(bytes: Vec<u8>) -> String {
    let adapter = Dicom::new(&Config::default()).unwrap();
    let head = Head::file("x");
    let mut source = MemorySource(bytes.into());
    let mut reading = adapter.parse(&head, &mut source).value.unwrap();
    let draft = adapter.next(&mut reading, &mut source, &[7; 32]).unwrap();
    compact(&draft.bundle.tree, NodeId::ROOT)
}

fn ct(more: &[(u32, &str)]) -> Vec<u8> {
    let mut elements = vec![
        (0x0008_0005, "ISO_IR 192"),
        (0x0008_0016, "1.2.840.10008.5.1.4.1.1.2"),
        (0x0008_0018, "1.2.3.4"),
        (0x0008_0020, "20240506"),
        (0x0008_0030, "070809.5"),
        (0x0008_0060, "CT"),
        (0x0008_0070, "Maker"),
        (0x0010_0010, "Zhang^Wei=张^伟="),
        (0x0010_0020, "P-1"),
        (0x0010_0040, "M"),
        (0x0018_0015, "CHEST"),
        (0x0020_000D, "1.2.3"),
        (0x0020_000E, "1.2.3.1"),
        (0x0020_0011, "-1"),
        (0x0020_0013, "12"),
    ];
    elements.extend_from_slice(more);
    elements.sort_by_key(|(tag, _)| *tag);
    object(&elements)
}

#[test]
fn an_instance_states_its_study() {
    let json = lifted(ct(&[(0x0008_0201, "+0800")]));
    for part in [
        r#"{"system":"urn:dicom:uid","value":"urn:oid:1.2.3"}"#,
        r#""started":"2024-05-06T07:08:09.5+08:00""#,
        r#""uid":"1.2.3.4""#,
        r#""code":"urn:oid:1.2.840.10008.5.1.4.1.1.2""#,
        r#""number":12"#,
        r#""code":"816094009""#,
        r#""valueCode":"IDE""#,
        r#""text":"张伟","family":"张","given":["伟"]"#,
        r#""text":"Zhang Wei","family":"Zhang""#,
        r#""gender":"male""#,
    ] {
        assert!(json.contains(part), "{part} is not in {json}");
    }
    assert!(!json.contains("-1,"), "a negative series number: {json}");
}

#[test]
fn a_time_without_an_offset_stays_a_date() {
    let json = lifted(ct(&[]));
    assert!(json.contains(r#""started":"2024-05-06""#), "{json}");
}

#[test]
fn a_study_has_one_id_whoever_sends_it() {
    let id = |json: &str| {
        let tree = causeway_core::fhir::parse(json.as_bytes(), causeway_core::fhir::Limits::default()).unwrap();
        let bundle = causeway_core::Bundle {
            tree,
            ..causeway_core::Bundle::default()
        };
        let study = bundle.resources().find(|(kind, _)| *kind == "ImagingStudy").unwrap().1;
        bundle.tree.get_str(study, "id").unwrap().to_owned()
    };
    let one = lifted(ct(&[(0x0008_1030, "one")]));
    let other = lifted(ct(&[(0x0008_1030, "other"), (0x0010_0021, "RJH")]));
    assert_eq!(id(&one), id(&other));
}
