//! Checks the bundle's structure and cardinality against the R4 element facts. What is wrong with a lifted one came out of
//! a map, so it is remarked for whoever keeps the maps and is never held against the sender; FHIR that the sender wrote is
//! the sender's own.

use causeway_core::{Answer, Exchange, Severity};

use super::{Link, Next, Stage};

#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    pub(super) on: bool,
}

impl Stage for Profile {
    const NAME: Option<&'static str> = Some("validate");

    async fn run<N: Link>(self, mut exchange: Exchange, next: Next<N>) -> Answer {
        if self.on {
            for mut finding in causeway_profiles::validate(&exchange.bundle.tree) {
                if !exchange.verbatim {
                    finding.severity = finding.severity.min(Severity::Warning);
                }
                exchange.remark(finding);
            }
        }
        next.run(exchange).await
    }
}
