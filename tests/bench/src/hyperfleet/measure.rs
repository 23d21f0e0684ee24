//! What is measured: requests, and for pgbench the least statement that does what each needs of a database.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::hyperfleet::client::Client;
use crate::outcome::{Errors, Outcome};

/// Where the API is.
pub(crate) const API: &str = "/api/hyperfleet/v1";

/// Clusters of one zone, of all: one in a hundred.
pub(crate) const ZONES: usize = 100;

/// One measure.
#[derive(Debug)]
pub(crate) struct Measure {
    /// Its name on the command line and at the constant server.
    pub(crate) word: &'static str,
    pub(crate) title: &'static str,
    /// The request with a number, of a fleet.
    call: fn(&Fleet, usize) -> Call,
    /// What pgbench runs, in the table of [`crate::hyperfleet::pgbench`].
    pub(crate) statement: &'static str,
}

/// One request.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) body: Bytes,
}

/// The clusters that there are.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) ids: Vec<String>,
    /// Numbers that nothing has used yet.
    next: AtomicUsize,
}

/// All measures, those that change the fleet last.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        word: "get",
        title: "Get a cluster",
        call: |fleet, number| get(format!("/clusters/{}", fleet.id(number))),
        statement: "\\set n random(1, :clusters)\nSELECT document FROM floor WHERE id = :n;\n",
    },
    Measure {
        word: "list20",
        title: "List 20, each page in its turn",
        call: |fleet, number| get(format!("/clusters?size=20&page={}", fleet.page(number, 20))),
        statement: "\\set n random(0, :clusters / 20 - 1) * 20\nSELECT document FROM floor ORDER BY created DESC LIMIT 20 OFFSET :n;\nSELECT count(*) FROM floor;\n",
    },
    Measure {
        word: "list100",
        title: "List 100, each page in its turn",
        call: |fleet, number| get(format!("/clusters?size=100&page={}", fleet.page(number, 100))),
        statement: "\\set n random(0, :clusters / 100 - 1) * 100\nSELECT document FROM floor ORDER BY created DESC LIMIT 100 OFFSET :n;\nSELECT count(*) FROM floor;\n",
    },
    Measure {
        word: "name",
        title: "Search by name",
        call: |fleet, number| get(format!("/clusters?size=20&search=name%3D'{}'", name(number % fleet.ids.len()))),
        statement: "\\set n random(1, :clusters)\nSELECT document FROM floor WHERE name = 'c-' || :n LIMIT 20;\nSELECT count(*) FROM floor WHERE name = 'c-' || :n;\n",
    },
    Measure {
        word: "label",
        title: "Search by label, 20 of one in a hundred",
        call: |_, number| get(format!("/clusters?size=20&search=labels.zone%3D'z{}'", number % ZONES)),
        statement: "\\set n random(0, 99)\nSELECT document FROM floor WHERE zone = 'z' || :n ORDER BY created DESC LIMIT 20;\nSELECT count(*) FROM floor WHERE zone = 'z' || :n;\n",
    },
    Measure {
        word: "status",
        title: "Post a status",
        call: |fleet, number| Call {
            method: Method::POST,
            target: format!("{API}/clusters/{}/statuses", fleet.id(number)),
            body: report(number).to_string().into(),
        },
        statement: "\\set n random(1, :clusters)\nUPDATE floor SET document = document WHERE id = :n;\n",
    },
    Measure {
        word: "create",
        title: "Post a cluster",
        call: |_, number| Call {
            method: Method::POST,
            target: format!("{API}/clusters"),
            body: cluster(number).to_string().into(),
        },
        statement: "INSERT INTO floor (id, name, zone, document) SELECT n, 'c-' || n, 'z0', (SELECT document FROM floor WHERE id = 1) FROM (SELECT nextval('numbers') AS n) AS next;\n",
    },
];

fn get(path: String) -> Call {
    Call { method: Method::GET, target: format!("{API}{path}"), body: Bytes::new() }
}

/// The name of a cluster.
fn name(number: usize) -> String {
    format!("c-{number}")
}

/// A cluster of about a kilobyte, with the labels and the spec that HyperFleet's own examples have.
pub(crate) fn cluster(number: usize) -> Value {
    json!({
        "kind": "Cluster",
        "name": name(number),
        "labels": {"environment": "bench", "zone": format!("z{}", number % ZONES), "shard": (number % 10).to_string()},
        "spec": {
            "platform": {"type": "gcp", "gcp": {"projectID": format!("project-{number}"), "region": "us-central1"}},
            "release": {"image": "registry.example.org/release:4.20.0", "version": "4.20.0", "channelGroup": "stable"},
            "networking": {
                "clusterNetwork": [{"cidr": "10.128.0.0/14", "hostPrefix": 23}],
                "serviceNetwork": ["172.30.0.0/16"],
                "machineNetwork": [{"cidr": "10.0.0.0/16"}],
            },
            "dns": {"baseDomain": "example.org"},
        },
    })
}

/// What one of four adapters reports.
fn report(number: usize) -> Value {
    let adapter = ["validation", "dns", "pullsecret", "hypershift"][number % 4];
    let condition = |kind: &str| json!({"type": kind, "status": "True", "reason": "Done", "message": "all is well"});
    json!({
        "adapter": adapter,
        "observed_generation": 1,
        "conditions": [condition("Available"), condition("Applied"), condition("Health")],
        "data": {"job": {"name": format!("{adapter}-{number}")}},
    })
}

// === impl Fleet ===

impl Fleet {
    /// Of clusters with these ids, whose names hold the numbers below their count.
    pub(crate) fn new(ids: Vec<String>) -> Self {
        let next = AtomicUsize::new(ids.len());
        Self { ids, next }
    }

    /// Neighbours in number are far apart here, so that clients do not meet.
    fn id(&self, number: usize) -> &str {
        &self.ids[number.wrapping_mul(7919) % self.ids.len()]
    }

    /// From 1.
    fn page(&self, number: usize, size: usize) -> usize {
        number % (self.ids.len() / size).max(1) + 1
    }
}

// === impl Measure ===

impl Measure {
    /// The request with a number.
    pub(crate) fn call(&self, fleet: &Fleet, number: usize) -> Call {
        (self.call)(fleet, number)
    }
}

/// The closed loop over HTTP: each client sends when its last answer was read. Requests are of `call`, by number.
pub(crate) async fn drive(
    authority: &str,
    clients: usize,
    time: Duration,
    fleet: &std::sync::Arc<Fleet>,
    call: impl Fn(&Fleet, usize) -> Call + Clone + Send + 'static,
) -> Result<Outcome> {
    let mut connected = Vec::with_capacity(clients);
    for _ in 0..clients {
        connected.push(Client::connect(authority).await?);
    }
    let begun = Instant::now();
    let deadline = begun + time;
    let mut tasks = JoinSet::new();
    for mut client in connected {
        let (fleet, call) = (std::sync::Arc::clone(fleet), call.clone());
        tasks.spawn(async move {
            let mut outcome = Outcome::default();
            // A client whose connection is gone stops, so that a dead server ends a run instead of filling it.
            while Instant::now() < deadline && outcome.errors.count < 10 {
                let Call { method, target, body } = call(&fleet, fleet.next.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                match client.call(method, &target, body).await {
                    Ok(_) => {
                        outcome.requests += 1;
                        outcome.observe("latency", sent.elapsed());
                    }
                    Err(error) => outcome.errors.absorb(Errors::one(&error)),
                }
            }
            outcome
        });
    }
    let mut outcome = Outcome::default();
    for part in tasks.join_all().await {
        outcome.absorb(part);
    }
    outcome.elapsed = begun.elapsed();
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stay_within_the_fleet() {
        let fleet = Fleet::new((0..100).map(|number| number.to_string()).collect());
        let targets = |word: &str| -> Vec<String> {
            let measure = MEASURES.iter().find(|measure| measure.word == word).expect("there is one");
            (0..200).map(|number| measure.call(&fleet, number).target).collect()
        };
        assert!(targets("list20").iter().all(|target| (1..=5).any(|page| target.ends_with(&format!("page={page}")))));
        let mut ids = targets("get");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 100, "each is asked for");
        assert!(targets("name").contains(&format!("{API}/clusters?size=20&search=name%3D'c-99'")));
    }
}
