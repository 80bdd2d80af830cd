//! The writing side of a connection. Replies leave in two lanes, commits and application replies, each in the order of
//! its frames; a commit never waits for an application reply, and a frame's application reply never goes before its own
//! commit. What is ready goes out in one write. Only the first of a lane is polled, so replies that end out of order wake
//! nobody. The reading side runs in the same task and is polled first.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use causeway_core::Leave;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;
use tracing::{error, warn};

use super::codec;
use super::server::Listener;
use crate::replies::{Outgoing, Replies};

/// One write gathers about so many bytes.
const GATHER: usize = 64 << 10;

/// The replies of one frame and its place in the connection's window.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) replies: Replies,
    pub(super) place: OwnedSemaphorePermit,
}

struct Answers {
    replies: oneshot::Receiver<Vec<Outgoing>>,
    /// So many commits must have been said.
    after: u64,
    _place: OwnedSemaphorePermit,
}

/// Why writing ended before everything was said.
#[derive(Debug)]
pub(super) enum WriteEnd {
    /// The peer is gone.
    Error(#[expect(dead_code, reason = "for the log")] io::Error),
    /// The peer does not read.
    Timeout,
}

pub(super) struct Lanes<'a, W> {
    listener: &'a Listener,
    writer: &'a mut W,
    owed: mpsc::Receiver<Owed>,
    commits: VecDeque<oneshot::Receiver<Outgoing>>,
    answers: VecDeque<Answers>,
    commits_taken: u64,
    commits_said: u64,
    out: Vec<u8>,
}

impl<'a, W: AsyncWrite + Unpin> Lanes<'a, W> {
    pub(super) fn new(listener: &'a Listener, writer: &'a mut W, owed: mpsc::Receiver<Owed>) -> Self {
        Self {
            listener,
            writer,
            owed,
            commits: VecDeque::new(),
            answers: VecDeque::new(),
            commits_taken: 0,
            commits_said: 0,
            out: Vec::new(),
        }
    }

    /// Writes until the reading side is gone and nothing is owed.
    pub(super) async fn run(&mut self) -> Result<(), WriteEnd> {
        while poll_fn(|context| self.poll_gather(context)).await {
            // Sleeps nowhere if the socket takes the bytes at once: the timer is made on the first pending write.
            let write = timeout(self.listener.options.write, self.writer.write_all(&self.out)).await;
            match write {
                Ok(Ok(())) => self.listener.counters.bytes_out.add(self.out.len() as u64),
                Ok(Err(error)) => return Err(WriteEnd::Error(error)),
                Err(_) => {
                    self.listener.counters.write_timeouts.add(1);
                    return Err(WriteEnd::Timeout);
                }
            }
            self.out.clear();
            self.out.shrink_to(GATHER);
        }
        Ok(())
    }

    /// True: there are bytes to write. False: there will never be any again.
    fn poll_gather(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let open = self.poll_owed(context);
        self.poll_commits(context);
        self.poll_answers(context);
        if !self.out.is_empty() {
            return Poll::Ready(true);
        }
        if !open && self.commits.is_empty() && self.answers.is_empty() {
            return Poll::Ready(false);
        }
        Poll::Pending
    }

    /// Takes what the reading side handed over; false when it is gone.
    fn poll_owed(&mut self, context: &mut Context<'_>) -> bool {
        loop {
            match self.owed.poll_recv(context) {
                Poll::Ready(Some(owed)) => self.take(owed),
                Poll::Ready(None) => return false,
                Poll::Pending => return true,
            }
        }
    }

    fn take(&mut self, owed: Owed) {
        let Replies { commit, answers, .. } = owed.replies;
        if let Some(commit) = commit {
            self.commits_taken += 1;
            self.commits.push_back(commit);
        }
        self.answers.push_back(Answers {
            replies: answers,
            after: self.commits_taken,
            _place: owed.place,
        });
    }

    fn poll_commits(&mut self, context: &mut Context<'_>) {
        while self.out.len() < GATHER
            && let Some(commit) = self.commits.front_mut()
            && let Poll::Ready(said) = Pin::new(commit).poll(context)
        {
            self.commits.pop_front();
            self.commits_said += 1;
            match said {
                Ok(outgoing) => self.say(&outgoing),
                Err(_) => self.unanswered(),
            }
        }
    }

    fn poll_answers(&mut self, context: &mut Context<'_>) {
        while self.out.len() < GATHER
            && let Poll::Ready(Some(replies)) = self.poll_first_answers(context)
        {
            self.answers.pop_front();
            match replies {
                Ok(replies) => replies.iter().for_each(|outgoing| self.say(outgoing)),
                Err(_) => self.unanswered(),
            }
        }
    }

    fn poll_first_answers(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Vec<Outgoing>, oneshot::error::RecvError>>> {
        let said = self.commits_said;
        let Some(answers) = self.answers.front_mut().filter(|answers| answers.after <= said) else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(ready!(Pin::new(&mut answers.replies).poll(context))))
    }

    fn say(&mut self, outgoing: &Outgoing) {
        if outgoing.reply.bytes.is_empty() {
            return;
        }
        if outgoing.reply.positive && matches!(outgoing.leave, Leave::NotKept(_)) {
            error!(listener = %self.listener.name, "a positive reply for a frame that is not kept; not sent");
            self.listener.counters.unanswered.add(1);
            return;
        }
        self.listener.counters.replies.add(1);
        codec::encode(&outgoing.reply.bytes, &mut self.out);
    }

    /// The work went away without a word; the sender will ask again.
    fn unanswered(&self) {
        self.listener.counters.unanswered.add(1);
        warn!(listener = %self.listener.name, "a frame got no reply");
    }
}
