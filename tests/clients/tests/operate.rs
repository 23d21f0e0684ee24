//! What an operator does with a database while it is served, and what the audit log tells.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use clients::bundle_deployment;
use kit::{Outrigger, Scratch, eventually, examples};
use serde_json::{Value, json};

/// The binary, run to its end.
fn run(arguments: &[&str]) -> Output {
    Command::new(kit::binary().unwrap()).args(arguments).output().unwrap()
}

fn ok(arguments: &[&str]) -> String {
    let output = run(arguments);
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    said.into_owned()
}

fn fails(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_served_database_can_be_asked_checked_and_copied_but_not_served_twice() {
    let outrigger = Outrigger::standalone(&[], &[]).unwrap();
    outrigger.kubectl().unwrap().ok(&["create", "-f", text(&examples::path("tests/examples/fleet"))]).unwrap();
    let data = outrigger.folder().join("data");
    let names = "SELECT name FROM bundledeployments ORDER BY name";
    let expected = "name\nguestbook-manifests\ningress-nginx-helmop\nplatform-monitoring\n";

    assert_eq!(ok(&["sql", "--data-dir", text(&data), names]), expected);
    assert!(ok(&["check", "--data-dir", text(&data)]).contains("is sound"));
    let complaint = fails(&["sql", "--data-dir", text(&data), "DELETE FROM objects"]);
    assert!(complaint.contains("readonly"), "{complaint}");

    let copy = outrigger.folder().join("copy.db");
    ok(&["backup", "--data-dir", text(&data), text(&copy)]);
    assert_eq!(ok(&["sql", "--db", &format!("sqlite:{}", copy.display()), names]), expected);
    let complaint = fails(&["backup", "--data-dir", text(&data), text(&copy)]);
    assert!(complaint.contains("exists"), "{complaint}");

    let complaint = fails(&["--data-dir", text(&data), "--secure-port", "0"]);
    assert!(complaint.contains("one process at a time") && complaint.contains("--db"), "{complaint}");
}

/// The events of an audit log about one resource, by verb and stage.
fn events(log: &Path) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap_or_default();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["objectRef"]["resource"] == "bundledeployments").collect()
}

#[test]
fn the_audit_log_tells_who_did_what_and_what_came_of_it() {
    let scratch = Scratch::new("audit").unwrap();
    let (log, policy) = (scratch.file("audit.log"), scratch.file("policy.yaml"));
    let rules = "
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- {level: None, verbs: [list]}
- {level: RequestResponse, resources: [{group: fleet.cattle.io, resources: [bundledeployments]}]}
";
    fs::write(&policy, rules).unwrap();
    let flags = [format!("--audit-log-path={}", text(&log)), format!("--audit-policy-file={}", text(&policy))];
    let outrigger = Outrigger::standalone(&[], &[&flags[0], &flags[1]]).unwrap();
    let kubectl = outrigger.kubectl().unwrap();
    kubectl.pipe(&["create", "-f", "-"], &bundle_deployment("a", "s-1:a").to_string()).unwrap();
    kubectl.run(&["get", "bundledeployment", "b"]).unwrap();
    kubectl.ok(&["get", "bundledeployments"]).unwrap();
    let path = format!("{}?watch=1&resourceVersion=1&timeoutSeconds=1", clients::collection("default"));
    kubectl.ok(&["get", "--raw", &path]).unwrap();
    eventually!(events(&log).len() >= 4, "{:#?}", events(&log));
    let events = events(&log);
    let told: Vec<[&str; 2]> =
        events.iter().map(|event| [&event["verb"], &event["stage"]].map(|value| value.as_str().unwrap())).collect();
    let complete = "ResponseComplete";
    assert_eq!(told, [["create", complete], ["get", complete], ["watch", "ResponseStarted"], ["watch", complete]]);

    let created = &events[0];
    assert_eq!(created["user"]["groups"][0], "system:masters");
    assert_eq!(
        (&created["responseStatus"]["code"], &created["requestObject"]["metadata"]["name"]),
        (&json!(201), &json!("a"))
    );
    let object = &created["responseObject"]["metadata"];
    assert!(object["uid"].is_string() && object.get("managedFields").is_none(), "{object}");
    assert_eq!(created["annotations"]["authorization.k8s.io/decision"], "allow");
    assert!(created["auditID"].is_string() && created["requestReceivedTimestamp"].is_string());
    let missing = &events[1]["responseStatus"];
    assert_eq!((&missing["code"], &missing["reason"]), (&json!(404), &json!("NotFound")));
    assert_eq!(events[2]["auditID"], events[3]["auditID"], "one request");
}

#[test]
fn a_policy_that_cannot_be_read_is_refused_at_the_start() {
    let scratch = Scratch::new("audit").unwrap();
    let policy = scratch.write("policy.yaml", "kind: Policy\n").unwrap();
    let data = format!("--data-dir={}", text(&scratch.file("data")));
    let policy = format!("--audit-policy-file={}", text(&policy));
    let said = fails(&[&data, "--secure-port=0", "--audit-log-path=-", &policy]);
    assert!(said.contains("--audit-policy-file"), "{said}");
}
