//! A small reader of well formed 837P texts for tests and benches: it knows where each loop begins and judges nothing.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::{Delimiters, Envelope, LoopId, LoopInstance, Part, PartSegment, SegmentId};

/// The parts of a text: an interchange, whose ISA names the delimiters, or a transaction set with the usual ones.
pub(crate) fn parts(text: &str) -> Vec<Part> {
    let isa = text
        .strip_prefix("ISA")
        .filter(|rest| rest.len() > 103)
        .map(str::as_bytes);
    let delimiters = isa.map_or(Delimiters::USUAL, |isa| Delimiters {
        element: isa[0],
        repetition: None,
        component: isa[101],
        terminator: isa[102],
    });
    let mut walk = Walk {
        delimiters: Some(delimiters),
        ..Walk::default()
    };
    let segments = text.split(char::from(delimiters.terminator)).map(str::trim);
    for segment in segments.filter(|segment| !segment.is_empty()) {
        walk.take(segment);
    }
    walk.finish();
    walk.parts
}

#[derive(Default)]
struct Walk {
    delimiters: Option<Delimiters>,
    text: String,
    segments: Vec<PartSegment>,
    loops: Vec<LoopInstance>,
    /// The open loops, outermost first: index in `loops`.
    stack: Vec<u32>,
    counts: HashMap<String, u32>,
    position: u32,
    /// What of a part is header: lengths of text, segments, loops.
    header: (usize, usize, usize),
    parts: Vec<Part>,
    set: u32,
}

const NM1: [(&str, &str); 4] = [
    ("ST", "41 1000A 40 1000B"),
    ("2000A", "85 2010AA 87 2010AB PE 2010AC"),
    ("2000B", "IL 2010BA PR 2010BB"),
    ("2000C", "QC 2010CA"),
];
const NM1_OF_CLAIM: [(&str, &str); 3] = [
    ("2300", "DN 2310A P3 2310A 82 2310B 77 2310C DQ 2310D PW 2310E 45 2310F"),
    (
        "2320",
        "IL 2330A PR 2330B DN 2330C P3 2330C 82 2330D 77 2330E DQ 2330F 85 2330G",
    ),
    (
        "2400",
        "82 2420A QB 2420B 77 2420C DQ 2420D DK 2420E DN 2420F P3 2420F PW 2420G 45 2420H",
    ),
];

impl Walk {
    fn take(&mut self, segment: &str) {
        let elements: Vec<&str> = segment.split(char::from(self.delimiters.unwrap().element)).collect();
        let is_open = |walk: &Self, name: &str| walk.stack.iter().any(|at| walk.name(*at) == name);
        match elements.as_slice() {
            ["ISA" | "GS" | "GE" | "IEA" | "SE" | "TA1", ..] => return,
            ["ST", ..] => self.begin(),
            ["HL", _, _, "20", ..] => self.open("2000A", &["ST"]),
            ["HL", _, _, "22", ..] => self.open("2000B", &["2000A"]),
            ["HL", _, _, "23", ..] => self.open("2000C", &["2000B"]),
            ["CLM", ..] => self.open("2300", &["2000C", "2000B"]),
            ["SBR", ..] if is_open(self, "2300") => self.open("2320", &["2300"]),
            ["LX", ..] => self.open("2400", &["2300"]),
            ["LIN", ..] => self.open("2410", &["2400"]),
            ["SVD", ..] => self.open("2430", &["2400"]),
            ["LQ", ..] => self.open("2440", &["2400"]),
            ["NM1", code, ..] => self.name_loop(code),
            _ => {}
        }
        self.add(elements[0], segment);
    }

    fn begin(&mut self) {
        self.finish();
        self.set += 1;
        *self = Self {
            set: self.set,
            parts: std::mem::take(&mut self.parts),
            delimiters: self.delimiters,
            ..Self::default()
        };
        self.loops.push(LoopInstance {
            id: LoopId::ROOT,
            parent: 0,
            occurrence: 1,
        });
        self.stack.push(0);
    }

    fn name(&self, at: u32) -> String {
        self.loops[at as usize].id.to_string()
    }

    fn name_loop(&mut self, code: &str) {
        for (level, codes) in NM1_OF_CLAIM.iter().rev().chain(NM1.iter().rev()) {
            if !self.stack.iter().any(|at| self.name(*at) == *level) {
                continue;
            }
            let words: Vec<&str> = codes.split(' ').collect();
            if let Some(pair) = words.chunks(2).find(|pair| pair[0] == code) {
                return self.open(pair[1], &[level]);
            }
        }
    }

    /// Opens a loop below the innermost open one of a name.
    fn open(&mut self, name: &str, below: &[&str]) {
        if name == "2300" || name.starts_with("2000") {
            self.finish();
        }
        while let Some(at) = self.stack.last() {
            if below.contains(&self.name(*at).as_str()) {
                break;
            }
            self.stack.pop();
        }
        // What lies behind the new loop's own level is no longer in force.
        let parent = *self.stack.last().expect("the texts of tests are well formed");
        if name.starts_with("2000") {
            self.forget(parent, name);
        }
        if name == "2300" {
            self.header = (self.text.len(), self.segments.len(), self.loops.len());
        }
        let count = self.counts.entry(name.to_owned()).or_insert(0);
        *count += 1;
        let id = LoopId::of(name).expect("a loop's name");
        self.loops.push(LoopInstance {
            id,
            parent,
            occurrence: *count,
        });
        self.stack.push(u32::try_from(self.loops.len() - 1).unwrap());
    }

    /// Forgets the loops of the header that an earlier instance of a level left behind.
    fn forget(&mut self, parent: u32, name: &str) {
        let first = self
            .loops
            .iter()
            .position(|found| found.parent == parent && found.id.to_string() == name);
        let Some(first) = first.filter(|first| *first > 0) else {
            return;
        };
        let segment = self
            .segments
            .iter()
            .position(|segment| segment.within as usize >= first);
        if let Some(segment) = segment {
            self.text.truncate(self.segments[segment].start as usize);
            self.segments.truncate(segment);
        }
        self.loops.truncate(first);
    }

    fn add(&mut self, id: &str, segment: &str) {
        self.position += 1;
        let start = u32::try_from(self.text.len()).unwrap();
        self.text.push_str(segment);
        let end = u32::try_from(self.text.len()).unwrap();
        self.text.push('~');
        let within = *self.stack.last().unwrap();
        let id = SegmentId::of(id.as_bytes()).expect("a segment's name");
        let same = self
            .segments
            .iter()
            .filter(|other| other.id == id && other.within == within);
        let occurrence = u32::try_from(same.count()).unwrap() + 1;
        self.segments.push(PartSegment {
            id,
            start,
            end,
            within,
            occurrence,
            position: self.position,
        });
    }

    /// Hands out the claim that was read, and goes back to the header in force.
    fn finish(&mut self) {
        if !self.loops.iter().any(|found| found.id.to_string() == "2300") {
            return;
        }
        let envelope = Envelope {
            interchange: 1,
            transaction: self.set,
            sender: "SENDER".to_owned(),
            application_sender: "SENDER".to_owned(),
            group_version: "005010X222A1".to_owned(),
            set: "837".to_owned(),
            ..Envelope::default()
        };
        self.parts.push(Part {
            text: Bytes::from(self.text.clone()),
            delimiters: self.delimiters.unwrap(),
            segments: self.segments.clone(),
            loops: self.loops.clone(),
            header: self.header.1,
            envelope: Arc::new(envelope),
        });
        let (text, segments, loops) = self.header;
        self.text.truncate(text);
        self.segments.truncate(segments);
        self.loops.truncate(loops);
        self.stack.retain(|at| (*at as usize) < loops);
    }
}
