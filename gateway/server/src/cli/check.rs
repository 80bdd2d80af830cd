//! `causeway check`: configuration, maps and rules, without starting.

use std::sync::Arc;

use causeway_store::MemoryLog;

use super::{Common, Status, block_on, output};
use crate::{hooks, wire};

pub(super) fn run(common: &Common) -> anyhow::Result<Status> {
    let config = common.config()?;
    block_on(async {
        let house = wire::house(&config, Arc::new(MemoryLog::new()), hooks::build(&config)?)?;
        for listener in &config.listeners {
            wire::wired(listener, &config, &house)?;
            output::line(&format!("listener {} on {}: fine", listener.name, listener.address));
        }
        anyhow::Ok(Status::Fine)
    })?
}
