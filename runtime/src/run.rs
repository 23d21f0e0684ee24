//! The frame of a process: from parsed arguments to the exit code.
//!
//! The process ends well only if `serve` returned `Ok`, no critical task died, and nothing was cut off.

use std::{future::Future, io, process::ExitCode, task::Poll};

use anyhow::Context as _;
use futures::{Stream, stream};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    Shutdown, Tasks,
    args::ProcessArgs,
    clock::{self, Clock},
    health::Health,
    metrics::Metrics,
    shutdown::Grace,
    telemetry::{self, Telemetry},
};

/// What a process has from its start. Clones share it.
#[derive(Clone)]
pub struct Context {
    /// How it ends.
    pub shutdown: Shutdown,
    /// What it runs.
    pub tasks: Tasks,
    /// What it counts.
    pub metrics: Metrics,
    /// Whether it is well.
    pub health: Health,
    /// What time it is.
    pub clock: Clock,
}

/// Runs a process to its end: installs the TLS provider and the telemetry, runs `serve`, and ends as
/// [`crate::shutdown`] draws it. An error is printed once, with its causes.
pub fn run<F, Fut>(name: &'static str, args: &ProcessArgs, serve: F) -> ExitCode
where
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    match start(name, args, serve) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            telemetry::print_error(name, &error);
            ExitCode::FAILURE
        }
    }
}

/// Errors are those from before there was a log.
fn start<F, Fut>(name: &'static str, args: &ProcessArgs, serve: F) -> anyhow::Result<bool>
where
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    crate::tls::install_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name(name)
        .build()
        .context("starting the async runtime")?;
    let (telemetry, signals) = {
        let _entered = runtime.enter();
        (Telemetry::install(name, &args.log)?, signals().context("listening for signals")?)
    };
    let context = Context::new();
    let ended_well = runtime.block_on(conduct(&context, serve(context.clone()), signals, args.shutdown.grace()));
    telemetry.flush();
    runtime.shutdown_background();
    Ok(ended_well)
}

async fn conduct(
    context: &Context,
    serve: impl Future<Output = anyhow::Result<()>>,
    signals: impl Stream<Item = &'static str>,
    grace: Grace,
) -> bool {
    let Context { shutdown, tasks, .. } = context;
    let whole = async {
        let served = serve.await;
        if let Err(error) = &served {
            tracing::error!("{error:#}");
        }
        shutdown.drain();
        tokio::join!(shutdown.drained(), tasks.ended());
        served.is_ok() && !tasks.failed()
    };
    tokio::select! {
        ended_well = whole => ended_well,
        () = shutdown.conduct(signals, grace) => {
            tracing::error!(tasks = ?tasks.running(), "cut off what still ran");
            false
        }
    }
}

/// SIGTERM and SIGINT, as they come.
fn signals() -> io::Result<impl Stream<Item = &'static str>> {
    let mut kinds = [(signal(SignalKind::terminate())?, "SIGTERM"), (signal(SignalKind::interrupt())?, "SIGINT")];
    Ok(stream::poll_fn(move |cx| {
        let received = kinds.iter_mut().find_map(|(signal, name)| match signal.poll_recv(cx) {
            Poll::Ready(Some(())) => Some(*name),
            _ => None,
        });
        received.map_or(Poll::Pending, |name| Poll::Ready(Some(name)))
    }))
}

// === impl Context ===

impl Context {
    /// The context of a process that nobody signals: for tests and for those who run without [`run()`].
    pub fn new() -> Self {
        let shutdown = Shutdown::new();
        let health = Health::new(&shutdown);
        Self {
            tasks: Tasks::new(shutdown.clone()),
            metrics: Metrics::default(),
            clock: clock::system(),
            shutdown,
            health,
        }
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}
