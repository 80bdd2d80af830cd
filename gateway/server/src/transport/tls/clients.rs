//! The clients of a gateway that connect under TLS, so that new certificates come into force for them as they do for
//! listeners. Who they connect to, and for what, is not known here.

use std::sync::{Arc, Mutex, PoisonError};

use super::connector::{Connector, Dialer, Drawn};
use super::context::TlsError;
use super::expiry::Expiry;
use super::options::ClientOptions;

/// What a gateway's clients connect with.
#[derive(Debug, Clone, Default)]
pub struct Clients(Arc<Mutex<Vec<Arc<Dialer>>>>);

/// What was read for each client and is not in force yet.
pub(super) struct Read(Vec<(Arc<Dialer>, Drawn)>);

impl Clients {
    /// Connections under TLS for a client by its name, `hook potassium`. Reads the files.
    ///
    /// # Errors
    /// A file cannot be read or used.
    pub fn connector(&self, owner: &str, options: &ClientOptions) -> Result<Connector, TlsError> {
        let dialer = Arc::new(Dialer::open(owner, options)?);
        self.lock().push(Arc::clone(&dialer));
        Ok(Connector::of(dialer))
    }

    /// Reads the files of all again and leaves what is in force.
    pub(super) fn read(&self) -> Result<Read, Vec<TlsError>> {
        let dialers = self.lock().clone();
        let (mut read, mut wrong) = (Vec::with_capacity(dialers.len()), Vec::new());
        for dialer in dialers {
            match dialer.read() {
                Ok(drawn) => read.push((dialer, drawn)),
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() { Ok(Read(read)) } else { Err(wrong) }
    }

    /// When what they show and trust ends.
    pub(super) fn expiries(&self) -> Vec<Expiry> {
        self.lock().iter().flat_map(|dialer| dialer.expiries()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Dialer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read {
    /// Puts it in force for connections to come; for how many clients.
    pub(super) fn put(self) -> usize {
        let count = self.0.len();
        for (dialer, drawn) in self.0 {
            dialer.put(drawn);
        }
        count
    }
}
