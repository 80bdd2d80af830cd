//! MLLP framing (HL7 v2 Transport Specification, MLLP release 1): `VT payload FS CR`. A push machine over any chunking:
//! bytes go in, frames come out. No I/O, no clock and no knowledge of the payload; the server says when a wait is over.
//!
//! What lies outside the rules is read like this:
//! - Bytes between frames (NUL, line ends, release 2's ACK 0x06 and NAK 0x15, anything) are skipped and counted.
//! - An empty block carries no message; it is counted with the bytes between frames.
//! - FS followed by VT, or by nothing for a short wait, ends a frame whose CR is missing.
//! - FS followed by any other byte is data and stays in the payload.
//! - VT inside a frame means that the sender broke off and started again. None of the character sets that may travel
//!   over MLLP has 0x0B in a character.
//! - Past the limit nothing is kept but the first bytes, and the frame is scanned to its end.
//!
//! Memory follows what arrived, never what was announced: a decoder between frames holds no buffer.

use bytes::Bytes;
use memchr::{memchr, memchr2};

const VT: u8 = 0x0B;
const FS: u8 = 0x1C;
const CR: u8 = 0x0D;

/// How much of a frame that cannot be taken is kept for its refusal, in bytes; the limit, if that is less.
pub const HEAD: usize = 64 << 10;

/// What came out of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A whole frame.
    Frame(Bytes),
    /// A frame that broke off: a new one began, or the input ended.
    Truncated {
        /// At most the first [`HEAD`] bytes.
        first: Bytes,
        /// How many bytes had arrived.
        length: u64,
    },
    /// A whole frame over the limit.
    TooLarge {
        /// At most the first [`HEAD`] bytes.
        first: Bytes,
        /// How long it was.
        length: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between frames.
    Between,
    /// After a frame that ended without its CR: the CR may still come and is not garbage.
    Late,
    /// In a payload.
    Inside,
    /// In a payload, after an FS that was the last byte so far.
    AfterFs,
}

/// The machine. See the module's words for what it accepts.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    state: State,
    body: Vec<u8>,
    length: u64,
    skipped: u64,
}

impl Decoder {
    /// A decoder that keeps payloads up to `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            state: State::Between,
            body: Vec::new(),
            length: 0,
            skipped: 0,
        }
    }

    /// Takes bytes up to the first event; says how many were taken. Call again with the rest until all are taken.
    pub fn push(&mut self, input: &[u8]) -> (usize, Option<Event>) {
        let mut taken = 0;
        while let Some(rest) = input.get(taken..).filter(|rest| !rest.is_empty()) {
            let (step, event) = match self.state {
                State::Between => (self.between(rest), None),
                State::Late => (self.late(rest), None),
                State::Inside => self.inside(rest),
                State::AfterFs => self.after_fs(rest),
            };
            taken += step;
            if event.is_some() {
                return (taken, event);
            }
        }
        (taken, None)
    }

    /// The wait for a CR is over: a frame that only lacks its CR is whole.
    pub fn wait_over(&mut self) -> Option<Event> {
        if self.state != State::AfterFs {
            return None;
        }
        let event = self.finish(&[]);
        self.state = State::Late;
        event
    }

    /// No more bytes will come.
    pub fn end(&mut self) -> Option<Event> {
        match self.state {
            State::Between | State::Late => None,
            State::AfterFs => self.wait_over(),
            State::Inside => {
                let event = self.truncated(&[]);
                self.state = State::Between;
                event
            }
        }
    }

    /// Gives up the frame that is being read; its first bytes, for a refusal.
    pub fn abandon(&mut self) -> Bytes {
        self.state = State::Between;
        self.length = 0;
        let body = std::mem::take(&mut self.body);
        first(body)
    }

    /// Whether a frame has begun and not ended.
    pub fn in_frame(&self) -> bool {
        matches!(self.state, State::Inside | State::AfterFs)
    }

    /// Whether only a CR is wanted.
    pub fn wants_cr(&self) -> bool {
        self.state == State::AfterFs
    }

    /// Bytes kept of the frame that is being read.
    pub fn held(&self) -> usize {
        self.body.len()
    }

    /// Bytes of it that arrived.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes skipped between frames so far.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn between(&mut self, input: &[u8]) -> usize {
        if let Some(at) = memchr(VT, input) {
            self.skipped += at as u64;
            self.state = State::Inside;
            at + 1
        } else {
            self.skipped += input.len() as u64;
            input.len()
        }
    }

    fn late(&mut self, input: &[u8]) -> usize {
        self.state = State::Between;
        usize::from(input.first() == Some(&CR))
    }

    fn inside(&mut self, input: &[u8]) -> (usize, Option<Event>) {
        let mut from = 0;
        while let Some(at) = find_mark(input, from) {
            let payload = input.get(..at).unwrap_or_default();
            if input.get(at) == Some(&VT) {
                return (at + 1, self.truncated(payload));
            }
            match input.get(at + 1) {
                Some(&CR) => return (at + 2, self.finish(payload)),
                Some(&VT) => return (at + 1, self.finish(payload)),
                Some(_) => from = at + 1,
                None => {
                    self.keep(payload);
                    self.state = State::AfterFs;
                    return (at + 1, None);
                }
            }
        }
        self.keep(input);
        (input.len(), None)
    }

    fn after_fs(&mut self, input: &[u8]) -> (usize, Option<Event>) {
        match input.first() {
            Some(&CR) => (1, self.finish(&[])),
            Some(&VT) => (0, self.finish(&[])),
            _ => {
                // The FS was data after all.
                self.keep(&[FS]);
                self.state = State::Inside;
                (0, None)
            }
        }
    }

    /// The frame ends with these bytes. A frame that lay in one chunk is copied once, into exactly its own size.
    fn finish(&mut self, tail: &[u8]) -> Option<Event> {
        self.state = State::Between;
        let length = self.length + tail.len() as u64;
        if length == 0 {
            // An empty block: VT, FS and usually CR.
            self.skipped += 3;
            return None;
        }
        let fits = usize::try_from(length).is_ok_and(|length| length <= self.limit);
        if fits && self.body.is_empty() {
            self.length = 0;
            return Some(Event::Frame(Bytes::copy_from_slice(tail)));
        }
        self.keep(tail);
        self.length = 0;
        let mut body = std::mem::take(&mut self.body);
        if fits {
            body.shrink_to_fit();
            return Some(Event::Frame(Bytes::from(body)));
        }
        Some(Event::TooLarge {
            first: first(body),
            length,
        })
    }

    fn truncated(&mut self, tail: &[u8]) -> Option<Event> {
        self.keep(tail);
        let length = std::mem::take(&mut self.length);
        let body = std::mem::take(&mut self.body);
        if length == 0 {
            // Two VT in a row: nothing was lost.
            self.skipped += 1;
            return None;
        }
        Some(Event::Truncated {
            first: first(body),
            length,
        })
    }

    fn keep(&mut self, bytes: &[u8]) {
        let before = self.length;
        self.length += bytes.len() as u64;
        let limit = self.limit as u64;
        if self.length <= limit {
            self.body.extend_from_slice(bytes);
        } else if before <= limit {
            self.overflow(bytes);
        }
    }

    /// The limit is passed just now: only the first bytes stay, however they came.
    fn overflow(&mut self, bytes: &[u8]) {
        let head = HEAD.min(self.limit);
        let room = head.saturating_sub(self.body.len()).min(bytes.len());
        self.body.extend_from_slice(bytes.get(..room).unwrap_or_default());
        self.body.truncate(head);
        self.body.shrink_to_fit();
    }
}

fn find_mark(input: &[u8], from: usize) -> Option<usize> {
    memchr2(VT, FS, input.get(from..)?).map(|at| from + at)
}

fn first(mut body: Vec<u8>) -> Bytes {
    body.truncate(HEAD);
    body.shrink_to_fit();
    Bytes::from(body)
}

/// Appends `payload` with its framing.
pub fn encode(payload: &[u8], out: &mut Vec<u8>) {
    encode_parts(&[payload], out);
}

/// Appends a payload given in parts, with its framing.
pub(super) fn encode_parts(parts: &[&[u8]], out: &mut Vec<u8>) {
    out.reserve(parts.iter().map(|part| part.len()).sum::<usize>() + 3);
    out.push(VT);
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&[FS, CR]);
}

/// All events of an input that comes in chunks of `chunk` bytes and then ends, and the bytes that were skipped. What comes
/// out depends on the bytes and the limit alone, never on the chunks: the law for fuzzing.
pub fn decode_all(input: &[u8], chunk: usize, limit: usize) -> (Vec<Event>, u64) {
    let mut decoder = Decoder::new(limit);
    let mut events = Vec::new();
    for mut bytes in input.chunks(chunk.max(1)) {
        while !bytes.is_empty() {
            let (taken, event) = decoder.push(bytes);
            events.extend(event);
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }
    events.extend(decoder.end());
    (events, decoder.skipped())
}

#[cfg(test)]
mod tests;
