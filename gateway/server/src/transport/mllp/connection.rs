//! One connection: a reading side that turns bytes into frames and hands them on, and a writing side (`lanes`). Both run
//! in one task. While a frame is handed on nothing is read, so a gateway that is full pushes back through TCP. The work
//! on a frame belongs to the service: a peer that hangs up only loses the replies.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use causeway_core::{Fault, FaultKind, Frame, Head, Leave};
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tower::{Service, ServiceExt};
use tracing::{debug, info};

use super::budget::Charge;
use super::codec::{Decoder, Event};
use super::lanes::{Lanes, Owed, WriteEnd};
use super::server::Listener;
use crate::replies::{Outgoing, Replies};
use crate::service::FrameService;

/// Bytes read at a time; each open connection holds so much.
const CHUNK: usize = 16 << 10;
/// After the last reply, how long the peer may still send: closing on unread bytes would make TCP throw away replies
/// that are on their way. Longer if a frame was given up, since the peer is busy sending it.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_IN_FRAME: Duration = Duration::from_secs(5);

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// The peer said all it had to say.
    Closed,
    /// The gateway is draining.
    Draining,
    /// Nothing was said for too long.
    Idle,
    /// A frame took too long.
    FrameTimeout,
    /// No memory for a large frame came free in time.
    Overload,
    /// Too many bytes that were no frame.
    Garbage,
    /// Reading failed.
    Read(#[expect(dead_code, reason = "for the log")] io::Error),
    /// Writing failed or took too long.
    Write(#[expect(dead_code, reason = "for the log")] WriteEnd),
    /// The service is gone.
    Gone,
}

/// Runs a connection to its end.
pub(super) async fn run<R, W>(
    listener: &Listener,
    peer: Arc<str>,
    mut reader: R,
    mut writer: W,
    shutdown: watch::Receiver<bool>,
) -> End
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let window = usize::from(listener.options.window.max(1));
    let (owed, to_write) = mpsc::channel(window);
    let reading = Reading::new(listener, peer, &mut reader, owed, shutdown).run();
    let mut lanes = Lanes::new(listener, &mut writer, to_write);
    let end = both(reading, lanes.run()).await;
    close(listener, &end, &mut reader, &mut writer).await;
    end
}

/// Says that nothing more comes, and waits a little for the peer to say the same.
async fn close<R, W>(listener: &Listener, end: &End, reader: &mut R, writer: &mut W)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let patience = match end {
        End::Read(_) | End::Write(_) => return,
        End::FrameTimeout | End::Overload => LINGER_IN_FRAME,
        End::Closed | End::Draining | End::Idle | End::Garbage | End::Gone => LINGER,
    };
    let close = async {
        writer.shutdown().await?;
        discard(reader).await
    };
    match timeout(patience, close).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(listener = %listener.name, %error, "closing"),
        Err(_) => debug!(listener = %listener.name, "the peer did not close"),
    }
}

/// Reading ends first, then what is owed is written; or writing breaks, and reading makes no sense any more.
async fn both(reading: impl Future<Output = End>, writing: impl Future<Output = Result<(), WriteEnd>>) -> End {
    let mut writing = pin!(writing);
    let end = tokio::select! {
        biased;
        end = reading => end,
        written = &mut writing => return written.map_or_else(End::Write, |()| End::Gone),
    };
    match writing.await {
        Ok(()) => end,
        Err(error) => End::Write(error),
    }
}

async fn discard(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut scrap = [0; 4096];
    while reader.read(&mut scrap).await? > 0 {}
    Ok(())
}

struct Reading<'a, R> {
    listener: &'a Listener,
    peer: Arc<str>,
    reader: &'a mut R,
    service: FrameService,
    owed: mpsc::Sender<Owed>,
    window: Arc<Semaphore>,
    decoder: Decoder,
    charge: Charge,
    draining: Pin<Box<dyn Future<Output = ()> + Send>>,
    timer: Pin<Box<Sleep>>,
    last_read: Instant,
    /// When the frame that is being read began.
    began: Option<Instant>,
    /// Bytes skipped up to the last frame, and up to the last look.
    skipped: (u64, u64),
}

enum Chunk {
    Bytes(usize),
    /// Time has passed that means something to the decoder.
    WaitOver,
    End(End),
}

impl<'a, R: AsyncRead + Unpin + Send> Reading<'a, R> {
    fn new(
        listener: &'a Listener,
        peer: Arc<str>,
        reader: &'a mut R,
        owed: mpsc::Sender<Owed>,
        mut shutdown: watch::Receiver<bool>,
    ) -> Self {
        let now = Instant::now();
        Self {
            listener,
            peer,
            reader,
            service: listener.service.clone(),
            window: Arc::new(Semaphore::new(owed.max_capacity())),
            owed,
            decoder: Decoder::new(listener.options.max_frame),
            charge: Charge::new(listener.budget.clone()),
            draining: Box::pin(async move {
                // A sender that is gone means the same as its word.
                drop(shutdown.wait_for(|stop| *stop).await);
            }),
            timer: Box::pin(sleep_until(now + listener.options.idle)),
            last_read: now,
            began: None,
            skipped: (0, 0),
        }
    }

    async fn run(mut self) -> End {
        let end = match self.read_all().await {
            Ok(()) => End::Closed,
            Err(end) => end,
        };
        self.last_words(&end).await;
        if self.decoder.skipped() > 0 {
            let bytes = self.decoder.skipped();
            info!(listener = %self.listener.name, peer = %self.peer, bytes, "bytes that were no frame");
        }
        end
    }

    async fn read_all(&mut self) -> Result<(), End> {
        let mut buffer = vec![0; CHUNK];
        loop {
            match self.chunk(&mut buffer).await {
                Chunk::Bytes(0) => return Ok(()),
                Chunk::Bytes(read) => self.take(buffer.get(..read).unwrap_or_default()).await?,
                Chunk::WaitOver => {
                    self.began = None;
                    if let Some(event) = self.decoder.wait_over() {
                        self.on(event).await?;
                    }
                }
                Chunk::End(end) => return Err(end),
            }
        }
    }

    /// The next bytes, or what else happened.
    async fn chunk(&mut self, buffer: &mut [u8]) -> Chunk {
        loop {
            tokio::select! {
                biased;
                () = &mut self.draining => return Chunk::End(End::Draining),
                () = &mut self.timer => if let Some(due) = self.overdue() {
                    return due;
                },
                read = self.reader.read(buffer) => match read {
                    Ok(read) => return Chunk::Bytes(read),
                    Err(error) => return Chunk::End(End::Read(error)),
                },
            }
        }
    }

    async fn take(&mut self, mut bytes: &[u8]) -> Result<(), End> {
        self.listener.counters.bytes_in.add(bytes.len() as u64);
        while !bytes.is_empty() {
            let (taken, event) = self.decoder.push(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            if let Some(event) = event {
                self.on(event).await?;
            }
        }
        self.note_time();
        self.note_garbage()?;
        self.pay().await
    }

    /// Arms the timer for the frame that is being read. It only ever fires early, never late: a frame that ended leaves
    /// it set, and `overdue` looks again.
    fn note_time(&mut self) {
        self.last_read = Instant::now();
        if !self.decoder.in_frame() {
            self.began = None;
            return;
        }
        let began = *self.began.get_or_insert(self.last_read);
        let mut due = began + self.listener.options.frame;
        if self.decoder.wants_cr() {
            due = due.min(self.last_read + self.listener.options.end_wait);
        }
        if due < self.timer.deadline() {
            self.timer.as_mut().reset(due);
        }
    }

    fn note_garbage(&mut self) -> Result<(), End> {
        let skipped = self.decoder.skipped();
        self.listener.counters.garbage.add(skipped - self.skipped.1);
        self.skipped.1 = skipped;
        if skipped - self.skipped.0 > self.listener.options.max_garbage as u64 {
            return Err(End::Garbage);
        }
        Ok(())
    }

    /// Pays for what a large frame holds, before more of it is read.
    async fn pay(&mut self) -> Result<(), End> {
        let units = self.charge.missing(self.decoder.held());
        if units == 0 {
            return Ok(());
        }
        let due = self.began.unwrap_or(self.last_read) + self.listener.options.frame;
        tokio::select! {
            biased;
            () = &mut self.draining => Err(End::Draining),
            paid = self.charge.more(units) => paid.map_err(|_| End::Overload),
            () = sleep_until(due) => Err(End::Overload),
        }
    }

    /// The timer fired: what is due, or nothing yet and the timer is set again.
    fn overdue(&mut self) -> Option<Chunk> {
        let now = Instant::now();
        let options = &self.listener.options;
        if self.decoder.wants_cr() && now >= self.last_read + options.end_wait {
            return Some(Chunk::WaitOver);
        }
        let due = match self.began {
            Some(began) if now >= began + options.frame => return Some(Chunk::End(End::FrameTimeout)),
            Some(began) => began + options.frame,
            None if self.owes() => now + options.idle,
            None if now >= self.last_read + options.idle => return Some(Chunk::End(End::Idle)),
            None => self.last_read + options.idle,
        };
        self.timer.as_mut().reset(due);
        None
    }

    fn owes(&self) -> bool {
        self.window.available_permits() < self.owed.max_capacity()
    }

    async fn on(&mut self, event: Event) -> Result<(), End> {
        self.began = None;
        self.skipped.0 = self.decoder.skipped();
        match event {
            Event::Frame(body) => self.hand_on(body).await,
            Event::Truncated { first, length } => {
                self.listener.counters.truncated.add(1);
                let fault = Fault::new(FaultKind::Unreadable, "the message was cut short");
                let place = self.place().await?;
                self.refuse(&first, length, fault, place)
            }
            Event::TooLarge { first, length } => {
                self.listener.counters.oversize.add(1);
                let limit = self.listener.options.max_frame;
                let text = format!("the message is larger than the {limit} bytes that are taken");
                let place = self.place().await?;
                self.refuse(&first, length, Fault::new(FaultKind::TooLarge, text), place)
            }
        }
    }

    async fn place(&mut self) -> Result<OwnedSemaphorePermit, End> {
        Arc::clone(&self.window).acquire_owned().await.map_err(|_| End::Gone)
    }

    /// Waits for a place first and for the service then: it answers once the frame is received.
    async fn hand_on(&mut self, body: bytes::Bytes) -> Result<(), End> {
        let frame = Frame {
            listener: self.listener.name.clone(),
            peer: self.peer.clone(),
            received: Timestamp::now(),
            head: Head::Mllp,
            body,
        };
        let place = self.place().await?;
        let Ok(service) = self.service.ready().await;
        let Ok(replies) = service.call(frame).await;
        self.charge.release();
        self.listener.counters.frames.add(1);
        self.owe(replies, place)
    }

    fn refuse(&mut self, first: &[u8], length: u64, fault: Fault, place: OwnedSemaphorePermit) -> Result<(), End> {
        self.charge.release();
        info!(listener = %self.listener.name, peer = %self.peer, bytes = length, kind = ?fault.kind, "frame refused");
        let reply = (self.listener.refuse)(&Head::Mllp, first, fault.clone());
        let leave = Leave::NotKept(fault);
        self.owe(Replies::ready(Outgoing { leave, reply }), place)
    }

    fn owe(&mut self, replies: Replies, place: OwnedSemaphorePermit) -> Result<(), End> {
        self.owed.try_send(Owed { replies, place }).map_err(|_| End::Gone)
    }

    /// What is said about a frame that will not be read to its end.
    async fn last_words(&mut self, end: &End) {
        let counters = &self.listener.counters;
        let fault = match end {
            End::Closed => return self.end_of_input().await,
            End::Idle => return counters.idle_timeouts.add(1),
            End::FrameTimeout => {
                counters.frame_timeouts.add(1);
                Fault::new(FaultKind::Timeout, "the message took too long to arrive")
            }
            End::Overload => {
                counters.overload.add(1);
                Fault::new(FaultKind::Overload, "no memory for a large message; try again")
            }
            End::Draining => Fault::new(FaultKind::Draining, "the gateway is stopping; try again"),
            End::Garbage | End::Read(_) | End::Write(_) | End::Gone => return,
        };
        if self.decoder.in_frame()
            && let Ok(place) = self.place().await
        {
            let length = self.decoder.length();
            let first = self.decoder.abandon();
            // The writing side outlives this one, so there is somebody to tell.
            drop(self.refuse(&first, length, fault, place));
        }
    }

    async fn end_of_input(&mut self) {
        if let Some(event) = self.decoder.end() {
            drop(self.on(event).await);
        }
    }
}
