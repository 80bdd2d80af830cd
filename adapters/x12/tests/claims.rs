//! Files of claims from end to end: every claim becomes a bundle with a whole Claim in it, and every leaf of a file stands in
//! the ledger once. `CAUSEWAY_CLAIMS` may name files or folders of others, and `CAUSEWAY_BUNDLES` a folder that the bundles
//! are written to, for a validator; `CAUSEWAY_BUNDLE` says what kind of bundle.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use causeway_core::fhir::write_compact;
use causeway_core::ledger::{LeafState, LedgerRecord};
use causeway_core::{Adapter, Draft, Head, MemorySource, NodeId};
use causeway_mapping::run::BundleKind;
use causeway_x12::X12;
use causeway_x12::lift::Options;
use serde_json::Value;

const SMALL: &str = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260912*1023*^*00501*000000001*0*T*:~\
GS*HC*SENDER*RECEIVER*20260912*1023*1*X*005010X222A1~ST*837*0001*005010X222A1~BHT*0019*00*B1*20260912*1023*CH~\
NM1*41*2*NORTH BILLING*****46*SUB77~PER*IC*ANN LEE*TE*3055552222~NM1*40*2*GREEN PLAN*****46*REC88~HL*1**20*1~\
NM1*85*2*RIVER CLINIC*****XX*1234567893~N3*1 RIVER ROAD~N4*SPRINGFIELD*IL*627010000~REF*EI*123456789~HL*2*1*22*0~\
SBR*P*18*GRP01******CI~NM1*IL*1*DOE*JOHN****MI*M123~N3*5 OAK ST~N4*SPRINGFIELD*IL*62703~DMG*D8*19700203*M~\
NM1*PR*2*GREEN PLAN*****PI*GH001~CLM*PCN-1*100.10***11:B:1*Y*A*Y*I~HI*ABK:E119~LX*1~SV1*HC:99213*100.10*UN*1***1~\
DTP*472*D8*20260910~CLM*PCN-2*20***11:B:1*Y*A*Y*I~HI*ABK:I10~LX*1~SV1*HC:99214*20*UN*1***1~DTP*472*D8*20260911~\
SE*28*0001~GE*1*1~IEA*1*000000001~";

fn adapter() -> X12 {
    let kind = std::env::var_os("CAUSEWAY_BUNDLE");
    let bundle = match kind.as_ref().and_then(|kind| kind.to_str()) {
        Some("transaction") => BundleKind::Transaction,
        Some("collection") => BundleKind::Collection,
        _ => BundleKind::Message,
    };
    let options = Options {
        bundle,
        ..Options::default()
    };
    X12::new(&options).unwrap()
}

fn head() -> Head {
    Head::file("claims.837")
}

fn drafts(bytes: &[u8]) -> Vec<Draft> {
    let adapter = adapter();
    let mut source = MemorySource(Bytes::copy_from_slice(bytes));
    let Some(mut reading) = adapter.parse(&head(), &mut source).value else {
        return Vec::new();
    };
    std::iter::from_fn(|| adapter.next(&mut reading, &mut source, &[7; 32])).collect()
}

fn ledger(bytes: &[u8]) -> Vec<LedgerRecord> {
    let mut source = MemorySource(Bytes::copy_from_slice(bytes));
    let traced = adapter().trace(&head(), &mut source, &[7; 32]).value;
    traced.map_or(Vec::new(), |trace| trace.ledger)
}

fn written(draft: &Draft) -> Vec<u8> {
    let mut out = Vec::new();
    write_compact(&draft.bundle.tree, NodeId::ROOT, &mut out);
    out
}

/// A bundle of a claim has one, with all that R4 requires of it, and every reference leads somewhere.
fn check(bytes: &[u8]) {
    let bundle: Value = serde_json::from_slice(bytes).unwrap();
    let entries = bundle["entry"].as_array().unwrap();
    let claims: Vec<&Value> = entries
        .iter()
        .map(|entry| &entry["resource"])
        .filter(|resource| resource["resourceType"] == "Claim")
        .collect();
    assert_eq!(claims.len(), 1);
    let wanted = ["status", "type", "use", "patient", "provider", "priority", "insurance"];
    for element in wanted {
        assert!(!claims[0][element].is_null(), "{element}");
    }
    assert!(!claims[0]["created"].is_null() || !claims[0]["_created"].is_null());
    let urls: BTreeSet<&str> = entries.iter().filter_map(|entry| entry["fullUrl"].as_str()).collect();
    let text = String::from_utf8_lossy(bytes);
    let references = text
        .split("\"reference\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    assert!(references.into_iter().all(|reference| urls.contains(reference)));
}

#[test]
fn each_claim_is_a_bundle_of_its_own() {
    let drafts = drafts(SMALL.as_bytes());
    let claims: Vec<Vec<u8>> = drafts.iter().map(written).filter(|bytes| bytes.len() > 2).collect();
    assert_eq!(claims.len(), 2);
    for claim in &claims {
        check(claim);
    }
    let second = String::from_utf8_lossy(&claims[1]);
    assert!(second.contains("PCN-2") && !second.contains("PCN-1"));
    assert!(second.contains("RIVER CLINIC"), "what stands around a claim is in each");
    let patients: BTreeSet<_> = drafts
        .iter()
        .filter_map(|draft| draft.context.patient.clone())
        .collect();
    assert_eq!(patients.len(), 1);
}

#[test]
fn a_header_that_claims_share_stands_in_the_ledger_once() {
    let ledger = ledger(SMALL.as_bytes());
    let places: BTreeSet<&str> = ledger.iter().map(|record| record.place.as_str()).collect();
    assert_eq!(places.len(), ledger.len());
    let of = |place: &str| {
        ledger
            .iter()
            .find(|record| record.place == place)
            .map(|record| record.state)
    };
    assert_eq!(of("ISA[1]/ST[1]/2010AA[1]/NM1[1]-03.1"), Some(LeafState::Mapped));
    assert_eq!(of("ISA[1]/ST[1]/2300[2]/CLM[1]-01.1"), Some(LeafState::Mapped));
}

/// The files that the environment names, else public ones where they are there; folders with all below them.
fn named() -> Vec<PathBuf> {
    let public = || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3);
        root.map(|root| root.join("shared/corpus/x12/linuxforhealth/837_005010X222A2"))
    };
    let mut open: Vec<PathBuf> = match std::env::var_os("CAUSEWAY_CLAIMS") {
        Some(all) => std::env::split_paths(&all).collect(),
        None => public().into_iter().filter(|folder| folder.is_dir()).collect(),
    };
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        match fs::read_dir(&path) {
            Ok(entries) => open.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) => files.push(path),
        }
    }
    files.sort();
    files
}

#[test]
fn files_of_others_become_bundles() {
    let out = std::env::var_os("CAUSEWAY_BUNDLES").map(PathBuf::from);
    let mut states = [0usize; 3];
    let mut claims = 0;
    for path in named() {
        let bytes = fs::read(&path).unwrap();
        let mut here = 0;
        for (number, draft) in drafts(&bytes).iter().enumerate() {
            let bundle = written(draft);
            if bundle.len() > 2 {
                check(&bundle);
                here += 1;
                keep(out.as_deref(), &path, number, &bundle);
            }
        }
        for record in ledger(&bytes) {
            states[record.state as usize] += 1;
            if record.state == LeafState::Reported {
                println!(
                    "{} {} {}",
                    path.display(),
                    record.place,
                    record.reason.unwrap_or_default()
                );
            }
        }
        println!("{}: {here} claims", path.display());
        claims += here;
    }
    println!("{claims} claims; leaves mapped, ignored, reported: {states:?}");
}

fn keep(folder: Option<&Path>, path: &Path, number: usize, bundle: &[u8]) {
    let Some(folder) = folder else { return };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    fs::write(folder.join(format!("{name}.{number}.json")), bundle).unwrap();
}
