//! Whatever a file holds: nothing panics, every claim is a part of the file, every answer is well-formed X12, and what is
//! held of a file does not grow with it.
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

use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use bytes::Bytes;
use causeway_core::{ActorKind, Adapter, Fault, FaultKind, Finding, Head, MemorySource, Source};
use causeway_x12::cut::Cutter;
use causeway_x12::reply::Sum;
use causeway_x12::{Delimiters, Part, PartSegment};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use support::run::{adapter, stamp, well_formed};
use support::{ISA, claims, file, one, set};

fn head() -> Head {
    Head::file("claims.837")
}

/// Everything the gateway does with a file; its findings.
fn walk(bytes: &[u8]) -> Vec<Finding> {
    let adapter = adapter();
    let mut source = MemorySource(Bytes::copy_from_slice(bytes));
    let parsed = adapter.parse(&head(), &mut source);
    let mut findings = parsed.findings;
    well_formed(&adapter.refuse(&head(), bytes, &findings, &stamp()).bytes);
    let Some(mut reading) = parsed.value else {
        assert!(!findings.is_empty(), "nothing was read and nothing said");
        return findings;
    };
    let commit = adapter.commit(&reading, &stamp());
    let mut parts = 0;
    while let Some(draft) = adapter.next(&mut reading, &mut source, &[0; 32]) {
        findings.extend(draft.findings);
        parts += 1;
        assert!(parts <= bytes.len(), "more parts than bytes");
    }
    assert!(parts > 0, "a file that is never decided");
    let replies = adapter.reply(&reading, Sum::default(), &stamp());
    commit
        .iter()
        .chain(&replies)
        .for_each(|reply| well_formed(&reply.bytes));
    findings
}

/// One way to spoil a file.
#[derive(Debug, Clone)]
enum Spoil {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    /// Takes a whole segment out.
    Drop(Index),
    /// Sets a segment elsewhere.
    Move(Index, Index),
}

impl Spoil {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |index: &Index| index.index(bytes.len() + 1).min(bytes.len());
        let segments = || {
            bytes
                .split_inclusive(|byte| *byte == b'~')
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        };
        match self {
            Self::Set(index, byte) => {
                let at = at(index);
                bytes.splice(at..(at + 1).min(bytes.len()), [*byte]);
            }
            Self::Insert(index, more) => {
                let at = at(index);
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Remove(index, count) => {
                let at = at(index);
                bytes.drain(at..(at + count).min(bytes.len()));
            }
            Self::Repeat(index, count) => {
                let at = at(index);
                let copy = bytes[at..(at + count).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            Self::Drop(index) => {
                let mut all = segments();
                if !all.is_empty() {
                    all.remove(index.index(all.len()));
                }
                *bytes = all.concat();
            }
            Self::Move(from, to) => {
                let mut all = segments();
                if !all.is_empty() {
                    let moved = all.remove(from.index(all.len()));
                    all.insert(to.index(all.len() + 1), moved);
                }
                *bytes = all.concat();
            }
        }
    }
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let byte = prop_oneof![select(b"*~:^\r\n 0IS1".to_vec()), any::<u8>()];
    prop_oneof![
        (any::<Index>(), byte.clone()).prop_map(|(index, byte)| Spoil::Set(index, byte)),
        (any::<Index>(), vec(byte, 1..6)).prop_map(|(index, bytes)| Spoil::Insert(index, bytes)),
        (any::<Index>(), 1..40_usize).prop_map(|(index, count)| Spoil::Remove(index, count)),
        (any::<Index>(), 1..200_usize).prop_map(|(index, count)| Spoil::Repeat(index, count)),
        any::<Index>().prop_map(Spoil::Drop),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Spoil::Move(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        walk(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_header(bytes in vec(any::<u8>(), 0..300)) {
        let mut file = ISA.as_bytes().to_vec();
        file.extend(bytes);
        walk(&file);
    }

    #[test]
    fn spoilt_files_of_claims(spoils in vec(spoil(), 1..8)) {
        let mut bytes = one(&claims(2)).into_bytes();
        for spoil in &spoils {
            spoil.apply(&mut bytes);
        }
        walk(&bytes);
    }
}

/// Any one segment that must stand, left out of a good file, is one problem of its set and no more.
#[test]
fn any_one_segment_left_out_is_one_problem() {
    let segments = claims(2);
    for index in 0..segments.len() {
        let mut left = segments.clone();
        let gone = left.remove(index);
        let findings = walk(one(&left).as_bytes());
        let own: Vec<_> = findings
            .iter()
            // What the maps miss of it is theirs to say.
            .filter(|finding| finding.code != "set-rejected" && finding.by.kind != ActorKind::Map)
            .collect();
        let places: Vec<_> = own
            .iter()
            .map(|finding| (finding.code.as_ref(), finding.place.as_deref()))
            .collect();
        // An HL takes its number out of the count and its level's claims to the level before.
        let most = if gone.starts_with("HL") { 3 } else { 1 };
        assert!(own.len() <= most, "without {gone}: {places:?}");
    }
}

/// Three claims: of two subscribers, and of a dependent of the second.
fn parts() -> Vec<Part> {
    let mut segments = claims(2);
    let last = segments.iter().rposition(|text| text.starts_with("CLM")).unwrap();
    let claim = segments[last..].to_vec();
    let level = segments.iter().position(|text| text.starts_with("HL*3")).unwrap();
    "HL*3*1*22*1".clone_into(&mut segments[level]);
    let dependent = [
        "HL*4*3*23*0",
        "PAT*19",
        "NM1*QC*1*MILLER*TOM",
        "N3*2 HILL STREET",
        "N4*SPRINGFIELD*IL*62701",
        "DMG*D8*20100101*M",
    ];
    segments.extend(dependent.map(str::to_owned));
    segments.extend(claim);
    let mut source = MemorySource(Bytes::from(one(&segments)));
    let read = causeway_x12::validate::read(&mut source).unwrap();
    let own = &read.records.sets[0];
    assert!(!own.rejected, "{:?}", read.records.problems);
    let guide = read.records.guide(own).unwrap();
    let mut cutter = Cutter::new(guide, own.start, Delimiters::USUAL, read.records.envelope(own));
    std::iter::from_fn(|| cutter.next(&mut source).unwrap())
        .map(|claim| claim.part)
        .collect()
}

fn texts(part: &Part) -> Vec<String> {
    let all = part.segments.iter();
    all.map(|segment| String::from_utf8_lossy(part.bytes(segment)).into_owned())
        .collect()
}

fn found<'p>(part: &'p Part, text: &str) -> &'p PartSegment {
    let mut all = part.segments.iter();
    all.find(|segment| part.bytes(segment).starts_with(text.as_bytes()))
        .unwrap()
}

/// The loops around a segment, the innermost first.
fn path(part: &Part, text: &str) -> Vec<String> {
    let (mut at, mut path) = (found(part, text).within, Vec::new());
    loop {
        let instance = part.loops[at as usize];
        path.push(instance.id.to_string());
        if at == 0 {
            break path;
        }
        at = instance.parent;
    }
}

#[test]
fn a_part_is_a_claim_with_what_stands_around_it() {
    let parts = parts();
    assert_eq!(parts.len(), 3);
    let second = texts(&parts[1]);
    let around = [
        "ST*837",
        "BHT",
        "NM1*41",
        "PER",
        "NM1*40",
        "HL*1",
        "PRV*BI",
        "NM1*85",
        "N3",
        "N4",
        "REF*EI",
        "HL*3",
        "SBR",
        "NM1*IL",
        "N3",
        "N4",
        "DMG",
        "NM1*PR",
        "CLM*C0000002",
    ];
    for (text, begins) in second.iter().zip(around) {
        assert!(text.starts_with(begins), "{text} is not {begins}");
    }
    assert_eq!(second.len(), around.len() + 12);
    assert!(second[parts[1].header].starts_with("CLM"));
    // The dependent's claim stands under the subscriber's level and not under the subscriber's own claim.
    let third = texts(&parts[2]);
    assert_eq!(third.iter().filter(|text| text.starts_with("CLM")).count(), 1);
    assert!(third.iter().any(|text| text.starts_with("HL*4")) && third.iter().any(|text| text.starts_with("HL*3")));
}

#[test]
fn loops_and_places_of_a_part_are_those_of_the_set() {
    let parts = parts();
    let place = |part: &Part, text: &str| part.place(found(part, text));
    assert_eq!(place(&parts[2], "NM1*QC"), "ISA[1]/ST[1]/2010CA[1]/NM1[1]");
    assert_eq!(place(&parts[2], "REF*6R*LINE2"), "ISA[1]/ST[1]/2400[6]/REF[1]");
    assert_eq!(place(&parts[1], "BHT"), "ISA[1]/ST[1]/BHT[1]");
    assert_eq!(
        path(&parts[2], "SV1"),
        ["2400", "2300", "2000C", "2000B", "2000A", "ST"]
    );
    assert_eq!(path(&parts[0], "PRV*PE"), ["2310B", "2300", "2000B", "2000A", "ST"]);
}

/// A body that is on disk: one read for each slice.
struct Spooled(File, u64);

impl Source for Spooled {
    fn len(&self) -> u64 {
        self.1
    }

    fn slice(&mut self, range: Range<u64>) -> Result<Bytes, Fault> {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap()];
        let read = self.0.read_exact_at(&mut bytes, range.start);
        read.map_err(|error| Fault::new(FaultKind::Storage, error.to_string()))?;
        Ok(Bytes::from(bytes))
    }
}

/// The largest resident size of this process so far, in kB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// A file is read from disk in pieces and let go claim by claim. What 8 MB add must be far below their size.
#[test]
fn memory_does_not_grow_with_the_file() {
    let claims = claims(2_000);
    let sets: Vec<String> = (0..4).map(|number| set(&format!("{number:04}"), &claims)).collect();
    let mut spool = tempfile::tempfile().unwrap();
    let interchange = file(&sets);
    let mut length = 0;
    while length < 8_000_000 {
        spool.write_all(interchange.as_bytes()).unwrap();
        length += interchange.len();
    }
    let count = length / interchange.len() * 8_000;
    drop((sets, interchange));
    let mut source = Spooled(spool, length as u64);
    let adapter = adapter();
    let mut reading = adapter.parse(&head(), &mut source).value.unwrap();
    let mut parts = 0;
    // What the first claim needs, the maps and the codes of R4, all others share.
    parts += u32::from(adapter.next(&mut reading, &mut source, &[0; 32]).is_some());
    let before = peak();
    while let Some(draft) = adapter.next(&mut reading, &mut source, &[0; 32]) {
        assert!(draft.findings.is_empty(), "{:?}", draft.findings);
        parts += 1;
    }
    assert_eq!(parts as usize, count);
    let replies = adapter.reply(&reading, Sum::default(), &stamp());
    assert!(replies.iter().all(|reply| reply.positive));
    let added = peak().saturating_sub(before);
    assert!(added < 3_000, "{added} kB were added");
}
