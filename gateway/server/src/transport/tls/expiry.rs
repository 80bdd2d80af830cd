//! When certificates end, and from when on somebody should hear of it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::x509::X509;

use super::names::Names;

/// A certificate that ends within so many days is spoken of.
const WARN_DAYS: i64 = 30;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// The end of a file's certificates: that of the one which ends first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The listener, or what else shows or trusts it.
    pub owner: Arc<str>,
    /// The file.
    pub file: PathBuf,
    /// The certificate's subject (RFC 4514).
    pub subject: Arc<str>,
    /// After this moment nobody trusts it (RFC 5280 4.1.2.5).
    pub not_after: Timestamp,
}

impl Expiry {
    /// The one that ends first.
    pub(super) fn first(owner: &str, file: &Path, certificates: &[X509]) -> Option<Self> {
        let dated = certificates
            .iter()
            .filter_map(|one| Some((moment(one.not_after())?, one)));
        let (not_after, first) = dated.min_by_key(|(not_after, _)| *not_after)?;
        Some(Self {
            owner: owner.into(),
            file: file.to_owned(),
            subject: Names::of(first).subject,
            not_after,
        })
    }

    /// What operators should know, from 30 days before the end.
    pub fn remark(&self, now: Timestamp) -> Option<String> {
        let left = self.not_after.duration_since(now).as_secs();
        if left >= WARN_DAYS * DAY {
            return None;
        }
        let when = if left < 0 {
            "has ended".to_owned()
        } else {
            format!("ends in {} days", left / DAY)
        };
        Some(format!("{self} {when}, on {}", self.not_after))
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the certificate {} of {:?} ({})",
            self.subject,
            self.owner,
            self.file.display()
        )
    }
}

/// The moment of an ASN.1 time.
fn moment(time: &Asn1TimeRef) -> Option<Timestamp> {
    let since = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    let seconds = i64::from(since.days) * DAY + i64::from(since.secs);
    Timestamp::UNIX_EPOCH
        .checked_add(SignedDuration::from_secs(seconds))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(not_after: &str) -> Expiry {
        Expiry {
            owner: "lab".into(),
            file: "lab.pem".into(),
            subject: "CN=lab".into(),
            not_after: not_after.parse().unwrap(),
        }
    }

    #[test]
    fn an_end_is_spoken_of_from_thirty_days_before() {
        let now: Timestamp = "2026-11-26T00:00:00Z".parse().unwrap();
        assert_eq!(ends("2026-12-26T00:00:00Z").remark(now), None);
        let soon = ends("2026-12-25T23:59:59Z").remark(now).unwrap();
        assert!(soon.contains("ends in 29 days") && soon.contains("lab.pem"), "{soon}");
        let gone = ends("2026-11-25T23:59:59Z").remark(now).unwrap();
        assert!(gone.contains("has ended"), "{gone}");
    }

    #[test]
    fn moments_are_those_of_asn1() {
        let time = Asn1Time::from_str("20371231235959Z").unwrap();
        assert_eq!(moment(&time).unwrap().to_string(), "2037-12-31T23:59:59Z");
        let before = Asn1Time::from_str("19691231235958Z").unwrap();
        assert_eq!(moment(&before).unwrap().to_string(), "1969-12-31T23:59:58Z");
    }
}
