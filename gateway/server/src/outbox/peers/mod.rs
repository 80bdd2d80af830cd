//! The kinds of peers: a file each, and one arm in [`peer`].

mod folder;

pub use folder::Folder;

use super::{Destination, Peer, Target};

/// The peer of a destination.
///
/// # Errors
/// Its `to`, its certificates or its folder cannot be used.
pub fn peer(destination: &Destination) -> anyhow::Result<Box<dyn Peer>> {
    match destination.target().map_err(anyhow::Error::msg)? {
        Target::Folder(folder) => Ok(Box::new(Folder::new(folder))),
        Target::Mllp { .. } | Target::Http(_) | Target::Dicom { .. } => {
            anyhow::bail!("destination {:?}: there is no peer of this kind", destination.name)
        }
    }
}
