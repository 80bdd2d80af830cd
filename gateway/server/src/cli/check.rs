//! `causeway check`: configuration, maps with their sites, rules, and what listeners and destinations need, without starting.
//! Everything is looked at before it ends, so that one run tells all that is wrong.

use std::sync::Arc;

use causeway_store::MemoryLog;

use super::checked::{Checked, Remark, worse};
use super::{Common, Status, block_on, map, rules};
use crate::config::Config;
use crate::outbox::peers;
use crate::transport::tls::Clients;
use crate::{hooks, wire};

pub(super) fn run(common: &Common) -> anyhow::Result<Status> {
    let config = common.config()?;
    let mut status = Status::Fine;
    for listener in config.listeners.iter().filter(|one| map::has_maps(one)) {
        status = worse(status, map::checked(&config, listener)?.print(common, config.lang));
    }
    for pack in rules::checked(&config)? {
        status = worse(status, pack.print(common, config.lang));
    }
    if status == Status::Fine {
        return block_on(async { wiring(common, &config) })?; // services are made within a runtime
    }
    Ok(status) // what is broken cannot be wired, and has been said
}

/// Puts everything together around a log in memory and binds nothing.
fn wiring(common: &Common, config: &Config) -> anyhow::Result<Status> {
    wire::certificates(config)?;
    let house = wire::house(
        config,
        Arc::new(MemoryLog::new()),
        hooks::build(config, &Clients::default())?,
    )?;
    let (mut status, mut made) = (Status::Fine, wire::Made::default());
    for listener in &config.listeners {
        let name = format!("{} ({})", listener.name, listener.address);
        let wired = |format| wire::wired_among(listener, format, config, &house, &mut made).err();
        let broken = listener.ways().into_iter().map(|(_, format)| format).filter_map(wired);
        let checked = Checked::new("listener", &name, broken.map(|error| grave(&error)).collect());
        status = worse(status, checked.print(common, config.lang));
    }
    for destination in &config.destinations {
        let name = format!("{} ({})", destination.name, destination.to);
        let broken = peers::peer(destination, &Clients::default()).err();
        let checked = Checked::new("destination", &name, broken.iter().map(grave).collect());
        status = worse(status, checked.print(common, config.lang));
    }
    Ok(status)
}

/// What cannot be used, and why.
fn grave(error: &anyhow::Error) -> Remark {
    let text = format!("{error:#}");
    Remark {
        grave: true,
        record: serde_json::json!({"level": "error", "text": text}),
        text,
    }
}
