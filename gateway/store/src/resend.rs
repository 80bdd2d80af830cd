//! What a resend gets, said once for every engine. A resend is the same bytes of the same sender within the window;
//! the engine finds the earlier frame, this decides what follows.

use causeway_core::store::Decided;
use causeway_core::{Fault, FaultKind, Reply, Verdict};
use sha2::{Digest, Sha256};

/// How an answer ended over all its parts; the worst part counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sum {
    Positive = 0,
    Refused = 1,
    Failed = 2,
}

impl Sum {
    /// Over the parts; nothing when there are none.
    pub(crate) fn of(decided: &[Decided]) -> Option<Self> {
        decided.iter().map(|part| Self::of_verdict(part.verdict)).max()
    }

    /// Over the replies, for a frame that had no parts: unreadable or empty. A map may read it tomorrow, so it is as
    /// good as refused unless every reply was positive.
    pub(crate) fn of_replies(replies: &[Reply]) -> Self {
        let positive = !replies.is_empty() && replies.iter().all(|reply| reply.positive);
        if positive { Self::Positive } else { Self::Refused }
    }

    fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Failed { .. } => Self::Failed,
            Verdict::Refused => Self::Refused,
            _ => Self::Positive,
        }
    }

    /// From the number a column holds; an unknown one is taken as failed, so that the frame runs again.
    pub(crate) fn from_column(value: i64) -> Self {
        match value {
            0 => Self::Positive,
            1 => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// How the earlier frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// Not answered yet: running, parked or waiting for its recovery.
    Open,
    /// Set aside for an operator.
    Held,
    /// Its answer could not be kept: nobody works on it.
    Lost,
    /// Answered, under the same maps, rules and site as now or under others.
    Answered { sum: Sum, same_snapshot: bool },
}

/// What becomes of the resend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// It runs as a new frame.
    New,
    /// It is kept as an arrival; the earlier frame's answer is its answer.
    Again,
    /// It is kept as an arrival and refused: the sender may try later.
    Held,
}

/// Rules over a resend.
pub(crate) fn judge(earlier: Earlier) -> Ruling {
    match earlier {
        Earlier::Held => Ruling::Held,
        Earlier::Lost
        | Earlier::Answered { sum: Sum::Failed, .. }
        | Earlier::Answered {
            sum: Sum::Refused,
            same_snapshot: false,
        } => Ruling::New,
        Earlier::Open | Earlier::Answered { .. } => Ruling::Again,
    }
}

/// 64 bits over sender and hash, by which an engine looks for an earlier frame; a match is compared in full.
pub(crate) fn mark(sender: &str, hash: &[u8; 32]) -> i64 {
    let digest = Sha256::new().chain_update(hash).chain_update(sender).finalize();
    digest.first_chunk().map_or(0, |first| i64::from_le_bytes(*first))
}

/// The fault that a resend of a held frame gets.
pub(crate) fn held() -> Fault {
    Fault::new(FaultKind::Held, "the same message is held for an operator")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rulings() {
        let answered = |sum, same_snapshot| Earlier::Answered { sum, same_snapshot };
        let table = [
            (Earlier::Open, Ruling::Again),
            (Earlier::Held, Ruling::Held),
            (Earlier::Lost, Ruling::New),
            (answered(Sum::Positive, true), Ruling::Again),
            (answered(Sum::Positive, false), Ruling::Again),
            (answered(Sum::Refused, true), Ruling::Again),
            (answered(Sum::Refused, false), Ruling::New),
            (answered(Sum::Failed, true), Ruling::New),
            (answered(Sum::Failed, false), Ruling::New),
        ];
        for (earlier, ruling) in table {
            assert_eq!(judge(earlier), ruling, "{earlier:?}");
        }
    }

    #[test]
    fn the_mark_tells_sender_and_hash_apart() {
        let (one, other) = ([1; 32], [2; 32]);
        assert_eq!(mark("lab", &one), mark("lab", &one));
        assert_ne!(mark("lab", &one), mark("ris", &one));
        assert_ne!(mark("lab", &one), mark("lab", &other));
    }
}
