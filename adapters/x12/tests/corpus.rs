//! Public X12 files, where they are there: none makes anything panic, every one is the sum of its tokens, and what comes
//! of each is printed for whoever looks.
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

use std::path::PathBuf;

use causeway_core::{Adapter, Head, Reply};
use support::run::{run_bytes, stamp, text, well_formed};

/// The public files, where they are there.
fn files() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = root
        .ancestors()
        .nth(3)
        .map(|root| root.join("shared/corpus/x12"))
        .into_iter()
        .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
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

/// Each file with an interchange is decided and answered: a TA1 where it is asked for or needed, a 999 for each
/// interchange that is taken and is not itself acknowledgements. What holds no interchange is refused.
#[test]
fn every_public_file_is_answered() {
    let files = files();
    let (mut interchanges, mut sets) = (0, 0);
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        let Some(run) = run_bytes(&bytes) else {
            let adapter = support::run::adapter();
            let head = Head::file("file");
            let refusal = adapter.refuse(&head, &bytes, &[], &stamp());
            assert!(!refusal.positive);
            well_formed(&refusal.bytes);
            continue;
        };
        let name = path.display();
        assert!(!run.drafts.is_empty(), "{name} is never decided");
        run.commit
            .iter()
            .chain(&run.replies)
            .for_each(|reply| well_formed(&reply.bytes));
        for interchange in &run.interchanges {
            interchanges += 1;
            let answers = |reply: &Reply, name: &str| text(reply).contains(name);
            if interchange.rejected || (interchange.asks && !interchange.acknowledges) {
                let told = run
                    .commit
                    .as_ref()
                    .is_some_and(|reply| answers(reply, &interchange.control));
                assert!(
                    told || interchange.acknowledges,
                    "{name}: no TA1 for {}",
                    interchange.control
                );
            }
        }
        let taken = run
            .interchanges
            .iter()
            .filter(|one| !one.rejected && one.groups > 0)
            .count();
        assert_eq!(run.replies.len(), taken, "{name}");
        sets += run
            .replies
            .iter()
            .map(|reply| text(reply).matches("AK2").count())
            .sum::<usize>();
    }
    println!(
        "{interchanges} interchanges and {sets} transaction sets in {} files",
        files.len()
    );
}
