//! What it prints, and how it ends.

use kit::{PATIENCE, eventually};
use serde_json::{Value, json};

use super::{
    plugin_of,
    server::{Server, Trouble, status},
    well,
};

#[test]
fn a_restart_is_accepted_and_goes_on_by_itself() {
    let server = Server::start();
    let plugin = plugin_of(&server);
    let first = plugin.run("node/a");
    assert_eq!((first.code, first.stdout.as_str()), (0, "node/a restart accepted as noderestart/a-1\n"), "{first:?}");
    let again = plugin.run("a --mode=hard --reason=kernel");
    assert_eq!(again.stdout, "node/a is being restarted already as noderestart/a-1\n");
    let bare = ("a".to_owned(), String::new());
    assert_eq!(server.asked(), [bare, ("a".to_owned(), r#"{"mode":"Hard","reason":"kernel"}"#.to_owned())]);
    assert_eq!(server.seen()[0].headers["authorization"], "Bearer sesame");
}

#[test]
fn a_restart_is_watched_to_its_end_in_plain_lines() {
    let server = Server::start();
    server.script(&well());
    let output = plugin_of(&server).run("a --wait");
    assert_eq!((output.code, output.stdout.as_str()), (0, "node/a restarted\n"), "{output:?}");
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(lines, ["node/a: Accepted", "node/a: Draining, 1 of 2 pods left", "node/a: Sent", "node/a: Succeeded"]);
}

#[test]
fn each_end_has_its_exit_code() {
    let blocking =
        json!([{ "namespace": "default", "name": "web-0", "reason": "the budget web allows no disruption" }]);
    for (end, code, said) in [
        (
            json!({ "phase": "Failed", "message": "the drain took too long", "drain": { "blocking": blocking } }),
            1,
            "error: node/a: noderestart/a-1 ended: Failed: the drain took too long\n  default/web-0: the budget web",
        ),
        (json!({ "phase": "Cancelled" }), 1, "error: node/a: noderestart/a-1 ended: Cancelled\n"),
        (json!({ "phase": "Unknown", "message": "no answer\u{1b}[2J" }), 5, "ended: Unknown: no answer\u{fffd}[2J"),
    ] {
        let server = Server::start();
        server.script(&[end]);
        let output = plugin_of(&server).run("a --wait");
        assert_eq!((output.code, output.stdout.as_str()), (code, ""), "{output:?}");
        assert!(output.stderr.contains(said), "{}", output.stderr);
    }
}

#[test]
fn refusals_are_shown_as_kubectl_shows_them() {
    for (code, body, exit, said) in [
        (
            403,
            status(403, "Forbidden", "it is a control-plane node", "ControlPlane"),
            3,
            "Error from server (Forbidden): it is a control-plane node\n",
        ),
        (409, status(409, "Conflict", "another restart", "InFlight"), 3, "Error from server (Conflict): another"),
        (403, status(403, "Forbidden", "User \"u\" cannot create", ""), 1, "Error from server (Forbidden): User"),
        (404, status(404, "NotFound", "nodes \"a\" not found", ""), 1, "Error from server (NotFound): nodes \"a\""),
        (422, status(422, "Invalid", "no providerID", "FieldValueRequired"), 1, "Error from server (Invalid): no"),
        (503, status(503, "ServiceUnavailable", "no driver for aws", ""), 1, "Error from server (ServiceUnavailable)"),
        (504, status(504, "Timeout", "Timeout: x", ""), 5, "get noderestarts --field-selector spec.nodeName=a"),
        (502, String::new(), 5, "look with: kubectl get noderestarts"),
    ] {
        let server = Server::start();
        server.trouble(Trouble::Answer(code, body));
        let output = plugin_of(&server).run("a");
        assert_eq!((output.code, output.stdout.as_str()), (exit, ""), "{code}: {output:?}");
        assert!(output.stderr.contains(said), "{code}: {}", output.stderr);
        assert_eq!(server.asked().len(), 1, "nothing is asked for twice");
    }
}

#[test]
fn without_an_answer_nobody_can_tell_and_nothing_is_sent_again() {
    let server = Server::start();
    server.trouble(Trouble::Hangup);
    let output = plugin_of(&server).run("a");
    assert_eq!(output.code, 5, "{output:?}");
    assert!(output.stderr.contains("may have been accepted all the same"), "{}", output.stderr);
    assert_eq!(server.asked().len(), 1);

    let [port] = kit::free_ports().unwrap();
    let nobody = plugin_of(&server).run(&format!("a --server https://127.0.0.1:{port}"));
    assert_eq!(nobody.code, 1, "where nobody listens, nothing was accepted: {nobody:?}");
    assert!(nobody.stderr.starts_with("error: "), "{}", nobody.stderr);
}

#[test]
fn a_dry_run_tells_the_plan() {
    let server = Server::start();
    server.script(&[json!({ "guards": [{ "name": "ControlPlane", "passes": true }] })]);
    let plugin = plugin_of(&server);
    let planned = plugin.run("a --dry-run=server --wait");
    let expected = "node/a would be restarted (server dry run)\n  guard ControlPlane: passes\n";
    assert_eq!((planned.code, planned.stdout.as_str()), (0, expected), "{planned:?}");
    server.script(&[json!({ "guards": [{ "name": "MinHealthy", "passes": false, "message": "2 of 3" }] })]);
    let refused = plugin.run("a --dry-run");
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stdout.contains("guard MinHealthy: REFUSES: 2 of 3"), "{}", refused.stdout);
    let yaml = plugin.run("a --dry-run -o yaml");
    assert!(yaml.stdout.contains("    - message: 2 of 3\n"), "{}", yaml.stdout);
    assert!(server.seen().iter().all(|seen| seen.uri.ends_with("?dryRun=All")));
}

#[test]
fn objects_are_printed_for_scripts() {
    let server = Server::start();
    server.script(&well());
    let plugin = plugin_of(&server);
    let json: Value = serde_json::from_str(&plugin.run("a --wait -o json").stdout).unwrap();
    assert_eq!((&json["metadata"]["name"], &json["status"]["phase"]), (&json!("a-1"), &json!("Succeeded")));
    let yaml = plugin.run("b -o yaml");
    assert!(yaml.stdout.contains("\nkind: NodeRestart\n") && yaml.stderr.is_empty(), "{yaml:?}");
    assert_eq!(
        plugin.run("c d --wait -o name").stdout,
        "noderestart.infraops.michael.io/c-1\nnoderestart.infraops.michael.io/d-1\n"
    );
}

#[test]
fn nodes_are_restarted_one_after_another() {
    let server = Server::start();
    server.script(&well());
    let output = plugin_of(&server).run("c b");
    assert_eq!((output.code, output.stdout.as_str()), (0, "node/c restarted\nnode/b restarted\n"), "{output:?}");
    let requests: Vec<String> = server.seen().iter().map(|seen| format!("{} {}", seen.method, seen.uri)).collect();
    let posts: Vec<usize> =
        requests.iter().enumerate().filter(|(_, line)| line.starts_with("POST")).map(|(at, _)| at).collect();
    assert_eq!(posts, [0, 2], "a watch comes between them: {requests:?}");
}

#[test]
fn what_is_selected_is_said() {
    let server = Server::start();
    server.nodes(&["a", "b"]);
    server.script(&well());
    let plugin = plugin_of(&server);
    let output = plugin.run("-l pool=x,zone");
    assert_eq!((output.code, output.stdout.as_str()), (0, "node/a restarted\nnode/b restarted\n"), "{output:?}");
    assert!(output.stderr.starts_with("-l pool=x,zone selects a, b\n"), "{}", output.stderr);
    assert!(server.seen()[0].uri.ends_with("/nodes?labelSelector=pool%3Dx%2Czone"));
    server.nodes(&[]);
    let none = plugin.run("-l pool=y");
    assert_eq!((none.code, none.stderr.as_str()), (1, "error: no node matches -l pool=y\n"));
}

#[test]
fn the_first_that_does_not_end_well_is_the_last() {
    let server = Server::start();
    server.script(&[json!({ "phase": "Failed" })]);
    let output = plugin_of(&server).run("a b c");
    assert_eq!(output.code, 1);
    assert!(output.stderr.ends_with("not restarted: b, c\n"), "{}", output.stderr);
    assert_eq!(server.asked().len(), 1);
    let server = Server::start();
    server.trouble(Trouble::Answer(409, status(409, "Conflict", "too many in flight", "InFlight")));
    let output = plugin_of(&server).run("a b --wait=false");
    assert_eq!(output.code, 3);
    assert!(output.stderr.contains("not restarted: b"), "{}", output.stderr);
}

#[test]
fn a_restart_that_is_cancelled_ends_the_watch() {
    let server = Server::start();
    let files = plugin_of(&server);
    let mut plugin = files.spawn("a --wait");
    eventually!(server.is_watched(), "it is watched");
    server.remove("a");
    assert_eq!(plugin.wait(PATIENCE).unwrap().code(), Some(1));
    assert!(plugin.output().contains("noderestart/a-1 was cancelled"), "{}", plugin.output());
}

#[test]
fn the_time_to_watch_is_limited() {
    let server = Server::start();
    let output = plugin_of(&server).run("a --wait --timeout 100ms");
    assert_eq!(output.code, 4, "{output:?}");
    assert!(output.stderr.contains("--timeout has passed; the restart goes on"), "{}", output.stderr);
    assert!(output.stderr.contains("kubectl delete noderestart a-1"), "{}", output.stderr);
}

#[test]
fn who_may_not_watch_looks_from_time_to_time() {
    let server = Server::start();
    server.forbid("watch");
    let files = plugin_of(&server);
    let mut plugin = files.spawn("a --wait");
    let looks = || server.seen().iter().filter(|seen| seen.uri.ends_with("noderestarts/a-1")).count();
    eventually!(looks() > 1, "it looks again");
    server.remove("a");
    assert_eq!(plugin.wait(PATIENCE).unwrap().code(), Some(1));
}

#[test]
fn who_may_not_look_is_told_that_it_goes_on() {
    let server = Server::start();
    server.forbid("watch");
    server.forbid("get");
    let output = plugin_of(&server).run("a --wait");
    assert_eq!(output.code, 5, "{output:?}");
    assert!(output.stderr.contains("noderestart/a-1 goes on, but cannot be watched"), "{}", output.stderr);
    assert!(output.stderr.contains("Error from server (Forbidden): you may not look"), "{}", output.stderr);
}

#[test]
fn control_c_stops_watching_and_nothing_else() {
    let server = Server::start();
    let files = plugin_of(&server);
    let mut plugin = files.spawn("a b --wait");
    eventually!(server.is_watched(), "it is watched");
    plugin.signal("INT").unwrap();
    assert_eq!(plugin.wait(PATIENCE).unwrap().code(), Some(130));
    let output = plugin.output();
    assert!(output.contains("stopped watching node/a: the restart goes on\n"), "{output}");
    assert!(output.contains("  cancel it: kubectl delete noderestart a-1\nnot restarted: b\n"), "{output}");

    server.trouble(Trouble::Silence);
    let files = plugin_of(&server);
    let mut plugin = files.spawn("c");
    eventually!(server.asked().iter().any(|(node, _)| node == "c"), "it is asked for");
    plugin.signal("INT").unwrap();
    assert_eq!(plugin.wait(PATIENCE).unwrap().code(), Some(130));
    assert!(plugin.output().contains("may have been accepted all the same"), "{}", plugin.output());
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let server = Server::start();
    for line in ["", "a/b", "a --mode=gently", "a -l x", "--nonsense"] {
        assert_eq!(plugin_of(&server).run(line).code, 2, "{line}");
    }
    assert_eq!(server.seen().len(), 0);
    let help = plugin_of(&server).run("--help");
    assert!(help.code == 0 && help.stdout.contains("Exit codes:\n  0    done"), "{help:?}");
}
