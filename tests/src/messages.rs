//! Messages for scenarios, and looking into replies.

use causeway_core::store::{Decided, Ended, parts_of};
use causeway_store::Reader;

/// The lab result of the demo: potassium 7.1 mmol/L in the second OBX.
pub const EXAMPLE: &str = include_str!("../../examples/oru-critical-potassium.hl7");

/// The example with a control id, patient and order of its own and another potassium.
pub fn oru(control_id: &str, potassium: &str) -> String {
    EXAMPLE
        .replace("LIS-20261124-000117", control_id)
        .replace("0084512", &format!("P{control_id}"))
        .replace("778812", control_id)
        .replace("55120", control_id)
        .replace("|7.1|", &format!("|{potassium}|"))
}

/// A message from its segments.
pub fn message(segments: &[&str]) -> String {
    let mut message = segments.join("\r");
    message.push('\r');
    message
}

/// The segments of a name in a reply.
pub fn segment<'a>(reply: &'a str, name: &str) -> Vec<&'a str> {
    reply.split('\r').filter(|segment| segment.starts_with(name)).collect()
}

/// The fields of a segment; field 0 is its name.
pub fn fields(segment: &str) -> Vec<&str> {
    segment.split('|').collect()
}

/// The parts of a message that are decided, answered or not.
///
/// # Panics
/// When the log cannot be read.
pub fn decided(log: &Reader, number: u64) -> Vec<Decided> {
    let ended = log.outcome(number).expect("the log").unwrap_or_else(Ended::not_yet);
    let parts = parts_of(|from| log.decided_earlier(number, from), ended);
    parts.flat_map(|parts| parts.expect("the log")).collect()
}
