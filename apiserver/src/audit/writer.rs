//! Writes events as they come, until the process has drained.

use std::{convert::Infallible, path::Path};

use anyhow::Context as _;
use runtime::Context;
use tokio::{
    fs::OpenOptions,
    io::{AsyncWrite, AsyncWriteExt, BufWriter},
    sync::mpsc,
};

/// Events that wait to be written.
const QUEUE: usize = 10_000;

/// Opens the file and starts to write to it. It is appended to, so that it can be rotated by copying and truncating.
pub(super) async fn start(path: &Path, context: &Context) -> anyhow::Result<mpsc::Sender<Vec<u8>>> {
    let (send, receive) = mpsc::channel(QUEUE);
    let out: Box<dyn AsyncWrite + Send + Unpin> = match path.to_str() {
        Some("-") => Box::new(tokio::io::stdout()),
        _ => {
            let file = OpenOptions::new().create(true).append(true).open(path).await;
            Box::new(file.with_context(|| format!("opening --audit-log-path {}", path.display()))?)
        }
    };
    let shutdown = context.shutdown.clone();
    context.tasks.critical("audit log", async move {
        write(receive, BufWriter::new(out), async move { shutdown.drained().await }).await;
        Ok::<_, Infallible>(())
    });
    Ok(send)
}

async fn write(
    mut lines: mpsc::Receiver<Vec<u8>>,
    mut out: BufWriter<Box<dyn AsyncWrite + Send + Unpin>>,
    drained: impl Future<Output = ()>,
) {
    let mut drained = std::pin::pin!(drained);
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            () = &mut drained => {
                lines.close();
                lines.recv().await
            }
        };
        let Some(line) = line else { break };
        let written = out.write_all(&line).await;
        let flushed = if lines.is_empty() { out.flush().await } else { Ok(()) };
        if let Err(error) = written.and(flushed) {
            tracing::error!("an audit event could not be written: {error}");
        }
    }
    if let Err(error) = out.flush().await {
        tracing::error!("audit events could not be written: {error}");
    }
}
