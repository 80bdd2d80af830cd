//! A data set read from its file into protocol data units, a few blocks ahead of the wire, on a thread that may block. The
//! buffers go round, so that an object of any size takes the same memory.

use std::io;
use std::os::unix::fs::FileExt as _;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;

use super::super::{pdu, uids};
use super::file::{FileError, ObjectFile};

/// Units between disk and wire.
const AHEAD: usize = 3;

/// What comes of a file: whole units, ready to be written.
pub(super) struct Units {
    ready: Receiver<io::Result<Vec<u8>>>,
    empty: Sender<Vec<u8>>,
}

impl Units {
    /// Begins to read a data set for a presentation context, `room` bytes a unit.
    pub(super) fn of(object: ObjectFile, context: u8, room: usize) -> Self {
        let (filled, ready) = channel(AHEAD);
        let (empty, mut used) = channel::<Vec<u8>>(AHEAD + 1);
        spawn_blocking(move || {
            let (mut at, end) = (object.begin, object.begin + object.length);
            while at < end {
                let length = usize::try_from(end - at).unwrap_or(room).min(room);
                let unit = used.try_recv().unwrap_or_default();
                let unit = read(&object, context, at, length, unit);
                let broken = unit.is_err();
                if filled.blocking_send(unit).is_err() || broken {
                    return; // nobody sends it any more
                }
                at += length as u64;
            }
        });
        Self { ready, empty }
    }

    /// The next unit; none at the end of the data set.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        Ok(self.ready.recv().await.transpose()?)
    }

    /// Takes a buffer back.
    pub(super) fn used(&self, unit: Vec<u8>) {
        drop(self.empty.try_send(unit)); // else it goes
    }
}

fn read(object: &ObjectFile, context: u8, at: u64, length: usize, mut unit: Vec<u8>) -> io::Result<Vec<u8>> {
    let last = at + length as u64 == object.begin + object.length;
    // A deflated data set may end at any byte, and a fragment has an even number of them: then a zero is added (PS3.5 A.5).
    // Any other data set is even, unless it is broken, and goes as it is.
    let pad = usize::from(last && length % 2 == 1 && uids::is_deflated(&object.kind.transfer_syntax));
    let header = pdu::data_header(context, length + pad, if last { 0x02 } else { 0 });
    unit.resize(header.len() + length + pad, 0);
    let (head, body) = unit.split_at_mut(header.len());
    head.copy_from_slice(&header);
    let (body, padding) = body.split_at_mut(length);
    padding.fill(0);
    object.file.read_exact_at(body, at)?;
    Ok(unit)
}
