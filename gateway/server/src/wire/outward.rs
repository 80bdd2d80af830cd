//! Puts the way out together: which format renders a delivery, and the work of each destination.

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::{Parsed, Store};
use tokio::sync::watch;

use super::{Gateway, UNITES};
use crate::chain::LateSink;
use crate::config::{Config, Format, Listener};
use crate::outbox::{Class, Destination, Failure, Form, Material, Peer, Post, Render};
use crate::replay::Door;
use crate::resources::Known;

/// Why what came in another format does not leave as HL7v2: nothing is made up that no sender wrote.
const NO_SOURCE: &str = "it did not come as HL7v2, so there is no source to annotate";

/// Whether resources are kept: somebody reads them over HTTP, or is told of them. Nobody keeps what nobody reads.
pub fn keeps_resources(config: &Config) -> bool {
    let serves = |listener: &Listener| listener.ways().into_iter().any(|(_, format)| format == Format::Fhir);
    let told = |destination: &Destination| destination.form() == Form::Fhir;
    config.listeners.iter().any(serves) || config.destinations.iter().any(told)
}

/// Keeps what came late, with the deliveries that follow from it.
pub(super) fn late(log: Arc<dyn Store>, post: Option<Post>) -> LateSink {
    Arc::new(move |mut late, frame, context| {
        if let Some(post) = &post {
            late.deliveries = post.of_late(frame, context, &late);
        }
        log.late(late);
    })
}

impl Gateway {
    /// Starts the work of every destination.
    pub(super) fn deliver(
        &mut self,
        config: &Config,
        peers: Vec<(String, Arc<dyn Peer>)>,
        stop: &watch::Receiver<bool>,
    ) {
        let material = Material {
            store: Arc::clone(self.house.inbox.store()),
            render: render(self.doors.clone()),
            telemetry: Arc::clone(&self.house.telemetry),
            known: keeps_resources(config).then(|| {
                let sequencer = Arc::clone(&self.house.sequencer);
                Known::new(&config.data, sequencer, UNITES, causeway_fhir::is_found_by_identifier)
            }),
            objects: config.data.join("objects"),
            spool: Arc::clone(&self.house.spool),
        };
        self.house.outbox.start(peers, &material, &mut self.tasks, stop);
    }
}

/// One arm a form. HL7v2 comes from the listener that took the message, since its settings say how to read it.
fn render(doors: Vec<Door>) -> Render {
    Arc::new(move |parcel, destination, stamp| match destination.form() {
        Form::Fhir => taken(causeway_fhir::transaction(parcel, destination.client_ids)),
        Form::Hl7v2 => {
            let listener = &*parcel.frame.listener;
            let door = doors.iter().find(|door| door.listener == listener);
            let door = door.filter(|door| door.format == Format::Hl7v2);
            let door = door.ok_or_else(|| Failure::new(Class::Broken, NO_SOURCE))?;
            taken((door.render)(parcel, stamp))
        }
        Form::Source | Form::Dicom => Err(Failure::new(Class::Broken, "nothing is to be rendered")),
    })
}

/// What was rendered, or the code of what stands against it.
fn taken(parsed: Parsed<Vec<u8>>) -> Result<Bytes, Failure> {
    let code = parsed.findings.first().map_or("not rendered", |finding| &*finding.code);
    let cause = code.to_owned();
    parsed
        .value
        .map(Bytes::from)
        .ok_or_else(|| Failure::new(Class::Broken, cause))
}
