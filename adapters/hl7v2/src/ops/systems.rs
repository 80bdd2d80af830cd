//! Operations that make system addresses of names and ids.

use causeway_core::fhir::Value as Json;
use causeway_mapping::ops::{Input, Output, authority_address, private_address};

use crate::message::Message;

type In<'a> = Input<'a, Message>;

fn write(address: Option<String>, out: &mut Output<'_>) -> bool {
    address.is_some_and(|address| out.value(Json::String(&address)).is_some())
}

/// Table 0396 by the name given first. A closed system that lacks the code given second is not the code's: a validator
/// would rightly refuse the pair. DICOM's codes are numbers (PS3.16 annex D).
pub(super) fn coding_system(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let (name, code) = (input.leaf(0), input.leaf(1));
    let (name, code) = (name.trim(), code.trim());
    let Some(system) = input.look_up(0, name) else {
        return false;
    };
    let foreign = !code.is_empty() && input.is_foreign(0, name, code);
    let not_dicom = system.ends_with("/DCM") && !code.bytes().all(|byte| byte.is_ascii_digit());
    !foreign && !not_dicom && out.value(Json::String(system)).is_some()
}

pub(super) fn private_system(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let name = input.leaf(0);
    let name = name.trim();
    !name.is_empty() && write(Some(private_address("code-system", name)), out)
}

/// An OID has at least four arcs here: a shorter one is a number with points.
pub(super) fn oid_uri(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let text = input.leaf(0);
    let address = authority_address("", &text, "ISO").filter(|address| address.starts_with("urn:oid:"));
    let long = text.matches('.').count() >= 3;
    long && write(address, out)
}

pub(super) fn universal_id(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let (name, universal, kind) = (input.leaf(0), input.leaf(1), input.leaf(2));
    write(out.authority(&name, &universal, &kind), out)
}
