//! What the gateway tells its operators of itself: why it is not ready, and its numbers. Numbers only, never a name.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use crate::admin::Insight;
use crate::guard::DEFECTS;
use crate::outbox::Condition;
use crate::projection::Lag;
use crate::telemetry;
use crate::translate::House;
use crate::transport::tls::Certificates;
use crate::transport::{dimse, files, mllp};

/// How far the read model may be behind before the gateway says so.
const BEHIND: Duration = Duration::from_secs(10);

/// A running gateway, seen from the admin port.
#[derive(Debug, Clone)]
pub struct Status {
    /// What the joints share.
    pub house: House,
    /// Transport counters by listener.
    pub transports: Vec<(String, Arc<mllp::Counters>)>,
    /// Counters of listeners on folders.
    pub files: Vec<(String, Arc<files::Counters>)>,
    /// Counters of DICOM listeners.
    pub dimse: Vec<(String, Arc<dimse::Counters>)>,
    /// The read model's lag.
    pub lag: Arc<Lag>,
    /// That of FHIR resources, where they are kept.
    pub resources: Option<Arc<Lag>>,
    /// What listeners show to their peers.
    pub certificates: Certificates,
    /// Whether listeners may be open to other machines without protection.
    pub insecure: bool,
}

impl Status {
    /// What each listener counts, whatever its transport.
    pub fn listeners(&self) -> impl Iterator<Item = (&str, Value)> {
        let streams = self.transports.iter();
        let streams = streams.map(|(name, counters)| (name.as_str(), json!(counters.counts())));
        let associations = self.dimse.iter();
        let associations = associations.map(|(name, counters)| (name.as_str(), json!(counters.counts())));
        let folders = self.files.iter();
        let folders = folders.map(|(name, counters)| (name.as_str(), json!(counters.counts())));
        streams.chain(associations).chain(folders)
    }

    /// Each destination's numbers and how it is.
    fn destinations(&self) -> Value {
        let all = self.house.outbox.standings().into_iter().map(|one| {
            let (account, live) = (one.account, one.live.as_ref());
            json!({
                "name": one.name, "state": one.condition, "posted": account.posted, "waiting": account.waiting(),
                "delivered": account.delivered, "dead": account.dead, "dropped": account.dropped,
                "under_way": live.map_or(0, |live| live.under_way()), "last_failure": live.and_then(|live| live.last()),
            })
        });
        all.collect()
    }

    /// Those that reject everything.
    fn refusing_destinations(&self) -> Vec<String> {
        let all = self.house.outbox.standings().into_iter();
        let refusing = all.filter(|one| one.condition == Condition::Refusing);
        refusing
            .map(|one| {
                let last = one.live.as_ref().and_then(|live| live.last());
                let cause = last.map(|last| last.cause).unwrap_or_default();
                let (name, waiting) = (&one.name, one.account.waiting());
                format!(
                    "destination {name:?} rejects whatever it gets ({cause}): {waiting} deliveries wait, and it is tried with \
                     one after each pause"
                )
            })
            .collect()
    }

    /// What nobody delivers.
    fn unknown_destinations(&self) -> Vec<String> {
        let all = self.house.outbox.standings().into_iter();
        let lost = all.filter(|one| one.condition == Condition::Unknown && one.account.waiting() > 0);
        lost.map(|one| {
            let (name, waiting) = (&one.name, one.account.waiting());
            format!("{waiting} deliveries wait for destination {name:?}, which is not configured")
        })
        .collect()
    }
}

fn behind(what: &str, lag: &Lag, so: &str) -> Option<String> {
    if lag.is_broken() {
        return Some(format!("{what} cannot be written; {so}"));
    }
    let seconds = lag.behind().as_secs();
    (lag.behind() > BEHIND).then(|| format!("{what}: {seconds} s behind"))
}

impl Insight for Status {
    fn unready(&self) -> Vec<String> {
        let broken = self.house.inbox.store().health().broken;
        broken
            .into_iter()
            .map(|reason| format!("the log cannot be written: {reason}"))
            .collect()
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(refused) = self.house.rulebook.refused() {
            let snapshot = self.house.rulebook.current();
            remarks.push(format!(
                "the last reload of the rules was refused and snapshot {} stays in force: {refused}",
                snapshot.id()
            ));
        }
        if self.insecure {
            remarks
                .push("insecure = true: listeners may be open to other machines without TLS or a peer rule".to_owned());
        }
        remarks.extend(self.house.telemetry.balance.remarks());
        remarks.extend(self.unknown_destinations());
        remarks.extend(self.refusing_destinations());
        remarks.extend(self.house.audit.remark());
        remarks.extend(self.certificates.remarks(jiff::Timestamp::now()));
        remarks.extend(behind("the read model", &self.lag, "listings are old"));
        let resources = self.resources.as_ref();
        remarks.extend(resources.and_then(|lag| behind("FHIR resources", lag, "reads are old")));
        remarks
    }

    fn metrics(&self) -> String {
        telemetry::prometheus(&telemetry::gather(self))
    }

    fn status(&self) -> Value {
        let health = self.house.inbox.store().health();
        let counts = &self.house.counts;
        let listeners: serde_json::Map<String, Value> = self
            .listeners()
            .map(|(name, counts)| (name.to_owned(), counts))
            .collect();
        json!({
            "log": {
                "accepted": health.accepted, "answered": health.answered, "held": health.held,
                "pending": health.pending(), "tail": health.tail, "broken": health.broken,
            },
            "projection": {
                "position": self.lag.position(), "behind_ms": self.lag.behind().as_millis(),
                "broken": self.lag.is_broken(),
            },
            "frames": {
                "received": counts.received.load(Ordering::Relaxed),
                "accepted": counts.accepted.load(Ordering::Relaxed),
                "refused": counts.refused.load(Ordering::Relaxed),
                "again": counts.again.load(Ordering::Relaxed),
                "not_kept": counts.not_kept.load(Ordering::Relaxed),
            },
            "resources": {
                "position": self.house.sequencer.position(), "writes_pending": self.house.sequencer.pending(),
                "behind_ms": self.resources.as_ref().map(|lag| lag.behind().as_millis()),
            },
            "rules": {
                "snapshot": self.house.rulebook.current().id(),
                "refused": self.house.rulebook.refused().map(|refused| refused.to_string()),
            },
            "destinations": self.destinations(),
            "tls": self.certificates.status(),
            "in_work": self.house.inbox.in_work(),
            "defects": DEFECTS.load(Ordering::Relaxed),
            "listeners": listeners,
        })
    }
}
