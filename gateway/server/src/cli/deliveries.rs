//! `causeway deliveries`: what is to be delivered, what is dead and why, beside a running gateway. Reads only; putting
//! deliveries back and dropping them goes through the admin port, and many at once only after they were counted.

use causeway_core::store::{Dead, Posted, Query, State};
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Common, Status, ask, output};
use causeway_store::{Reader, SqliteLog};

/// Arguments of `deliveries`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  causeway deliveries list --state waiting --destination ward
  causeway deliveries dead
  causeway deliveries replay 17
  causeway deliveries replay --destination ward --class rejected         counts them
  causeway deliveries replay --destination ward --class rejected --yes   does it
  causeway deliveries drop --state waiting --destination gone --yes")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Deliveries in order of posting.
    List {
        #[command(flatten)]
        which: Which,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Only numbers above: the next page.
        #[arg(long, value_name = "ID", default_value_t = 0)]
        after: u64,
    },
    /// Dead deliveries by destination and cause, with how many and an example.
    Dead {
        /// Those for this destination.
        #[arg(long, value_name = "NAME")]
        destination: Option<String>,
    },
    /// Puts dead deliveries back into their queue; with --state, delivered or dropped ones.
    Replay(Turned),
    /// Takes dead deliveries away for good; with --state, waiting ones.
    Drop(Turned),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Those for this destination.
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// waiting, delivered, dead, dropped.
    #[arg(long, value_parser = state)]
    state: Option<State>,
    /// Those whose last failure was of this class: unreachable, busy, timeout, failed, rejected, broken.
    #[arg(long)]
    class: Option<String>,
    /// Those with this cause, exactly as `deliveries dead` says it.
    #[arg(long)]
    cause: Option<String>,
    /// Those that tell of messages of this type, such as `ORU^R01`.
    #[arg(long = "type", value_name = "TYPE")]
    message_type: Option<String>,
    /// Those that tell of this message.
    #[arg(long, value_name = "SEQ")]
    seq: Option<u64>,
    /// Posted at or after: RFC 3339.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Posted before: RFC 3339.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

/// What is to be turned.
#[derive(Debug, clap::Args)]
struct Turned {
    /// Its number, in a listing.
    #[arg(conflicts_with_all = ["destination", "state", "class", "cause", "message_type", "seq", "since", "until"])]
    id: Option<u64>,
    #[command(flatten)]
    which: Which,
    /// Does it; without this, deliveries that are meant by more than a number are only counted.
    #[arg(long)]
    yes: bool,
}

fn state(text: &str) -> Result<State, String> {
    let found = State::ALL.into_iter().find(|state| state.word() == text);
    found.ok_or_else(|| "waiting, delivered, dead or dropped".to_owned())
}

impl Which {
    fn query(&self) -> Query {
        Query {
            id: None,
            number: self.seq,
            destination: self.destination.clone(),
            state: self.state,
            class: self.class.clone(),
            cause: self.cause.clone(),
            message_type: self.message_type.clone(),
            since: self.since,
            until: self.until,
        }
    }
}

impl Turned {
    /// One by its number in whatever state; several are the dead ones unless another state is said.
    fn query(&self) -> Query {
        if self.id.is_some() {
            return Query {
                id: self.id,
                ..Query::default()
            };
        }
        Query {
            state: Some(self.which.state.unwrap_or(State::Dead)),
            ..self.which.query()
        }
    }
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    match &args.command {
        Command::List { which, limit, after } => reading(common, |log| list(common, log, which, *limit, *after)),
        Command::Dead { destination } => reading(common, |log| dead(common, log, destination.as_deref())),
        Command::Replay(turned) => turn(common, turned, "replay"),
        Command::Drop(turned) => turn(common, turned, "drop"),
    }
}

/// Does something with the log beside the gateway that writes it.
pub(super) fn reading(common: &Common, work: impl FnOnce(&Reader) -> anyhow::Result<Status>) -> anyhow::Result<Status> {
    let config = common.config()?;
    match SqliteLog::read_only(&config.data) {
        Ok(log) => work(&log),
        Err(fault) => {
            output::note(&format!("no messages in {}: {}", config.data.display(), fault.inside));
            Ok(Status::Unreadable)
        }
    }
}

fn inside(fault: &causeway_core::Fault) -> anyhow::Error {
    anyhow::anyhow!("{}", fault.inside)
}

fn list(common: &Common, log: &Reader, which: &Which, limit: usize, after: u64) -> anyhow::Result<Status> {
    let (query, mut after, mut left) = (which.query(), after, limit);
    while left > 0 {
        let page = log
            .find(&query, after, left.min(1_000))
            .map_err(|fault| inside(&fault))?;
        let Some(last) = page.last() else { break };
        after = last.id;
        left -= page.len().min(left);
        for posted in &page {
            output::line(&if common.json {
                record(posted).to_string()
            } else {
                row(posted)
            });
        }
    }
    Ok(Status::Fine)
}

/// A delivery as machines get it; its body and whom it speaks of are the message's.
pub(super) fn record(posted: &Posted) -> Value {
    let time = |time: Option<Timestamp>| time.map(|time| format!("{time:.6}"));
    json!({
        "id": posted.id, "seq": posted.number, "part": posted.part, "destination": posted.delivery.destination,
        "type": posted.delivery.message_type, "state": posted.state.word(), "posted": time(Some(posted.posted)),
        "attempts": posted.attempts, "due": time(posted.due), "settled": time(posted.settled),
        "class": posted.class, "cause": posted.cause,
    })
}

/// A delivery as a line.
pub(super) fn row(posted: &Posted) -> String {
    let cause = match (posted.class.as_str(), posted.cause.as_str()) {
        ("", cause) => cause.to_owned(),
        (class, cause) => format!("{class}: {cause}"),
    };
    format!(
        "{:>8}  {:.6}  {:<9} {:<16} {:<12} message {}, part {}, {} attempts  {cause}",
        posted.id,
        posted.posted,
        posted.state.word(),
        posted.delivery.destination,
        posted.delivery.message_type,
        posted.number,
        posted.part,
        posted.attempts,
    )
}

fn dead(common: &Common, log: &Reader, destination: Option<&str>) -> anyhow::Result<Status> {
    for group in log.dead(destination).map_err(|fault| inside(&fault))? {
        if common.json {
            output::line(&serde_json::to_string(&group)?);
            continue;
        }
        let Dead {
            destination,
            class,
            cause,
            count,
            first,
            ..
        } = group;
        let query = Query {
            id: Some(first),
            ..Query::default()
        };
        let example = log.find(&query, 0, 1).map_err(|fault| inside(&fault))?;
        let of = example.first().map(|posted| format!(" of message {}", posted.number));
        let of = of.unwrap_or_default();
        output::line(&format!(
            "{count:>8}  {destination:<16} {class}: {cause} (such as delivery {first}{of})"
        ));
    }
    Ok(Status::Fine)
}

/// Counts what is meant, and has the gateway do it where that is one or was confirmed.
fn turn(common: &Common, turned: &Turned, what: &str) -> anyhow::Result<Status> {
    let query = turned.query();
    if turned.id.is_none() && !turned.yes {
        return reading(common, |log| count(common, log, &query, what));
    }
    let body = serde_json::to_value(&query)?;
    let answered = ask::post_body(
        &common.config()?,
        &format!("/deliveries/{what}"),
        body.to_string().into(),
    )?;
    let Some((status, answer)) = answered else {
        return Ok(Status::Unreachable);
    };
    let count = answer.get("count").and_then(Value::as_u64).unwrap_or_default();
    ask::show(common.json, status, &answer, || {
        format!("{count} {}", done(count, what))
    });
    Ok(match (turned.id, count) {
        _ if !status.is_success() => Status::Wrong,
        (Some(_), 0) => Status::Unreadable, // there is none of that number, or not in a state to be turned
        _ => Status::Fine,
    })
}

fn count(common: &Common, log: &Reader, query: &Query, what: &str) -> anyhow::Result<Status> {
    let count = log.count(query).map_err(|fault| inside(&fault))?;
    let example = log.find(query, 0, 1).map_err(|fault| inside(&fault))?;
    if common.json {
        let example = example.first().map(record);
        output::line(&json!({"count": count, "example": example, "done": false}).to_string());
        return Ok(Status::Fine);
    }
    output::line(&format!("{count} would be {}; --yes does it", done(count, what)));
    if let Some(posted) = example.first() {
        output::line(&row(posted));
    }
    Ok(Status::Fine)
}

fn done(count: u64, what: &str) -> &'static str {
    match (what, count) {
        ("replay", 1) => "delivery put back",
        ("replay", _) => "deliveries put back",
        (_, 1) => "delivery dropped",
        _ => "deliveries dropped",
    }
}
