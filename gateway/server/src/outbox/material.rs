//! Makes of a delivery what goes out: from the frame and the answer that the log keeps, when its time has come, so that
//! neither memory nor log holds a rendering of what waits. Everything here blocks.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use causeway_core::store::{Decided, Facts, Posted};
use causeway_core::{Bundle, Fault, Finding, Frame, Head, Parcel, Stamp, Store};
use jiff::Timestamp;

use super::{Class, Destination, Failure, Form, Outgoing};
use crate::guard::guard;
use crate::resources::{Known, bundle_of};
use crate::spool::Spool;
use crate::telemetry::Telemetry;

/// Renders a parcel for a destination in the form that it gets: one arm a form, where formats are known.
pub type Render = Arc<dyn Fn(&Parcel<'_>, &Destination, &Stamp) -> Result<Bytes, Failure> + Send + Sync>;

/// The largest bundle that is read; what the log takes is smaller.
const LARGEST: usize = 1 << 30;

/// What deliveries are made of.
#[derive(Clone)]
pub struct Material {
    /// The log.
    pub store: Arc<dyn Store>,
    /// The formats.
    pub render: Render,
    /// Where attempts are told of.
    pub telemetry: Arc<Telemetry>,
    /// The resources, where somebody keeps them.
    pub known: Option<Known>,
    /// Where DICOM objects are.
    pub objects: PathBuf,
    /// Where large bodies are.
    pub spool: Arc<Spool>,
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Material").finish_non_exhaustive()
    }
}

impl Material {
    /// Waits until what a delivery tells of is in the resources, if it needs them. Whether it is: a large frame is told of
    /// before all of it is answered.
    pub(super) async fn applied(&self, destination: &Destination, number: u64) -> Result<bool, Failure> {
        let Some(known) = self.known.as_ref().filter(|_| destination.form() == Form::Fhir) else {
            return Ok(false);
        };
        let store = Arc::clone(&self.store);
        let position = tokio::task::spawn_blocking(move || store.deliveries().position(number));
        let position = position.await.map_err(|_| broken("a defect of the gateway"))?;
        match position.map_err(|fault| unread(&fault))? {
            None => Ok(false),
            Some(position) if known.reached(position).await => Ok(true),
            Some(_) => Err(Failure::new(Class::Unreachable, "the resources are behind")),
        }
    }

    /// What goes out for a delivery: the same at every attempt, but for findings that came late between two of them, and
    /// what else became known of its resources.
    pub(super) fn outgoing(
        &self,
        destination: &Destination,
        posted: &Posted,
        applied: bool,
    ) -> Result<Outgoing, Failure> {
        let frame = self.store.frame(posted.number).map_err(|fault| unread(&fault))?;
        let frame = frame.ok_or_else(|| broken("the message is gone"))?.frame;
        let control_id = control_id(posted.id, posted.posted);
        let (bytes, file) = self.content(destination, (posted, applied), &frame, &control_id)?;
        Ok(Outgoing {
            span: self.telemetry.attempt(posted.number, &frame, posted.id),
            control_id,
            media_type: posted.delivery.media_type.clone(),
            bytes,
            file,
            frame,
            number: posted.number,
        })
    }

    /// The bytes, or the file that has them.
    fn content(
        &self,
        destination: &Destination,
        (posted, applied): (&Posted, bool),
        frame: &Frame,
        control_id: &str,
    ) -> Result<(Bytes, Option<PathBuf>), Failure> {
        if !posted.delivery.body.is_empty() {
            return Ok((Bytes::copy_from_slice(&posted.delivery.body), None));
        }
        let object = match &frame.head {
            Head::Dimse { object, .. } => Some(self.objects.join(object)),
            _ => None,
        };
        match destination.form() {
            Form::Dicom if object.is_none() => Err(broken("the message is no DICOM object")),
            Form::Dicom => Ok((Bytes::new(), object)),
            Form::Source => Ok(match object.or_else(|| self.spool.file(frame)) {
                Some(file) => (Bytes::new(), Some(file)),
                None => (frame.body.clone(), None),
            }),
            Form::Hl7v2 | Form::Fhir => {
                let stamp = Stamp {
                    time: posted.posted,
                    control_id: control_id.to_owned(),
                };
                Ok((self.rendered(destination, (posted, applied), frame, &stamp)?, None))
            }
        }
    }

    fn rendered(
        &self,
        destination: &Destination,
        (posted, applied): (&Posted, bool),
        frame: &Frame,
        stamp: &Stamp,
    ) -> Result<Bytes, Failure> {
        let decided = self.store.deliveries().part(posted.number, posted.part);
        let decided = decided.map_err(|fault| unread(&fault))?;
        let decided = decided.ok_or_else(|| broken("the answer is gone"))?;
        let parcel = Parcel {
            frame,
            part: posted.part,
            bundle: &self.bundle(destination, &decided, applied)?,
            findings: &self.findings(posted, &decided)?,
        };
        guard("render", || (self.render)(&parcel, destination, stamp))
            .unwrap_or_else(|_| Err(broken("a defect of the gateway")))
    }

    /// What a part says; to a FHIR server, what is known of its resources.
    fn bundle(&self, destination: &Destination, decided: &Decided, applied: bool) -> Result<Bundle, Failure> {
        let said = bundle_of(&decided.bundle, LARGEST).map_err(|_| broken("the bundle cannot be read"))?;
        let known = self.known.as_ref().filter(|_| destination.form() == Form::Fhir);
        let tree = match known {
            Some(known) => known.told(decided, &said, applied).map_err(|error| {
                tracing::warn!(%error, "a delivery cannot be made now");
                Failure::new(Class::Unreachable, "the resources cannot be read")
            })?,
            None => said,
        };
        Ok(Bundle {
            tree,
            ..Bundle::default()
        })
    }

    /// What was found, what came late last.
    fn findings(&self, posted: &Posted, decided: &Decided) -> Result<Vec<Finding>, Failure> {
        let facts: Facts = serde_json::from_slice(&decided.facts).map_err(|_| broken("the answer cannot be read"))?;
        let late = self.store.came_late(posted.number).map_err(|fault| unread(&fault))?;
        let late = late.into_iter().filter(|late| late.part == posted.part);
        let mut findings = facts.findings;
        findings.extend(late.flat_map(|late| late.findings));
        Ok(findings)
    }
}

fn broken(cause: &str) -> Failure {
    Failure::new(Class::Broken, cause)
}

/// The log cannot be read now: nobody's fault, and no reason to give up.
fn unread(fault: &Fault) -> Failure {
    tracing::warn!(%fault, "a delivery cannot be made now");
    Failure::new(Class::Unreachable, "the log cannot be read")
}

/// An id that follows from the delivery's number and the time it was posted: the same at every attempt, another for every
/// delivery of this log, and of others, too. 20 characters of `A-Z0-9` at most, as MSH-10 has them in every version.
pub(super) fn control_id(id: u64, posted: Timestamp) -> String {
    let millisecond = u64::try_from(posted.as_millisecond()).unwrap_or(0);
    let mut digits = Vec::with_capacity(20);
    for (mut number, least) in [(id, 1), (millisecond, 8)] {
        let until = digits.len() + least;
        while number > 0 || digits.len() < until {
            let digit = u32::try_from(number % 36).unwrap_or(0);
            digits.push(char::from_digit(digit, 36).unwrap_or('0').to_ascii_uppercase());
            number /= 36;
        }
    }
    "CW".chars().chain(digits.into_iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_ids_are_one_for_each_delivery_and_fit_msh_10() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let id = control_id(35, at("2026-11-26T08:00:00Z"));
        assert_eq!(id, control_id(35, at("2026-11-26T08:00:00Z")));
        assert!(id.starts_with("CW") && id.ends_with('Z') && id.len() == 11, "{id}");
        assert_ne!(id, control_id(35, at("2026-11-26T08:00:00.001Z")));
        assert_ne!(id, control_id(36, at("2026-11-26T08:00:00Z")));
        let last = control_id(99_999_999_999_999, at("2050-01-01T00:00:00Z"));
        assert!(last.len() <= 20, "{last}");
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        assert!(id.chars().all(plain) && last.chars().all(plain));
    }
}
