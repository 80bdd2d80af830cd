//! Short ways into a JSON value. A member that is missing reads as empty, as the published files are known good.

use serde_json::Value;

/// The text of a member, or nothing.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

/// The items of a member, or nothing.
pub(crate) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The last segment of an address or path.
pub(crate) fn last(address: &str) -> &str {
    address.rsplit(['/', '#']).next().unwrap_or(address)
}

/// An address without its version.
pub(crate) fn unversioned(address: &str) -> &str {
    address.split('|').next().unwrap_or(address)
}
