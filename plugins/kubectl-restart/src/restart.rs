//! What a NodeRestart says, for people and for exit codes.

use serde_json::Value;

use crate::exit::Exit;

/// Its name.
pub(crate) fn name(restart: &Value) -> &str {
    text(&restart["metadata"]["name"])
}

/// Its revision, to watch from.
pub(crate) fn revision(restart: &Value) -> &str {
    text(&restart["metadata"]["resourceVersion"])
}

/// Whether two are the same object, at whatever time.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    one["metadata"]["uid"] == other["metadata"]["uid"]
}

/// How far it is, in a line: `Draining, 2 of 5 pods left: the budget default/web allows no disruption`.
pub(crate) fn line(restart: &Value) -> String {
    let status = &restart["status"];
    let mut line = phase(restart).to_owned();
    if let (Some(left @ 1..), Some(total)) = (status["drain"]["left"].as_u64(), status["drain"]["total"].as_u64()) {
        line = format!("{line}, {left} of {total} pods left");
    }
    match text(&status["message"]) {
        "" => line,
        message => format!("{line}: {message}"),
    }
}

/// How it ended; `None` while it has not.
pub(crate) fn exit(restart: &Value) -> Option<Exit> {
    match phase(restart) {
        "Succeeded" => Some(Exit::Done),
        "Failed" | "Cancelled" => Some(Exit::Failed),
        "Unknown" => Some(Exit::Unknown),
        _ => None,
    }
}

/// The pods that a drain cannot move, a line each.
pub(crate) fn blocking(restart: &Value) -> Vec<String> {
    let pods = restart["status"]["drain"]["blocking"].as_array().into_iter().flatten();
    pods.map(|pod| format!("{}/{}: {}", text(&pod["namespace"]), text(&pod["name"]), text(&pod["reason"]))).collect()
}

fn phase(restart: &Value) -> &str {
    text(&restart["status"]["phase"])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn restart(status: Value) -> Value {
        json!({ "status": status })
    }

    #[test]
    fn a_line_says_what_it_waits_for() {
        let drain = json!({ "total": 5, "left": 2 });
        for (status, expected) in [
            (json!({ "phase": "Accepted" }), "Accepted"),
            (json!({ "phase": "Draining", "drain": drain }), "Draining, 2 of 5 pods left"),
            (json!({ "phase": "Draining", "drain": { "total": 5, "left": 0 } }), "Draining"),
            (
                json!({ "phase": "Draining", "drain": drain, "message": "a budget" }),
                "Draining, 2 of 5 pods left: a budget",
            ),
            (json!({ "phase": "Accepted", "message": "it is not 22:00 yet" }), "Accepted: it is not 22:00 yet"),
        ] {
            assert_eq!(line(&restart(status)), expected);
        }
    }

    #[test]
    fn each_end_has_its_exit() {
        for (phase, expected) in [
            ("Succeeded", Some(Exit::Done)),
            ("Failed", Some(Exit::Failed)),
            ("Cancelled", Some(Exit::Failed)),
            ("Unknown", Some(Exit::Unknown)),
            ("Uncordoned", None),
            ("", None),
        ] {
            assert_eq!(exit(&restart(json!({ "phase": phase }))), expected, "{phase}");
        }
    }
}
