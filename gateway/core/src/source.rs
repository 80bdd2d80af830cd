//! Bounded reads of a frame's body, in memory or spooled, so that an adapter opens nothing itself.

use std::ops::Range;

use bytes::Bytes;

use crate::{Fault, FaultKind};

/// The body of a frame for an adapter.
pub trait Source: Send {
    /// Length of the body in bytes.
    fn len(&self) -> u64;

    /// The bytes of a range: a shared slice in memory, one read when spooled.
    ///
    /// # Errors
    /// A range outside the body, or a failed read of a spooled body.
    fn slice(&mut self, range: Range<u64>) -> Result<Bytes, Fault>;

    /// Whether there is nothing to read.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`Source::slice`].
    fn whole(&mut self) -> Result<Bytes, Fault> {
        let len = self.len();
        self.slice(0..len)
    }
}

/// A body that is in memory; slices share it.
#[derive(Debug, Clone)]
pub struct MemorySource(pub Bytes);

impl Source for MemorySource {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn slice(&mut self, range: Range<u64>) -> Result<Bytes, Fault> {
        let outside = || Fault::new(FaultKind::Internal, "a read outside the frame");
        let start = usize::try_from(range.start).map_err(|_| outside())?;
        let end = usize::try_from(range.end).map_err(|_| outside())?;
        if start > end || end > self.0.len() {
            return Err(outside());
        }
        Ok(self.0.slice(start..end))
    }
}
