//! How processes end. Each case is this test binary again, in another role.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use runtime::args::ProcessArgs;

const ROLE: &str = "OUTRIGGER_TEST_ROLE";

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    process: ProcessArgs,
}

/// What the process does, and is told to say when it is ready for a signal.
async fn play(role: String, context: runtime::Context) -> anyhow::Result<()> {
    let draining = context.shutdown.draining();
    match role.as_str() {
        "done" => return Ok(()),
        "traces" => {
            tracing::info_span!("verb.traced").in_scope(|| tracing::info!("traced"));
            return Ok(());
        }
        "fails" => return Err(anyhow::anyhow!("no space left").context("opening the log")),
        "dies" => context.tasks.critical("writer", async { Err("disk on fire") }),
        "drains" => {
            let guard = context.shutdown.guard();
            let draining = context.shutdown.draining();
            context.tasks.spawn("request", async move {
                draining.await;
                tokio::time::sleep(Duration::from_millis(200)).await;
                tracing::info!("the request is finished");
                drop(guard);
            });
        }
        "sticks" => drop(context.tasks.spawn("stuck", std::future::pending::<()>())),
        role => panic!("nobody plays {role}"),
    }
    tracing::info!("ready");
    draining.await;
    Ok(())
}

#[test]
#[ignore = "a role that the other tests have played"]
fn role() {
    let Some(role) = std::env::var_os(ROLE) else { return };
    let args = Args::parse_from(["test", "--log-format", "json", "--shutdown-grace-period", "1s"]);
    let code = runtime::run("test", &args.process, |context| play(role.to_string_lossy().into_owned(), context));
    std::process::exit(i32::from(code != ExitCode::SUCCESS));
}

struct Process {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
}

impl Process {
    fn start(role: &str) -> Self {
        Self::with(role, &[])
    }

    fn with(role: &str, environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["role", "--exact", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log }
    }

    fn until(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "it ended before it said {text:?}");
        }
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// The exit code and the rest of the log.
    fn end(mut self) -> (i32, String) {
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code().unwrap(), log)
    }
}

#[test]
fn a_process_that_is_done_ends_well() {
    assert_eq!(Process::start("done").end().0, 0);
}

#[test]
fn an_error_is_printed_once_with_its_causes() {
    let (code, log) = Process::start("fails").end();
    assert_eq!(code, 1);
    assert_eq!(log.matches("opening the log: no space left").count(), 1, "{log}");
}

#[test]
fn the_death_of_a_critical_task_is_a_failure() {
    let (code, log) = Process::start("dies").end();
    assert_eq!(code, 1);
    assert!(log.contains("task writer is dead and the process ends with it: disk on fire"), "{log}");
}

#[test]
fn a_signal_lets_running_requests_finish() {
    for name in ["-TERM", "-INT"] {
        let mut process = Process::start("drains");
        process.until("ready");
        process.signal(name);
        let (code, log) = process.end();
        assert_eq!(code, 0);
        assert!(log.contains("the request is finished"), "{log}");
    }
}

#[test]
fn the_end_of_the_grace_period_and_a_second_signal_are_a_failure() {
    for second in [false, true] {
        let mut process = Process::start("sticks");
        process.until("ready");
        process.signal("-TERM");
        process.until("readiness is off");
        if second {
            process.signal("-TERM");
        }
        let (code, log) = process.end();
        assert_eq!(code, 1);
        let why = if second { "because of SIGTERM" } else { "because of the end of the grace period" };
        assert!(log.contains(why) && log.contains("stuck"), "{log}");
    }
}

#[tokio::test]
async fn spans_are_exported_where_the_environment_says_before_the_process_ends() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let process = Process::with("traces", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let end = tokio::task::spawn_blocking(|| process.end());

    let (send, mut exported) = tokio::sync::mpsc::unbounded_channel();
    let collector = service_fn(move |request: Request<Incoming>| {
        let send = send.clone();
        async move {
            let path = request.uri().path().to_owned();
            send.send((path, request.into_body().collect().await?.to_bytes())).unwrap();
            // An empty message, and that all went well.
            let body = Full::new(Bytes::from_static(&[0; 5]));
            let response = Response::builder().header("content-type", "application/grpc").header("grpc-status", "0");
            Ok::<_, hyper::Error>(response.body(body).unwrap())
        }
    });
    let (stream, _) = listener.accept().await.unwrap();
    let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), collector);
    let (_, end) = tokio::join!(serving, end);

    let (path, body) = exported.recv().await.unwrap();
    assert_eq!(path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    let holds = |text: &str| body.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("verb.traced") && holds("service.name") && holds("test"), "{body:?}");
    let (code, log) = end.unwrap();
    assert_eq!(code, 0);
    let line = log.lines().find(|line| line.contains("traced")).unwrap();
    assert!(line.contains("trace_id"), "{line}");
}
