//! Files of DICOM objects that are made up: CT slices of one study, each an instance of its own.

use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Explicit little endian.
fn element(out: &mut Vec<u8>, tag: u32, vr: &str, value: &str) {
    let mut value = value.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" { 0 } else { b' ' });
    }
    let [a, b, c, d] = tag.to_be_bytes();
    out.extend_from_slice(&[b, a, d, c]);
    out.extend_from_slice(vr.as_bytes());
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(&value);
}

/// A file of one CT instance of a study, with so many bytes of pixels.
///
/// # Errors
/// The file cannot be written.
pub fn write_ct(path: &Path, instance: usize, pixels: usize) -> std::io::Result<()> {
    let (class, uid) = ("1.2.840.10008.5.1.4.1.1.2", format!("1.2.826.0.1.{instance}"));
    let mut meta = Vec::new();
    element(&mut meta, 0x0002_0002, "UI", class);
    element(&mut meta, 0x0002_0003, "UI", &uid);
    element(&mut meta, 0x0002_0010, "UI", "1.2.840.10008.1.2.1");
    let mut out = vec![0; 128];
    out.extend_from_slice(b"DICM\x02\0\0\0UL\x04\0");
    out.extend_from_slice(&u32::try_from(meta.len()).unwrap_or(0).to_le_bytes());
    out.append(&mut meta);
    for (tag, vr, value) in [
        (0x0008_0016, "UI", class),
        (0x0008_0018, "UI", uid.as_str()),
        (0x0008_0020, "DA", "20240506"),
        (0x0008_0030, "TM", "070809"),
        (0x0008_0060, "CS", "CT"),
        (0x0008_0070, "LO", "Maker"),
        (0x0008_1030, "LO", "Thorax"),
        (0x0010_0010, "PN", "Zhang^Wei"),
        (0x0010_0020, "LO", "P-1"),
        (0x0020_000D, "UI", "1.2.826.0.1.1"),
        (0x0020_000E, "UI", "1.2.826.0.1.2"),
        (0x0020_0011, "IS", "1"),
    ] {
        element(&mut out, tag, vr, value);
    }
    element(&mut out, 0x0020_0013, "IS", &instance.to_string());
    out.extend_from_slice(b"\xe0\x7f\x10\0OW\0\0");
    out.extend_from_slice(&u32::try_from(pixels).unwrap_or(0).to_le_bytes());
    let mut file = File::create(path)?;
    file.write_all(&out)?;
    let block: Vec<u8> = (0..=255).cycle().skip(instance % 256).take(1 << 20).collect();
    for at in (0..pixels).step_by(block.len()) {
        file.write_all(&block[..block.len().min(pixels - at)])?;
    }
    Ok(())
}
