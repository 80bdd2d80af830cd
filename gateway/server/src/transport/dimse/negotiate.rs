//! What an association is for (PS3.8 7.1, PS3.7 annex D): titles and protocol are checked, each presentation context is
//! accepted or not, and both sides say how long a PDU may be. No bytes are read or written here.

use std::collections::BTreeMap;

use dicom_ul::pdu::{
    AssociationAC, AssociationRJ, AssociationRJResult, AssociationRJServiceProviderASCEReason,
    AssociationRJServiceProviderPresentationReason, AssociationRJServiceUserReason, AssociationRJSource, AssociationRQ,
    PresentationContextProposed, PresentationContextResult, PresentationContextResultReason, UserVariableItem,
};

use super::options::Options;
use super::{part10, uids};

/// A presentation context that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) sop_class: String,
    pub(super) transfer_syntax: String,
}

/// What was agreed.
#[derive(Debug, Clone)]
pub(super) struct Agreed {
    pub(super) contexts: BTreeMap<u8, Context>,
    pub(super) calling_ae: String,
    pub(super) called_ae: String,
    /// The longest PDU that the peer takes.
    pub(super) peer_max: usize,
}

/// A rejection that asks to come again later (PS3.8 9.3.4: transient, temporary congestion).
pub(super) fn congested() -> AssociationRJ {
    AssociationRJ {
        result: AssociationRJResult::Transient,
        source: AssociationRJSource::ServiceProviderPresentation(
            AssociationRJServiceProviderPresentationReason::TemporaryCongestion,
        ),
    }
}

fn rejected(reason: AssociationRJServiceUserReason) -> AssociationRJ {
    AssociationRJ {
        result: AssociationRJResult::Permanent,
        source: AssociationRJSource::ServiceUser(reason),
    }
}

/// Decides on a request.
pub(super) fn negotiate(request: &AssociationRQ, options: &Options) -> Result<(Agreed, AssociationAC), AssociationRJ> {
    check(request, options)?;
    let mut contexts = BTreeMap::new();
    let mut results = Vec::new();
    for proposed in &request.presentation_contexts {
        let (reason, syntax) = decide(proposed, options);
        if reason == PresentationContextResultReason::Acceptance {
            let context = Context {
                sop_class: uid(&proposed.abstract_syntax).to_owned(),
                transfer_syntax: syntax.clone(),
            };
            contexts.insert(proposed.id, context);
        }
        results.push(PresentationContextResult {
            id: proposed.id,
            reason,
            transfer_syntax: syntax,
        });
    }
    let agreed = Agreed {
        contexts,
        calling_ae: request.calling_ae_title.trim().to_owned(),
        called_ae: request.called_ae_title.trim().to_owned(),
        peer_max: peer_max(&request.user_variables),
    };
    Ok((agreed, accepted(request, results, options)))
}

fn accepted(request: &AssociationRQ, results: Vec<PresentationContextResult>, options: &Options) -> AssociationAC {
    AssociationAC {
        protocol_version: 1,
        calling_ae_title: request.calling_ae_title.clone(),
        called_ae_title: request.called_ae_title.clone(),
        application_context_name: uids::APPLICATION.to_owned(),
        presentation_contexts: results,
        user_variables: vec![
            UserVariableItem::MaxLength(u32::try_from(options.max_pdu).unwrap_or(u32::MAX)),
            UserVariableItem::ImplementationClassUID(part10::IMPLEMENTATION.to_owned()),
            UserVariableItem::ImplementationVersionName(part10::VERSION.to_owned()),
        ],
    }
}

fn check(request: &AssociationRQ, options: &Options) -> Result<(), AssociationRJ> {
    use AssociationRJServiceUserReason as Reason;
    let among = |titles: &[String], title: &str| titles.is_empty() || titles.iter().any(|known| known == title.trim());
    // Bit 0 is version 1; others are not looked at (PS3.8 table 9-11).
    if request.protocol_version & 1 == 0 {
        return Err(AssociationRJ {
            result: AssociationRJResult::Permanent,
            source: AssociationRJSource::ServiceProviderASCE(
                AssociationRJServiceProviderASCEReason::ProtocolVersionNotSupported,
            ),
        });
    }
    if uid(&request.application_context_name) != uids::APPLICATION {
        return Err(rejected(Reason::ApplicationContextNameNotSupported));
    }
    if !among(&options.called_ae, &request.called_ae_title) {
        return Err(rejected(Reason::CalledAETitleNotRecognized));
    }
    if !among(&options.calling_ae, &request.calling_ae_title) {
        return Err(rejected(Reason::CallingAETitleNotRecognized));
    }
    Ok(())
}

fn decide(proposed: &PresentationContextProposed, options: &Options) -> (PresentationContextResultReason, String) {
    let class = uid(&proposed.abstract_syntax);
    let offered = proposed.transfer_syntaxes.iter().map(|syntax| uid(syntax));
    let first = offered.clone().next().unwrap_or_default().to_owned();
    if class != uids::VERIFICATION && !uids::is_storage(class, &options.sop_classes) {
        return (PresentationContextResultReason::AbstractSyntaxNotSupported, first);
    }
    match uids::choose(offered) {
        Some(syntax) => (PresentationContextResultReason::Acceptance, syntax.to_owned()),
        None => (PresentationContextResultReason::TransferSyntaxesNotSupported, first),
    }
}

/// A UID without the padding that some put there.
fn uid(text: &str) -> &str {
    text.trim_matches(|c: char| c == '\0' || c == ' ')
}

/// What the peer takes; 0 stands for no limit (PS3.8 D.1).
fn peer_max(variables: &[UserVariableItem]) -> usize {
    let said = variables.iter().find_map(|item| match item {
        UserVariableItem::MaxLength(length) => Some(*length as usize),
        _ => None,
    });
    said.filter(|length| *length > 0).unwrap_or(16 << 10)
}
