//! What goes into the next commit: the commands taken so far with what will be said of each, and since when the first
//! of them waits. Nothing is said before the commit.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use causeway_core::Fault;
use causeway_core::store::Sent;

use super::command::Command;

/// A commit takes at most so many commands, so that the first of them does not wait for ever longer groups.
const COMMANDS: usize = 1_024;
/// A commit takes at most about so many bytes of bodies.
const BYTES: usize = 8 << 20;

/// What will be said of a command once it is on disk.
#[derive(Debug)]
pub(super) enum Done {
    /// A new frame is kept.
    Kept,
    /// A resend is kept as an arrival.
    Again(u64),
    /// Replies may be sent.
    Sent(Sent),
    /// A resend waits for the earlier frame's answer.
    Wait(u64),
    /// It is not to be.
    Failed(Fault),
    /// Numbers of frames.
    Numbers(Vec<u64>),
    /// Nobody waits.
    Nothing,
}

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) items: Vec<(Command, Done)>,
    received: HashSet<u64>,
    since: Option<Instant>,
    bytes: usize,
    due: bool,
}

impl Group {
    pub(super) fn push(&mut self, command: Command, done: Done) {
        self.since.get_or_insert_with(Instant::now);
        match &command {
            Command::Receive(incoming) => {
                self.received.insert(incoming.entry.number);
                self.bytes += incoming.entry.frame.body.len();
            }
            Command::Decided(partial) => self.bytes += partial.parts.len(),
            Command::Late(advice) => self.bytes += advice.findings.len(),
            Command::Answered(ending) => {
                self.bytes += ending.parts.len();
                // An answer without replies may linger: its sender has the commit and nothing else to wait for.
                self.due |= !ending.replies.is_empty();
            }
            Command::Settle(settling) => self.due |= settling.attempt.wanted,
            _ => self.due = true,
        }
        self.items.push((command, done));
    }

    /// Somebody waits for a frame; if it is not in this group it is on disk already.
    pub(super) fn want(&mut self, number: u64) {
        self.due |= self.received.contains(&number);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Somebody waits for the commit.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= COMMANDS || self.bytes >= BYTES
    }

    /// How long the commit may still be put off.
    pub(super) fn remaining(&self, linger: Duration) -> Duration {
        self.since
            .map_or(linger, |since| linger.saturating_sub(since.elapsed()))
    }

    pub(super) fn take(&mut self) -> Vec<(Command, Done)> {
        std::mem::take(self).items
    }
}
