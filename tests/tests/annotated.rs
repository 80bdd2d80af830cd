//! Results on their way back: a kept ORU^R01 with what was found about it, read by a parser that is none of ours, read again
//! by a gateway, and made of every result message of the corpus, where that is there.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bytes::Bytes;
use causeway_core::fhir::{NodeId, compact};
use causeway_core::{
    Actor, ActorKind, Adapter, Bundle, Class, Finding, Frame, Head, MemorySource, Parcel, Severity, Stamp, Text,
};
use causeway_hl7v2::{Config, Hl7v2, Intake};
use causeway_tests::{EXAMPLE, python};
use serde_json::Value;

fn adapter() -> &'static Hl7v2 {
    static ADAPTER: OnceLock<Hl7v2> = OnceLock::new();
    ADAPTER.get_or_init(|| Hl7v2::new(Config::default()).expect("the maps"))
}

fn finding(place: String, text: &str) -> Finding {
    let by = Actor::new(ActorKind::Rule, "critical-values/potassium");
    let text = Text::new(text.to_owned(), text.to_owned());
    Finding::new("critical-value", Severity::Warning, Class::Business, by, text).at_place(place)
}

/// What is sent for a part of a frame.
fn rendered(source: &[u8], part: u32, findings: &[Finding]) -> Vec<u8> {
    let frame = Frame {
        listener: "lab".into(),
        peer: "p".into(),
        received: "2026-03-01T08:30:00Z".parse().expect("a time"),
        head: Head::Mllp,
        body: Bytes::copy_from_slice(source),
    };
    let parcel = Parcel {
        frame: &frame,
        part,
        bundle: &Bundle::default(),
        findings,
    };
    let stamp = Stamp {
        time: frame.received,
        control_id: "CW1".to_owned(),
    };
    let parsed = adapter().from_fhir(&parcel, &stamp);
    parsed.value.unwrap_or_else(|| panic!("{:?}", parsed.findings))
}

/// The resources of the first message, by type and id.
fn resources(message: &[u8]) -> Vec<(String, Value)> {
    let mut source = MemorySource(Bytes::copy_from_slice(message));
    let mut reading = adapter().parse(&Head::Mllp, &mut source).value.expect("a message");
    let draft = adapter().next(&mut reading, &mut source, &[7; 32]).expect("a draft");
    let tree = &draft.bundle.tree;
    let all = draft.bundle.resources().map(|(kind, node): (&str, NodeId)| {
        let resource: Value = serde_json::from_str(&compact(tree, node)).expect("JSON");
        (
            format!("{kind}/{}", resource["id"].as_str().unwrap_or_default()),
            resource,
        )
    });
    all.collect()
}

/// Whether everything that one value says is said by the other, too; lists may have grown.
fn says_all_of(more: &Value, less: &Value) -> bool {
    match (more, less) {
        (Value::Object(more), Value::Object(less)) => less
            .iter()
            .all(|(name, less)| more.get(name).is_some_and(|more| says_all_of(more, less))),
        (Value::Array(more), Value::Array(less)) => {
            let mut more = more.iter();
            less.iter().all(|less| more.any(|more| says_all_of(more, less)))
        }
        _ => more == less,
    }
}

/// The parser's reading of a message; `None` without the parser.
fn read(message: &[u8], encoding: &str) -> Option<Value> {
    let mut command = python("hl7_read.py")?;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("annotated.hl7");
    std::fs::write(&file, message).expect("a file");
    command.arg(encoding).arg(&file);
    let output = command.output().expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn check_read(message: &[u8], encoding: &str, text: &str) {
    let Some(read) = read(message, encoding) else { return };
    assert_eq!(read["control_id"], "CW1");
    let segments = read["segments"].as_array().expect("segments");
    let position = |name: &str, field: usize, says: &str| {
        let found = segments.iter().position(|segment| {
            segment[0] == name && segment[field].as_str().is_some_and(|found| found.contains(says))
        });
        found.unwrap_or_else(|| panic!("no {name}-{field} with {says}: {read}"))
    };
    let potassium = position("OBX", 3, "2823-3");
    let comment = position("NTE", 4, "99CAUSEWAY");
    assert_eq!(comment, potassium + 1, "{read}");
    assert_eq!(
        (&segments[comment][2], &segments[comment][3]),
        (&"O".into(), &text.into())
    );
    let result = &segments[position("OBX", 3, "99CAUSEWAY")];
    assert_eq!(
        (&result[2], &result[5], &result[11]),
        (&"TX".into(), &text.into(), &"F".into())
    );
}

#[test]
fn another_parser_sees_what_was_added_and_a_gateway_the_same_results() {
    let out = rendered(
        EXAMPLE.as_bytes(),
        0,
        &[finding("OBX[2]-5[1]".to_owned(), "7.1 mmol/L 危急")],
    );
    check_read(&out, "utf-8", "7.1 mmol/L 危急 [critical-values/potassium]");
    // Only the provenance names the message by its own id, so that is put back.
    let named = String::from_utf8(out)
        .expect("text")
        .replace("|CW1|", "|LIS-20261124-000117|");
    let after = resources(named.as_bytes());
    let before = resources(EXAMPLE.as_bytes());
    assert!(
        before
            .iter()
            .filter(|(name, _)| name.starts_with("Observation/"))
            .count()
            > 1
    );
    for (name, resource) in &before {
        let same = after.iter().find(|(other, _)| other == name);
        let (_, same) = same.unwrap_or_else(|| panic!("{name} is another now"));
        assert!(says_all_of(same, resource), "{resource}\nis now\n{same}");
    }
    let ours = |(_, resource): &&(String, Value)| resource["code"]["coding"][0]["code"] == "critical-value";
    assert_eq!(after.iter().filter(ours).count(), 1);
}

#[test]
fn in_gb18030_too() {
    let text = EXAMPLE.replace("UNICODE UTF-8", "GB 18030-2000");
    let (source, _, unmappable) = encoding_rs::GB18030.encode(&text);
    assert!(!unmappable);
    let out = rendered(&source, 0, &[finding("OBX[2]-5[1]".to_owned(), "钾 7.1 镕")]);
    check_read(&out, "gb18030", "钾 7.1 镕 [critical-values/potassium]");
}

fn corpus() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/hl7v2")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The bytes without the segments that a receiver knows to be added, and with the first MSH-10 that differs put back.
fn without(annotated: &[u8], source: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut lines = annotated
        .split_inclusive(|byte| matches!(byte, b'\r' | b'\n'))
        .peekable();
    while let Some(line) = lines.next() {
        let ours = (line.starts_with(b"NTE") || line.starts_with(b"OBX"))
            && line.windows(10).any(|window| window == b"99CAUSEWAY");
        if ours {
            // The last segment of a body without a terminator has one now.
            if !line.ends_with(b"\r") && !line.ends_with(b"\n") {
                out.pop();
            } else if line.ends_with(b"\r") && lines.peek().is_some_and(|next| *next == b"\n") {
                lines.next();
            }
        } else {
            out.extend_from_slice(line);
        }
    }
    let id = memory_find(&out, b"CW1");
    let same = out
        .iter()
        .zip(source)
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    if let Some(id) = id.filter(|id| same >= *id && same <= *id + 3) {
        let tail = out.len() - id - 3;
        let restored = [&out[..id], &source[id..source.len() - tail], &out[id + 3..]].concat();
        return restored;
    }
    out
}

fn memory_find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Annotates every result message of a file at each of its results, and its patient. How many it had.
fn check_file(path: &Path) -> usize {
    let bytes = std::fs::read(path).expect("a file");
    let intake = Intake::read(Bytes::from(bytes.clone()), None);
    let alone = intake.body.messages.len() == 1 && intake.body.outside.segments.is_empty();
    let mut count = 0;
    for (part, message) in (0u32..).zip(&intake.body.messages) {
        if message.message_type() != "ORU" {
            continue;
        }
        count += 1;
        let places = message
            .segments
            .iter()
            .filter(|segment| matches!(&segment.name.0, b"OBX" | b"PID"));
        let findings: Vec<Finding> = places
            .map(|segment| finding(intake.body.place_text(segment.place()), "7.1 is critical"))
            .collect();
        let plain = rendered(&bytes, part, &[]);
        let out = rendered(&bytes, part, &findings);
        if alone {
            assert_eq!(plain, bytes, "{}", path.display());
        }
        assert!(without(&out, &plain) == plain, "{}", path.display());
        let read = Intake::read(Bytes::from(out.clone()), None);
        assert_eq!(read.body.messages.len(), 1, "{}", path.display());
        let added = read.body.messages[0].segments.len() - message.segments.len();
        assert!(
            added >= findings.len(),
            "{}: {added} of {}",
            path.display(),
            findings.len()
        );
        assert_eq!(rendered(&out, 0, &[]), out);
    }
    count
}

#[test]
fn every_result_message_of_the_corpus_stays_as_it_came() {
    let files = corpus();
    if files.is_empty() {
        println!("SKIPPED: no ../shared/corpus/hl7v2");
        return;
    }
    let count: usize = files.iter().map(|path| check_file(path)).sum();
    println!("{count} result messages");
    assert!(count > 100, "{count}");
}
