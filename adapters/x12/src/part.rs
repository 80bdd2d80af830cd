//! One part of a transaction set: the header segments in force and one whole claim, copied out of the file together, so
//! that it can be lifted after the file has gone on. Nothing is judged or translated here.

use std::sync::Arc;

use bytes::Bytes;

use crate::delimiters::Delimiters;
use crate::envelope::Envelope;
use crate::name::{LoopId, SegmentId};

/// A claim with what stands around it: ST, BHT, 1000A/B, 2000A and 2010AA to AC, 2000B and 2010BA/BB, 2000C and 2010CA
/// where there are any, then one 2300 with all below it. Segments stand in the order of the file.
#[derive(Debug, Clone)]
pub struct Part {
    /// The text of all its segments, terminators and line breaks among it.
    pub text: Bytes,
    /// The delimiters of its interchange.
    pub delimiters: Delimiters,
    /// The segments, header first.
    pub segments: Vec<PartSegment>,
    /// The loop instances that the segments stand in. The first is the transaction set itself, called `ST`; a parent
    /// stands before its children.
    pub loops: Vec<LoopInstance>,
    /// How many of `segments` are header: the first segment of the claim's own (CLM) is `segments[header]`.
    pub header: usize,
    /// What ISA, GS and ST around it say.
    pub envelope: Arc<Envelope>,
}

/// A segment of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartSegment {
    /// Its identifier.
    pub id: SegmentId,
    /// Where it begins in the part's text.
    pub start: u32,
    /// Where it ends there, its terminator not included.
    pub end: u32,
    /// The loop instance it stands in, an index into [`Part::loops`].
    pub within: u32,
    /// Its number among the segments of the same identifier that stand in the same loop instance, from 1: the 2 of
    /// `REF[2]`.
    pub occurrence: u32,
    /// Its number in the transaction set, from 1, which is ST: IK303.
    pub position: u32,
}

/// One run of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopInstance {
    /// The loop.
    pub id: LoopId,
    /// The instance around it, an index into [`Part::loops`]; of the first, itself.
    pub parent: u32,
    /// Its number among the instances of the same loop in the transaction set, from 1: the 4 of `2300[4]`.
    pub occurrence: u32,
}

impl Part {
    /// The bytes of a segment without its terminator; empty for a segment of another part.
    pub fn bytes(&self, segment: &PartSegment) -> &[u8] {
        self.text
            .get(segment.start as usize..segment.end as usize)
            .unwrap_or_default()
    }

    /// The full place of a segment, `ISA[1]/ST[1]/2300[4]/REF[2]`; elements follow as `-01`, repetitions as `[2]`,
    /// components as `.1`.
    pub fn place(&self, segment: &PartSegment) -> String {
        let base = format!("ISA[{}]/ST[{}]", self.envelope.interchange, self.envelope.transaction);
        let within = match self.loops.get(segment.within as usize) {
            Some(instance) if segment.within != 0 => format!("/{}[{}]", instance.id, instance.occurrence),
            _ => String::new(),
        };
        format!("{base}{within}/{}[{}]", segment.id, segment.occurrence)
    }
}
