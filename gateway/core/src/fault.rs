//! Infrastructure failures. A `Fault` is never about the content of a message (that is a `Finding`); it says what could
//! not be done, whose fault it is and whether trying again can help. What the peer is told and what the log says are
//! two texts, and neither holds patient data.

use std::borrow::Cow;

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The store could not keep it: disk full, failed write, failed fsync.
    Storage,
    /// A limit of messages, bytes or connections is reached.
    Overload,
    /// A frame larger than the listener takes.
    TooLarge,
    /// It took longer than its deadline.
    Timeout,
    /// The bytes cannot be read as the format at all.
    Unreadable,
    /// The gateway is draining and takes nothing new.
    Draining,
    /// A frame that brought the process down twice; an operator decides.
    Held,
    /// A defect of ours: a caught panic or a broken invariant.
    Internal,
    /// A peer that we called did not answer as it should.
    Upstream,
    /// Who sends does not say who it is, or not so that it can be believed.
    Unauthenticated,
    /// Who sends may not.
    Forbidden,
    /// It was meant for somebody else.
    Misdirected,
    /// Nothing is at the place that it names.
    Nowhere,
    /// What is there does not do what was asked for.
    NotAllowed,
    /// A kind of content, or a coding of it, that is not taken.
    Unsupported,
    /// One sender wants too much at once.
    TooMany,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The sender of the frame.
    Sender,
    /// This gateway or its machine.
    Gateway,
    /// A system that the gateway called.
    Peer,
}

/// Something that could not be done.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind:?}: {inside}")]
pub struct Fault {
    /// What failed.
    pub kind: FaultKind,
    /// Whether the same request may succeed later.
    pub retry: bool,
    /// What the peer is told.
    pub outside: Cow<'static, str>,
    /// What the log says.
    pub inside: Cow<'static, str>,
}

impl Fault {
    /// A fault with the same words for peer and log.
    pub fn new(kind: FaultKind, text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let retry = kind == FaultKind::TooMany || blame(kind) != Blame::Sender;
        Self {
            kind,
            retry,
            outside: text.clone(),
            inside: text,
        }
    }

    /// The same fault with a more detailed text for the log.
    #[must_use]
    pub fn inside(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.inside = text.into();
        self
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        blame(self.kind)
    }
}

fn blame(kind: FaultKind) -> Blame {
    match kind {
        FaultKind::TooLarge
        | FaultKind::Unreadable
        | FaultKind::Unauthenticated
        | FaultKind::Forbidden
        | FaultKind::Misdirected
        | FaultKind::Nowhere
        | FaultKind::NotAllowed
        | FaultKind::Unsupported
        | FaultKind::TooMany => Blame::Sender,
        FaultKind::Upstream => Blame::Peer,
        FaultKind::Storage
        | FaultKind::Overload
        | FaultKind::Timeout
        | FaultKind::Draining
        | FaultKind::Held
        | FaultKind::Internal => Blame::Gateway,
    }
}
