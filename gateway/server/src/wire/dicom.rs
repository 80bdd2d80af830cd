//! Puts DICOM listeners together: the adapter, and the folder that all of them put objects into.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use causeway_dicom::{Config, Dicom};

use crate::config::Listener;
use crate::service::FrameService;
use crate::transport::dimse::{self, Counters, Objects};
use crate::transport::tls::Acceptor;

/// What DICOM listeners share.
#[derive(Debug)]
pub struct Stored {
    /// Counters by listener.
    pub counters: Vec<(String, Arc<Counters>)>,
    /// The folder of objects, opened with the first listener.
    objects: Option<Arc<Objects>>,
    data: PathBuf,
}

impl Stored {
    pub(super) fn new(data: &Path) -> Self {
        Self {
            counters: Vec::new(),
            objects: None,
            data: data.to_owned(),
        }
    }

    fn objects(&mut self) -> anyhow::Result<Arc<Objects>> {
        if let Some(objects) = &self.objects {
            return Ok(Arc::clone(objects));
        }
        let opened = Objects::open(&self.data).context("the folder of objects cannot be used")?;
        Ok(Arc::clone(self.objects.insert(Arc::new(opened))))
    }

    /// A listener around a service.
    pub(super) fn listener(
        &mut self,
        listener: &Listener,
        service: FrameService,
        tls: Acceptor,
        drain: Duration,
    ) -> anyhow::Result<dimse::Listener> {
        let counters = Arc::new(Counters::default());
        self.counters.push((listener.name.clone(), Arc::clone(&counters)));
        Ok(dimse::Listener {
            name: Arc::from(listener.name.as_str()),
            service,
            metadata: Arc::new(|bytes, syntax, whole| {
                causeway_dicom::scan::metadata_length(&Bytes::copy_from_slice(bytes), syntax, whole)
            }),
            objects: self.objects()?,
            options: listener.dimse.clone(),
            peers: listener.peers.clone(),
            tls,
            counters,
            drain,
        })
    }
}

/// The adapter of a listener.
///
/// # Errors
/// Its maps or options cannot be used.
pub fn adapter(listener: &Listener) -> anyhow::Result<Dicom> {
    let (charset, zone) = (listener.dicom.charset.clone(), listener.dicom.zone.clone());
    Ok(Dicom::new(&Config {
        charset,
        zone,
        ..Config::default()
    })?)
}
