//! `causeway audit`: who looked at resources, beside a running gateway. Reads only.

use super::{Common, Status, output};
use crate::audit::{Filter, Reader};

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  causeway audit
  causeway audit --target Patient/0084512 --since 2026-01-31T00:00:00Z
  causeway audit --who CN=ward --json")]
pub(super) struct Args {
    /// At most so many, the newest.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// At or after: RFC 3339.
    #[arg(long, value_name = "TIME")]
    since: Option<jiff::Timestamp>,
    /// What was asked for has this in it.
    #[arg(long, value_name = "TEXT")]
    target: Option<String>,
    /// Who looked has this in it: an address, or a name of a certificate.
    #[arg(long, value_name = "TEXT")]
    who: Option<String>,
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    let config = common.config()?;
    let reader = match Reader::open(&config.data) {
        Ok(reader) => reader,
        Err(error) => {
            output::note(&format!("no audit in {}: {error}", config.data.display()));
            return Ok(Status::Unreadable);
        }
    };
    let filter = Filter {
        since: args.since.map(jiff::Timestamp::as_microsecond),
        target: args.target.clone(),
        who: args.who.clone(),
        limit: args.limit,
    };
    for kept in reader.newest(&filter)? {
        output::line(&if common.json {
            serde_json::to_string(&kept)?
        } else {
            format!(
                "{:>8}  {}  {:<6} {} {:>5}  {:<32} {:<14} {}",
                kept.seq, kept.time, kept.action, kept.status, kept.found, kept.who, kept.listener, kept.target
            )
        });
    }
    Ok(Status::Fine)
}
