//! Protocol data units on a stream (PS3.8 9.3): read into one buffer that is used again, checked for length before they
//! are waited for. Data fragments are handed out where they lie; all others are read by `dicom-ul`.

use std::io;

use dicom_ul::pdu::{AbortRQServiceProviderReason, AbortRQSource, Pdu, read_pdu, write_pdu};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::guard::guard;

/// Type, reserved byte and length.
const HEADER: usize = 6;
/// P-DATA-TF.
const DATA: u8 = 0x04;
/// An association request may have 128 presentation contexts of many transfer syntaxes each.
const LONGEST_REQUEST: usize = 256 << 10;
/// All others have a few bytes.
const LONGEST_OTHER: usize = 4 << 10;
/// What an idle association holds.
const CHUNK: usize = 16 << 10;

/// One message of the upper layer.
#[derive(Debug)]
pub(super) enum Incoming<'a> {
    /// The items of a P-DATA-TF.
    Data(&'a [u8]),
    /// Anything else.
    Control(Pdu),
}

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum Broken {
    /// The peer closed the connection.
    Closed,
    /// Reading or writing failed.
    Io(io::Error),
    /// The bytes are no PDU that may come.
    Invalid(AbortRQServiceProviderReason, &'static str),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A stream with its buffer.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    max_data: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, max_data: usize) -> Self {
        Self {
            stream,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            max_data,
        }
    }

    /// The next PDU. May be given up while it waits, and asked again.
    pub(super) async fn next(&mut self) -> Result<Incoming<'_>, Broken> {
        self.fill(HEADER).await?;
        let (kind, length) = self.header()?;
        self.fill(HEADER + length).await?;
        let (from, to) = (self.start, self.start + HEADER + length);
        self.start = to;
        let whole = self.buffer.get(from..to).unwrap_or_default();
        if kind == DATA {
            return Ok(Incoming::Data(whole.get(HEADER..).unwrap_or_default()));
        }
        control(whole).map(Incoming::Control)
    }

    /// Waits until a PDU begins to come, or nothing can come any more, which the next one says.
    pub(super) async fn begun(&mut self) {
        drop(self.fill(HEADER).await);
    }

    fn header(&self) -> Result<(u8, usize), Broken> {
        let bytes = self.buffer.get(self.start..self.start + HEADER);
        let Some([kind, _, a, b, c, d]) = bytes.and_then(|bytes| <[u8; HEADER]>::try_from(bytes).ok()) else {
            return Err(Broken::Closed);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let most = match kind {
            1 | 2 => LONGEST_REQUEST,
            DATA => self.max_data,
            3 | 5..=7 => LONGEST_OTHER,
            _ => {
                let reason = AbortRQServiceProviderReason::UnrecognizedPdu;
                return Err(Broken::Invalid(reason, "not a PDU"));
            }
        };
        if length > most {
            let reason = AbortRQServiceProviderReason::InvalidPduParameter;
            return Err(Broken::Invalid(reason, "a PDU is longer than agreed"));
        }
        Ok((kind, length))
    }

    /// Reads until so many bytes are there.
    async fn fill(&mut self, wanted: usize) -> Result<(), Broken> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.start + wanted > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < wanted {
            // Grows as bytes come, and only up to the longest PDU that may come.
            if self.end == self.buffer.len() {
                let most = wanted.max(self.max_data + HEADER);
                self.buffer.resize((self.buffer.len() * 2).min(most), 0);
            }
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            let read = self.stream.read(free).await?;
            if read == 0 {
                return Err(Broken::Closed);
            }
            self.end += read;
        }
        Ok(())
    }

    /// Gives back what an association that says nothing does not need; nothing while a PDU has begun to come.
    pub(super) fn rest(&mut self) {
        if self.start == self.end && self.buffer.len() > CHUNK {
            (self.start, self.end) = (0, 0);
            self.buffer = vec![0; CHUNK];
        }
    }

    /// Whether a PDU has begun to come.
    pub(super) fn is_in_pdu(&self) -> bool {
        self.end > self.start
    }

    /// Writes a control PDU.
    pub(super) async fn control(&mut self, pdu: &Pdu) -> Result<(), Broken> {
        let mut bytes = Vec::with_capacity(1024);
        write_pdu(&mut bytes, pdu).map_err(|error| io::Error::other(error.to_string()))?;
        self.write(&bytes).await
    }

    /// Writes a command set in fragments that the peer takes.
    pub(super) async fn command(&mut self, context: u8, set: &[u8], max: usize) -> Result<(), Broken> {
        let room = max.saturating_sub(HEADER).clamp(128, 16 << 10);
        let count = set.len().div_ceil(room);
        let mut bytes = Vec::with_capacity(set.len() + count * 12);
        for (number, fragment) in (1..).zip(set.chunks(room)) {
            let last = if number == count { 0x02 } else { 0 };
            bytes.extend_from_slice(&data_header(context, fragment.len(), 0x01 | last));
            bytes.extend_from_slice(fragment);
        }
        self.write(&bytes).await
    }

    /// Writes whole PDUs.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Says that nothing more comes and waits for the peer to say the same.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let mut scrap = [0; 4096];
        while self.stream.read(&mut scrap).await? > 0 {}
        Ok(())
    }
}

fn control(bytes: &[u8]) -> Result<Pdu, Broken> {
    let invalid = || {
        Broken::Invalid(
            AbortRQServiceProviderReason::InvalidPduParameter,
            "a PDU that cannot be read",
        )
    };
    let most = u32::try_from(LONGEST_REQUEST).unwrap_or(u32::MAX);
    let read = guard("pdu", || read_pdu(bytes, most, true).ok().flatten());
    read.ok().flatten().ok_or_else(invalid)
}

/// The header of a P-DATA-TF of one item with one fragment (PS3.8 9.3.5, annex E).
pub(super) fn data_header(context: u8, length: usize, control: u8) -> [u8; 12] {
    let mut header = [DATA, 0, 0, 0, 0, 0, 0, 0, 0, 0, context, control];
    let length = u32::try_from(length).unwrap_or(0);
    // Of the PDU, with the item's own six bytes, and of the item, with context and control.
    let lengths = [(length + 6).to_be_bytes(), (length + 2).to_be_bytes()].concat();
    if let Some(place) = header.get_mut(2..10) {
        place.copy_from_slice(&lengths);
    }
    header
}

/// An abort of ours (PS3.8 9.3.8).
pub(super) fn abort(reason: Option<AbortRQServiceProviderReason>) -> Pdu {
    let source = reason.map_or(AbortRQSource::ServiceUser, AbortRQSource::ServiceProvider);
    Pdu::AbortRQ { source }
}

/// A presentation data value: one fragment (PS3.8 9.3.5.1, annex E).
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'a> {
    pub(super) context: u8,
    pub(super) is_command: bool,
    pub(super) is_last: bool,
    pub(super) bytes: &'a [u8],
}

/// Takes the first fragment off the items of a P-DATA-TF; none when they are cut.
pub(super) fn fragment(items: &[u8]) -> Option<(Fragment<'_>, &[u8])> {
    let (length, behind) = items.split_first_chunk::<4>()?;
    let (item, rest) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let ([context, control], bytes) = item.split_first_chunk::<2>()?;
    let fragment = Fragment {
        context: *context,
        is_command: control & 0x01 != 0,
        is_last: control & 0x02 != 0,
        bytes,
    };
    Some((fragment, rest))
}
