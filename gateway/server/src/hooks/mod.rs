//! Decision-support services: the CDS Hooks client and what keeps it within bounds. A service gets the bundle as its
//! prefetch and its cards become findings; whatever else it does becomes a fault, and the chain says "not evaluated".
//! Nothing here decides whether a message goes on.

mod breaker;
mod bundle_request;
mod cards;
mod client;
mod config;

pub use breaker::{Breaker, BreakerState};
pub use client::CdsHook;
pub use config::HookConfig;

use std::sync::Arc;
use std::time::Duration;

use causeway_core::Hook;

use crate::chain::{Budget, HookSet};
use crate::config::Config;
use crate::transport::tls::Clients;

/// The services of a configuration; their certificates are looked after among the clients.
///
/// # Errors
/// A service's configuration cannot be used.
pub fn build(config: &Config, clients: &Clients) -> anyhow::Result<HookSet> {
    let mut hooks: Vec<Arc<dyn Hook>> = Vec::new();
    for hook in &config.hooks {
        hooks.push(Arc::new(CdsHook::among(hook.clone(), clients)?));
    }
    let budget = Budget(Duration::from_millis(config.chain.hook_budget_ms));
    Ok(HookSet {
        hooks: hooks.into(),
        budget,
        ..HookSet::default()
    })
}
