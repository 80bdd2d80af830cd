//! A delivery as the outbox hands it to a peer, for tests of the peers alone.

use std::sync::Arc;

use causeway_core::{Frame, Head};
use causeway_server::outbox::Outgoing;
use causeway_server::telemetry::Caller;

/// One of these bytes.
///
/// # Panics
/// Never.
pub fn outgoing(control_id: &str, media_type: &str, bytes: impl Into<Vec<u8>>) -> Outgoing {
    let frame = Frame {
        listener: "lab".into(),
        peer: "p".into(),
        received: jiff::Timestamp::UNIX_EPOCH,
        head: Head::Mllp,
        body: Vec::new().into(),
    };
    Outgoing {
        control_id: control_id.to_owned(),
        media_type: media_type.to_owned(),
        bytes: bytes.into().into(),
        file: None,
        frame: Arc::new(frame),
        number: 1,
        span: Caller::read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").expect("a span"),
    }
}
