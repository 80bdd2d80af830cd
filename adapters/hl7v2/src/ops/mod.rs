//! The named operations of the HL7v2 rows: what places, tests and type maps cannot say. Each is pure: values in, one
//! element out. They are listed here and nowhere else.

mod ranges;
mod systems;
mod texts;
mod times;

use causeway_mapping::ops::OpDef;

use crate::message::Message;

type Op = OpDef<Message>;

/// All of them, by name.
pub(crate) static ALL: &[Op] = &[
    Op {
        name: "add-duration",
        reads: &[],
        tables: &[],
        writes: &["dateTime"],
        each: false,
        doc: "a start and a duration (CQ): the time when it ends",
        run: times::add_duration,
    },
    Op {
        name: "base64",
        reads: &[],
        tables: &[],
        writes: &["base64Binary"],
        each: true,
        doc: "the text in base64",
        run: texts::base64,
    },
    Op {
        name: "coding-system",
        reads: &[],
        tables: &["0396"],
        writes: &["uri"],
        each: false,
        doc: "the address of a coding system of table 0396, unless that system is closed and lacks the code given second",
        run: systems::coding_system,
    },
    Op {
        name: "concat",
        reads: &[],
        tables: &[],
        writes: &["string"],
        each: true,
        doc: "the leaves of a value with nothing between them",
        run: texts::concat,
    },
    Op {
        name: "hex-base64",
        reads: &[],
        tables: &[],
        writes: &["base64Binary"],
        each: true,
        doc: "hexadecimal data in base64",
        run: texts::hex_base64,
    },
    Op {
        name: "join",
        reads: &[],
        tables: &[],
        writes: &["string"],
        each: false,
        doc: "the leaves of all values with blanks between them",
        run: texts::join,
    },
    Op {
        name: "join-lines",
        reads: &[],
        tables: &[],
        writes: &["markdown", "string"],
        each: false,
        doc: "all repetitions, a line each",
        run: texts::join_lines,
    },
    Op {
        name: "low-high",
        reads: &["OBX-6"],
        tables: &[],
        writes: &["Observation.referenceRange", "Observation.component.referenceRange"],
        each: true,
        doc: "a reference range as low and high with the unit of OBX-6, where it can be read (OBX-7, 2.9 7.4.2.7)",
        run: ranges::low_high,
    },
    Op {
        name: "oid-uri",
        reads: &[],
        tables: &[],
        writes: &["uri"],
        each: true,
        doc: "an OID as urn:oid:, nothing when it is none",
        run: systems::oid_uri,
    },
    Op {
        name: "phone",
        reads: &[],
        tables: &[],
        writes: &["string"],
        each: false,
        doc: "country, area, local number and extension as one number (XTN.5 to XTN.8)",
        run: texts::phone,
    },
    Op {
        name: "private-system",
        reads: &[],
        tables: &[],
        writes: &["uri"],
        each: true,
        doc: "a private address for a local coding system",
        run: systems::private_system,
    },
    Op {
        name: "start-and-minutes",
        reads: &[],
        tables: &[],
        writes: &["Period"],
        each: false,
        doc: "a start and a number of minutes as a period",
        run: times::start_and_minutes,
    },
    Op {
        name: "text",
        reads: &[],
        tables: &[],
        writes: &["string"],
        each: true,
        doc: "the value as it was sent, delimiters in their recommended form",
        run: texts::text,
    },
    Op {
        name: "titre",
        reads: &[],
        tables: &[],
        writes: &["Ratio"],
        each: true,
        doc: "a titre written as text, `1:40` or `<1:20`, as a ratio",
        run: ranges::titre,
    },
    Op {
        name: "universal-id",
        reads: &[],
        tables: &[],
        writes: &["uri"],
        each: false,
        doc: "namespace, universal id and its type as a system address (EI.2 to EI.4, HD)",
        run: systems::universal_id,
    },
    Op {
        name: "waveform",
        reads: &[],
        tables: &[],
        writes: &["SampledData"],
        each: false,
        doc: "numeric arrays (NA, MA) as sampled data",
        run: texts::waveform,
    },
];
