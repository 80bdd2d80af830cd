//! Whether what came is what was expected. Segmented texts are compared field by field, where `*` stands for what nobody
//! can know beforehand (times, our own control ids); JSON is compared as a part of the whole, since a case says what
//! must be there and not all that may be.

use serde_json::Value;

/// What differs between a segmented text (HL7v2 and the like) and its expectation; `None` when nothing does.
pub fn reply(expected: &str, got: &str) -> Option<String> {
    let (expected, got): (Vec<&str>, Vec<&str>) = (lines(expected), lines(got));
    for (index, want) in expected.iter().enumerate() {
        let have = got.get(index).copied().unwrap_or("(nothing)");
        if let Some(difference) = segment(want, have) {
            return Some(format!(
                "line {}: {difference}\n  expected {want}\n  got      {have}",
                index + 1
            ));
        }
    }
    got.get(expected.len())
        .map(|more| format!("line {}: not expected\n  got      {more}", expected.len() + 1))
}

fn lines(text: &str) -> Vec<&str> {
    text.split(['\r', '\n']).filter(|line| !line.is_empty()).collect()
}

fn segment(want: &str, have: &str) -> Option<String> {
    let separator = want.chars().nth(3).unwrap_or('|');
    let mut have = have.split(separator);
    for (index, want) in want.split(separator).enumerate() {
        let have = have.next().unwrap_or("");
        if !field(want, have) {
            return Some(format!("field {index} differs"));
        }
    }
    have.any(|more| !more.is_empty())
        .then(|| "more fields than expected".to_owned())
}

/// `*` alone is anything, also nothing; `text*` is anything that starts so.
fn field(want: &str, have: &str) -> bool {
    match want.strip_suffix('*') {
        Some(start) => have.starts_with(start),
        None => want == have,
    }
}

/// What a JSON text lacks of the expectation: members by name, items somewhere in the array. A member that is `null` must
/// not be there. Numbers are compared as they are written.
pub fn exchange(expected: &str, got: &str) -> Option<String> {
    let read = |text: &str, what: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("{what}: {error}"));
    let (expected, got) = match (read(expected, "the expectation"), read(got, "the exchange")) {
        (Ok(expected), Ok(got)) => (expected, got),
        (Err(error), _) | (_, Err(error)) => return Some(error),
    };
    lacks(&expected, &got, "$")
}

fn lacks(want: &Value, have: &Value, path: &str) -> Option<String> {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => want.iter().find_map(|(name, want)| {
            let path = format!("{path}.{name}");
            match have.get(name) {
                None if want.is_null() => None,
                None => Some(format!("{path} is missing")),
                Some(have) => lacks(want, have, &path),
            }
        }),
        (Value::Array(want), Value::Array(have)) => want.iter().enumerate().find_map(|(index, want)| {
            let mut reasons = have.iter().map(|have| lacks(want, have, &format!("{path}[{index}]")));
            let found = reasons.clone().any(|reason| reason.is_none());
            let nearest = reasons
                .next()
                .flatten()
                .unwrap_or_else(|| "the array is empty".to_owned());
            (!found).then(|| format!("{path}[{index}] is in no item (first: {nearest})"))
        }),
        _ if want == have => None,
        _ => Some(format!("{path} is {have} and not {want}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_anything_or_start_so() {
        assert_eq!(
            reply("MSH|^~\\&|A|*|20*\nMSA|AA|1", "MSH|^~\\&|A|x|2026|\rMSA|AA|1\r"),
            None
        );
        assert!(reply("MSA|AA|1", "MSA|AE|1").unwrap().contains("field 1 differs"));
        assert!(reply("MSA|AA|1", "MSA|AA|1|more").unwrap().contains("more fields"));
        assert!(reply("MSA|AA|1", "MSA|AA|1\rERR|").unwrap().contains("not expected"));
        assert!(reply("MSA|AA|1\nERR|x", "MSA|AA|1").unwrap().contains("(nothing)"));
    }

    #[test]
    fn json_is_a_part_of_the_whole() {
        let got = r#"{"entry":[{"resource":{"a":1,"b":[{"c":"x"},{"c":"y"}]}},{"resource":{"d":2}}]}"#;
        assert_eq!(
            exchange(
                r#"{"entry":[{"resource":{"d":2}},{"resource":{"b":[{"c":"y"}]}}]}"#,
                got
            ),
            None
        );
        assert!(exchange(r#"{"entry":[{"resource":{"d":3}}]}"#, got).is_some());
        assert!(exchange(r#"{"total":1}"#, got).unwrap().contains("$.total is missing"));
        assert_eq!(exchange(r#"{"total":null}"#, got), None);
        assert!(exchange(r#"{"entry":null}"#, got).unwrap().contains("and not null"));
    }
}
