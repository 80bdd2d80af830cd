//! What the joint hands back to a transport for one frame: a commit, if the sender asked for one, as soon as the frame
//! is kept, and the application replies after the answers. Transports write commits in order among themselves and
//! application replies in order among themselves; a commit never waits for an application reply.

use causeway_core::{Leave, Reply};
use tokio::sync::oneshot;

use crate::telemetry::TraceId;

/// A reply with the reason why it may leave the house.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Kept, passing, or not kept (then it is negative).
    pub leave: Leave,
    /// What is sent.
    pub reply: Reply,
}

/// The replies of one frame, to come.
#[derive(Debug)]
pub struct Replies {
    /// Said once the frame is kept.
    pub commit: Option<oneshot::Receiver<Outgoing>>,
    /// Said after the answers; may be empty (nobody asked).
    pub answers: oneshot::Receiver<Vec<Outgoing>>,
    /// The trace of the frame, where it got as far as the inbox.
    pub trace: Option<TraceId>,
}

impl Replies {
    /// A single reply that is there already.
    pub fn ready(outgoing: Outgoing) -> Self {
        let (sender, answers) = oneshot::channel();
        // The receiver is in hand, so sending cannot fail.
        let _sent = sender.send(vec![outgoing]);
        Self {
            commit: None,
            answers,
            trace: None,
        }
    }

    /// All replies in the order a lone caller sees them: the commit first. For in-process use.
    pub async fn collect(self) -> Vec<Outgoing> {
        let mut all = Vec::new();
        if let Some(commit) = self.commit {
            all.extend(commit.await);
        }
        all.extend(self.answers.await.into_iter().flatten());
        all
    }
}
