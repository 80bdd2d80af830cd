//! What users rely on of a lifted claim: amounts to the digit, the order of diagnoses and what points to them, dates, who
//! did what, who the patient is, and where each value came from.

mod walk;

use causeway_core::NodeId;
use causeway_core::fhir::write_compact;

use super::{Lift, Made, Options};

const HASH: [u8; 32] = [7; 32];

fn lift(text: &str) -> Vec<Made> {
    let lift = Lift::new(&Options::default()).unwrap();
    walk::parts(text)
        .into_iter()
        .filter_map(|part| lift.lift(part, &HASH))
        .collect()
}

#[test]
fn show() {
    let Ok(folder) = std::env::var("SHOW") else { return };
    let out = std::env::var("SHOW_OUT").unwrap();
    let compiled = Lift::new(&Options::default()).unwrap();
    let mut totals = std::collections::BTreeMap::new();
    let mut unread = std::collections::BTreeMap::new();
    for path in folder.split(':') {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let name = std::path::Path::new(path)
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let caught = std::panic::catch_unwind(|| walk::parts(text.trim()));
        let Ok(parts) = caught else {
            eprintln!("{name}: not walked");
            continue;
        };
        eprintln!("{name}: {} parts", parts.len());
        for (number, part) in parts.into_iter().enumerate().take(40) {
            let trace = compiled.trace(part.clone(), &HASH).unwrap();
            for record in &trace.ledger {
                *totals.entry(format!("{:?}", record.state)).or_insert(0) += 1;
                if !matches!(record.state, causeway_core::ledger::LeafState::Mapped) {
                    let kind: String = record
                        .place
                        .split('/')
                        .skip(2)
                        .collect::<Vec<_>>()
                        .join("/")
                        .replace(|c: char| c == '[', "<");
                    let mut short = String::new();
                    let mut keep = true;
                    for c in kind.chars() {
                        if c == '<' {
                            keep = false
                        }
                        if keep {
                            short.push(c)
                        }
                        if c == ']' {
                            keep = true
                        }
                    }
                    *unread
                        .entry(format!(
                            "{:?} {short} {}",
                            record.state,
                            record.reason.clone().unwrap_or_default()
                        ))
                        .or_insert(0) += 1;
                }
            }
            let made = compiled.lift(part, &HASH).unwrap();
            let mut bytes = Vec::new();
            write_compact(&made.bundle.tree, NodeId::ROOT, &mut bytes);
            std::fs::write(format!("{out}/{name}.{number}.json"), bytes).unwrap();
            for finding in &made.findings {
                eprintln!("  {} {:?} {}", finding.code, finding.place, finding.text.en);
            }
        }
    }
    eprintln!("{totals:?}");
    for (what, count) in unread {
        eprintln!("{count} {what}");
    }
}
