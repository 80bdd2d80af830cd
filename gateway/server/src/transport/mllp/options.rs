//! What a listener's owner may set, with defaults that suit a hospital's interface engine. No reading of files here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::transport::units;

/// The settings of an MLLP listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The largest payload that is taken, in bytes. Default 64 MiB: documents and images inside OBX-5 fit.
    #[serde(with = "units::size")]
    pub max_frame: usize,
    /// Messages of one connection in work at once. Default 32.
    pub window: u16,
    /// Connections at once. Default 1,024; one more is accepted and closed.
    pub connections: u32,
    /// Connections at once from one address. Default 256: engines send many feeds from one machine.
    pub connections_per_peer: u32,
    /// How long a connection may say nothing while nothing is owed to it. Default 30 minutes: wards are quiet at night,
    /// and some senders notice a closed connection only by losing a try. Dead peers are found by keep-alive before.
    #[serde(with = "units::duration")]
    pub idle: Duration,
    /// From a frame's first byte to its last. Default 2 minutes: 64 MiB at 4.5 Mbit/s.
    #[serde(with = "units::duration")]
    pub frame: Duration,
    /// How long a peer may leave a reply unread. Default 30 seconds.
    #[serde(with = "units::duration")]
    pub write: Duration,
    /// How long to wait for the CR after FS before the frame counts as whole. Default 25 ms; a sender that never sends
    /// the CR waits this long for every reply.
    #[serde(with = "units::duration")]
    pub end_wait: Duration,
    /// Bytes that are no frame before a connection is closed, counted anew after every frame. Default 1 MiB.
    #[serde(with = "units::size")]
    pub max_garbage: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_frame: 64 << 20,
            window: 32,
            connections: 1_024,
            connections_per_peer: 256,
            idle: Duration::from_mins(30),
            frame: Duration::from_mins(2),
            write: Duration::from_secs(30),
            end_wait: Duration::from_millis(25),
            max_garbage: 1 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_sets_what_it_names_and_leaves_the_rest() {
        let text = "max-frame = \"1MiB\"\nidle = \"10m\"\n";
        let options: Options = toml::from_str(text).unwrap();
        assert_eq!(options.max_frame, 1 << 20);
        assert_eq!(options.idle, Duration::from_mins(10));
        assert_eq!(options.window, 32);
        let written = toml::to_string(&options).unwrap();
        assert_eq!(toml::from_str::<Options>(&written).unwrap(), options, "{written}");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(toml::from_str::<Options>("max_frames = 1").is_err());
    }
}
