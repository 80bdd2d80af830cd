//! Durations and sizes as people write them in configuration: `"250ms"`, `"30s"`, `"10m"`, `"1h"`; `"64KiB"`, `"64MiB"`,
//! `"1GiB"` or a plain number of bytes. Nothing here knows which setting it reads.

use std::time::Duration;

/// Durations; for `#[serde(with)]`.
pub mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Reads `"10m"`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse_duration(&text)
            .ok_or_else(|| D::Error::custom(format!("not a duration such as \"250ms\", \"30s\", \"10m\": {text:?}")))
    }

    /// Writes `"600s"`, or milliseconds where seconds do not do.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        if duration.subsec_nanos() == 0 {
            serializer.collect_str(&format_args!("{}s", duration.as_secs()))
        } else {
            serializer.collect_str(&format_args!("{}ms", duration.as_millis()))
        }
    }
}

/// Numbers of bytes; for `#[serde(with)]`.
pub mod size {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Size {
        Bytes(usize),
        Text(String),
    }

    /// Reads `"64MiB"` or a number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
        match Size::deserialize(deserializer)? {
            Size::Bytes(bytes) => Ok(bytes),
            Size::Text(text) => super::parse_size(&text)
                .ok_or_else(|| D::Error::custom(format!("not a size such as \"64KiB\", \"64MiB\": {text:?}"))),
        }
    }

    /// Writes whole MiB or KiB as such, else bytes.
    pub fn serialize<S: Serializer>(size: &usize, serializer: S) -> Result<S::Ok, S::Error> {
        match size {
            size if size % (1 << 20) == 0 => serializer.collect_str(&format_args!("{}MiB", size >> 20)),
            size if size % (1 << 10) == 0 => serializer.collect_str(&format_args!("{}KiB", size >> 10)),
            size => serializer.collect_str(size),
        }
    }
}

/// `"10m"` as a duration; at most about 136 years.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let total = number.checked_mul(millis)?;
    (total <= u64::from(u32::MAX) * 1_000).then(|| Duration::from_millis(total))
}

/// `"64MiB"` as bytes.
pub fn parse_size(text: &str) -> Option<usize> {
    let (number, unit) = split(text)?;
    let factor: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    usize::try_from(number.checked_mul(factor)?).ok()
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_read_as_written() {
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration(" 10 m "), Some(Duration::from_mins(10)));
        assert_eq!(parse_duration("2h"), Some(Duration::from_hours(2)));
        assert_eq!(parse_size("64MiB"), Some(67_108_864));
        assert_eq!(parse_size("512"), Some(512));
    }

    #[test]
    fn what_has_no_unit_or_overflows_is_refused() {
        for text in ["10", "", "m", "-1s", "1.5s", "18446744073709551615d", "9999999999999s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        for text in ["64MB", "MiB", "18446744073709551615GiB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
