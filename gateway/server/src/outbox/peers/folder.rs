//! A folder as a peer: each delivery becomes a file, written under another name, put on disk and renamed into place, so
//! that whoever looks sees whole files only. Its name follows from the delivery: a repetition finds it there already, or
//! puts the same file in its place.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use causeway_core::frame::media_type;
use futures_util::future::BoxFuture;

use crate::outbox::{Class, Delivered, Failure, Outgoing, Peer};

/// A folder.
#[derive(Debug)]
pub struct Folder {
    folder: Arc<PathBuf>,
}

impl Folder {
    /// The folder; it is made with the first file.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder: Arc::new(folder),
        }
    }
}

impl Peer for Folder {
    fn deliver(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Delivered, Failure>> {
        let folder = Arc::clone(&self.folder);
        Box::pin(async move {
            let put = tokio::task::spawn_blocking(move || put(&folder, &outgoing)).await;
            put.unwrap_or_else(|_| Err(Failure::new(Class::Broken, "a defect of the gateway")))
        })
    }
}

/// The file's name: the same for the same delivery, and nothing of a patient in it.
fn name(outgoing: &Outgoing) -> String {
    let end = match media_type(&outgoing.media_type).as_str() {
        "x-application/hl7-v2+er7" | "application/hl7-v2" => "hl7",
        "application/fhir+json" | "application/json" => "json",
        "application/dicom" => "dcm",
        "application/edi-x12" => "x12",
        _ => "bin",
    };
    format!("{}.{end}", outgoing.control_id)
}

fn put(folder: &PathBuf, outgoing: &Outgoing) -> Result<Delivered, Failure> {
    let name = name(outgoing);
    let whole = folder.join(&name);
    let unfinished = folder.join(format!("{name}.tmp"));
    let written = || -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        match &outgoing.file {
            Some(path) => drop(io::copy(&mut File::open(path)?, &mut file)?),
            None => file.write_all(&outgoing.bytes)?,
        }
        file.sync_all()?;
        fs::rename(&unfinished, &whole)?;
        File::open(folder)?.sync_all()
    };
    if let Err(error) = written() {
        let lost = outgoing.file.as_ref().is_some_and(|path| !path.exists());
        let class = if lost { Class::Broken } else { Class::Unreachable };
        return Err(Failure::new(class, error.kind().to_string()));
    }
    Ok(Delivered::said("written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(control_id: &str, bytes: &'static [u8]) -> Outgoing {
        Outgoing::of(control_id, "x-application/hl7-v2+er7", bytes)
    }

    fn files(folder: &std::path::Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_repetition_and_a_half_written_file_leave_one_whole_file() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("ward");
        fs::create_dir(&folder).unwrap();
        fs::write(
            folder.join("CWD1.hl7.tmp"),
            b"MSH|half of an earlier attempt, longer than the whole",
        )
        .unwrap();
        let peer = Folder::new(folder.clone());
        for _ in 0..2 {
            peer.deliver(outgoing("CWD1", b"MSH|whole\r")).await.unwrap();
        }
        assert_eq!(files(&folder), ["CWD1.hl7"]);
        assert_eq!(fs::read(folder.join("CWD1.hl7")).unwrap(), b"MSH|whole\r");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_unreachable_and_lost_bytes_are_broken() {
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("file");
        fs::write(&file, b"").unwrap();
        let failed = Folder::new(file.join("below")).deliver(outgoing("A", b"x")).await;
        assert_eq!(failed.unwrap_err().class, Class::Unreachable);
        let mut lost = outgoing("B", b"");
        lost.file = Some(base.path().join("no such object"));
        let failed = Folder::new(base.path().join("ward")).deliver(lost).await;
        assert_eq!(failed.unwrap_err().class, Class::Broken);
    }
}
