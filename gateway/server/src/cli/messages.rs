//! `causeway messages`: what the store holds, beside a running gateway. Reads only; what changes
//! something goes through the admin port.

use clap::Subcommand;

use super::{Common, Status, output, replay, show};
use crate::projection::{Filter, Listed, Reader};

/// Arguments of `messages`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  causeway messages list --state refused --since 2026-01-31T00:00:00Z
  causeway messages search 建国
  causeway messages search --key 0084512 --type ORU
  causeway messages show 7 --lineage
  causeway messages replay 7")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The newest messages.
    List(Which),
    /// Messages by words (names, identifiers, codes, control ids) or --key.
    Search {
        /// Each must be found; a Chinese name may be part of a longer one.
        words: Vec<String>,
        /// An identifier of patient, order, accession or visit, or a control id, exactly.
        #[arg(long)]
        key: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// One message: frame, FHIR, findings and replies.
    Show {
        /// Its number, `seq` in a listing.
        seq: u64,
        /// Also where each FHIR leaf came from.
        #[arg(long)]
        lineage: bool,
        /// Also what became of each source leaf.
        #[arg(long)]
        ledger: bool,
    },
    /// Runs a held, failed or refused message again in the running gateway.
    Replay {
        /// Its number, `seq` in a listing.
        seq: u64,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Received at or after: RFC 3339.
    #[arg(long, value_name = "TIME")]
    since: Option<jiff::Timestamp>,
    /// Received before: RFC 3339.
    #[arg(long, value_name = "TIME")]
    until: Option<jiff::Timestamp>,
    /// pending, accepted, remarked, refused, held, failed.
    #[arg(long)]
    state: Option<String>,
    /// Message type, `ORU^R01` or `ORU`.
    #[arg(long = "type", value_name = "TYPE")]
    message_type: Option<String>,
    /// Sending application, facility or listener.
    #[arg(long)]
    sender: Option<String>,
    /// Only numbers below: the next page.
    #[arg(long, value_name = "SEQ")]
    before: Option<u64>,
}

impl Which {
    fn filter(&self) -> Filter {
        Filter {
            message_type: self.message_type.clone(),
            sender: self.sender.clone(),
            state: self.state.clone(),
            since: self.since.map(jiff::Timestamp::as_microsecond),
            until: self.until.map(jiff::Timestamp::as_microsecond),
            before: self.before,
            limit: self.limit,
            ..Filter::default()
        }
    }
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    match &args.command {
        Command::List(which) => list(common, &which.filter()),
        Command::Search { words, key, which } => list(
            common,
            &Filter {
                words: words.clone(),
                key: key.clone(),
                ..which.filter()
            },
        ),
        Command::Show { seq, lineage, ledger } => show::run(common, *seq, *lineage, *ledger),
        Command::Replay { seq } => replay::run(common, *seq),
    }
}

fn list(common: &Common, filter: &Filter) -> anyhow::Result<Status> {
    let config = common.config()?;
    let reader = match Reader::open(&config.data) {
        Ok(reader) => reader,
        Err(error) => {
            output::note(&format!("no messages in {}: {error}", config.data.display()));
            return Ok(Status::Unreadable);
        }
    };
    for listed in reader.list(filter)? {
        output::line(&if common.json {
            serde_json::to_string(&listed)?
        } else {
            row(&listed)
        });
    }
    Ok(Status::Fine)
}

fn row(listed: &Listed) -> String {
    let or = |text: &Option<String>| text.as_deref().unwrap_or("-").to_owned();
    format!(
        "{:>8}  {}  {:<9} {:<12} {:<22} {:<24} {:<32} {}",
        listed.seq,
        listed.received,
        listed.state,
        or(&listed.message_type),
        or(&listed.control_id),
        or(&listed.sender),
        or(&listed.patient),
        if listed.findings == 0 {
            String::new()
        } else {
            format!("{} findings", listed.findings)
        },
    )
}
