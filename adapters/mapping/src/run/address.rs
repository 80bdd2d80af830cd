//! System addresses of authorities: what the site says, what the universal id says, or a private one. Where a designator
//! stands in a value is not known here.

use std::fmt::Write as _;

use uuid::Uuid;

use crate::plan::Settings;

/// Writes the system address of an authority, given by name, universal id and its type: what the site says, else the
/// universal id as its type says, else a private one that is the same for the same name.
pub(crate) fn site_address(settings: &Settings, authority: [&str; 3], out: &mut String) -> bool {
    let [name, universal, _] = authority.map(str::trim);
    let known = settings
        .authorities
        .get(name)
        .or_else(|| settings.authorities.get(universal));
    if let Some(known) = known {
        out.push_str(known);
        return true;
    }
    plain_address(authority, out)
}

/// Writes the address of an authority that no site knows.
pub(crate) fn plain_address(authority: [&str; 3], out: &mut String) -> bool {
    let [name, universal, kind] = authority.map(str::trim);
    if universal_address(universal, kind, out) {
        return true;
    }
    let shown = if name.is_empty() { universal } else { name };
    if shown.is_empty() {
        return false;
    }
    if !universal_address(shown, "", out) {
        private_address("authority", shown, out);
        // An id that is not what its type claims still tells authorities of one name apart.
        if shown != universal && CLAIMS.iter().any(|claim| kind.eq_ignore_ascii_case(claim)) {
            private_part(universal, out);
        }
    }
    true
}

/// Types of universal ids that are addresses (HL7 table 0301).
const CLAIMS: [&str; 4] = ["ISO", "UUID", "GUID", "URI"];

/// Begins the addresses of authorities that nobody gave one; a finding asks for it.
pub(crate) const PRIVATE: &str = "urn:causeway:authority:";

/// Writes a private address below a path: what stands for a name that nobody gave an address.
pub(crate) fn private_address(path: &str, name: &str, out: &mut String) {
    out.push_str("urn:causeway:");
    out.push_str(path);
    private_part(name, out);
}

fn private_part(name: &str, out: &mut String) {
    out.push(':');
    for byte in name.bytes() {
        // What RFC 8141 lets stand in a URN without escaping, and a little less.
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _written = write!(out, "%{byte:02X}");
        }
    }
}

/// HD.3 (HL7 table 0301): ISO is an OID, UUID and GUID are one, URI and URL stand as they are.
fn universal_address(universal: &str, kind: &str, out: &mut String) -> bool {
    if universal.is_empty() {
        return false;
    }
    let is = |known: &str| kind.eq_ignore_ascii_case(known);
    if is("UUID") || is("GUID") {
        return uuid_address(universal, out);
    }
    if let Some(oid) = universal.strip_prefix("urn:oid:") {
        return oid_address(oid, 2, out);
    }
    if let Some(id) = universal.strip_prefix("urn:uuid:") {
        return uuid_address(id, out);
    }
    // Of the many schemes these are those that name an authority, and that a validator takes for absolute.
    let schemes = ["urn:", "http:", "https:"];
    let uri = schemes.iter().any(|scheme| universal.starts_with(scheme)) && !universal.contains(char::is_whitespace);
    if uri || is("URI") || is("URL") {
        out.push_str(if uri { universal } else { "" });
        return uri;
    }
    oid_address(universal, 4, out) || uuid_address(universal, out)
}

fn uuid_address(text: &str, out: &mut String) -> bool {
    // The shortest form that is taken for one has 32 digits.
    let Some(id) = (text.len() >= 32).then(|| Uuid::try_parse(text).ok()).flatten() else {
        return false;
    };
    let mut buffer = [0; 45];
    out.push_str(super::refs::urn(id, &mut buffer));
    true
}

/// Numbers with points, the first of them 0, 1 or 2 (X.660). An authority that is not called an OID has at least four:
/// what is shorter names a whole standards body, or is a number with points.
fn oid_address(text: &str, least: usize, out: &mut String) -> bool {
    let arc = |arc: &str| {
        !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'))
    };
    let mut arcs = text.split('.');
    let first = arcs.next().is_some_and(|arc| matches!(arc, "0" | "1" | "2"));
    let sound = first && arcs.clone().count() + 1 >= least && arcs.all(arc);
    if sound {
        out.push_str("urn:oid:");
        out.push_str(text);
    }
    sound
}
