//! Puts an HTTP listener together: each route's joint at its path. What a format is to HTTP stands here and nowhere else.

use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Gateway, Way};
use crate::config::{Config, Format, Listener};
use crate::fhir_api;
use crate::translate::House;
use crate::transport::http;

/// Media types of HL7v2 messages: the registered one, that of HL7 over HTTP as the HAPI project describes it, and what
/// simple senders say.
const HL7V2: &[&str] = &[
    "application/hl7-v2",
    "x-application/hl7-v2+er7",
    "application/hl7-v2+er7",
    "text/plain",
];

/// Media types of X12: the registered one (RFC 1767), and what simple senders say.
const X12: &[&str] = &["application/edi-x12", "application/x12", "text/plain"];

fn kind(route: &Arc<str>, format: Format, config: &Config, house: &House) -> http::Kind {
    match format {
        Format::Hl7v2 => http::Kind::Messages(HL7V2),
        // Objects come by associations only; the configuration says so.
        Format::Dicom => http::Kind::Messages(&[]),
        Format::X12 => http::Kind::Messages(X12),
        Format::Fhir => http::Kind::Rest {
            passes: fhir_api::passes,
            read: fhir_api::read(route, config, house),
        },
    }
}

impl Gateway {
    pub(super) fn serve_http(
        &mut self,
        listener: &Listener,
        config: &Config,
        ways: Vec<Way>,
        socket: TcpListener,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let (options, budget) = (listener.http.clone(), self.reading.clone());
        let made = http::Listener::new(&listener.name, socket.local_addr()?, options, budget);
        let mut made = made.with_context(|| format!("listener {:?}", listener.name))?;
        made.peers.clone_from(&listener.peers);
        made.drain = self.drain;
        made.tls = self.certificates.acceptor(&listener.name);
        let house = self.house.clone();
        let routes = listener.routes.iter().zip(ways);
        made.routes = routes
            .map(|(route, way)| http::Route {
                kind: kind(&way.name, route.format, config, &house),
                name: way.name,
                path: route.path.clone(),
                service: way.service,
                refuse: way.refuse,
            })
            .collect();
        self.transports
            .push((listener.name.clone(), Arc::clone(&made.counters)));
        self.tasks.spawn(made.serve(socket, stop));
        Ok(())
    }
}
