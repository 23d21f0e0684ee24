//! The plan of a dry run, for people.

use serde_json::Value;

/// Whether every guard lets it pass.
pub(crate) fn passes(restart: &Value) -> bool {
    items(restart, "guards").all(|guard| guard["passes"] == true)
}

/// The plan in lines.
pub(crate) fn lines(node: &str, restart: &Value) -> Vec<String> {
    let (status, plan) = (&restart["status"], &restart["status"]["plan"]);
    let steps: Vec<String> =
        items(restart, "steps").map(|step| format!("{} ({})", text(&step["step"]), text(&step["mode"]))).collect();
    let instance = [&status["provider"], &status["instance"]["id"], &status["instance"]["region"]].map(text);
    let instance: Vec<&str> = instance.into_iter().filter(|part| !part.is_empty()).collect();
    let mut lines = vec![format!("node/{node} would be restarted (server dry run)")];
    let facts = [
        ("machine", instance.join(" ")),
        ("steps", steps.join(", then ")),
        ("provider says", text(&plan["verdict"]).to_owned()),
        ("begins", text(&plan["begins"]).to_owned()),
    ];
    lines
        .extend(facts.into_iter().filter(|(_, fact)| !fact.is_empty()).map(|(name, fact)| format!("  {name}: {fact}")));
    for guard in items(restart, "guards") {
        let verdict = if guard["passes"] == true { "passes" } else { "REFUSES" };
        lines.push(tail(format!("  guard {}: {verdict}", text(&guard["name"])), &guard["message"]));
    }
    for pod in items(restart, "pods") {
        let line = format!("  pod {}: {}", object(pod), text(&pod["action"]));
        lines.push(tail(line, &pod["reason"]));
    }
    for budget in items(restart, "budgets") {
        let pods = budget["pods"].as_u64().unwrap_or_default();
        lines.push(format!("  budget {}: allows no disruption now, covers {pods} of these pods", object(budget)));
    }
    lines
}

fn tail(line: String, reason: &Value) -> String {
    match text(reason) {
        "" => line,
        reason => format!("{line}: {reason}"),
    }
}

fn object(value: &Value) -> String {
    format!("{}/{}", text(&value["namespace"]), text(&value["name"]))
}

fn items<'a>(restart: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    restart["status"]["plan"][field].as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_is_told_in_full() {
        let restart = json!({ "status": {
            "provider": "aws",
            "instance": { "id": "i-1", "region": "eu-west-1" },
            "plan": {
                "steps": [{ "step": "Reboot", "mode": "Soft" }, { "step": "Reset", "mode": "Hard" }],
                "verdict": "DryRunOperation",
                "guards": [
                    { "name": "ControlPlane", "passes": true },
                    { "name": "MinHealthy", "passes": false, "message": "2 of 3 nodes are ready" },
                ],
                "pods": [
                    { "namespace": "default", "name": "web-0", "action": "Evict" },
                    { "namespace": "kube-system", "name": "proxy", "action": "Ignore", "reason": "DaemonSet" },
                ],
                "budgets": [{ "namespace": "default", "name": "web", "pods": 1 }],
            },
        } });
        assert!(!passes(&restart));
        assert_eq!(
            lines("a", &restart),
            [
                "node/a would be restarted (server dry run)",
                "  machine: aws i-1 eu-west-1",
                "  steps: Reboot (Soft), then Reset (Hard)",
                "  provider says: DryRunOperation",
                "  guard ControlPlane: passes",
                "  guard MinHealthy: REFUSES: 2 of 3 nodes are ready",
                "  pod default/web-0: Evict",
                "  pod kube-system/proxy: Ignore: DaemonSet",
                "  budget default/web: allows no disruption now, covers 1 of these pods",
            ]
        );
    }

    #[test]
    fn a_plan_without_guards_passes() {
        assert!(passes(&json!({ "status": { "plan": {} } })));
    }
}
