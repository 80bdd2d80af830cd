//! Gathers what is counted all over the gateway into families. Every name and what it means stands here.

use std::sync::atomic::{AtomicU64, Ordering};

use super::family::{Family, Kind};
use super::meter::Slot;
use crate::guard::DEFECTS;
use crate::status::Status;

/// All metrics of a gateway.
pub fn gather(status: &Status) -> Vec<Family> {
    let mut families = messages(status);
    families.push(latency(status));
    families.extend(log(status));
    families.extend(work(status));
    families.extend(super::deliveries::gather(status));
    families.extend(transports(status));
    families.extend(tls(status));
    families.push(
        Family::new(Kind::Gauge, "causeway_build_info", "The version that runs.")
            .with(&[("version", env!("CARGO_PKG_VERSION"))], 1.0),
    );
    families
}

/// A count as Prometheus has numbers.
#[expect(clippy::cast_precision_loss, reason = "counts of a process stay below 2^53")]
pub(super) fn count(number: u64) -> f64 {
    number as f64
}

fn read(counter: &AtomicU64) -> f64 {
    count(counter.load(Ordering::Relaxed))
}

fn counter(name: &'static str, help: &'static str, number: f64) -> Family {
    Family::new(Kind::Counter, name, help).with(&[], number)
}

fn gauge(name: &'static str, help: &'static str, number: f64) -> Family {
    Family::new(Kind::Gauge, name, help).with(&[], number)
}

/// By listener and message type.
fn messages(status: &Status) -> Vec<Family> {
    let slots = status.house.telemetry.meter.slots();
    let by_type = |name, help, of: fn(&Slot) -> &AtomicU64| {
        let mut family = Family::new(Kind::Counter, name, help);
        for slot in &slots {
            let labels = [("listener", &*slot.listener), ("type", &*slot.message_type)];
            family.push("", &labels, read(of(slot)));
        }
        family
    };
    vec![
        by_type(
            "causeway_messages_received_total",
            "Messages whose work began.",
            |slot| &slot.received,
        ),
        by_type(
            "causeway_messages_answered_total",
            "Messages answered positively and kept.",
            |slot| &slot.accepted,
        ),
        by_type(
            "causeway_messages_refused_total",
            "Messages answered negatively and kept.",
            |slot| &slot.refused,
        ),
        by_type(
            "causeway_not_evaluated_total",
            "Times that a service did not evaluate a message.",
            |slot| &slot.not_evaluated,
        ),
    ]
}

fn latency(status: &Status) -> Family {
    let help = "From a message's receipt to its kept answer.";
    let mut family = Family::new(Kind::Histogram, "causeway_message_seconds", help);
    for slot in status.house.telemetry.meter.slots() {
        let labels = [("listener", &*slot.listener), ("type", &*slot.message_type)];
        let (up_to, all, seconds) = slot.latency.read();
        for (bound, below) in up_to {
            let bound = (count(bound) / 1e6).to_string();
            family.push("_bucket", &[labels[0], labels[1], ("le", &bound)], count(below));
        }
        family.push("_bucket", &[labels[0], labels[1], ("le", "+Inf")], count(all));
        family.push("_sum", &labels, seconds);
        family.push("_count", &labels, count(all));
    }
    family
}

/// The log and what follows it.
fn log(status: &Status) -> Vec<Family> {
    let health = status.house.inbox.store().health();
    let telemetry = &status.house.telemetry;
    vec![
        counter(
            "causeway_log_accepted_total",
            "Messages accepted since the log began.",
            count(health.accepted),
        ),
        counter(
            "causeway_log_answered_total",
            "Of these, answered.",
            count(health.answered),
        ),
        gauge(
            "causeway_log_pending",
            "Accepted and not answered, held ones among them.",
            count(health.pending()),
        ),
        gauge("causeway_log_held", "Held for an operator.", count(health.held)),
        gauge(
            "causeway_log_broken",
            "1 while the log cannot be written.",
            f64::from(u8::from(health.broken.is_some())),
        ),
        counter("causeway_log_commits_total", "Commits to disk.", count(health.commits)),
        counter(
            "causeway_log_commit_records_total",
            "Records written by these commits.",
            count(health.committed),
        ),
        counter(
            "causeway_invariant_violations_total",
            "Times that accepted was not answered + pending + held, or deliveries were not delivered + waiting + dead + dropped.",
            count(telemetry.balance.violations()),
        ),
        gauge(
            "causeway_projection_lag_seconds",
            "How far the read model is behind.",
            status.lag.behind().as_secs_f64(),
        ),
        gauge(
            "causeway_projection_position",
            "The last log position it has.",
            count(status.lag.position()),
        ),
        gauge(
            "causeway_resources_lag_seconds",
            "How far FHIR resources are behind.",
            status.resources.as_ref().map_or(0.0, |lag| lag.behind().as_secs_f64()),
        ),
    ]
}

/// What is in work, and what went wrong in it.
fn work(status: &Status) -> Vec<Family> {
    let (house, counts) = (&status.house, &status.house.counts);
    let size = |number: usize| count(u64::try_from(number).unwrap_or(u64::MAX));
    vec![
        gauge(
            "causeway_messages_in_work",
            "Messages that run now.",
            size(house.inbox.in_work()),
        ),
        gauge(
            "causeway_bytes_in_work",
            "Bytes of their bodies.",
            size(house.inbox.bytes_in_work()),
        ),
        gauge(
            "causeway_messages_set_aside",
            "Messages that wait on disk for their turn.",
            size(house.backlog.parked()),
        ),
        counter(
            "causeway_messages_again_total",
            "Resends answered from the log.",
            read(&counts.again),
        ),
        counter(
            "causeway_messages_not_kept_total",
            "Messages that could not be kept.",
            read(&counts.not_kept),
        ),
        counter(
            "causeway_audit_rows_total",
            "Looks at resources that were put on record.",
            count(house.audit.written()),
        ),
        gauge(
            "causeway_audit_rows_waiting",
            "Of these, on the way to disk.",
            size(house.audit.waiting()),
        ),
        counter(
            "causeway_defects_total",
            "Defects of the gateway that were caught.",
            read(&DEFECTS),
        ),
    ]
}

/// Each listener's own counters.
fn transports(status: &Status) -> Vec<Family> {
    let open = Family::new(Kind::Gauge, "causeway_connections_open", "Connections open now.");
    let events = Family::new(
        Kind::Counter,
        "causeway_transport_total",
        "What listeners count, by kind.",
    );
    let (mut open, mut events) = (open, events);
    for (listener, counts) in status.listeners() {
        for (kind, number) in counts.as_object().into_iter().flatten() {
            let number = count(number.as_u64().unwrap_or_default());
            if kind == "open" {
                open.push("", &[("listener", listener)], number);
            } else {
                events.push("", &[("listener", listener), ("kind", kind)], number);
            }
        }
    }
    vec![open, events]
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 stay below 2^53")]
fn tls(status: &Status) -> Vec<Family> {
    let help = "TLS handshakes by what came of them.";
    let mut handshakes = Family::new(Kind::Counter, "causeway_tls_handshakes_total", help);
    for (listener, numbers) in status.certificates.handshakes() {
        for (result, number) in ["done", "failed", "stranger"].iter().zip(numbers) {
            handshakes.push("", &[("listener", &listener), ("result", result)], count(number));
        }
    }
    let help = "When the certificates of a file end, in seconds since 1970.";
    let mut ends = Family::new(Kind::Gauge, "causeway_certificate_not_after_seconds", help);
    for expiry in status.certificates.expiries() {
        let file = expiry.file.display().to_string();
        let labels = [("owner", &*expiry.owner), ("file", file.as_str())];
        ends.push("", &labels, expiry.not_after.as_second() as f64);
    }
    vec![handshakes, ends]
}
