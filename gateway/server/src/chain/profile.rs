//! Checks the lifted bundle's structure and cardinality against the R4 element facts. What is wrong here came out of a
//! map, so it is remarked for whoever keeps the maps and is never held against the sender.

use causeway_core::{Answer, Exchange, Severity};

use super::{Link, Next, Stage};

#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    pub(super) on: bool,
}

impl Stage for Profile {
    async fn run<N: Link>(self, mut exchange: Exchange, next: Next<N>) -> Answer {
        if self.on {
            for mut finding in causeway_profiles::validate(&exchange.bundle.tree) {
                finding.severity = finding.severity.min(Severity::Warning);
                exchange.remark(finding);
            }
        }
        next.run(exchange).await
    }
}
