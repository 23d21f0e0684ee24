//! What the phases of a NodeRestart mean to who waits, looks or cancels.

use serde_json::Value;

/// The phases that nothing comes after.
const ENDED: [&str; 4] = ["Succeeded", "Failed", "Cancelled", "Unknown"];
/// The phases before the provider may have been asked.
const CANCELLABLE: [&str; 4] = ["Accepted", "Checked", "Cordoned", "Draining"];

/// The phase of a NodeRestart.
pub(crate) fn of(restart: &Value) -> &str {
    restart["status"]["phase"].as_str().unwrap_or_default()
}

/// Whether nothing more will happen.
pub(crate) fn ended(restart: &Value) -> bool {
    ENDED.contains(&of(restart))
}

/// Whether it is too late to cancel it: the provider may have been asked, and the end has not come.
pub(crate) fn past_return(restart: &Value) -> bool {
    !ended(restart) && !CANCELLABLE.contains(&of(restart))
}

/// Whether the provider was asked, or may still be.
pub(crate) fn counts(restart: &Value) -> bool {
    let asked = restart["status"]["steps"].as_array().is_some_and(|steps| !steps.is_empty());
    asked || !ended(restart)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_phase_of_the_definition_has_its_meaning() {
        let cases = [
            ("Accepted", false, false),
            ("Checked", false, false),
            ("Cordoned", false, false),
            ("Draining", false, false),
            ("IntentRecorded", false, true),
            ("Sent", false, true),
            ("Rebooting", false, true),
            ("Ready", false, true),
            ("Uncordoned", false, true),
            ("Succeeded", true, false),
            ("Failed", true, false),
            ("Cancelled", true, false),
            ("Unknown", true, false),
        ];
        for (phase, has_ended, too_late) in cases {
            let restart = json!({ "status": { "phase": phase } });
            assert_eq!((ended(&restart), past_return(&restart)), (has_ended, too_late), "{phase}");
        }
        let phases: Vec<&str> = cases.iter().map(|(phase, ..)| *phase).collect();
        let definition = include_str!("../../../dataplane/restart/src/node_restart.yaml");
        assert!(definition.contains(&format!("enum: [{}]", phases.join(", "))), "the definition has other phases");
    }

    #[test]
    fn a_restart_that_ended_before_the_provider_was_asked_was_none() {
        let restart = |phase: &str, steps: Value| json!({ "status": { "phase": phase, "steps": steps } });
        assert!(counts(&restart("Draining", json!([]))));
        assert!(!counts(&restart("Cancelled", json!([]))) && !counts(&restart("Failed", Value::Null)));
        assert!(counts(&restart("Failed", json!([{ "step": "Reboot" }]))));
    }
}
