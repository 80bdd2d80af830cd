//! Opens one listener on its transport. What its frames are is known by then.

use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Gateway, Way};
use crate::config::{Config, Listener, Transport};
use crate::transport::{files, mllp};

impl Gateway {
    pub(super) async fn listen(
        &mut self,
        listener: &Listener,
        config: &Config,
        ways: Vec<Way>,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        if listener.transport == Transport::Files {
            return self.look_for_files(listener, only(ways)?, stop);
        }
        let socket = TcpListener::bind(listener.address)
            .await
            .with_context(|| format!("listener {:?} cannot bind {}", listener.name, listener.address))?;
        let address = socket.local_addr()?;
        self.bound.push((listener.name.clone(), address));
        if listener.transport == Transport::Http {
            return self.serve_http(listener, config, ways, socket, stop);
        }
        let way = only(ways)?;
        if listener.transport == Transport::Dimse {
            return self.serve_dimse(listener, way, socket, stop);
        }
        self.serve_mllp(listener, way, socket, stop);
        Ok(())
    }

    fn serve_mllp(&mut self, listener: &Listener, way: Way, socket: TcpListener, stop: watch::Receiver<bool>) {
        let counters = Arc::new(mllp::Counters::default());
        self.transports.push((listener.name.clone(), Arc::clone(&counters)));
        let listener = mllp::Listener {
            name: way.name,
            service: way.service,
            refuse: way.refuse,
            options: listener.mllp.clone(),
            peers: listener.peers.clone(),
            tls: self.certificates.acceptor(&listener.name),
            counters,
            budget: self.reading.clone(),
            drain: self.drain,
        };
        self.tasks.spawn(async move {
            if let Err(error) = listener.serve(socket, stop).await {
                tracing::error!(%error, "a listener ended");
            }
        });
    }

    fn serve_dimse(
        &mut self,
        listener: &Listener,
        way: Way,
        socket: TcpListener,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let tls = self.certificates.acceptor(&listener.name);
        let listener = self.stored.listener(listener, way.service, tls, self.drain)?;
        self.tasks.spawn(async move {
            if let Err(error) = listener.serve(socket, stop).await {
                tracing::error!(%error, "a listener ended");
            }
        });
        Ok(())
    }

    fn look_for_files(&mut self, listener: &Listener, way: Way, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let files = files::Listener {
            name: way.name,
            service: way.service,
            refuse: way.refuse,
            options: listener.files.clone(),
            spool: Arc::clone(&self.house.spool),
            counters: Arc::default(),
        };
        self.files.push((listener.name.clone(), Arc::clone(&files.counters)));
        files.prepare().with_context(|| {
            let folder = listener.files.folder.display();
            format!("listener {:?} cannot use the folder {folder}", listener.name)
        })?;
        self.tasks.spawn(files.serve(stop));
        Ok(())
    }
}

fn only(ways: Vec<Way>) -> anyhow::Result<Way> {
    ways.into_iter().next().context("a listener without a format")
}
