//! The weight of a database.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::header::HOST;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::target::Size;

/// The longest that a gauge may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes that a database takes now.
pub(crate) async fn weigh(size: &Size) -> Result<u64> {
    match size {
        Size::Files(paths) => Ok(paths.iter().map(|path| weight(path)).sum()),
        Size::Gauge { url, name } => {
            let exposition = timeout(PATIENCE, get(url)).await.context("it took too long")?;
            gauge(&exposition.with_context(|| format!("reading {url}"))?, name)
                .with_context(|| format!("{url} has no {name}"))
        }
        Size::Command(line) => {
            let printed = timeout(PATIENCE, run(line)).await.context("it took too long")?;
            printed.with_context(|| format!("running {}", line.join(" ")))
        }
    }
}

fn weight(path: &Path) -> u64 {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| weight(&entry.path())).sum(),
        Err(_) => fs::metadata(path).map_or(0, |metadata| metadata.len()),
    }
}

/// The last number that a program prints.
async fn run(line: &[String]) -> Result<u64> {
    let [program, arguments @ ..] = line else { bail!("there is no program") };
    let output = Command::new(program).args(arguments).kill_on_drop(true).output().await?;
    let (printed, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "it ended with {}: {}", output.status, complaint.trim());
    let number = printed.split_ascii_whitespace().last().and_then(|number| number.parse().ok());
    number.with_context(|| format!("it printed no number but {:?}", printed.trim()))
}

/// A document at an `http://` address; metrics are seldom served with TLS.
async fn get(url: &str) -> Result<String> {
    let uri: Uri = url.parse()?;
    ensure!(uri.scheme_str() == Some("http"), "it is not an http address");
    let authority = uri.authority().context("it names no host")?.as_str();
    let stream = TcpStream::connect(authority).await?;
    let (mut send, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path).header(HOST, authority).body(Empty::<Bytes>::new())?;
    let answer = async {
        let answer = send.send_request(request).await?;
        ensure!(answer.status().is_success(), "it answered {}", answer.status());
        Ok(answer.into_body().collect().await?.to_bytes())
    };
    tokio::pin!(answer, connection);
    let body = tokio::select! {
        body = &mut answer => body?,
        ended = &mut connection => {
            ended?;
            answer.await?
        }
    };
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// The first sample of a name in a Prometheus exposition.
fn gauge(exposition: &str, name: &str) -> Option<u64> {
    let sample = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix('{') {
            Some(labelled) => labelled.rsplit_once('}')?.1,
            None => rest.strip_prefix(' ')?,
        };
        value.split_ascii_whitespace().next()?.parse::<f64>().ok()
    };
    exposition.lines().find_map(sample).map(|value| value as u64)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_found_by_its_whole_name() {
        let text =
            "# HELP size x\n# TYPE size gauge\nsize_total 7\nsize 1.048576e+06\nlabelled{a=\"}\"} 5 1700000000\n";
        assert_eq!(gauge(text, "size"), Some(1 << 20));
        assert_eq!(gauge(text, "labelled"), Some(5));
        assert_eq!(gauge(text, "siz"), None);
    }

    #[tokio::test]
    async fn files_and_folders_add_up_and_missing_ones_weigh_nothing() {
        let scratch = kit::Scratch::new("bench").unwrap();
        let file = scratch.write("a", "12345").unwrap();
        fs::create_dir(scratch.file("folder")).unwrap();
        scratch.write("folder/b", "123").unwrap();
        let size = Size::Files(vec![file, scratch.file("folder"), scratch.file("missing")]);
        assert_eq!(weigh(&size).await.unwrap(), 8);
    }

    #[tokio::test]
    async fn a_command_prints_the_weight_last() {
        let weight = |script: &str| {
            let line = ["sh", "-c", script].map(String::from).to_vec();
            async move { weigh(&Size::Command(line)).await.map_err(|error| format!("{error:#}")) }
        };
        assert_eq!(weight("echo bytes; echo 42").await, Ok(42));
        assert!(weight("echo none").await.unwrap_err().ends_with("it printed no number but \"none\""));
        assert!(weight("echo broken >&2; exit 3").await.unwrap_err().ends_with("exit status: 3: broken"));
    }

    #[tokio::test]
    async fn a_gauge_is_read_over_http() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        let server = async {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1:"));
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nsize 42\n").await.unwrap();
        };
        let size = Size::Gauge { url, name: "size".into() };
        let (weight, ()) = tokio::join!(weigh(&size), server);
        assert_eq!(weight.unwrap(), 42);
    }
}
