//! The two tower boundaries of the house, by name. There is no third.

use std::convert::Infallible;

use causeway_core::{Answer, Exchange, Frame};
use tower::util::BoxCloneSyncService;

use crate::replies::Replies;

/// What a listener calls: a frame goes in, its replies come out, and nothing can leave without one.
pub type FrameService = BoxCloneSyncService<Frame, Replies, Infallible>;

/// What the joint calls: an exchange goes in, its answer comes out.
pub type ChainService = BoxCloneSyncService<Exchange, Answer, Infallible>;
