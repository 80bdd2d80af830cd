//! Who gets what: the deliveries that follow from an answer, and from what came late. They are posted with it in one
//! commit; nothing is rendered here.

use std::sync::Arc;

use causeway_core::store::Late;
use causeway_core::{Answer, Context, Delivery, Frame};

use super::{Destination, Form};

/// Posts deliveries to destinations.
#[derive(Debug, Clone)]
pub struct Post {
    destinations: Arc<[Arc<Destination>]>,
}

impl Post {
    pub(super) fn new(destinations: Vec<Arc<Destination>>) -> Self {
        Self {
            destinations: destinations.into(),
        }
    }

    /// The deliveries of an answer.
    pub fn of(&self, frame: &Frame, answer: &Answer) -> Vec<Delivery> {
        let wanting = self.destinations.iter();
        let wanting = wanting.filter(|one| one.wants(&frame.listener, answer));
        wanting.map(|one| delivery(one, frame, &answer.context)).collect()
    }

    /// The deliveries of what came late for a message.
    pub fn of_late(&self, frame: &Frame, context: &Context, late: &Late) -> Vec<Delivery> {
        let wanting = self.destinations.iter().filter(|one| {
            one.late && one.takes(&frame.listener, &context.message_type) && one.is_grave_enough(&late.findings)
        });
        wanting.map(|one| delivery(one, frame, context)).collect()
    }
}

/// Without a patient, the messages of one listener keep their order among themselves.
fn delivery(destination: &Destination, frame: &Frame, context: &Context) -> Delivery {
    let order = context.patient.clone();
    let form = destination.form();
    let media_type = match form {
        Form::Source => source_type(&context.format),
        form => form.media_type(),
    };
    Delivery {
        destination: destination.name.clone(),
        order: Some(order.unwrap_or_else(|| format!("listener:{}", frame.listener))),
        message_type: context.message_type.clone(),
        media_type: media_type.to_owned(),
        body: Vec::new(),
    }
}

/// What a frame is, by the name of its format.
fn source_type(format: &str) -> &'static str {
    match format {
        "hl7v2" => Form::Hl7v2.media_type(),
        "fhir" => Form::Fhir.media_type(),
        "dicom" => Form::Dicom.media_type(),
        "x12" => "application/edi-x12",
        _ => Form::Source.media_type(),
    }
}
