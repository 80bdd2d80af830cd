//! `causeway messages`: what the store holds, beside a running gateway. Reads only; what changes
//! something goes through the admin port.

use causeway_core::fhir::{Limits, parse, pretty};
use causeway_core::finding::Lang;
use causeway_core::store::{Ended, Facts, Pending};
use causeway_core::{Adapter, MemorySource, NodeId};
use causeway_hl7v2::Hl7v2;
use causeway_store::SqliteLog;
use clap::Subcommand;

use super::{Common, Status, output};
use crate::projection::{Filter, Listed, Reader};

/// Arguments of `messages`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The newest messages.
    List(Which),
    /// Messages by words (names, identifiers, codes) or --key.
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
        Command::Show { seq, lineage, ledger } => show(common, *seq, *lineage, *ledger),
        Command::Replay { seq } => super::replay::run(common, *seq),
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

fn show(common: &Common, seq: u64, lineage: bool, ledger: bool) -> anyhow::Result<Status> {
    let config = common.config()?;
    let inside = |fault: causeway_core::Fault| anyhow::anyhow!("{}", fault.inside);
    let log = match SqliteLog::read_only(&config.data) {
        Ok(log) => log,
        Err(fault) => {
            output::note(&format!("no messages in {}: {}", config.data.display(), fault.inside));
            return Ok(Status::Unreadable);
        }
    };
    let Some(message) = log.frame(seq).map_err(inside)? else {
        output::note(&format!("there is no message {seq}"));
        return Ok(Status::Unreadable);
    };
    let frame = &message.frame;
    output::line(&format!(
        "=== frame {seq}, received {} on {} from {}",
        frame.received, frame.listener, frame.peer
    ));
    output::line(&output::segments(&frame.body));
    match log.outcome(seq).map_err(inside)? {
        None => output::line("=== not answered yet"),
        Some(ended) => answered(&ended, config.lang)?,
    }
    if lineage || ledger {
        trace(&config, &message, lineage, ledger)?;
    }
    Ok(Status::Fine)
}

fn answered(ended: &Ended, lang: Lang) -> anyhow::Result<()> {
    for decided in &ended.decided {
        let json = causeway_store::decompress(&decided.bundle, Limits::default().bytes)
            .map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
        output::line(&format!("=== part {}: {}", decided.part, decided.verdict.word()));
        output::line(&pretty(&parse(&json, Limits::default())?, NodeId::ROOT));
        let facts: Facts = serde_json::from_slice(&decided.facts)?;
        output::line("=== findings");
        facts
            .findings
            .iter()
            .for_each(|finding| output::line(&output::finding(finding, lang)));
    }
    for reply in ended.replies.iter() {
        output::line("=== reply");
        output::line(&output::segments(&reply.bytes));
    }
    Ok(())
}

/// Reads the frame again with the maps in force and prints its records.
fn trace(config: &crate::config::Config, message: &Pending, lineage: bool, ledger: bool) -> anyhow::Result<()> {
    let listener = config
        .listeners
        .iter()
        .find(|listener| *listener.name == *message.frame.listener);
    let options = listener.map(|listener| listener.hl7v2.clone()).unwrap_or_default();
    let adapter = Hl7v2::new(options.read(config.lang)?)?;
    let mut source = MemorySource(message.frame.body.clone());
    let trace = adapter
        .trace(&message.frame.head, &mut source, &message.hash)
        .value
        .unwrap_or_default();
    if lineage {
        output::line("=== lineage");
        for record in &trace.lineage {
            output::line(&serde_json::to_string(record)?);
        }
    }
    if ledger {
        output::line("=== ledger");
        for record in &trace.ledger {
            output::line(&serde_json::to_string(record)?);
        }
    }
    Ok(())
}
