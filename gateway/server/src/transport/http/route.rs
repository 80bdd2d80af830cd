//! What stands at a path of a listener: messages that are posted, or a whole API below it. Finding the route of a path is
//! all that is done here.

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::HttpHead;
use futures_util::future::BoxFuture;

use crate::service::FrameService;
use crate::transport::mllp::RefuseFn;

/// What leads from a path to a joint.
#[derive(Clone)]
pub struct Route {
    /// The name its frames carry as their listener's: the listener's own with the path.
    pub name: Arc<str>,
    /// The path, with its leading slash and without one at the end.
    pub path: String,
    /// What takes the frames.
    pub service: FrameService,
    /// What renders refusals.
    pub refuse: RefuseFn,
    /// What kind of route it is.
    pub kind: Kind,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What kind of route it is.
#[derive(Clone)]
pub enum Kind {
    /// Each POST to the path is a message of one of these media types; the first is meant where a sender names none. The
    /// same bytes again are a resend.
    Messages(&'static [&'static str]),
    /// Every method and path below is the format's business, media types too. Each request is one of its own.
    Rest {
        /// Whether a request changes nothing although it has a body; GET and HEAD never do.
        passes: fn(&HttpHead) -> bool,
        /// What answers those that change nothing.
        read: ReadFn,
    },
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Messages(_) => "Messages",
            Self::Rest { .. } => "Rest",
        })
    }
}

/// Answers a request that changes nothing; such requests are not kept.
pub type ReadFn = Arc<dyn Fn(Asking) -> BoxFuture<'static, Passing> + Send + Sync>;

/// A request that changes nothing.
#[derive(Debug, Clone)]
pub struct Asking {
    /// What is asked for.
    pub head: HttpHead,
    /// Its body.
    pub body: Bytes,
    /// Who asks: an address, and whom a certificate names.
    pub peer: Arc<str>,
}

/// The answer to a request that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing {
    /// The status.
    pub status: u16,
    /// Header fields by name in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub bytes: Bytes,
}

/// The route of a path and what of the path lies below it.
pub(super) fn find<'r, 'p>(routes: &'r [Route], path: &'p str) -> Option<(&'r Route, &'p str)> {
    routes.iter().find_map(|route| {
        let below = path.strip_prefix(route.path.as_str())?;
        let fits = match route.kind {
            Kind::Messages(_) => matches!(below, "" | "/"),
            Kind::Rest { .. } => below.is_empty() || below.starts_with('/'),
        };
        fits.then_some((route, below))
    })
}
