//! The kinds of peers: a file each, and one arm in [`peer`].

mod dicom;
mod folder;
mod http;

pub use dicom::Dicom;
pub use folder::Folder;
pub use http::Http;

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
        Target::Mllp { .. } => {
            anyhow::bail!("destination {:?}: there is no peer of this kind", destination.name)
        }
    }
}
