//! `causeway run`: the gateway. Says what it bound, one line a listener; SIGTERM and Ctrl-C drain, SIGHUP reloads
//! rules and certificates.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use causeway_store::{Options, SqliteLog};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Common, Status, block_on, output};
use crate::admin::{self, Admin};
use crate::config::Config;
use crate::projection::Projector;
use crate::replay::Replay;
use crate::resources::Resources;
use crate::resources::quiet::Watch;
use crate::rulebook::Rulebook;
use crate::transport::tls::{Certificates, Clients};
use crate::{guard, hooks, retention, status, telemetry, wire};

pub(super) fn run(common: &Common) -> anyhow::Result<Status> {
    let config = common.config()?;
    arenas();
    guard::install();
    block_on(serve(&config, common.json))?
}

/// glibc keeps up to eight arenas a core, each with what was freed in it, and reads how many only when a program begins.
/// As many as there are cores are as fast here and a fifth of the memory less, so the program begins again, as the same
/// process, unless it is told how many.
fn arenas() {
    use std::os::unix::process::CommandExt;
    const ARENAS: &str = "MALLOC_ARENA_MAX";
    if !cfg!(target_env = "gnu") || std::env::var_os(ARENAS).is_some() {
        return;
    }
    let cores = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let mut again = std::process::Command::new("/proc/self/exe");
    let failed = again.arg0(name).args(arguments).env(ARENAS, cores.to_string()).exec();
    tracing::debug!(%failed, "more memory arenas than needed"); // nothing else is lost by it
}

/// Sends studies of which nothing more came through the chain as a whole.
fn watch_quiet(config: &Config, gateway: &wire::Gateway, resources: &Resources) -> tokio::task::JoinHandle<()> {
    let watch = Watch {
        folder: config.data.clone(),
        unites: wire::UNITES,
        quiet: config.fhir.quiet,
        service: gateway.quiet.clone(),
        stirred: Arc::clone(resources.stirred()),
    };
    tokio::spawn(watch.run())
}

async fn serve(config: &Config, json: bool) -> anyhow::Result<Status> {
    let clients = Clients::default();
    let (otlp, lines) = telemetry::Otlp::start(&config.telemetry, &clients)?
        .map(|begun| (begun.otlp, begun.lines))
        .unzip();
    telemetry::subscribe(json, lines);
    let window = Duration::from_hours(24 * u64::from(config.store.resend_days));
    let options = Options {
        window,
        ..Options::default()
    };
    let store = SqliteLog::open(&config.data, options).map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
    let gateway = wire::start(
        config,
        Arc::clone(&store) as _,
        hooks::build(config, &clients)?,
        &clients,
    )
    .await?;
    gateway.certificates.cover(clients);
    gateway.house.rulebook.keep_in(&config.data);
    let projector = Projector::start(&config.data, Arc::clone(&store) as _, gateway.describe())?;
    let resources = wire::keeps_resources(config)
        .then(|| {
            Resources::start(
                &config.data,
                Arc::clone(&store) as _,
                Arc::clone(&gateway.house.sequencer),
                wire::UNITES,
            )
        })
        .transpose()?;
    let quiet = resources
        .as_ref()
        .map(|resources| watch_quiet(config, &gateway, resources));
    let (stop, stopped) = watch::channel(false);
    let lags: Vec<_> = [projector.lag()]
        .into_iter()
        .chain(resources.as_ref().map(Resources::lag))
        .map(Arc::clone)
        .collect();
    gateway.house.brake.watch(lags.clone());
    let rule = retention::Rule::of(config);
    let (spool, data) = (Arc::clone(&gateway.house.spool), config.data.clone());
    let retention = tokio::spawn(retention::keep(store, rule, lags, spool, data));
    let insight = status::Status {
        house: gateway.house.clone(),
        transports: gateway.transports.clone(),
        files: gateway.files.clone(),
        dimse: gateway.stored.counters.clone(),
        lag: Arc::clone(projector.lag()),
        resources: resources.as_ref().map(|resources| Arc::clone(resources.lag())),
        certificates: gateway.certificates.clone(),
        insecure: config.insecure,
    };
    if let Some(otlp) = &otlp {
        let insight = insight.clone();
        otlp.measure(move || telemetry::gather(&insight));
        gateway.house.telemetry.export(Arc::clone(otlp));
    }
    let admin = open_admin(config, insight, gateway.replay.clone(), stopped).await?;
    for (name, address) in &gateway.bound {
        output::line(&format!("{name} listens on {address}"));
    }
    output::line(&format!("admin listens on {admin}"));
    asked_to_stop(&gateway.house.rulebook, &gateway.certificates).await?;
    tracing::info!("draining");
    retention.abort();
    if let Some(quiet) = quiet {
        quiet.abort();
    }
    gateway.drain().await;
    let _nobody = stop.send(true);
    drop((projector, resources));
    if let Some(otlp) = otlp {
        // What cannot be sent now is not sent; the exporter says so itself.
        let _closed = tokio::task::spawn_blocking(move || otlp.close()).await;
    }
    Ok(Status::Fine)
}

async fn open_admin(
    config: &Config,
    insight: status::Status,
    replay: Replay,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<std::net::SocketAddr> {
    let token = admin::token(&config.data)?;
    let (rulebook, certificates) = (Arc::clone(&insight.house.rulebook), insight.certificates.clone());
    let configured = config.destinations.iter().map(|one| one.name.clone());
    let deliveries = admin::Deliveries::new(Arc::clone(insight.house.inbox.store()), configured.collect());
    let socket = TcpListener::bind(config.admin.address)
        .await
        .with_context(|| format!("the admin port cannot bind {}", config.admin.address))?;
    let address = socket.local_addr()?;
    let admin = Admin::new(Arc::new(insight), token, address, &config.admin.hosts)
        .with_replay(replay)
        .with_deliveries(deliveries)
        .with_rules(rulebook)
        .with_certificates(certificates);
    tokio::spawn(admin::serve(socket, admin, stop));
    Ok(address)
}

/// Waits for SIGTERM or SIGINT; SIGHUP reloads rules and certificates meanwhile, each all or none.
async fn asked_to_stop(rulebook: &Arc<Rulebook>, certificates: &Certificates) -> anyhow::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = term.recv() => return Ok(()),
            _ = int.recv() => return Ok(()),
            _ = hangup.recv() => {
                let (book, certificates) = (Arc::clone(rulebook), certificates.clone());
                // They say themselves what became of it.
                let reload = move || (book.reload().is_ok(), certificates.reload().is_ok());
                let _said = tokio::task::spawn_blocking(reload).await;
            }
        }
    }
}
