//! How long the critical-value pack takes over a report of twelve results, and how much it allocates: nothing, when
//! nothing is critical. And how long it takes to read, lint and test all packs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::format_push_string,
    reason = "a bench that cannot go on stops"
)]

use causeway_core::Bundle;
use causeway_core::fhir::{Limits, parse};
use causeway_rules::{Packs, Site, Snapshot};
use divan::{AllocProfiler, Bencher, black_box};
use jiff::Timestamp;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Twelve results as an analyser sends them: code, value, unit.
const RESULTS: [(&str, &str, &str); 12] = [
    ("2823-3", "4.1", "mmol/L"),
    ("2951-2", "140", "mmol/L"),
    ("2075-0", "103", "mmol/L"),
    ("2345-7", "92", "mg/dL"),
    ("17861-6", "9.4", "mg/dL"),
    ("2160-0", "0.9", "mg/dL"),
    ("3094-0", "14", "mg/dL"),
    ("1975-2", "0.6", "mg/dL"),
    ("718-7", "14.2", "g/dL"),
    ("777-3", "250", "10*3/uL"),
    ("6690-2", "7.1", "10*3/uL"),
    ("1742-6", "22", "U/L"),
];

fn report(potassium: &str) -> Bundle {
    let mut json = String::from(
        r#"{"resourceType":"Bundle","type":"message","entry":[{"fullUrl":"urn:uuid:patient","resource":{"resourceType":"Patient","birthDate":"1980-05-17"}}"#,
    );
    for (index, (code, value, unit)) in RESULTS.iter().enumerate() {
        let value = if index == 0 { potassium } else { value };
        json += &format!(
            r#",{{"fullUrl":"urn:uuid:{index}","resource":{{"resourceType":"Observation","id":"{index}","status":"final","category":[{{"coding":[{{"code":"laboratory"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}","display":"Result {index}"}}],"text":"Result {index}"}},"subject":{{"reference":"urn:uuid:patient"}},"effectiveDateTime":"2026-11-24T07:10:00+08:00","valueQuantity":{{"value":{value},"unit":"{unit}","system":"http://unitsofmeasure.org","code":"{unit}"}}}}}}"#
        );
    }
    json += "]}";
    Bundle {
        tree: parse(json.as_bytes(), Limits::default()).expect("it is JSON"),
        ..Bundle::default()
    }
}

fn bench(bencher: Bencher<'_, '_>, potassium: &str, hits: usize) {
    let snapshot = Snapshot::build(&Packs::embedded(), &Site::default()).unwrap();
    let bundle = report(potassium);
    let received = Timestamp::UNIX_EPOCH;
    assert_eq!(snapshot.check_bundle(&bundle, received).len(), hits);
    let pack = snapshot.pack("critical-values").unwrap();
    bencher.bench_local(|| pack.check_bundle(black_box(&bundle), received));
}

#[divan::bench]
fn twelve_results_none_critical(bencher: Bencher<'_, '_>) {
    bench(bencher, "4.1", 0);
}

#[divan::bench]
fn twelve_results_one_critical(bencher: Bencher<'_, '_>) {
    bench(bencher, "6.8", 1);
}

/// A pack of a thousand analytes with fifty rows each, the limits of twenty-five years, and its cases.
fn large() -> Packs {
    let mut packs = Packs::embedded();
    let files = &mut packs.0.get_mut("critical-values").unwrap().base;
    files.retain(|name, _| !name.starts_with("cases/"));
    let mut analytes = String::from("analyte,unit,zh,en\n");
    let mut units = String::from("analyte,unit,factor\n");
    let mut codes = String::from("system,code,analyte,specimen\n");
    let mut rows = String::from("id,analyte,age,side,op,limit,unit,source,from,to,jurisdiction\n");
    let mut cases = String::from("row,kind,code,value,unit,age,expect\n");
    for analyte in 0..1000 {
        analytes += &format!("A{analyte},mmol/L,甲{analyte},a{analyte}\n");
        units += &format!("A{analyte},mmol/L,1\n");
        codes += &format!("local,A{analyte},A{analyte},blood\n");
        for year in 2000..2025 {
            for (side, op, limit, hit) in [("low", "<=", 2, 1), ("high", ">=", 6, 7)] {
                let id = format!("A{analyte}-{year}-{side}");
                rows +=
                    &format!("{id},A{analyte},any,{side},{op},{limit},mmol/L,kost-1990,{year}-01-01,{year}-12-31,*\n");
                for (kind, value, expect) in [("hit", hit, side), ("miss", 4, "none"), ("boundary", limit, side)] {
                    cases += &format!("{id},{kind},A{analyte},{value},mmol/L,45 a,{expect}\n");
                }
            }
        }
    }
    for (name, text) in [
        ("analytes.csv", analytes),
        ("units.csv", units),
        ("codes.csv", codes),
        ("rows.csv", rows),
        ("cases/all.csv", cases),
    ] {
        files.insert(name.to_owned(), text.into_bytes());
    }
    packs
}

#[divan::bench(sample_count = 3)]
fn read_lint_and_test_50_000_rows(bencher: Bencher<'_, '_>) {
    let packs = large();
    Snapshot::build(&packs, &Site::default()).unwrap();
    bencher.bench_local(|| Snapshot::build(black_box(&packs), &Site::default()));
}

#[divan::bench(sample_count = 20)]
fn read_lint_and_test_all_packs(bencher: Bencher<'_, '_>) {
    let packs = Packs::embedded();
    bencher.bench_local(|| Snapshot::build(black_box(&packs), &Site::default()));
}
