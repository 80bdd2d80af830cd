//! `causeway answer`: what a sender would get. The whole chain runs in memory and nothing is kept.

use std::path::PathBuf;
use std::sync::Arc;

use causeway_core::{Frame, Head};
use causeway_store::MemoryLog;
use jiff::Timestamp;
use tower::ServiceExt;

use super::{Common, Status, block_on, format, input, output};
use crate::config::Format;
use crate::transport::tls::Clients;
use crate::{hooks, wire};

/// Arguments of `answer`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files; `-` is stdin.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    let config = common.config()?;
    let Some(inputs) = input::read(&args.files) else {
        return Ok(Status::Unreadable);
    };
    block_on(async move {
        let house = wire::house(
            &config,
            Arc::new(MemoryLog::new()),
            hooks::build(&config, &Clients::default())?,
        )?;
        let listener = config.listeners.first().cloned().unwrap_or_default();
        let mut status = Status::Fine;
        let mut made = wire::Made::default();
        for input in inputs {
            let format = format::of(&input.bytes);
            if format == Format::Fhir {
                let why = "what becomes of FHIR depends on what is there; post it to a gateway (causeway send)";
                output::note(&format!("{}: {why}", input.name));
                return Ok(Status::Wrong);
            }
            let wired = wire::wired_among(&listener, format, &config, &house, &mut made)?;
            let frame = Frame {
                listener: Arc::from(listener.name.as_str()),
                peer: Arc::from("file"),
                received: Timestamp::now(),
                head: Head::file(input.name.clone()),
                body: input.bytes,
            };
            let Ok(replies) = wired.service.oneshot(frame).await;
            for outgoing in replies.collect().await {
                if !outgoing.reply.positive {
                    status = Status::Findings;
                }
                output::line(&output::segments(&outgoing.reply.bytes));
            }
        }
        anyhow::Ok(status)
    })?
}
