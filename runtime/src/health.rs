//! `/livez`, `/readyz` and `/healthz`, in the words that the kube-apiserver uses.
//!
//! A check is registered once, by name, for the probes that it concerns. `readyz` has the checks `ping` and `shutdown`
//! from the start, the others `ping`. Why a check fails is in the log and nowhere else: these paths are open to anybody.

use std::{
    fmt,
    future::Future,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::future::{BoxFuture, join_all};
use http::StatusCode;

use crate::Shutdown;

/// A check that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The media type of every answer here.
pub const CONTENT_TYPE: &str = "text/plain; charset=utf-8";

/// Which question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Must the process be restarted?
    Livez,
    /// May requests be sent to it?
    Readyz,
    /// Both of the above, as older clients ask it.
    Healthz,
}

/// The registry of checks. Clones share it.
#[derive(Clone)]
pub struct Health {
    checks: Arc<RwLock<Vec<Check>>>,
}

/// A status and the text to go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200, 404 or 500.
    pub status: StatusCode,
    /// What to say.
    pub body: String,
}

/// What became of a check; the reason is for the log.
type Outcome = Result<(), String>;

#[derive(Clone)]
struct Check {
    name: String,
    probes: &'static [Probe],
    /// Whether its failure is only told.
    part: bool,
    run: Arc<dyn Fn() -> BoxFuture<'static, Outcome> + Send + Sync>,
}

// === impl Probe ===

impl Probe {
    /// Every probe.
    pub const ALL: &'static [Self] = &[Self::Livez, Self::Readyz, Self::Healthz];
    /// The probes that ask whether requests may come.
    pub const READY: &'static [Self] = &[Self::Readyz];

    /// The first segment of its path.
    pub fn name(self) -> &'static str {
        match self {
            Self::Livez => "livez",
            Self::Readyz => "readyz",
            Self::Healthz => "healthz",
        }
    }
}

// === impl Health ===

impl Health {
    /// A registry with the checks that every process has.
    pub fn new(shutdown: &Shutdown) -> Self {
        let health = Self { checks: Arc::default() };
        health.register("ping", Probe::ALL, || async { Ok(()) });
        let shutdown = shutdown.clone();
        health.register("shutdown", Probe::READY, move || {
            let stopping = shutdown.is_stopping();
            async move { if stopping { Err("process is shutting down".to_owned()) } else { Ok(()) } }
        });
        health
    }

    /// Adds a check. It runs for each request, so it should look at a value that somebody keeps, or cost little.
    pub fn register<F, Fut>(&self, name: impl Into<String>, probes: &'static [Probe], check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name.into(), probes, false, check);
    }

    /// Adds a check of a part that the process can do without: its failure is told, and the probe passes all the same.
    pub fn register_part<F, Fut>(&self, name: impl Into<String>, probes: &'static [Probe], check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name.into(), probes, true, check);
    }

    fn add<F, Fut>(&self, name: String, probes: &'static [Probe], part: bool, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let run = Arc::new(move || Box::pin(check()) as BoxFuture<'static, Outcome>);
        let check = Check { name, probes, part, run };
        self.checks.write().unwrap_or_else(PoisonError::into_inner).push(check);
    }

    /// Answers a request for a health path such as `/readyz` or `/livez/ping`; `None` when the path is not one.
    pub async fn answer(&self, path: &str, query: &[(String, String)]) -> Option<Answer> {
        let (probe, name) = probe_of(path)?;
        let checks = self.checks_of(probe);
        if let Some(name) = name {
            return Some(match checks.into_iter().find(|check| check.name == name) {
                Some(check) => single(&outcome(&check).await),
                None => Answer { status: StatusCode::NOT_FOUND, body: "404 page not found\n".to_owned() },
            });
        }
        let excluded = excluded(query);
        let excludes = |check: &Check| excluded.contains(&check.name.as_str());
        let outcomes = join_all(checks.iter().map(async |check: &Check| {
            let outcome = if excludes(check) { None } else { Some(outcome(check).await) };
            (check, outcome)
        }));
        let verbose = query.iter().any(|(key, _)| key == "verbose");
        Some(render(probe, verbose, &excluded, &outcomes.await))
    }

    fn checks_of(&self, probe: Probe) -> Vec<Check> {
        let checks = self.checks.read().unwrap_or_else(PoisonError::into_inner);
        checks.iter().filter(|check| check.probes.contains(&probe)).cloned().collect()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Health")
    }
}

/// The probe that a path asks for, and the single check, if it names one.
pub fn probe_of(path: &str) -> Option<(Probe, Option<&str>)> {
    let path = path.strip_prefix('/')?;
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let probe = Probe::ALL.iter().find(|probe| probe.name() == first)?;
    Some((*probe, rest))
}

async fn outcome(check: &Check) -> Outcome {
    let outcome = tokio::time::timeout(TIMEOUT, (check.run)())
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {TIMEOUT:?}")));
    if let Err(reason) = &outcome {
        tracing::info!(check = check.name, "health check {} failed: {reason}", check.name);
    }
    outcome
}

fn excluded(query: &[(String, String)]) -> Vec<&str> {
    query.iter().filter(|(key, _)| key == "exclude").map(|(_, value)| value.as_str()).collect()
}

fn single(outcome: &Outcome) -> Answer {
    match outcome {
        Ok(()) => Answer { status: StatusCode::OK, body: "ok".to_owned() },
        Err(_) => Answer {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            body: "internal server error: reason withheld\n".to_owned(),
        },
    }
}

/// The text over all checks; `None` is a check that was excluded. A failure is always verbose.
fn render(probe: Probe, verbose: bool, excluded: &[&str], outcomes: &[(&Check, Option<Outcome>)]) -> Answer {
    let mut body = String::new();
    for (Check { name, .. }, outcome) in outcomes {
        body += &match outcome {
            None => format!("[+]{name} excluded: ok\n"),
            Some(Ok(())) => format!("[+]{name} ok\n"),
            Some(Err(_)) => format!("[-]{name} failed: reason withheld\n"),
        };
    }
    body += &unknown(excluded, outcomes);
    let name = probe.name();
    let mut failed =
        outcomes.iter().filter(|(_, outcome)| matches!(outcome, Some(Err(_)))).map(|(check, _)| check).peekable();
    let verbose = verbose || failed.peek().is_some();
    if failed.any(|check| !check.part) {
        return Answer { status: StatusCode::INTERNAL_SERVER_ERROR, body: format!("{body}{name} check failed\n") };
    }
    let body = if verbose { format!("{body}{name} check passed\n") } else { "ok".to_owned() };
    Answer { status: StatusCode::OK, body }
}

fn unknown(excluded: &[&str], outcomes: &[(&Check, Option<Outcome>)]) -> String {
    let known = |name: &&str| outcomes.iter().any(|(known, _)| known.name == *name);
    let mut names: Vec<String> = excluded.iter().filter(|name| !known(name)).map(|name| format!("{name:?}")).collect();
    names.sort();
    names.dedup();
    match names.as_slice() {
        [] => String::new(),
        names => format!("warn: some health checks cannot be excluded: no matches for {}\n", names.join(", ")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn health() -> (Health, Shutdown) {
        let shutdown = Shutdown::new();
        let health = Health::new(&shutdown);
        health.register("etcd", Probe::ALL, || async { Err("secret reason".to_owned()) });
        (health, shutdown)
    }

    async fn ask(health: &Health, path: &str, query: &[(&str, &str)]) -> (u16, String) {
        let query: Vec<_> = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let answer = health.answer(path, &query).await.unwrap();
        (answer.status.as_u16(), answer.body)
    }

    #[tokio::test]
    async fn a_healthy_process_says_ok_and_more_when_asked() {
        let (health, _) = health();
        let exclude = ("exclude", "etcd");
        assert_eq!(ask(&health, "/readyz", &[exclude]).await, (200, "ok".to_owned()));
        assert_eq!(
            ask(&health, "/readyz", &[("verbose", ""), exclude]).await,
            (200, "[+]ping ok\n[+]shutdown ok\n[+]etcd excluded: ok\nreadyz check passed\n".to_owned())
        );
    }

    #[tokio::test]
    async fn a_failure_is_verbose_and_withholds_the_reason() {
        let (health, _) = health();
        assert_eq!(
            ask(&health, "/livez", &[]).await,
            (500, "[+]ping ok\n[-]etcd failed: reason withheld\nlivez check failed\n".to_owned())
        );
    }

    #[tokio::test]
    async fn the_failure_of_a_part_is_told_and_fails_nothing_else() {
        let health = Health::new(&Shutdown::new());
        health.register_part("storage/widgets.example.com", Probe::READY, || async { Err("it is away".to_owned()) });
        let told =
            "[+]ping ok\n[+]shutdown ok\n[-]storage/widgets.example.com failed: reason withheld\nreadyz check passed\n";
        assert_eq!(ask(&health, "/readyz", &[]).await, (200, told.to_owned()));
        assert_eq!(ask(&health, "/readyz/storage/widgets.example.com", &[]).await.0, 500);
    }

    #[tokio::test]
    async fn a_single_check_answers_alone_and_an_unknown_one_is_not_found() {
        let (health, _) = health();
        assert_eq!(ask(&health, "/livez/ping", &[]).await, (200, "ok".to_owned()));
        assert_eq!(ask(&health, "/livez/nope", &[]).await, (404, "404 page not found\n".to_owned()));
        assert_eq!(ask(&health, "/livez/shutdown", &[]).await.0, 404, "it is readyz's alone");
        let (status, body) = ask(&health, "/healthz/etcd", &[]).await;
        assert_eq!(status, 500);
        assert!(!body.contains("secret"));
    }

    #[tokio::test]
    async fn readiness_is_off_once_the_process_stops_and_liveness_is_not() {
        let (health, shutdown) = health();
        shutdown.stop();
        let exclude = [("exclude", "etcd")];
        assert_eq!(ask(&health, "/livez", &exclude).await.0, 200);
        let (status, body) = ask(&health, "/readyz", &exclude).await;
        assert_eq!(status, 500);
        assert!(body.contains("[-]shutdown failed: reason withheld\n"));
    }

    #[tokio::test]
    async fn excluding_what_is_not_there_is_warned_about() {
        let (health, _) = health();
        let (_, body) = ask(&health, "/livez", &[("exclude", "etcd"), ("exclude", "nope"), ("verbose", "")]).await;
        let warning = "warn: some health checks cannot be excluded: no matches for \"nope\"\nlivez check passed\n";
        assert!(body.ends_with(warning), "{body}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_has_failed() {
        let health = Health::new(&Shutdown::new());
        health.register("stuck", Probe::READY, std::future::pending);
        assert_eq!(ask(&health, "/readyz", &[]).await.0, 500);
    }

    #[test]
    fn other_paths_are_no_probes() {
        for path in ["/", "/metrics", "readyz", "/readyz2", "/apis/readyz"] {
            assert_eq!(probe_of(path), None, "{path}");
        }
        assert_eq!(probe_of("/livez/poststarthook/x"), Some((Probe::Livez, Some("poststarthook/x"))));
    }
}
