//! What is told of deliveries, by destination. Destinations are configured, so there are no more labels than an operator made.

use jiff::Timestamp;

use super::family::{Family, Kind};
use super::gather::count;
use crate::outbox::Condition;
use crate::status::Status;

/// The metrics of the way out.
pub(super) fn gather(status: &Status) -> Vec<Family> {
    let new = Family::new;
    let mut ended = new(
        Kind::Counter,
        "causeway_deliveries_total",
        "Deliveries since the log began: posted, and what became of them.",
    );
    let mut open = new(
        Kind::Gauge,
        "causeway_deliveries_open",
        "Deliveries that wait, or are dead and wait for a person.",
    );
    let mut flying = new(
        Kind::Gauge,
        "causeway_deliveries_under_way",
        "Deliveries at the peer now.",
    );
    let mut oldest = new(
        Kind::Gauge,
        "causeway_deliveries_oldest_seconds",
        "How long the oldest waiting delivery waits, as seen within the last seconds.",
    );
    let mut condition = new(
        Kind::Gauge,
        "causeway_destination_state",
        "1 for the state that a destination is in.",
    );
    let mut failures = new(
        Kind::Counter,
        "causeway_delivery_failures_total",
        "Attempts that failed since the start, by class.",
    );
    let now = Timestamp::now();
    for one in status.house.outbox.standings() {
        let name = ("destination", one.name.as_str());
        let account = one.account;
        ended.push("", &[name, ("state", "posted")], count(account.posted));
        ended.push("", &[name, ("state", "delivered")], count(account.delivered));
        ended.push("", &[name, ("state", "dropped")], count(account.dropped));
        open.push("", &[name, ("state", "waiting")], count(account.waiting()));
        open.push("", &[name, ("state", "dead")], count(account.dead));
        let since = status.house.telemetry.balance.oldest(&one.name);
        let age = since
            .filter(|_| account.waiting() > 0)
            .map(|since| now.duration_since(since));
        oldest.push("", &[name], age.map_or(0.0, |age| age.as_secs_f64().max(0.0)));
        for state in Condition::ALL {
            let is = f64::from(u8::from(state == one.condition));
            condition.push("", &[name, ("state", state.word())], is);
        }
        let Some(live) = &one.live else { continue };
        flying.push("", &[name], count(u64::try_from(live.under_way()).unwrap_or(u64::MAX)));
        for (class, number) in live.failures() {
            failures.push("", &[name, ("class", class.word())], count(number));
        }
    }
    vec![ended, open, flying, oldest, condition, failures]
}
