//! The primitives that are no times. Each function states the pattern of R4's data types page that it decides.

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
pub(super) fn decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = number
        .split_once('.')
        .map_or((number, None), |(whole, fraction)| (whole, Some(fraction)));
    is_whole(whole) && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}

/// `-?(0|[1-9][0-9]*)` in 32 bits, not below the least.
pub(super) fn integer(text: &str, least: i32) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    is_whole(unsigned) && text.parse::<i32>().is_ok_and(|number| number >= least)
}

/// `0|[1-9][0-9]*`
fn is_whole(text: &str) -> bool {
    digits(text) && (text == "0" || !text.starts_with('0'))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[A-Za-z0-9\-\.]{1,64}`
pub(super) fn id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// `[^\s]+(\s[^\s]+)*`
pub(super) fn code(text: &str) -> bool {
    !text.is_empty() && (!has_below(text, b'!') || text.split([' ', '\t', '\n', '\r']).all(|word| !word.is_empty()))
}

/// `[ \r\n\t\S]+`: something, and no control character but tab and line ends.
pub(super) fn string(text: &str) -> bool {
    let is_allowed = |byte| byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r');
    !text.is_empty() && (!has_below(text, b' ') || text.bytes().all(is_allowed))
}

/// Whether any byte is less than a limit of at most 128: eight are compared at a time, by whether any borrows its top bit.
fn has_below(text: &str, limit: u8) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64| word.wrapping_sub(EACH * u64::from(limit)) & !word & (EACH << 7) != 0;
    let (words, rest) = text.as_bytes().as_chunks();
    words.iter().any(|word| below(u64::from_le_bytes(*word))) || rest.iter().any(|byte| *byte < limit)
}

/// `\S*`, not empty. R4 says of a URI that it is `urn:oid:` and `urn:uuid:` that name these; the bare forms are no URI,
/// and what stands behind the full ones must be one.
pub(super) fn uri(text: &str) -> bool {
    if text.is_empty() || has_below(text, b'!') || text.starts_with("oid:") || text.starts_with("uuid:") {
        return false;
    }
    let Some(urn) = text.strip_prefix("urn:") else {
        return true;
    };
    let (oid, uuid) = (urn.strip_prefix("oid:"), urn.strip_prefix("uuid:"));
    oid.is_none_or(oid_of_uri) && uuid.is_none_or(uuid_of_uri)
}

/// An address may go on behind an OID: a version or fragment.
fn oid_of_uri(text: &str) -> bool {
    oid(text.split(['|', '#']).next().unwrap_or(text))
}

fn uuid_of_uri(text: &str) -> bool {
    uuid(text) || uuid(text.split(['|', '#']).next().unwrap_or(text))
}

/// `[0-2](\.(0|[1-9][0-9]*))+`
pub(super) fn oid(text: &str) -> bool {
    let mut arcs = text.split('.');
    let first = arcs.next().is_some_and(|arc| matches!(arc, "0" | "1" | "2"));
    let mut rest = arcs.peekable();
    first && rest.peek().is_some() && rest.all(is_whole)
}

/// `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, in upper case too: RFC 4122 has it read so.
pub(super) fn uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().zip(0..).all(|(byte, at)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `(\s*([0-9a-zA-Z\+\/=]){4}\s*)+`, with `=` at the end only.
pub(super) fn base64(text: &str) -> bool {
    let (mut count, mut padding) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            b'=' => padding += 1,
            b'+' | b'/' if padding == 0 => {}
            _ if byte.is_ascii_alphanumeric() && padding == 0 => {}
            _ => return false,
        }
        count += 1;
    }
    count > 0 && count.is_multiple_of(4) && padding <= 2
}

/// One `div` element. What may stand in it is not looked at here.
pub(super) fn xhtml(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("<div") && (text.ends_with("</div>") || text.ends_with("/>"))
}
