//! A server that knows its answers: the files of a folder, by their names. What HTTP alone costs.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Serves until it is killed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The port to listen on, of 127.0.0.1
    #[arg(long)]
    port: u16,
    /// The folder of the answers
    #[arg(long, value_name = "FOLDER")]
    answers: PathBuf,
}

/// Serves until the process is killed.
pub(crate) async fn serve(args: &Args) -> Result<()> {
    let mut answers = HashMap::new();
    for file in std::fs::read_dir(&args.answers).context("reading the folder of answers")? {
        let file = file.context("reading the folder of answers")?;
        let body = std::fs::read(file.path()).context("reading an answer")?;
        answers.insert(format!("/{}", file.file_name().display()), Bytes::from(body));
    }
    let answers = Arc::new(answers);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await.context("listening")?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.context("accepting")?;
        stream.set_nodelay(true).context("setting TCP_NODELAY")?;
        let answers = Arc::clone(&answers);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&answers), request));
            // A client that goes away ends its connection as it likes.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

/// What was sent is read, as any server would; it does not matter.
async fn answer(
    answers: Arc<HashMap<String, Bytes>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    drop(request.into_body().collect().await);
    let mut response = match answers.get(&path) {
        Some(body) => Response::new(Full::new(body.clone())),
        None => {
            let mut missing = Response::new(Full::default());
            *missing.status_mut() = http::StatusCode::NOT_FOUND;
            missing
        }
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
