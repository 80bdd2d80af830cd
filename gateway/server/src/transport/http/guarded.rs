//! The deadlines of a connection that only its stream can keep: how long it may be silent between requests, how long a
//! header may take, and how long a peer may leave a response unread. What is said at its end is kept here until then. HTTP
//! itself is not known here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::server::Listener;

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
    listener: Arc<Listener>,
    /// What is said before it is closed.
    last: Bytes,
    /// The phase that `due` was set for.
    seen: u8,
    due: Instant,
    /// Never later than `due`; one that fires early is set again, so that a request costs no timer.
    timer: Pin<Box<Sleep>>,
    /// Made when a write first has to wait.
    unread: Option<Pin<Box<Sleep>>>,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, phase: Arc<Phase>, listener: Arc<Listener>) -> Self {
        let idle = listener.options.idle;
        Self {
            stream,
            phase,
            listener,
            last: Bytes::new(),
            seen: Phase::IDLE,
            due: Instant::now() + idle,
            timer: Box::pin(sleep(idle)),
            unread: None,
        }
    }

    /// The stream, and what is still to be said on it.
    pub(super) fn into_inner(self) -> (S, Bytes) {
        (self.stream, self.last)
    }

    /// Whether something else is said in place of these bytes, at the end.
    fn keeps_back(&mut self, bytes: &[u8]) -> bool {
        let Some(instead) = self.listener.words.instead_of(bytes) else {
            return false;
        };
        self.last = instead;
        true
    }

    fn look(&mut self) {
        let phase = self.phase.get();
        if phase == self.seen {
            return;
        }
        self.seen = phase;
        self.due = match phase {
            Phase::IDLE => Instant::now() + self.listener.options.idle,
            Phase::HEADER => Instant::now() + self.listener.options.header,
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
            self.listener.counters.frame_timeouts.add(1);
            self.last = self.listener.words.late.clone();
        } else {
            self.listener.counters.idle_timeouts.add(1);
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    fn written<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.unread = None;
            return done;
        }
        let write = self.listener.options.write;
        let timer = self.unread.get_or_insert_with(|| Box::pin(sleep(write)));
        ready!(timer.as_mut().poll(cx));
        self.listener.counters.write_timeouts.add(1);
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
        self.listener.counters.bytes_in.add(came as u64);
        if came > 0 && self.phase.get() == Phase::IDLE {
            self.phase.set(Phase::HEADER);
            self.look();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.keeps_back(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let done = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = &done {
            self.listener.counters.bytes_out.add(*written as u64);
        }
        self.written(cx, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = parts
            && self.keeps_back(only)
        {
            return Poll::Ready(Ok(only.len()));
        }
        let done = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        if let Poll::Ready(Ok(written)) = &done {
            self.listener.counters.bytes_out.add(*written as u64);
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
