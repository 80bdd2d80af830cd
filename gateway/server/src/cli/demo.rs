//! `causeway demo`: a gateway on free ports in a throw-away folder, and one lab result with a critical potassium through
//! it. Shows the frame, the FHIR, the findings and the ACK, then stays until Ctrl-C.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use causeway_core::fhir::{Limits, parse, pretty};
use causeway_core::finding::Lang;
use causeway_core::store::{Ended, Facts};
use causeway_core::{NodeId, Store};
use causeway_store::{Options, SqliteLog};

use super::example_service::ExampleService;
use super::{Common, Status, block_on, output};
use crate::config::Config;
use crate::hooks::HookConfig;
use crate::resources::Resources;
use crate::transport::mllp::Client;
use crate::transport::tls::Clients;
use crate::{guard, hooks, wire};

/// The message of the demo, embedded so that it needs no folder.
const MESSAGE: &[u8] = include_bytes!("../../../../examples/oru-critical-potassium.hl7");

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Leave at once instead of staying until Ctrl-C.
    #[arg(long)]
    exit: bool,
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    guard::install();
    let folder = tempfile::tempdir().context("a throw-away folder")?;
    let mut config = common.config()?;
    folder.path().clone_into(&mut config.data);
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    config.admin.address = free;
    config.listeners.iter_mut().for_each(|listener| listener.address = free);
    let service = example_service(&mut config);
    let shown = block_on(show(config, args.exit))?;
    drop(service);
    shown
}

/// The example AI service, asked about every message of the demo.
fn example_service(config: &mut Config) -> Option<ExampleService> {
    match ExampleService::start() {
        Ok(service) => {
            config.hooks = vec![HookConfig {
                version: "1.0".to_owned(),
                ..HookConfig::new("hyperkalaemia-ai", &service.url)
            }];
            Some(service)
        }
        Err(error) => {
            output::note(&format!(
                "the example AI service needs python3: {error}; the demo goes on without it"
            ));
            config.hooks = vec![HookConfig::new(
                "hyperkalaemia-ai",
                "http://127.0.0.1:9/cds-services/hyperkalaemia",
            )];
            None
        }
    }
}

async fn show(config: Config, exit: bool) -> anyhow::Result<Status> {
    let log = SqliteLog::open(&config.data, Options::default()).map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
    let clients = Clients::default();
    let gateway = wire::start(&config, log.clone(), hooks::build(&config, &clients)?, &clients).await?;
    let sequencer = Arc::clone(&gateway.house.sequencer);
    let resources = Resources::start(&config.data, log.clone(), sequencer, wire::UNITES)?;
    let address = gateway.bound.first().context("no listener")?.1;
    heading(&format!("1. The frame that goes to mllp://{address}"));
    output::line(&output::segments(MESSAGE));
    let mut client = Client::connect(&address.to_string(), Duration::from_secs(10)).await?;
    let replies = client.exchange(MESSAGE).await?;
    kept(log.as_ref(), config.lang)?;
    heading("4. The ACK that came back");
    for reply in &replies {
        output::line(&output::segments(reply));
    }
    if !exit {
        heading(&format!("The gateway listens on mllp://{address}; Ctrl-C ends it"));
        output::line(&format!(
            "try:  causeway send mllp://{address} examples/oru-critical-potassium.hl7"
        ));
        if let Some(http) = gateway.address("http") {
            output::line(&format!("      curl 'http://{http}/fhir/Patient?identifier=0084512'"));
        }
        tokio::signal::ctrl_c().await?;
    }
    drop(resources);
    gateway.drain().await;
    Ok(Status::Fine)
}

/// Shows the FHIR and the findings as the log keeps them.
fn kept(log: &dyn Store, lang: Lang) -> anyhow::Result<()> {
    let fault = |fault: causeway_core::Fault| anyhow::anyhow!("{}", fault.inside);
    let Ended { decided, .. } = log.outcome(1).map_err(fault)?.context("no answer")?;
    for decided in decided {
        heading("2. The FHIR it became, as kept on disk");
        let json = causeway_store::decompress(&decided.bundle, Limits::default().bytes).map_err(fault)?;
        let tree = parse(&json, Limits::default())?;
        output::line(&pretty(&tree, NodeId::ROOT));
        let Facts { mut findings, .. } = serde_json::from_slice(&decided.facts)?;
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        heading("3. What rules and services found");
        for finding in &findings {
            output::line(&output::finding(finding, lang));
        }
    }
    Ok(())
}

fn heading(text: &str) {
    output::line(&format!("\n=== {text}\n"));
}
