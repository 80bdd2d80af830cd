//! What a decision-support service is to the chain. A hook may be late, down or lying; the chain bounds it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{Bundle, Exchange, Fault, Finding, Kept, Meta};

/// A decision-support service.
pub trait Hook: Send + Sync {
    /// What it is.
    fn meta(&self) -> &Meta;

    /// Whether it has something to say on such an exchange.
    fn wants(&self, exchange: &Exchange) -> bool;

    /// Asks it. Patient data leaves the house, so the frame must be [`Kept`]; the future may outlive the exchange.
    fn advise(&self, bundle: Arc<Bundle>, kept: Kept) -> BoxFuture<'static, Result<Vec<Finding>, Fault>>;
}
