//! Transports carry frames and replies and know no format: MLLP and DICOM's upper layer here.

pub mod dimse;
pub mod mllp;
pub mod units;
