//! The families of the metrics page as OpenTelemetry instruments. A histogram goes as its buckets, sum and count, with the
//! names that Prometheus gives them, so that both ways tell the same numbers.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use crate::telemetry::{Family, Kind};

/// What gathers the families.
pub(super) type Gather = Arc<dyn Fn() -> Vec<Family> + Send + Sync>;

/// Registers an instrument for each family that there is.
pub(super) fn observe(provider: &SdkMeterProvider, gather: &Gather) {
    let meter = provider.meter("causeway");
    for family in gather() {
        let suffixes: &[&'static str] = match family.kind {
            Kind::Histogram => &["_bucket", "_sum", "_count"],
            Kind::Counter | Kind::Gauge => &[""],
        };
        for suffix in suffixes {
            register(&meter, &family, suffix, Arc::clone(gather));
        }
    }
}

fn register(meter: &Meter, family: &Family, suffix: &'static str, gather: Gather) {
    let (name, full) = (family.name, format!("{}{suffix}", family.name));
    let each = move |observe: &dyn Fn(f64, &[KeyValue])| {
        let found = gather().into_iter().find(|family| family.name == name);
        let samples = found.into_iter().flat_map(|family| family.samples);
        for sample in samples.filter(|sample| sample.suffix == suffix) {
            let labels: Vec<_> = sample
                .labels
                .into_iter()
                .map(|(name, value)| KeyValue::new(name, value))
                .collect();
            observe(sample.value, &labels);
        }
    };
    // The meter keeps the callback; the instrument itself is of no further use.
    if family.kind == Kind::Gauge {
        let instrument = meter.f64_observable_gauge(full).with_description(family.help);
        let _registered = instrument
            .with_callback(move |to| each(&|value, labels| to.observe(value, labels)))
            .build();
    } else {
        let instrument = meter.f64_observable_counter(full).with_description(family.help);
        let _registered = instrument
            .with_callback(move |to| each(&|value, labels| to.observe(value, labels)))
            .build();
    }
}
