//! What flags change: required adapters, schemas, addresses, and the ports beside the API's.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use hyperfleet_tests::cx::{Cx, path, report};
use hyperfleet_tests::server::{Database, Server};
use kit::{Postgres, Process, Scratch, eventually};
use serde_json::{Value, json};

const AVAILABLE: &[(&str, &str)] = &[("Available", "True")];

fn cx(server: &Server) -> Cx {
    Cx::new(server.target()).unwrap()
}

/// A command that ends by itself: its success, and what it said.
fn ended(args: &[&str], env: &[(&str, &str)]) -> (bool, String) {
    let scratch = Scratch::new("command").unwrap();
    let args: Vec<String> = ["hyperfleet"].iter().chain(args).map(|&arg| arg.to_owned()).collect();
    let log = scratch.file("log");
    let mut process = Process::spawn_with("hyperfleet", &kit::binary().unwrap(), &args, env, &log).unwrap();
    let status = process.wait(kit::PATIENCE).unwrap();
    (status.success(), process.output())
}

#[tokio::test]
async fn required_adapters_are_awaited_and_others_do_not_count() {
    for (_, database) in Database::ALL {
        let flags = ["--cluster-adapters=validation,dns", "--nodepool-adapters=hypershift"];
        let server = Server::start(database, &flags).unwrap();
        let cx = cx(&server);
        let cluster = cx.cluster("a").await.unwrap();
        let pool = cx.nodepool(&cluster, "np1").await.unwrap();
        let phase = async |record: &Value| cx.read(record).await.unwrap()["status"]["phase"].clone();
        for (adapter, expected) in [("validation", "NotReady"), ("other", "NotReady"), ("dns", "Ready")] {
            cx.report(&cluster, &report(adapter, 1, AVAILABLE)).await.unwrap().success().unwrap();
            assert_eq!(phase(&cluster).await, expected, "{adapter}");
        }
        // What is not required does no harm.
        cx.report(&cluster, &report("other", 1, &[("Available", "False")])).await.unwrap().success().unwrap();
        assert_eq!(phase(&cluster).await, "Ready");
        cx.report(&pool, &report("validation", 1, AVAILABLE)).await.unwrap().success().unwrap();
        assert_eq!(phase(&pool).await, "NotReady");
        cx.report(&pool, &report("hypershift", 1, AVAILABLE)).await.unwrap().success().unwrap();
        assert_eq!(phase(&pool).await, "Ready");
        // What is required must let go, though it never reported.
        let fresh = cx.cluster("b").await.unwrap();
        assert_eq!(cx.delete(&path(&fresh)).await.unwrap().status, 202);
        for adapter in ["validation", "dns"] {
            assert_eq!(cx.get(&path(&fresh)).await.unwrap().status, 200, "before {adapter}");
            cx.report(&fresh, &report(adapter, 2, &[("Available", "False"), ("Finalized", "True")])).await.unwrap();
        }
        assert_eq!(cx.get(&path(&fresh)).await.unwrap().status, 404);
    }
}

const SCHEMA: &str = r"
openapi: 3.0.0
info: {title: provider, version: '1'}
paths: {}
components:
  schemas:
    Zone: {type: string, enum: [us-central1, us-east1]}
    ClusterSpec:
      type: object
      required: [region, gcp]
      additionalProperties: false
      properties:
        region: {$ref: '#/components/schemas/Zone'}
        gcp:
          type: object
          required: [project]
          properties:
            project: {type: string, maxLength: 20}
            nodes: {type: integer, minimum: 1, maximum: 10}
            tags: {type: array, minItems: 1, items: {type: string}}
            since: {type: string, format: date-time}
            note: {type: string, nullable: true}
    NodePoolSpec:
      type: object
      required: [replicas]
      properties:
        replicas: {type: integer, minimum: 0}
";

#[tokio::test]
async fn a_providers_schema_is_enforced_and_replaced() {
    let scratch = Scratch::new("schema").unwrap();
    let file = scratch.write("openapi.yaml", SCHEMA).unwrap();
    let db = format!("sqlite:{}", scratch.file("hyperfleet.db").display());
    let server = Server::start_on(scratch, &db, &[], &[("OPENAPI_SCHEMA_PATH", &file.display().to_string())]).unwrap();
    let cx = cx(&server);
    let create = async |suffix: &str, spec: Value| {
        let mut body = cx.body(suffix);
        body["spec"] = spec;
        cx.post("/clusters", &body).await.unwrap()
    };
    let good = json!({"region": "us-east1", "gcp": {"project": "p", "nodes": 3, "tags": ["a"], "note": null}});
    let cluster = create("a", good.clone()).await.success().unwrap();
    for (spec, fields) in [
        (json!({}), vec!["spec.region", "spec.gcp"]),
        (json!({"region": "mars", "gcp": {"project": "p"}}), vec!["spec.region"]),
        (json!({"region": "us-east1", "gcp": {}}), vec!["spec.gcp.project"]),
        (
            json!({"region": "us-east1", "gcp": {"project": "x".repeat(21), "nodes": 0, "tags": []}}),
            vec!["spec.gcp.project", "spec.gcp.nodes", "spec.gcp.tags"],
        ),
        (json!({"region": "us-east1", "gcp": {"project": "p", "nodes": 1.5}}), vec!["spec.gcp.nodes"]),
        (
            json!({"region": "us-east1", "gcp": {"project": "p", "tags": [5, "a", {}]}}),
            vec!["spec.gcp.tags.0", "spec.gcp.tags.2"],
        ),
        (json!({"region": "us-east1", "gcp": {"project": "p", "since": "yesterday"}}), vec!["spec.gcp.since"]),
    ] {
        for answer in
            [create("b", spec.clone()).await, cx.patch(&path(&cluster), &json!({"spec": spec})).await.unwrap()]
        {
            let error = answer.json().unwrap();
            assert_eq!(
                (answer.status, &error["code"], &error["reason"]),
                (400, &json!("hyperfleet-8"), &json!("Invalid ClusterSpec")),
                "{spec}"
            );
            let details = error["details"].as_array().unwrap();
            let mut found: Vec<&str> = details.iter().map(|detail| detail["field"].as_str().unwrap()).collect();
            let mut expected = fields.clone();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{spec}: {error}");
            assert!(
                details.iter().all(|detail| detail["error"].as_str().is_some_and(|text| !text.is_empty())),
                "{error}"
            );
        }
    }
    let extra = create("b", json!({"region": "us-east1", "gcp": {"project": "p"}, "extra": 1})).await;
    assert_eq!(extra.status, 400);
    assert!(extra.text().contains("property \\\"extra\\\" is unsupported"), "{}", extra.text());
    let pools = format!("{}/nodepools", path(&cluster));
    let pool = cx.post(&pools, &json!({"name": "np1", "spec": {"replicas": -1}})).await.unwrap();
    assert_eq!((pool.status, &pool.json().unwrap()["reason"]), (400, &json!("Invalid NodePoolSpec")));
    cx.post(&pools, &json!({"name": "np1", "spec": {"replicas": 1}})).await.unwrap().success().unwrap();
    // Reports are not specs, whatever they hold.
    cx.report(&cluster, &report("dns", 1, AVAILABLE)).await.unwrap().success().unwrap();
    // Another provider, without a new build or a new process.
    std::fs::write(&file, SCHEMA.replace("us-central1, us-east1", "mars")).unwrap();
    let mut number = 0;
    eventually!(
        {
            number += 1;
            create(&format!("m{number}"), json!({"region": "mars", "gcp": {"project": "p"}})).await.status == 201
        },
        "the new schema is in force"
    );
    assert_eq!(create("c", good).await.status, 400);
}

#[tokio::test]
async fn without_a_schema_it_warns_and_goes_on() {
    let server = Server::start(Database::Sqlite, &["--openapi-schema-path=/nowhere/openapi.yaml"]).unwrap();
    cx(&server).cluster("a").await.unwrap();
    assert!(server.log().contains("/nowhere/openapi.yaml"), "{}", server.log());
}

#[tokio::test]
async fn browsers_of_listed_origins_may_ask() {
    let server = Server::start(Database::Sqlite, &[]).unwrap();
    let cx = cx(&server);
    let origin = "https://console.redhat.com";
    let ask = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let allowed = cx.send("OPTIONS", "/clusters", &ask, "").await.unwrap();
    assert!([200, 204].contains(&allowed.status), "{}", allowed.status);
    assert_eq!(allowed.header("access-control-allow-origin"), Some(origin));
    assert_eq!(allowed.header("access-control-max-age"), Some("600"));
    let methods = allowed.header("access-control-allow-methods").unwrap_or_default();
    assert!(methods.contains("POST"), "{methods}");
    let read = cx.send("GET", "/clusters", &[("origin", origin)], "").await.unwrap();
    assert_eq!((read.status, read.header("access-control-allow-origin")), (200, Some(origin)));
    for foreign in ["https://example.com", "null", "https://console.redhat.com.example.com"] {
        let answer = cx.send("GET", "/clusters", &[("origin", foreign)], "").await.unwrap();
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None), "{foreign}");
        let mut ask = ask;
        ask[0].1 = foreign;
        let refused = cx.send("OPTIONS", "/clusters", &ask, "").await.unwrap();
        assert_eq!(refused.header("access-control-allow-origin"), None, "{foreign}");
    }
}

#[tokio::test]
async fn health_can_be_taken_down_and_up() {
    let server = Server::start(Database::Sqlite, &[]).unwrap();
    let well = server.health("GET", "/healthcheck").await.unwrap();
    assert_eq!((well.status, well.json().unwrap()), (200, json!({})));
    assert!(server.health("POST", "/healthcheck/down").await.unwrap().status < 300);
    let down = server.health("GET", "/healthcheck").await.unwrap();
    assert_eq!((down.status, down.json().unwrap()), (503, json!({"maintenance_status": "maintenance mode"})));
    assert_eq!(cx(&server).get("/clusters").await.unwrap().status, 200, "it serves all the same");
    assert!(server.health("POST", "/healthcheck/up").await.unwrap().status < 300);
    assert_eq!(server.health("GET", "/healthcheck").await.unwrap().status, 200);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.health("GET", path).await.unwrap().status, 200, "{path}");
    }
}

#[tokio::test]
async fn metrics_have_their_old_and_their_new_names() {
    let server = Server::start(Database::Sqlite, &[]).unwrap();
    let cx = cx(&server);
    let cluster = cx.cluster("a").await.unwrap();
    cx.read(&cluster).await.unwrap();
    assert_eq!(cx.get("/clusters/none").await.unwrap().status, 404);
    let metrics = server.metrics().await.unwrap();
    for line in [
        "api_inbound_request_count",
        "api_inbound_request_duration_bucket",
        "hyperfleet_api_requests_total",
        "hyperfleet_api_request_duration_seconds_bucket",
        "hyperfleet_api_build_info",
    ] {
        assert!(metrics.lines().any(|found| found.starts_with(line)), "{line} is not in {metrics}");
    }
    let counted = |code: &str| {
        metrics.lines().any(|line| {
            line.starts_with("api_inbound_request_count")
                && ["method=\"GET\"", "path=\"/api/hyperfleet/v1/clusters/-\"", &format!("code=\"{code}\"")]
                    .iter()
                    .all(|label| line.contains(label))
                && line.ends_with(" 1")
        })
    };
    assert!(counted("200") && counted("404"), "{metrics}");
    let id = cluster["id"].as_str().unwrap();
    assert!(!metrics.contains(id), "no ids in labels");
}

#[test]
fn without_tokens_it_listens_on_loopback_alone() {
    let scratch = Scratch::new("open").unwrap();
    let db = format!("--db=sqlite:{}", scratch.file("hyperfleet.db").display());
    assert!(ended(&["migrate", &db], &[]).0);
    for address in ["0.0.0.0:0", ":0", "[::]:0"] {
        let flag = format!("--api-server-bindaddress={address}");
        let (success, said) = ended(&["serve", &db, &flag], &[]);
        assert!(!success && said.contains("--enable-jwt") && said.contains("--insecure-no-auth"), "{address}: {said}");
    }
    let (success, said) = ended(&["serve", &db, "--enable-jwt"], &[]);
    assert!(!success && said.contains("--jwk-cert-file"), "{said}");
}

#[test]
fn migrations_may_run_at_once_and_again() {
    let scratch = Scratch::new("migrate").unwrap();
    for db in [
        format!("--db=sqlite:{}", scratch.file("hyperfleet.db").display()),
        format!("--db={}", Postgres::shared().url()),
    ] {
        let outcomes = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| ended(&["migrate", &db], &[]))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(outcomes.iter().all(|(success, _)| *success), "{outcomes:?}");
        assert!(ended(&["migrate", &db], &[]).0, "once more");
    }
}

/// `postgres://USER@HOST:PORT/NAME`, as the files that the first version is given.
#[tokio::test]
async fn the_database_may_be_told_in_files() {
    let scratch = Scratch::new("files").unwrap();
    let url = Postgres::shared().url();
    let (user, rest) = url.trim_start_matches("postgres://").split_once('@').unwrap();
    let (place, name) = rest.split_once('/').unwrap();
    let (host, port) = place.split_once(':').unwrap();
    let mut flags = vec!["--db-sslmode=disable".to_owned()];
    for (flag, value) in [("host", host), ("port", port), ("name", name), ("user", user), ("password", "unused")] {
        let file = scratch.write(&format!("db.{flag}"), format!("{value}\n")).unwrap();
        flags.push(format!("--db-{flag}-file={}", file.display()));
    }
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (success, said) = ended(&[&["migrate"], flags.as_slice()].concat(), &[]);
    assert!(success, "{said}");
    assert_eq!(Postgres::shared().sql(&url, "SELECT count(*) FROM clusters").unwrap(), "0\n");
}

/// The rules that later versions have, each behind its switch.
#[tokio::test]
async fn stricter_rules_refuse_more() {
    let flags = [
        "--strict-names",
        "--strict-labels",
        "--strict-lists",
        "--strict-reports",
        "--strict-times",
        "--stale-no-content",
    ];
    let server = Server::start(Database::Sqlite, &flags).unwrap();
    let cx = cx(&server);
    let create = async |name: &str, kind: &str, labels: Value| {
        cx.post("/clusters", &json!({"kind": kind, "name": name, "labels": labels, "spec": {}})).await.unwrap().status
    };
    for (name, kind, labels, status) in [
        ("fine", "Cluster", json!({"example.com/a": "b"}), 201),
        ("UPPER", "Cluster", json!({}), 400),
        ("-a-b", "Cluster", json!({}), 400),
        ("ab", "Cluster", json!({}), 400),
        (&"x".repeat(53), "Cluster", json!({}), 201),
        (&"x".repeat(54), "Cluster", json!({}), 400),
        ("other", "Banana", json!({}), 400),
        ("other", "Cluster", json!({"a b": "c"}), 400),
        ("other", "Cluster", json!({"a": "x".repeat(64)}), 400),
    ] {
        assert_eq!(create(name, kind, labels.clone()).await, status, "{name} {kind} {labels}");
    }
    for (query, status) in [
        ("size=1&page=1&order=name", 200),
        ("size=100", 200),
        ("size=101", 400),
        ("size=0", 400),
        ("size=many", 400),
        ("page=0", 400),
        ("page=100001", 400),
    ] {
        assert_eq!(cx.get(&format!("/clusters?{query}")).await.unwrap().status, status, "{query}");
    }
    let cluster = cx.cluster("a").await.unwrap();
    let all = [("Available", "True"), ("Applied", "True"), ("Health", "True")];
    let now = hyperfleet_tests::keys::claims()["iat"].as_i64().unwrap();
    let at = |second: i64| json!(jiff::Timestamp::from_second(second).unwrap().to_string());
    for (conditions, generation, time, status) in [
        (&all[..2], 1, at(now), 400),
        (&all[..], 0, at(now), 400),
        (&all[..], 1, at(now - 3600), 400),
        (&all[..], 1, at(now + 3600), 400),
        (&all[..], 1, at(now), 201),
        (&all[..], 1, at(now - 60), 204),
    ] {
        let mut body = report("dns", generation, conditions);
        body["observed_time"] = time.clone();
        let answer = cx.report(&cluster, &body).await.unwrap();
        assert_eq!(answer.status, status, "{conditions:?} {generation} {time}: {}", answer.text());
    }
}

#[tokio::test]
async fn it_serves_over_tls() {
    let (scratch, authority) = (Scratch::new("tls").unwrap(), kit::Authority::new("hyperfleet-ca").unwrap());
    let pair = authority.server(&["localhost", "127.0.0.1"]).unwrap();
    let cert = format!("--https-cert-file={}", scratch.write("tls.crt", &pair.cert).unwrap().display());
    let key = format!("--https-key-file={}", scratch.write("tls.key", &pair.key).unwrap().display());
    let server = Server::start(Database::Sqlite, &["--enable-https", &cert, &key]).unwrap();
    let client =
        kit::Client::new("127.0.0.1", server.ports().api, authority.cert(), &kit::Identity::Anonymous).unwrap();
    let path = "/api/hyperfleet/v1/clusters";
    let (two, one) = (client.get(path).await.unwrap(), client.send_http1("GET", path, &[], "").await.unwrap());
    assert_eq!((two.status, one.status), (200, 200));
    assert_eq!(two.json().unwrap(), one.json().unwrap());
    let plain = cx(&server).get("/clusters").await;
    assert!(!plain.is_ok_and(|answer| answer.status < 400), "not without");
}

/// Two servers on one database: what one writes the other reads.
#[tokio::test]
async fn servers_share_a_database() {
    let url = Postgres::shared().url();
    let start = || Server::start_on(Scratch::new("shared").unwrap(), &url, &[], &[]).unwrap();
    let (one, two) = (start(), start());
    let made = cx(&one).cluster("a").await.unwrap();
    let other = cx(&two);
    assert_eq!(other.read(&made).await.unwrap(), made);
    other.report(&made, &report("dns", 1, AVAILABLE)).await.unwrap().success().unwrap();
    assert_eq!(cx(&one).read(&made).await.unwrap()["status"]["phase"], "Ready");
}

/// The first signal lets requests finish; the process then ends well.
#[tokio::test]
async fn a_signal_ends_it_well() {
    let mut server = Server::start(Database::Sqlite, &[]).unwrap();
    let cluster = cx(&server).cluster("a").await.unwrap();
    server.process().signal("TERM").unwrap();
    assert!(server.process().wait(kit::PATIENCE).unwrap().success());
    server.start_again().unwrap();
    assert_eq!(cx(&server).read(&cluster).await.unwrap(), cluster);
    assert!(Path::new(&server.file("hyperfleet.db")).exists());
}
