//! HL7 version 2: its frames, and what of them its adapter must account for.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bytes::Bytes;
use causeway_core::{Head, Reply};
use causeway_hl7v2::{Config, Hl7v2, Intake};
use causeway_tests::{EXAMPLE, message};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Known, holds_for_any, holds_for_good, spoilt};

static HL7V2: LazyLock<Hl7v2> = LazyLock::new(|| Hl7v2::new(Config::default()).expect("the embedded maps"));

impl Known for Hl7v2 {
    const BYTES: &[u8] = b"|^~\\&\r\n\x0b\x1c\"*:' 0ZM";

    fn head() -> Head {
        Head::Mllp
    }

    fn samples() -> Vec<Vec<u8>> {
        let admission = message(&[
            "MSH|^~\\&|ADT|HOSP|CAUSEWAY|HIS|20261124081512+0800||ADT^A01^ADT_A01|A4|P|2.5.1|||AL|NE",
            "EVN||20261124081500+0800",
            "PID|1||P4^^^HOSP^MR||Li^Na||19880102|F",
            "NK1|1|Li^Gang|FTH^Father^HL70063",
            "PV1|1|I|W1^R2^B3^HOSP||||||||||||||||V4^^^HOSP^VN",
            "AL1|1|DA|^Penicillin|SV|Rash",
            "ZPX|local|\\F\\|&",
        ]);
        let odd = message(&[
            "MSH!@$%*!LIS!!!!202611!!ORU@R01!Q1!P!2.3",
            "PID!1!!77@@@X$78",
            "OBR!1",
            "OBX!1!SN!a@b!!>@7",
        ]);
        let batch = format!(
            "FHS|^~\\&\rBHS|^~\\&\r{}{admission}BTS|2\rFTS|1\r",
            EXAMPLE.replace('\n', "\r")
        );
        let gbk = encoding_rs::GBK
            .encode(&EXAMPLE.replace("UNICODE UTF-8", "GB 18030-2000"))
            .0
            .into_owned();
        let unknown = batch.replace("ORU^R01^ORU_R01", "XYZ^Q99");
        vec![
            EXAMPLE.into(),
            admission.into(),
            odd.into(),
            batch.into(),
            unknown.into(),
            gbk,
            b"MSH|^~\\&".to_vec(),
        ]
    }

    fn answers(reply: &Reply) -> Option<String> {
        let text = String::from_utf8(reply.bytes.to_vec()).ok()?;
        let msa = text.split('\r').find(|segment| segment.starts_with("MSA"))?;
        msa.split('|').nth(2).map(str::to_owned)
    }

    fn resolves(&self, frame: &[u8], place: &str) -> bool {
        let body = Intake::read(Bytes::copy_from_slice(frame), None).body;
        body.place_of(place)
            .is_some_and(|found| body.place_text(found) == place)
    }

    fn leaves(frame: &[u8]) -> BTreeSet<String> {
        let frame = std::str::from_utf8(frame).expect("text");
        let (mut seen, mut leaves) = (std::collections::BTreeMap::<&str, u32>::new(), BTreeSet::new());
        for segment in frame.split('\r').filter(|segment| !segment.is_empty()) {
            let mut fields = segment.split('|');
            let name = fields.next().expect("a name");
            let occurrence = *seen.entry(name).and_modify(|count| *count += 1).or_insert(1);
            let first = if name == "MSH" { 2 } else { 1 }; // MSH-1 is the separator itself
            for (field, text) in (first..).zip(fields).filter(|(field, _)| name != "MSH" || *field > 2) {
                for (repetition, text) in (1..).zip(text.split('~')) {
                    for (component, text) in (1..).zip(text.split('^')) {
                        for (sub, _) in (1..).zip(text.split('&')).filter(|(_, text)| !text.is_empty()) {
                            leaves.insert(format!("{name}[{occurrence}]-{field}[{repetition}].{component}.{sub}"));
                        }
                    }
                }
            }
        }
        leaves
    }
}

/// A value as senders write them, with repetitions, components and subcomponents, or none.
fn value() -> impl Strategy<Value = String> {
    let special = vec!["\"\"", "\\F\\x", "张", "20261124", "7.1", "<5"];
    let leaf = move || {
        prop_oneof![
            3 => Just(String::new()),
            2 => "[A-Za-z0-9.+ -]{0,6}[a-z0-9]",
            1 => select(special.clone()).prop_map(str::to_owned),
        ]
    };
    prop_oneof![
        4 => leaf(),
        1 => vec(leaf(), 1..4).prop_map(|all| all.join("^")),
        1 => vec(vec(leaf(), 1..3).prop_map(|all| all.join("&")), 1..3).prop_map(|all| all.join("^")),
        1 => vec(leaf(), 1..3).prop_map(|all| all.join("~")),
    ]
}

fn hl7v2() -> impl Strategy<Value = String> {
    let names = vec![
        "PID", "PD1", "NK1", "PV1", "PV2", "AL1", "DG1", "OBR", "OBX", "NTE", "ORC", "SPM", "IN1", "ZQQ",
    ];
    let segment = (select(names), vec(value(), 1..20)).prop_map(|(name, mut fields)| {
        if name == "OBX" && fields.len() > 1 {
            "ST".clone_into(&mut fields[1]); // encapsulated data is no leaf
        }
        format!("{name}|{}\r", fields.join("|"))
    });
    let kind = select(vec!["ADT^A01^ADT_A01", "ADT^A08", "ORU^R01^ORU_R01"]);
    (kind, "[A-Za-z0-9_.-]{1,30}", vec(segment, 0..8)).prop_map(|(kind, id, segments)| {
        format!(
            "MSH|^~\\&|LIS|LAB|||20261124081512+0800||{kind}|{id}|P|2.5.1\r{}",
            segments.concat()
        )
    })
}

#[test]
fn real_frames_of_hl7v2() {
    for frame in Hl7v2::samples() {
        holds_for_any(&*HL7V2, &frame);
    }
    holds_for_good(&*HL7V2, EXAMPLE.replace('\n', "\r").as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_of_hl7v2(frame in vec(any::<u8>(), 0..300)) {
        holds_for_any(&*HL7V2, &frame);
    }

    #[test]
    fn spoilt_frames_of_hl7v2(frame in spoilt::<Hl7v2>()) {
        holds_for_any(&*HL7V2, &frame.0);
    }

    #[test]
    fn well_formed_frames_of_hl7v2(frame in hl7v2()) {
        holds_for_any(&*HL7V2, frame.as_bytes());
        holds_for_good(&*HL7V2, frame.as_bytes());
    }
}
