//! Cuts a transaction set into parts, one a claim, by going through it a second time: the header segments in force are
//! kept and copied to each claim that stands under them. What is wrong is known already and not looked at again.

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::{Fault, Source};

use crate::delimiters::Delimiters;
use crate::envelope::Envelope;
use crate::guide::{CLAIM, Guide};
use crate::name::SegmentId;
use crate::part::{LoopInstance, Part, PartSegment};
use crate::segment::Segment;
use crate::tokenise::{Kind, Paused};
use crate::walk::{Open, Walk};

/// The largest claim that is handed on, in bytes; a claim of fifty lines with all that may stand there has some 100 kB.
pub const MAX_CLAIM: usize = 4 * 1024 * 1024;

/// The largest header, in bytes. It is copied to each claim; those of real files have 1 to 2 kB.
pub const MAX_HEADER: usize = 64 * 1024;

/// A claim that was cut out.
#[derive(Debug)]
pub struct Claim {
    /// The claim with its header.
    pub part: Part,
    /// Number of its first segment in the set: CLM.
    pub first: u32,
    /// Number of its last segment in the set.
    pub last: u32,
    /// Whether it was larger than [`MAX_CLAIM`], so that its end is missing.
    pub is_cut_off: bool,
}

/// Segments with their loops.
#[derive(Debug)]
struct Piece {
    text: Vec<u8>,
    segments: Vec<PartSegment>,
    loops: Vec<LoopInstance>,
    /// For each loop, how many segments and how much text stood before it.
    before: Vec<(usize, usize)>,
    /// Most bytes of its text.
    most: usize,
    full: bool,
}

impl Piece {
    fn new(most: usize) -> Self {
        Self {
            text: Vec::new(),
            segments: Vec::new(),
            loops: Vec::new(),
            before: Vec::new(),
            most,
            full: false,
        }
    }

    fn add(&mut self, text: &[u8], id: SegmentId, within: u32, occurrence: u32, position: u32, terminator: u8) {
        if self.full || self.text.len() + text.len() >= self.most {
            self.full = true;
            return;
        }
        let start = self.text.len();
        self.text.extend_from_slice(text);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let end = self.text.len();
        self.text.push(terminator);
        self.segments.push(PartSegment {
            id,
            start: place(start),
            end: place(end),
            within,
            occurrence,
            position,
        });
    }

    fn open(&mut self, instance: LoopInstance) {
        self.before.push((self.segments.len(), self.text.len()));
        self.loops.push(instance);
    }

    /// Forgets a loop and all behind it.
    fn forget(&mut self, index: usize) {
        if let Some((segments, text)) = self.before.get(index).copied() {
            self.segments.truncate(segments);
            self.text.truncate(text);
            self.loops.truncate(index);
            self.before.truncate(index);
            self.full = false;
        }
    }
}

/// A transaction set that is being cut. It holds no source: each step is given it.
#[derive(Debug)]
pub struct Cutter {
    walk: Walk,
    paused: Option<Paused>,
    delimiters: Delimiters,
    envelope: Arc<Envelope>,
    position: u32,
    header: Piece,
    claim: Option<Piece>,
    /// For each open loop its number among the loops of header and claim together.
    stack: Vec<u32>,
    first: u32,
    done: bool,
}

impl Cutter {
    /// Begins at the ST that stands at `start`.
    pub fn new(guide: &'static Guide, start: u64, delimiters: Delimiters, envelope: Envelope) -> Self {
        Self {
            walk: Walk::new(guide),
            paused: Some(Paused::at(start, delimiters)),
            delimiters,
            envelope: Arc::new(envelope),
            position: 0,
            header: Piece::new(MAX_HEADER),
            claim: None,
            stack: Vec::new(),
            first: 0,
            done: false,
        }
    }

    /// What stands around the claims.
    pub fn envelope(&self) -> &Arc<Envelope> {
        &self.envelope
    }

    /// The next claim; none at the end of the set.
    ///
    /// # Errors
    /// A read of the source that failed.
    pub fn next<S: Source + ?Sized>(&mut self, source: &mut S) -> Result<Option<Claim>, Fault> {
        let Some(paused) = self.paused.take().filter(|_| !self.done) else {
            return Ok(None);
        };
        let mut tokens = paused.resume(source);
        while let Some(token) = tokens.next()? {
            let segment = Segment::cut(token.text, self.delimiters);
            let ends = matches!(segment.element(0), b"SE" | b"GS" | b"GE" | b"IEA")
                || (segment.element(0) == b"ST" && self.position > 0)
                || matches!(token.kind, Kind::Header(_) | Kind::BadHeader(_) | Kind::Junk { .. });
            if ends {
                break;
            }
            if let Some(claim) = self.take(&segment, token.text) {
                self.paused = Some(tokens.pause());
                return Ok(Some(claim));
            }
        }
        self.done = true;
        Ok(self.finish())
    }

    /// Takes a segment; if it ends a claim, the claim.
    fn take(&mut self, segment: &Segment<'_>, text: &[u8]) -> Option<Claim> {
        let before = self.claimed();
        let position = self.position.saturating_add(1);
        let stand = self.walk.step(segment, position, &mut |_| {});
        let now = self.claimed();
        let ended = if before == now { None } else { self.finish() };
        self.position = position;
        if now.is_some() && self.claim.is_none() {
            self.claim = Some(Piece::new(MAX_CLAIM));
            self.first = position;
        }
        self.follow();
        let within = self.stack.get(stand.depth).copied().unwrap_or(0);
        let id = segment.id().unwrap_or_else(|| SegmentId::like(segment.element(0)));
        let piece = self.claim.as_mut().unwrap_or(&mut self.header);
        piece.add(text, id, within, stand.occurrence, position, self.delimiters.terminator);
        ended
    }

    /// The instance of the claim that is open.
    fn claimed(&self) -> Option<u32> {
        self.walk
            .open()
            .iter()
            .find(|open| open.id.as_str() == CLAIM)
            .map(|open| open.instance)
    }

    /// Makes the loops of header and claim those that the walk has open.
    fn follow(&mut self) {
        let open = self.walk.open();
        let held = |number: u32| {
            let number = number as usize;
            let of_claim = || {
                self.claim
                    .as_ref()?
                    .loops
                    .get(number.checked_sub(self.header.loops.len())?)
            };
            self.header.loops.get(number).or_else(of_claim)
        };
        let same = |(number, open): &(&u32, &Open)| {
            held(**number).is_some_and(|held| held.id == open.id && held.occurrence == open.instance)
        };
        let kept = self.stack.iter().zip(open).take_while(same).count();
        self.stack.truncate(kept);
        let new: Vec<LoopInstance> = open
            .iter()
            .skip(kept)
            .map(|open| LoopInstance {
                id: open.id,
                parent: 0,
                occurrence: open.instance,
            })
            .collect();
        for instance in new {
            self.open(instance);
        }
    }

    fn open(&mut self, mut instance: LoopInstance) {
        instance.parent = self.stack.last().copied().unwrap_or(0);
        let shared = self.header.loops.len();
        let number = if let Some(claim) = &mut self.claim {
            claim.open(instance);
            shared + claim.loops.len() - 1
        } else {
            // Another instance in the same place: the one before is no longer in force, nor what stood under it.
            let same = |held: &LoopInstance| held.id == instance.id && held.parent == instance.parent;
            if let Some(old) = self.header.loops.iter().position(same).filter(|_| shared > 0) {
                self.header.forget(old);
            }
            self.header.open(instance);
            self.header.loops.len() - 1
        };
        self.stack.push(u32::try_from(number).unwrap_or(u32::MAX));
    }

    /// The claim in hand with its header.
    fn finish(&mut self) -> Option<Claim> {
        let claim = self.claim.take()?;
        let shared = self.header.text.len();
        let shift = u32::try_from(shared).unwrap_or(u32::MAX);
        let mut text = Vec::with_capacity(shared + claim.text.len());
        text.extend_from_slice(&self.header.text);
        text.extend_from_slice(&claim.text);
        let moved = claim.segments.iter().map(|segment| PartSegment {
            start: segment.start.saturating_add(shift),
            end: segment.end.saturating_add(shift),
            ..*segment
        });
        let part = Part {
            text: Bytes::from(text),
            delimiters: self.delimiters,
            segments: self.header.segments.iter().copied().chain(moved).collect(),
            loops: self.header.loops.iter().chain(&claim.loops).copied().collect(),
            header: self.header.segments.len(),
            envelope: Arc::clone(&self.envelope),
        };
        Some(Claim {
            part,
            first: self.first,
            last: self.position,
            is_cut_off: claim.full || self.header.full,
        })
    }
}
