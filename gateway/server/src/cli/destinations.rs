//! `causeway destinations`: where deliveries go and how many wait, beside a running gateway. Telling one to rest or to go on
//! goes through the admin port, and holds until it is told otherwise.

use causeway_core::store::{Audit, Dead};
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::deliveries::reading;
use super::{Common, Status, ask, output};
use crate::outbox::Destination;

/// Arguments of `destinations`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  causeway destinations
  causeway destinations pause ward     nothing is delivered to it until
  causeway destinations resume ward")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lets a destination rest; what is for it waits.
    Pause {
        /// Its name.
        name: String,
    },
    /// Lets it go on.
    Resume {
        /// Its name.
        name: String,
    },
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    match &args.command {
        None => list(common),
        Some(Command::Pause { name }) => tell(common, name, "pause"),
        Some(Command::Resume { name }) => tell(common, name, "resume"),
    }
}

/// Those that are configured, and those that the log has deliveries for.
fn list(common: &Common) -> anyhow::Result<Status> {
    let configured = common.config()?.destinations;
    reading(common, |log| {
        let inside = |fault: causeway_core::Fault| anyhow::anyhow!("{}", fault.inside);
        let (known, dead) = (log.audit().map_err(inside)?, log.dead(None).map_err(inside)?);
        let of = |name: &str| configured.iter().find(|one| one.name == name);
        for audit in &known {
            let dead = dead.iter().filter(|dead| dead.destination == audit.destination);
            show(common, audit, &dead.collect::<Vec<_>>(), of(&audit.destination));
        }
        let is_new = |one: &&Destination| known.iter().all(|audit| audit.destination != one.name);
        for one in configured.iter().filter(is_new) {
            let none = Audit {
                destination: one.name.clone(),
                account: causeway_core::store::Account::default(),
                waiting: 0,
                dead: 0,
                oldest: None,
            };
            show(common, &none, &[], Some(one));
        }
        Ok(Status::Fine)
    })
}

fn show(common: &Common, audit: &Audit, dead: &[&Dead], configured: Option<&Destination>) {
    let account = &audit.account;
    let oldest: Option<Timestamp> = audit.oldest;
    if common.json {
        let record = json!({
            "destination": audit.destination, "to": configured.map(|one| &one.to), "paused": account.paused,
            "posted": account.posted, "delivered": account.delivered, "waiting": audit.waiting, "dead": audit.dead,
            "dropped": account.dropped, "oldest": oldest.map(|time| format!("{time:.6}")),
            "causes": dead.iter().map(|dead| cause(dead)).collect::<Vec<_>>(),
        });
        return output::line(&record.to_string());
    }
    let state = match (account.paused, configured) {
        (true, _) => "paused",
        (false, None) => "not configured",
        (false, Some(_)) => "",
    };
    let since = oldest
        .map(|time| format!(", the oldest since {time:.0}"))
        .unwrap_or_default();
    output::line(&format!(
        "{:<16} {:<36} {} waiting{since}; {} delivered, {} dead, {} dropped  {state}",
        audit.destination,
        configured.map_or("-", |one| one.to.as_str()),
        audit.waiting,
        account.delivered,
        audit.dead,
        account.dropped,
    ));
    for dead in dead {
        output::line(&format!(
            "{:<16} {} dead: {} {}",
            "", dead.count, dead.class, dead.cause
        ));
    }
}

/// Why some are dead.
fn cause(dead: &Dead) -> Value {
    json!({"class": dead.class, "cause": dead.cause, "count": dead.count})
}

fn tell(common: &Common, name: &str, what: &str) -> anyhow::Result<Status> {
    let body = json!({ "destination": name });
    let answered = ask::post_body(
        &common.config()?,
        &format!("/destinations/{what}"),
        body.to_string().into(),
    )?;
    let Some((status, answer)) = answered else {
        return Ok(Status::Unreachable);
    };
    ask::show(common.json, status, &answer, || {
        let paused = answer.get("paused").and_then(Value::as_bool).unwrap_or_default();
        format!("{name} {}", if paused { "rests" } else { "goes on" })
    });
    Ok(match status {
        status if status.is_success() => Status::Fine,
        hyper::StatusCode::NOT_FOUND => Status::Unreadable,
        _ => Status::Wrong,
    })
}
