//! The deadlines of a connection that only its stream can keep: how long it may be silent between requests, how long a
//! header may take, and how long a peer may leave a response unread. HTTP itself is not known here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::options::Options;
use crate::transport::mllp::Counters;

/// Where a connection is in its life; the service and the stream tell each other.
#[derive(Debug, Default)]
pub(super) struct Phase(AtomicU8);

impl Phase {
    /// Nothing of a request has come.
    pub(super) const IDLE: u8 = 0;
    /// A header is coming.
    pub(super) const HEADER: u8 = 1;
    /// A request is read or answered; its own deadlines hold.
    pub(super) const BUSY: u8 = 2;
    /// A header did not come to its end in time.
    pub(super) const LATE: u8 = 3;

    pub(super) fn set(&self, phase: u8) {
        self.0.store(phase, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream with deadlines.
pub(super) struct Guarded<S> {
    stream: S,
    phase: Arc<Phase>,
    counters: Arc<Counters>,
    idle: Duration,
    header: Duration,
    write: Duration,
    /// The phase that `due` was set for.
    seen: u8,
    due: Instant,
    /// Never later than `due`; one that fires early is set again, so that a request costs no timer.
    timer: Pin<Box<Sleep>>,
    /// Made when a write first has to wait.
    unread: Option<Pin<Box<Sleep>>>,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, phase: Arc<Phase>, counters: Arc<Counters>, options: &Options) -> Self {
        Self {
            stream,
            phase,
            counters,
            idle: options.idle,
            header: options.header,
            write: options.write,
            seen: Phase::IDLE,
            due: Instant::now() + options.idle,
            timer: Box::pin(sleep(options.idle)),
            unread: None,
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    fn look(&mut self) {
        let phase = self.phase.get();
        if phase == self.seen {
            return;
        }
        self.seen = phase;
        self.due = match phase {
            Phase::IDLE => Instant::now() + self.idle,
            Phase::HEADER => Instant::now() + self.header,
            _ => return,
        };
        if self.due < self.timer.deadline() {
            self.timer.as_mut().reset(self.due);
        }
    }

    /// Whether the phase has lasted too long.
    fn overdue(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if !matches!(self.seen, Phase::IDLE | Phase::HEADER) {
            return Poll::Pending;
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if Instant::now() >= self.due {
                break;
            }
            self.timer.as_mut().reset(self.due);
        }
        if self.seen == Phase::HEADER {
            self.counters.frame_timeouts.add(1);
            self.phase.set(Phase::LATE);
        } else {
            self.counters.idle_timeouts.add(1);
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    fn written<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.unread = None;
            return done;
        }
        let write = self.write;
        let timer = self.unread.get_or_insert_with(|| Box::pin(sleep(write)));
        ready!(timer.as_mut().poll(cx));
        self.counters.write_timeouts.add(1);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.look();
        let before = buffer.filled().len();
        let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buffer) else {
            return self.overdue(cx).map(Err);
        };
        let came = buffer.filled().len() - before;
        self.counters.bytes_in.add(came as u64);
        if came > 0 && self.phase.get() == Phase::IDLE {
            self.phase.set(Phase::HEADER);
            self.look();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = &done {
            self.counters.bytes_out.add(*written as u64);
        }
        self.written(cx, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        if let Poll::Ready(Ok(written)) = &done {
            self.counters.bytes_out.add(*written as u64);
        }
        self.written(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, done)
    }
}
