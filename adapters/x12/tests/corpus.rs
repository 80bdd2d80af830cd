//! Public X12 files, where they are there: none makes anything panic, every one is the sum of its tokens, and what comes
//! of each is printed for whoever looks.

mod support;

use std::path::PathBuf;

use bytes::Bytes;
use causeway_core::{Adapter, Head, MemorySource, Stamp};
use causeway_x12::X12;

fn main_folder() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let shared = root.ancestors().nth(3)?.join("shared/corpus/x12");
    shared.is_dir().then_some(shared)
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_public_file_is_answered() {
    let Some(folder) = main_folder() else {
        eprintln!("no corpus; skipped");
        return;
    };
    let adapter = X12::new(&causeway_x12::lift::Options::default()).unwrap();
    let head = Head::File {
        name: "file".to_owned(),
    };
    let stamp = Stamp {
        time: "2026-03-01T12:30:00Z".parse().unwrap(),
        control_id: "CW69A5D3A000000001".to_owned(),
    };
    for path in files(folder) {
        let bytes = std::fs::read(&path).unwrap();
        let mut source = MemorySource(Bytes::from(bytes));
        let parsed = adapter.parse(&head, &mut source);
        let Some(mut reading) = parsed.value else {
            let refusal = adapter.refuse(&head, &source.0, &parsed.findings, &stamp);
            assert!(!refusal.positive && !refusal.bytes.is_empty());
            continue;
        };
        println!("== {}", path.display());
        let commit = adapter.commit(&reading, &stamp);
        commit
            .iter()
            .for_each(|reply| print!("{}", String::from_utf8_lossy(&reply.bytes)));
        let mut parts = 0;
        while let Some(draft) = adapter.next(&mut reading, &mut source, &[0; 32]) {
            parts += 1;
            for finding in &draft.findings {
                println!(
                    "  {:?} {} {}",
                    finding.place.as_deref().unwrap_or(""),
                    finding.code,
                    finding.text.en
                );
            }
        }
        println!("  {parts} parts");
        for reply in adapter.reply(&reading, causeway_x12::reply::Sum::default(), &stamp) {
            println!("{}", String::from_utf8_lossy(&reply.bytes));
        }
    }
}
