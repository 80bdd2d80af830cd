//! pyx12, a validator that is none of ours, reads our acknowledgements by its own map of the 999, and judges the same files
//! of claims by its own map of the guide. Where it judges otherwise, `ERRATA.csv` says why; the list here must be the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on stops"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use causeway_core::{Adapter, Head, MemorySource, Stamp};
use causeway_x12::X12;
use serde_json::Value;
use support::{claims, file, replaced, set};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// What pyx12 reads of files; none without it.
fn read(files: &[String]) -> Option<Vec<Value>> {
    let python = root().join("target/peers/bin/python");
    let here = root().join("tests/peers/pyx12_read.py");
    let there = python.exists()
        && Command::new(&python)
            .args(["-c", "import pyx12"])
            .output()
            .is_ok_and(|output| output.status.success());
    if !there {
        println!("SKIPPED: no pyx12 in target/peers; `make test` or scripts/setup.sh test sets it up");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..files.len())
        .map(|number| folder.path().join(format!("{number}.x12")))
        .collect();
    for (path, text) in paths.iter().zip(files) {
        std::fs::write(path, text).unwrap();
    }
    let output = Command::new(python).arg(here).args(&paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// TA1 and 999 of a file.
fn answers(text: &str) -> Vec<String> {
    let adapter = X12::new(&causeway_x12::lift::Options::default()).unwrap();
    let head = Head::file("claims.837");
    let stamp = Stamp {
        time: "2026-03-01T12:30:00Z".parse().unwrap(),
        control_id: "CW69A5D3A000000001".to_owned(),
    };
    let mut source = MemorySource(Bytes::copy_from_slice(text.as_bytes()));
    let reading = adapter.parse(&head, &mut source).value.expect("an interchange");
    let replies = adapter.reply(&reading, causeway_x12::reply::Sum::default(), &stamp);
    let all = adapter.commit(&reading, &stamp).into_iter().chain(replies);
    all.map(|reply| String::from_utf8(reply.bytes.to_vec()).unwrap())
        .collect()
}

/// Files with one defect each, and whether pyx12 sees it as we do; where not, the row of `ERRATA.csv` that says why.
fn files() -> Vec<(String, Option<&'static str>)> {
    let one = |segments: &[String]| support::one(segments);
    let same = [
        one(&claims(2)),
        file(&[set("0001", &claims(1)), set("0002", &claims(1))]),
        one(&replaced("N3*1 R", &[])),
        one(&replaced("REF*EI", &[])),
        one(&replaced("SV1", &[])),
        one(&replaced("REF*D9", &["REF*D9*1", "REF*D9*2"])),
        one(&replaced("DMG", &["DMG*D8*19621314*F"])),
        one(&replaced("NM1*PR", &["NM1*PR*2*PAYER*****PI"])),
        one(&replaced("SV1", &["SV1*HC:99213*100*XX*1***1:2"])),
        one(&replaced("N4*S", &["N4*SPRINGFIELD*IL*62701*US***XX"])),
        one(&replaced("HI*", &["HI*ABK:E119*ABF:I10:D8"])),
        one(&claims(1)).replace("SE*32*", "SE*31*"),
        one(&claims(1)).replace("SE*32*0001", "SE*32*0002"),
    ];
    let otherwise = [
        (one(&replaced("BHT", &[])), "BHT missing"),
        (one(&replaced("LX*1", &[])), "a loop's first segment missing"),
        (
            one(&replaced("REF*D9", &["REF*ZZ*1"])),
            "a qualifier that no use of the segment has",
        ),
        (
            one(&replaced("SBR", &["SBR*Q*18*GRP1******CI"])),
            "a qualifier that no use of the segment has",
        ),
        (
            one(&replaced("REF*D9", &["QTY*PT*1"])),
            "a segment of the guide that may not stand here",
        ),
        (one(&replaced("HL*2", &["HL*2*1*22*1"])), "HL04 that does not fit"),
    ];
    let same = same.into_iter().map(|file| (file, None));
    same.chain(otherwise.map(|(file, why)| (file, Some(why)))).collect()
}

#[test]
fn pyx12_reads_our_acknowledgements_without_a_fault() {
    let ours: Vec<String> = files().iter().flat_map(|(file, _)| answers(file)).collect();
    let Some(read) = read(&ours) else { return };
    assert_eq!(read.len(), ours.len());
    for (read, text) in read.iter().zip(&ours) {
        assert_eq!(read["errors"], Value::Array(Vec::new()), "{text}");
        assert_eq!(read["good"], Value::Bool(true), "{} of\n{text}", read["answer"]);
        let segments = text.split('~').filter(|segment| !segment.trim().is_empty()).count();
        assert_eq!(read["segments"].as_array().map(Vec::len), Some(segments), "{text}");
    }
}

/// Verdict and segments in error, as AK5 or IK5 and IK3 name them, without loops and elements.
fn judged<'a>(segments: impl Iterator<Item = &'a str>) -> Vec<String> {
    let parts = |segment: &'a str| segment.trim_end_matches('~').split('*').collect::<Vec<&str>>();
    let kept = segments.map(parts).filter_map(|parts| match parts.as_slice() {
        ["IK3", id, position, _, code, ..] => Some(format!("{id} at {position}: {code}")),
        ["IK5", verdict, ..] => Some((*verdict).to_owned()),
        _ => None,
    });
    kept.collect()
}

#[test]
fn pyx12_finds_what_we_find_but_for_the_errata() {
    let errata = include_str!("../ERRATA.csv");
    let files = files();
    let texts: Vec<String> = files.iter().map(|(file, _)| file.clone()).collect();
    let Some(read) = read(&texts) else { return };
    for ((file, why), read) in files.iter().zip(&read) {
        let ours = answers(file).pop().unwrap();
        let theirs = read["answer"].as_str().unwrap();
        let (a, b) = (judged(ours.split("~\n")), judged(theirs.lines()));
        assert_eq!(a == b, why.is_none(), "{why:?}\n{ours}\n{theirs}");
        let row = why.is_none_or(|why| errata.contains(&format!("\n\"{why}\"")));
        assert!(row, "no row {why:?} in ERRATA.csv");
    }
}

/// The same verdict on every public file of professional claims; pyx12 knows the guide under its first name alone.
#[test]
fn pyx12_takes_the_public_files_that_we_take() {
    let shared = root().parent().unwrap().join("shared/corpus/x12");
    let folders = ["linuxforhealth/837_005010X222A2", "imsweb/837_5010"].map(|folder| shared.join(folder));
    let paths = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .flatten();
    let texts: Vec<String> = paths
        .filter_map(|entry| std::fs::read_to_string(entry.path()).ok())
        .map(|text| text.replace("005010X222A2", "005010X222A1"))
        .filter(|text| text.contains("005010X222A1") && text.starts_with("ISA"))
        .collect();
    let Some(read) = read(&texts) else { return };
    let verdicts = |answer: &str| -> Vec<String> {
        let found = answer.match_indices("IK5");
        found
            .filter_map(|(at, _)| answer.get(at + 4..at + 5))
            .map(str::to_owned)
            .collect()
    };
    let mut compared = 0;
    let readable = |read: &Value| read["segments"].as_array().is_some_and(|segments| !segments.is_empty());
    for (text, read) in texts.iter().zip(&read).filter(|(_, read)| readable(read)) {
        let ours = answers(text);
        let rejected = ours
            .iter()
            .any(|answer| answer.contains("TA1*") && answer.contains("*R*"));
        let ours: Vec<String> = ours.iter().flat_map(|answer| verdicts(answer)).collect();
        let theirs = verdicts(read["answer"].as_str().unwrap());
        assert!(ours == theirs || rejected, "{ours:?} {theirs:?}\n{text}");
        compared += ours.len();
    }
    println!("{compared} transaction sets of {} files", texts.len());
}
