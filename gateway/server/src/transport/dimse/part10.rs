//! The file around a data set (PS3.10 chapter 7): preamble, prefix and file meta information. The private information of
//! the meta group holds the SHA-256 of the data set, so that a file proves itself and its beginning names the whole.

use super::command::text_value;

/// Ours, derived from a UUID (PS3.5 B.2).
pub(super) const IMPLEMENTATION: &str = "2.25.191420815962306180562380915207642519087";
/// At most 16 characters (PS3.7 D.3.3.2.3).
pub(super) const VERSION: &str = "CAUSEWAY_0_1";
/// Length of a SHA-256.
const DIGEST: usize = 32;

/// What the meta information says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meta<'a> {
    pub(super) sop_class: &'a str,
    pub(super) sop_instance: &'a str,
    pub(super) transfer_syntax: &'a str,
    pub(super) calling_ae: &'a str,
    pub(super) called_ae: &'a str,
}

/// The bytes before the data set, with room for its digest at the end.
pub(super) fn header(meta: Meta<'_>) -> Vec<u8> {
    let mut group = Vec::with_capacity(400);
    long(&mut group, 0x0001, *b"OB", &[0, 1]);
    short(&mut group, 0x0002, *b"UI", &text_value(meta.sop_class, 0));
    short(&mut group, 0x0003, *b"UI", &text_value(meta.sop_instance, 0));
    short(&mut group, 0x0010, *b"UI", &text_value(meta.transfer_syntax, 0));
    short(&mut group, 0x0012, *b"UI", &text_value(IMPLEMENTATION, 0));
    short(&mut group, 0x0013, *b"SH", &text_value(VERSION, b' '));
    short(&mut group, 0x0016, *b"AE", &text_value(meta.calling_ae, b' '));
    short(&mut group, 0x0017, *b"AE", &text_value(meta.calling_ae, b' '));
    short(&mut group, 0x0018, *b"AE", &text_value(meta.called_ae, b' '));
    short(&mut group, 0x0100, *b"UI", &text_value(IMPLEMENTATION, 0));
    long(&mut group, 0x0102, *b"OB", &[0; DIGEST]);
    let mut out = vec![0; 128];
    out.extend_from_slice(b"DICM");
    short(
        &mut out,
        0x0000,
        *b"UL",
        &u32::try_from(group.len()).unwrap_or(0).to_le_bytes(),
    );
    out.append(&mut group);
    out
}

/// Where the digest stands in a header.
pub(super) fn digest_at(header: &[u8]) -> usize {
    header.len().saturating_sub(DIGEST)
}

fn short(out: &mut Vec<u8>, element: u16, vr: [u8; 2], value: &[u8]) {
    out.extend_from_slice(&[2, 0]);
    out.extend_from_slice(&element.to_le_bytes());
    out.extend_from_slice(&vr);
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(value);
}

fn long(out: &mut Vec<u8>, element: u16, vr: [u8; 2], value: &[u8]) {
    out.extend_from_slice(&[2, 0]);
    out.extend_from_slice(&element.to_le_bytes());
    out.extend_from_slice(&vr);
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(value);
}
