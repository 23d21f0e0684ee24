//! How it is called.

use super::{plugin_of, server::Server};

#[test]
fn wrong_usage_is_told_from_failure() {
    let server = Server::start(0..3);
    for line in [
        "",
        "week",
        "get",
        "get week --limit many",
        "get week --offset=-1",
        "get week --page 0",
        "get week -o yaml",
        "map week --picture map.gif",
        "map week --rows 0",
        "pull week",
        "pull week image --parallel 0",
        "apply image",
        "apply image target --create --verify",
    ] {
        assert_eq!(plugin_of(&server).run(line).code, 2, "{line}");
    }
    assert_eq!(server.seen("/"), 0);
    let help = plugin_of(&server).run("--help");
    assert!(help.code == 0 && help.stdout.contains("Exit codes:\n  0    done"), "{help:?}");
}

#[test]
fn kubectls_flags_are_known_before_and_after_the_command() {
    let server = Server::start(0..3);
    let plugin = plugin_of(&server);
    for line in ["get week -n other", "-n other get week", "--namespace=other get week --context x"] {
        let refused = plugin.run(line);
        assert!(refused.code == 1 && refused.stderr.contains("404"), "{line}: {refused:?}");
    }
    assert_eq!(server.seen("/namespaces/other/"), 3);
    for line in ["--context x --token other get week", "get week --context x --token other"] {
        assert_eq!(plugin.run(line).code, 0, "{line}");
    }
    let unknown = plugin.run("get week --context nobody");
    assert!(unknown.code == 1 && unknown.stderr.contains("--context"), "{unknown:?}");
}
