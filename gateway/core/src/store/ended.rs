//! How a frame's work ended, whole or some parts at a time. It holds no more of a large frame than it was given.

use std::sync::Arc;

use super::Decided;
use crate::{Fault, Reply};

/// How a frame's work ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The answers of its parts.
    pub decided: Vec<Decided>,
    /// Whether parts were decided before these and are not here, since there may be more of them than memory takes:
    /// [`parts_of`] gives them.
    pub earlier: bool,
    /// The replies, in order.
    pub replies: Arc<[Reply]>,
}

impl Ended {
    /// Of a frame that is not answered: what [`parts_of`] gives of it was decided so far.
    pub fn not_yet() -> Self {
        Self {
            decided: Vec::new(),
            earlier: true,
            replies: Arc::from([]),
        }
    }
}

/// Some of the answers of a frame's parts.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// The answers, in order.
    pub decided: Vec<Decided>,
    /// Where those after them begin; nothing at the end.
    pub next: Option<u64>,
}

/// The answers of all parts of a frame that a record tells of, in order, some at a time, so that memory holds a bounded
/// part of a large frame's. `earlier` reads them, as [`Store::decided_earlier`](super::Store::decided_earlier) does. Nothing
/// more comes after an error.
pub fn parts_of(
    mut earlier: impl FnMut(u64) -> Result<Parts, Fault>,
    ended: Ended,
) -> impl Iterator<Item = Result<Vec<Decided>, Fault>> {
    let mut last = Some(ended.decided);
    let mut next = ended.earlier.then_some(0);
    std::iter::from_fn(move || {
        while let Some(from) = next.take() {
            match earlier(from) {
                Ok(parts) if parts.decided.is_empty() => next = parts.next,
                Ok(parts) => {
                    next = parts.next;
                    return Some(Ok(parts.decided));
                }
                Err(fault) => {
                    last = None;
                    return Some(Err(fault));
                }
            }
        }
        last.take().map(Ok)
    })
}
