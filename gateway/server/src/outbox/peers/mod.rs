//! The kinds of peers: a file each, and one arm in [`peer`].

mod dicom;
mod folder;
mod http;
mod mllp;

pub use dicom::Dicom;
pub use folder::Folder;
pub use http::Http;
pub use mllp::Mllp;

use std::sync::Arc;

use super::{Destination, Peer, Target};
use crate::transport::tls::{Clients, Connector};

/// The peer of a destination.
///
/// # Errors
/// Its `to`, its certificates or its folder cannot be used.
pub fn peer(destination: &Destination, clients: &Clients) -> anyhow::Result<Box<dyn Peer>> {
    let connector = |tls| {
        if tls {
            clients.connector(&format!("destination {}", destination.name), &destination.tls)
        } else {
            Ok(Connector::plain())
        }
    };
    match destination.target().map_err(anyhow::Error::msg)? {
        Target::Folder(folder) => Ok(Box::new(Folder::new(folder))),
        Target::Dicom {
            tls,
            called_ae,
            address,
        } => Ok(Box::new(Dicom::new(destination, called_ae, address, connector(tls)?))),
        Target::Http(base) => {
            let connector = connector(base.starts_with("https:"))?;
            Ok(Box::new(Http::new(destination, &base, connector)?))
        }
        Target::Mllp { tls, address } => Ok(Box::new(Mllp::new(destination, address, connector(tls)?))),
    }
}

/// The peers of all destinations, by name.
///
/// # Errors
/// One of them cannot be made.
pub fn all(destinations: &[Destination], clients: &Clients) -> anyhow::Result<Vec<(String, Arc<dyn Peer>)>> {
    let of = |one: &Destination| anyhow::Ok((one.name.clone(), Arc::from(peer(one, clients)?)));
    destinations.iter().map(of).collect()
}
