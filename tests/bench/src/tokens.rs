//! `cargo xtask bench tokens`: lists and reviews of tokens, beside what is below them.
//!
//! ```text
//! load ─┬─list──────▶ outrigger ─▶ kube-apiserver ─▶ etcd     tokens
//!       ├─list──────────────────▶ kube-apiserver ─▶ etcd     their Secrets
//!       ├─TokenReview▶ outrigger ─▶ kube-apiserver            tokens in Secrets
//!       ├─TokenReview▶ outrigger ─▶ SQLite                    tokens without a cluster
//!       ╰─get───────────────────▶ kube-apiserver             a Secret: what a review cannot do without
//! ```

mod setup;

use std::fs::File;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Method;

use crate::cbt::figures::{Figures, table};
use crate::client::{Call, Connector};
use crate::load::{Work, drive};
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::report::Machine;
use crate::run::order;
use setup::{NAMESPACE, Setup, TOKENS};

/// How tokens are measured
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Settings {
    /// How many tokens there are
    #[arg(long, default_value_t = 10_000)]
    tokens: usize,
    /// How many rounds the targets take turns in
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each turn takes, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many clients ask for reviews at once
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Little of everything: to see that it works
    #[arg(long)]
    quick: bool,
    /// Write the report here instead of to standard output
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Who is asked, and what for.
pub(crate) struct Target {
    name: &'static str,
    connector: Connector,
    calls: Vec<Call>,
}

/// The calls of a target, over and over.
struct Again {
    calls: Vec<Call>,
    at: usize,
    /// What each answer must say.
    says: &'static str,
}

impl Work for Again {
    fn next(&mut self) -> Option<Call> {
        self.at = (self.at + 1) % self.calls.len();
        self.calls.get(self.at).cloned()
    }

    fn learn(&mut self, answer: &Bytes) -> Result<()> {
        let holds = answer.windows(self.says.len()).any(|window| window == self.says.as_bytes());
        anyhow::ensure!(holds, "the answer does not say {}", self.says);
        Ok(())
    }
}

/// Measures and reports.
pub(crate) async fn bench(mut settings: Settings) -> Result<u64> {
    if settings.quick {
        (settings.tokens, settings.rounds, settings.seconds) = (100, 1, 1);
    }
    let mut out: Box<dyn Write> = match &settings.out {
        Some(file) => Box::new(File::create(file).with_context(|| format!("writing {}", file.display()))?),
        None => Box::new(stdout()),
    };
    let progress = Progress::endless();
    progress.step(format!("making {} tokens", settings.tokens));
    let setup = Setup::start(settings.tokens).await?;
    let Machine { processor, cores, kernel } = Machine::this();
    let mut write =
        |text: String| out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("writing the report");
    write(format!(
        "# Tokens side by side\n\n{cores} cores of {processor}, Linux {kernel}, the client, etcd and the kube-apiserver included; \
         {} rounds of {} s.\n",
        settings.rounds, settings.seconds
    ))?;
    let kube = setup.kube()?;
    let selector = "fieldSelector=type%3Dtomlebreux.com/ranchertokens";
    let lists = [
        Target { name: "tokens", connector: setup.direct()?, calls: vec![Call::get(TOKENS.to_owned())] },
        Target {
            name: "Secrets",
            connector: kube.clone(),
            calls: vec![Call::get(format!("/api/v1/namespaces/{NAMESPACE}/secrets?{selector}"))],
        },
    ];
    let mut errors = section(
        &mut write,
        &format!("A list of {} tokens, 1 client", settings.tokens),
        &lists,
        "Secrets",
        "\"items\":",
        1,
        &settings,
        &progress,
    )
    .await?;
    let secrets =
        setup.names().into_iter().map(|name| Call::get(format!("/api/v1/namespaces/{NAMESPACE}/secrets/{name}")));
    let reviews = [
        Target { name: "in Secrets", connector: setup.webhook()?, calls: reviews(setup.presented()) },
        Target { name: "in SQLite", connector: setup.standalone_webhook()?, calls: reviews(setup.presented_alone()) },
    ];
    let title = format!("TokenReviews, {} clients", settings.clients);
    errors += section(
        &mut write,
        &title,
        &reviews,
        "in Secrets",
        "\"authenticated\":true",
        settings.clients,
        &settings,
        &progress,
    )
    .await?;
    let gets = [Target { name: "Secrets", connector: kube, calls: secrets.collect() }];
    let title = format!("Gets of a Secret, {} clients: the rest of a review is ours", settings.clients);
    errors += section(&mut write, &title, &gets, "", "\"data\":", settings.clients, &settings, &progress).await?;
    progress.done();
    Ok(errors)
}

fn reviews(presented: &[String]) -> Vec<Call> {
    let body = |token: &String| serde_json::json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": { "token": token } });
    let call = |token| Call::json(Method::POST, "/tokenreviews".to_owned(), body(token).to_string().into());
    presented.iter().map(call).collect()
}

/// Measures the targets in turn, and writes the table.
#[expect(clippy::too_many_arguments, reason = "each is one thing that differs between the three tables")]
async fn section(
    write: &mut impl FnMut(String) -> Result<()>,
    title: &str,
    targets: &[Target],
    baseline: &str,
    says: &'static str,
    clients: usize,
    settings: &Settings,
    progress: &Progress,
) -> Result<u64> {
    let mut outcomes: Vec<Outcome> = targets.iter().map(|_| Outcome::default()).collect();
    for round in 0..settings.rounds {
        for index in order(targets.len(), round) {
            let target = &targets[index];
            progress.step(format!("{title}: {}", target.name));
            let connections = target.connector.clients(clients, 4).await?;
            let spread = target.calls.len() / clients.max(1);
            let workers = connections
                .into_iter()
                .enumerate()
                .map(|(number, client)| (client, Again { calls: target.calls.clone(), at: number * spread, says }));
            let (_, outcome) = drive(workers.collect(), Duration::from_secs(settings.seconds)).await;
            outcomes[index].follow(outcome);
        }
    }
    let mut errors = 0;
    let mut columns = Vec::new();
    for (target, outcome) in targets.iter().zip(&outcomes) {
        errors += outcome.errors.count;
        let mut figures = Figures::default();
        figures.put("answers/s", outcome.rate());
        if let Some(summary) = outcome.samples("latency").summary() {
            figures.put("p50 ms", summary.p50);
            figures.put("p99 ms", summary.p99);
        }
        columns.push((target.name, figures));
    }
    write(format!("\n## {title}\n\n{}", table(&columns, baseline)))?;
    for failure in outcomes.iter().filter_map(|outcome| outcome.errors.first.as_ref()) {
        write(format!("\n- {failure}\n"))?;
    }
    Ok(errors)
}
