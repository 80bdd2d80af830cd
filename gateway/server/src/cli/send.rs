//! `causeway send`: sends messages and prints the replies.

use std::path::PathBuf;
use std::time::Duration;

use super::{Common, Status, block_on, input, output};
use crate::transport::mllp::Client;

/// Arguments of `send`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// `mllp://HOST:PORT`.
    target: String,
    /// Files; `-` is stdin.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Seconds to wait for a reply.
    #[arg(long, default_value_t = 30)]
    timeout: u64,
}

pub(super) fn run(_: &Common, args: &Args) -> anyhow::Result<Status> {
    let Some(address) = args.target.strip_prefix("mllp://") else {
        anyhow::bail!("a target is mllp://HOST:PORT, not {:?}", args.target);
    };
    let inputs = match input::read(&args.files) {
        Ok(inputs) => inputs,
        Err(error) => {
            output::note(&error);
            return Ok(Status::Unreadable);
        }
    };
    block_on(async {
        let timeout = Duration::from_secs(args.timeout);
        let mut client = match Client::connect(address, timeout).await {
            Ok(client) => client,
            Err(error) => {
                output::note(&format!("cannot reach {address}: {error}"));
                return Status::Unreachable;
            }
        };
        for input in inputs {
            match client.exchange(&input.bytes).await {
                Ok(replies) => replies.iter().for_each(|reply| output::line(&output::segments(reply))),
                Err(error) => {
                    output::note(&format!("{}: {error}", input.name));
                    return Status::Unreachable;
                }
            }
        }
        Status::Fine
    })
}
