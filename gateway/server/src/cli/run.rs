//! `causeway run`: the gateway. Says what it bound, one line a listener; SIGTERM and Ctrl-C drain, SIGHUP reloads the
//! rules.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use causeway_store::{Options, SqliteLog};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Common, Status, block_on, output};
use crate::admin::{self, Admin};
use crate::config::{Config, Format, Listener};
use crate::projection::Projector;
use crate::replay::Replay;
use crate::resources::Resources;
use crate::rulebook::Rulebook;
use crate::{guard, hooks, retention, status, wire};

pub(super) fn run(common: &Common) -> anyhow::Result<Status> {
    let config = common.config()?;
    log(common.json);
    guard::install();
    block_on(serve(&config))?
}

async fn serve(config: &Config) -> anyhow::Result<Status> {
    let window = Duration::from_hours(24 * u64::from(config.store.resend_days));
    let store = SqliteLog::open(
        &config.data,
        Options {
            window,
            ..Options::default()
        },
    )
    .map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
    let gateway = wire::start(config, Arc::clone(&store) as _, hooks::build(config)?).await?;
    gateway.house.rulebook.keep_in(&config.data);
    let projector = Projector::start(&config.data, Arc::clone(&store) as _, gateway.describe())?;
    let resources = serves_fhir(config)
        .then(|| {
            Resources::start(
                &config.data,
                Arc::clone(&store) as _,
                Arc::clone(&gateway.house.sequencer),
            )
        })
        .transpose()?;
    let (stop, stopped) = watch::channel(false);
    let (rule, lag) = (retention::Rule::of(config), Arc::clone(projector.lag()));
    let retention = tokio::spawn(retention::keep(store, rule, lag));
    let insight = status::Status {
        house: gateway.house.clone(),
        transports: gateway.transports.clone(),
        lag: Arc::clone(projector.lag()),
        insecure: config.insecure,
    };
    let admin = open_admin(config, insight, gateway.replay.clone(), stopped).await?;
    for (name, address) in &gateway.bound {
        output::line(&format!("{name} listens on {address}"));
    }
    output::line(&format!("admin listens on {admin}"));
    asked_to_stop(&gateway.house.rulebook).await?;
    tracing::info!("draining");
    retention.abort();
    gateway.drain().await;
    let _nobody = stop.send(true);
    drop((projector, resources));
    Ok(Status::Fine)
}

/// Whether anybody can read resources; nobody keeps what nobody reads.
fn serves_fhir(config: &Config) -> bool {
    let ways = config.listeners.iter().flat_map(Listener::ways);
    ways.map(|(_, format)| format).any(|format| format == Format::Fhir)
}

async fn open_admin(
    config: &Config,
    insight: status::Status,
    replay: Replay,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<std::net::SocketAddr> {
    let token = admin::token(&config.data)?;
    let rulebook = Arc::clone(&insight.house.rulebook);
    let socket = TcpListener::bind(config.admin.address)
        .await
        .with_context(|| format!("the admin port cannot bind {}", config.admin.address))?;
    let address = socket.local_addr()?;
    let admin = Admin::new(Arc::new(insight), token, address, &config.admin.hosts)
        .with_replay(replay)
        .with_rules(rulebook);
    tokio::spawn(admin::serve(socket, admin, stop));
    Ok(address)
}

/// Waits for SIGTERM or SIGINT; SIGHUP reloads the rules meanwhile.
async fn asked_to_stop(rulebook: &Arc<Rulebook>) -> anyhow::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = term.recv() => return Ok(()),
            _ = int.recv() => return Ok(()),
            _ = hangup.recv() => {
                let book = Arc::clone(rulebook);
                // The rulebook says what became of it.
                let _said = tokio::task::spawn_blocking(move || book.reload().is_ok()).await;
            }
        }
    }
}

/// Logs to stderr; `RUST_LOG` sets what, `--json` how.
fn log(json: bool) {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
        .from_env_lossy();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second subscriber in one process is a test's; the first stays.
    let _second = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}
