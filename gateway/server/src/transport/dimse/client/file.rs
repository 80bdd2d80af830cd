//! A file of one object (PS3.10 chapter 7): what its meta information says and where its data set begins. Of the data set
//! nothing is read here.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::super::command::{is_uid, text};

/// Preamble and prefix.
const PREFIX: usize = 132;
/// How much is looked through for the end of the meta information: nearly always enough, and more where it is not.
const FIRST: usize = 4 << 10;
const MORE: u64 = 252 << 10;
/// Tag, representation and length.
const ELEMENT: usize = 8;

/// What an association must be for: objects of a class in a transfer syntax.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The SOP class.
    pub sop_class: String,
    /// The transfer syntax that the file is in.
    pub transfer_syntax: String,
}

/// Why a file cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is no DICOM file.
    #[error("no DICOM file: {0}")]
    Invalid(&'static str),
}

/// A file of one object.
#[derive(Debug)]
pub struct ObjectFile {
    /// What it is.
    pub kind: Kind,
    /// Which one it is.
    pub sop_instance: String,
    pub(super) file: File,
    /// Where its data set begins.
    pub(super) begin: u64,
    /// How long its data set is.
    pub(super) length: u64,
}

impl ObjectFile {
    /// [`Self::open`] on a thread that may block.
    ///
    /// # Errors
    /// As there.
    pub async fn opened(path: PathBuf) -> Result<Self, FileError> {
        let opened = tokio::task::spawn_blocking(move || Self::open(&path)).await;
        opened.map_err(io::Error::other)?
    }

    /// Opens a file and reads its meta information. Blocks.
    ///
    /// # Errors
    /// It cannot be read, or it is no DICOM file with a data set.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let file = File::open(path)?;
        let whole = file.metadata()?.len();
        let mut beginning = Vec::with_capacity(FIRST);
        (&file).take(FIRST as u64).read_to_end(&mut beginning)?;
        // Whether another element of the group follows is told by what comes behind.
        if !Meta::read(&beginning).is_ok_and(|meta| meta.end + ELEMENT <= FIRST) {
            (&file).take(MORE).read_to_end(&mut beginning)?;
        }
        let meta = Meta::read(&beginning)?;
        let begin = meta.end as u64;
        let length = whole.saturating_sub(begin);
        if length == 0 {
            return Err(FileError::Invalid("there is no data set"));
        }
        Ok(Self {
            kind: Kind {
                sop_class: meta.uid(0x0002)?,
                transfer_syntax: meta.uid(0x0010)?,
            },
            sop_instance: meta.uid(0x0003)?,
            file,
            begin,
            length,
        })
    }
}

/// The elements of group 2, and where they end.
struct Meta<'a> {
    elements: Vec<(u16, &'a [u8])>,
    end: usize,
}

impl<'a> Meta<'a> {
    /// Always explicit and little endian (PS3.10 7.1). Ends with the group and not where (0002,0000) says, which some
    /// writers get wrong.
    fn read(bytes: &'a [u8]) -> Result<Self, FileError> {
        let Some((b"DICM", mut rest)) = bytes.get(PREFIX - 4..).and_then(|rest| rest.split_at_checked(4)) else {
            return Err(FileError::Invalid("the prefix is missing"));
        };
        let mut elements = Vec::new();
        while let Some(([2, 0, e0, e1, v0, v1, l0, l1], behind)) = rest.split_first_chunk::<8>() {
            let cut = || FileError::Invalid("its meta information is cut or too long");
            let long = matches!(
                &[*v0, *v1],
                b"OB" | b"OW" | b"OF" | b"SQ" | b"UN" | b"UT" | b"UC" | b"UR"
            );
            let (length, behind) = if long {
                let (length, behind) = behind.split_first_chunk::<4>().ok_or_else(cut)?;
                (u32::from_le_bytes(*length) as usize, behind)
            } else {
                (usize::from(u16::from_le_bytes([*l0, *l1])), behind)
            };
            let (value, next) = behind.split_at_checked(length).ok_or_else(cut)?;
            elements.push((u16::from_le_bytes([*e0, *e1]), value));
            rest = next;
        }
        Ok(Self {
            elements,
            end: bytes.len() - rest.len(),
        })
    }

    fn uid(&self, element: u16) -> Result<String, FileError> {
        let value = self.elements.iter().find(|(number, _)| *number == element);
        let uid = value.map(|(_, value)| text(value)).filter(|uid| is_uid(uid));
        uid.ok_or(FileError::Invalid(
            "its meta information lacks SOP class, instance or transfer syntax",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(bytes: &[u8]) -> Result<ObjectFile, FileError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        ObjectFile::open(file.path())
    }

    #[test]
    fn meta_information_ends_with_its_group_whatever_its_length_says() {
        let mut bytes = vec![0; 128];
        // PS3.10 7.1: a group length that is wrong, version as OB with a four-byte length, three UIDs.
        bytes.extend_from_slice(b"DICM\x02\0\0\0UL\x04\0\xff\0\0\0\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01");
        bytes.extend_from_slice(b"\x02\0\x02\0UI\x04\x001.2\0\x02\0\x03\0UI\x04\x001.23");
        bytes.extend_from_slice(b"\x02\0\x10\0UI\x12\x001.2.840.10008.1.2\0");
        let begin = bytes.len() as u64;
        bytes.extend_from_slice(b"\x08\0\x05\0\0\0\0\0");
        let object = open(&bytes).unwrap();
        let (class, syntax) = (&object.kind.sop_class, &object.kind.transfer_syntax);
        assert_eq!((class.as_str(), object.sop_instance.as_str()), ("1.2", "1.23"));
        assert_eq!(syntax, "1.2.840.10008.1.2");
        assert_eq!((object.begin, object.length), (begin, 8));
        let cut = open(bytes.get(..150).unwrap()).unwrap_err();
        assert!(matches!(cut, FileError::Invalid(_)), "{cut}");
        // A long private element (0002,0102): the end lies behind what is looked at first.
        let long = [b"\x02\0\x02\x01OB\0\0\x00\x20\0\0".to_vec(), vec![0; 0x2000]].concat();
        let at = usize::try_from(begin).unwrap();
        bytes.splice(at..at, long);
        let object = open(&bytes).unwrap();
        assert_eq!((object.begin, object.length), (begin + 0x200C, 8));
        assert!(open(b"MSH|^~\\&|").is_err() && open(&[0; 200]).is_err());
    }
}
