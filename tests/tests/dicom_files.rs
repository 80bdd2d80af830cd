//! Every public DICOM file of the wheels `pydicom`, `pydicom-data` and `pynetdicom`: broken ones, big-endian ones, deflated
//! ones, every character set. What they say must be what pydicom reads of them, within bounds of memory and time.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use causeway_core::{Adapter, Fault, FaultKind, Head, Source};
use causeway_dicom::{Config, Dicom, Reading, Tag, text};
use causeway_tests::{package, python};
use serde_json::Value;

/// A file that is only read where the reader asks.
struct OnDisk(File, u64);

impl Source for OnDisk {
    fn len(&self) -> u64 {
        self.1
    }

    fn slice(&mut self, range: std::ops::Range<u64>) -> Result<Bytes, Fault> {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).expect("a prefix")];
        let read = self.0.read_exact_at(&mut bytes, range.start);
        read.map_err(|error| Fault::new(FaultKind::Storage, error.to_string()))?;
        Ok(bytes.into())
    }
}

/// Bytes of memory at the most since the last call, by the kernel's count.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    drop(std::fs::write("/proc/self/clear_refs", "5"));
    kilobytes.unwrap_or(0) * 1024
}

/// Processor time that this thread has had: other tests on the machine do not count.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// What pydicom says of the files of a folder.
fn oracle(packages: &Path, folder: &str) -> Vec<Value> {
    let mut command = python("dicom_oracle.py").expect("the Python that has the files");
    let output = command.arg(packages.join(folder)).output().expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Reads and lifts a file within the bounds. Every element that says something is accounted for, once.
fn read(adapter: &Dicom, path: &Path) -> Option<Reading> {
    let file = File::open(path).expect("a file");
    let length = file.metadata().expect("a length").len();
    let head = Head::file("file");
    let mut source = OnDisk(file, length);
    let before = peak();
    let began = processor();
    let mut object = adapter.parse(&head, &mut source).value;
    let draft = object
        .as_mut()
        .and_then(|read| adapter.next(read, &mut source, &[7; 32]));
    let took = processor().saturating_sub(began);
    let grew = peak().saturating_sub(before);
    assert!(took < Duration::from_millis(100), "{} took {took:?}", path.display());
    assert!(grew < 64 << 20, "{} took {grew} bytes", path.display());
    if let Some(draft) = draft {
        let kinds: Vec<&str> = draft.bundle.resources().map(|(kind, _)| kind).collect();
        assert!(
            kinds.contains(&"ImagingStudy") && kinds.contains(&"Patient"),
            "{kinds:?}"
        );
        let trace = adapter.trace(&head, &mut source, &[7; 32]).value.expect("a trace");
        let places: BTreeSet<&str> = trace.ledger.iter().map(|record| record.place.as_str()).collect();
        // One of the files has an element twice, and that is said.
        let twice = draft
            .findings
            .iter()
            .any(|finding| finding.code == "unordered-elements");
        assert!(
            twice || places.len() == trace.ledger.len(),
            "{}: a place twice",
            path.display()
        );
    }
    object
}

fn value(read: &Reading, key: &str) -> Option<String> {
    let set = &read.object.set;
    let (values, _) = text::values(set, &read.charsets, set.find(0, Tag::named(key)?)?);
    // pydicom leaves out the `=` before an empty last group.
    let text = values.join("\\");
    Some(text.strip_suffix('=').unwrap_or(&text).to_owned())
}

#[test]
fn every_public_file_says_what_pydicom_reads() {
    let Some(pydicom) = package("pydicom") else { return };
    let packages = pydicom.parent().expect("the folder of packages");
    let adapter = Dicom::new(&Config::default()).expect("the embedded maps");
    let (mut files, mut wrong) = (0, Vec::new());
    for folder in ["pydicom/data", "data_store/data", "pynetdicom/tests"] {
        for record in oracle(packages, folder) {
            let path = record["path"].as_str().expect("a path");
            let object = read(&adapter, Path::new(path));
            let Some(said) = record["said"].as_object() else {
                continue;
            };
            files += 1;
            let Some(object) = object else {
                wrong.push(format!("{path}: no metadata"));
                continue;
            };
            for (key, theirs) in said {
                let ours = value(&object, key).filter(|text| !text.is_empty());
                let theirs = theirs
                    .as_str()
                    .map(|text| text.trim().trim_end_matches('\0').to_owned());
                let theirs = theirs.filter(|text| !text.is_empty() && text != "None");
                if ours != theirs {
                    wrong.push(format!("{path}: {key} is {ours:?}, to pydicom {theirs:?}"));
                }
            }
        }
    }
    println!("{files} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files >= 260, "only {files} files");
}
