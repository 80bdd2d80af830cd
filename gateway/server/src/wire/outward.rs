//! Puts the way out together: which format renders a delivery, and the work of each destination.

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::{Adapter, Parsed, Store};
use causeway_fhir::Fhir;
use tokio::sync::watch;

use super::Gateway;
use crate::chain::LateSink;
use crate::config::{Config, Format};
use crate::outbox::{Class, Failure, Form, Material, Peer, Post, Render};
use crate::replay::Door;

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
            render: render(self.doors.clone(), Fhir::new(config.lang)),
            objects: config.data.join("objects"),
            spool: Arc::clone(&self.house.spool),
        };
        self.house.outbox.start(peers, &material, &mut self.tasks, stop);
    }
}

/// One arm a form. HL7v2 comes from the listener that took the message, since its settings say how to read it.
fn render(doors: Vec<Door>, fhir: Fhir) -> Render {
    Arc::new(move |parcel, destination, stamp| match destination.form() {
        Form::Fhir => taken(fhir.from_fhir(parcel, stamp)),
        Form::Hl7v2 => {
            let listener = &*parcel.frame.listener;
            let door = doors.iter().find(|door| door.listener == listener);
            let door = door.filter(|door| door.format == Format::Hl7v2);
            let door = door.ok_or_else(|| Failure::new(Class::Broken, "no HL7v2 listener took the message"))?;
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
