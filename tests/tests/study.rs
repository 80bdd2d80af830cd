//! An imaging study that comes instance by instance: one resource, the same in whatever order and however often they come,
//! and once more as a whole when it is quiet.

use std::path::{Path, PathBuf};
use std::process::Command;

use causeway_tests::{Fhir, binary, messages, until, write_ct};
use serde_json::Value;

const STANZAS: &str = "[[listener]]\nname = 'dicom'\naddress = '127.0.0.1:0'\ntransport = 'dimse'\nformat = 'dicom'\n\
                       [fhir]\nquiet = '300ms'\n";
/// Instances of the study.
const INSTANCES: usize = 1_000;

/// Stores files in their order, one association each half.
fn store(fhir: &Fhir, files: &[&PathBuf]) {
    let to = format!("dicom://CAUSEWAY@{}", fhir.process.address("dicom"));
    for half in files.chunks(files.len() / 2) {
        let sent = Command::new(binary()).arg("send").arg(&to).args(half).output();
        let sent = sent.expect("the command line");
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stdout));
    }
}

/// The study when all of it is there, without its version and time.
async fn study(mut fhir: Fhir, files: &[&PathBuf]) -> (Fhir, Value) {
    store(&fhir, files);
    let mut found = Value::Null;
    until("all instances are in the study", async || {
        found = fhir.found("/fhir/ImagingStudy").await.pop().unwrap_or_default();
        found["numberOfInstances"] == INSTANCES
    })
    .await;
    if let Some(study) = found.as_object_mut() {
        study.remove("meta");
    }
    (fhir, found)
}

/// How often it went through as a whole.
fn wholes(folder: &Path) -> usize {
    let all = messages(folder, &["list"]);
    let whole = all.iter().filter(|one| one["type"] == "quiet ImagingStudy");
    whole.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_is_one_resource_whatever_the_order_and_goes_on_as_a_whole_when_it_is_quiet() {
    let objects = tempfile::tempdir().expect("a folder");
    let files: Vec<PathBuf> = (1..=INSTANCES)
        .map(|instance| {
            let path = objects.path().join(format!("{instance}.dcm"));
            write_ct(&path, instance, 512).expect("a file");
            path
        })
        .collect();
    let start = async || Fhir::configured(tempfile::tempdir().expect("a folder"), STANZAS).await;
    let rising: Vec<&PathBuf> = files.iter().collect();
    let (first, forward) = study(start().await, &rising).await;
    // Every seventh of them, from the last on, and some a second time.
    let mixed: Vec<&PathBuf> = (0..INSTANCES + 8)
        .map(|at| &files[INSTANCES - 1 - at * 7 % INSTANCES])
        .collect();
    let (_second, backward) = study(start().await, &mixed).await;
    assert_eq!(forward.to_string(), backward.to_string());
    assert_eq!(forward["numberOfSeries"], 1);
    let instances = forward["series"][0]["instance"].as_array().expect("instances");
    let numbers: Vec<u64> = instances.iter().filter_map(|one| one["number"].as_u64()).collect();
    assert!(numbers.is_sorted() && numbers.len() == INSTANCES, "{numbers:?}");
    until("it goes through as a whole", async || wholes(first.folder.path()) > 0).await;
}
