//! `causeway check`: configuration, maps with their sites, and rules, without starting. Everything is looked at before
//! it ends, so that one run tells all that is wrong.

use std::sync::Arc;

use causeway_store::MemoryLog;

use super::checked::{Checked, Remark, worse};
use super::{Common, Status, block_on, map, rules};
use crate::config::Config;
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
        let problems = broken.map(|error| Remark {
            grave: true,
            text: format!("{error:#}"),
            record: serde_json::json!({"level": "error", "text": format!("{error:#}")}),
        });
        let problems = problems.collect();
        let checked = Checked::new("listener", &name, problems);
        status = worse(status, checked.print(common, config.lang));
    }
    Ok(status)
}
