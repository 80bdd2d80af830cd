//! One connection: hyper serves it, the stream keeps its deadlines, and at the end what the peer still sends is read for a
//! moment, since closing on unread bytes would make TCP throw away a response that is on its way.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;

use super::guarded::{Guarded, Phase};
use super::request;
use super::response::Answer;
use super::server::Listener;

/// The largest header, and how much of a body is read at a time.
const BUFFER: usize = 64 << 10;
/// Header fields of a request.
const FIELDS: usize = 100;
/// How long the peer may still send after the last response; longer for one that was sending when it was refused.
const LINGER: Duration = Duration::from_secs(2);

/// Runs a connection to its end.
pub(super) async fn run<S>(listener: Arc<Listener>, peer: Arc<str>, stream: S, mut shutdown: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let phase = Arc::new(Phase::default());
    let stream = Guarded::new(stream, Arc::clone(&phase), Arc::clone(&listener));
    let name = Arc::clone(&listener.name);
    let service = service_fn({
        let (phase, peer) = (Arc::clone(&phase), Arc::clone(&peer));
        move |request| serve(Arc::clone(&listener), Arc::clone(&peer), Arc::clone(&phase), request)
    });
    let mut connection = http1::Builder::new()
        .half_close(true) // a peer may say that it sends no more and still wants its answer
        // Not `pipeline_flush`: it holds a response back while part of a next request is there.
        .max_buf_size(BUFFER)
        .max_headers(FIELDS)
        .header_read_timeout(None) // the stream keeps it, apart from that of silence
        .serve_connection(TokioIo::new(stream), service);
    let stop = async move {
        // A sender that is gone means the same as its word.
        drop(shutdown.wait_for(|stop| *stop).await);
    };
    tokio::pin!(stop);
    let mut stopping = false;
    let ended = loop {
        tokio::select! {
            biased;
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
            () = &mut stop, if !stopping => {
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    if let Err(error) = ended {
        debug!(listener = %name, %peer, %error, "connection broke");
    }
    let (mut stream, last) = connection.into_parts().io.into_inner().into_inner();
    if timeout(LINGER, close(&mut stream, &last)).await.is_err() {
        debug!(listener = %name, %peer, "the peer did not close");
    }
}

type Served = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

fn serve(listener: Arc<Listener>, peer: Arc<str>, phase: Arc<Phase>, request: Request<Incoming>) -> Served {
    phase.set(Phase::BUSY);
    Box::pin(async move {
        let answer = request::answer(&listener, &peer, request).await;
        phase.set(Phase::IDLE);
        Ok(answer)
    })
}

async fn close(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), last: &[u8]) -> std::io::Result<()> {
    stream.write_all(last).await?;
    stream.shutdown().await?;
    let mut scrap = [0; 4096];
    while stream.read(&mut scrap).await? > 0 {}
    Ok(())
}
