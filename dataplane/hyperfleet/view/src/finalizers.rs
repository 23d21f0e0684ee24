//! What holds a record that is to be deleted, in the form that Kubernetes knows: finalizers.
//!
//! Those of adapters and nodepools follow from the record. They are shown from the beginning, so that a deletion is always one
//! that waits; writing them does nothing. Whatever else is among the finalizers is kept, and holds the record too.

use hyperfleet_records::{AdapterStatus, Kind, Resource, Status};
use machinery::name;

/// What the finalizers of adapters begin with; the rest is the adapter's name.
const ADAPTER: &str = "adapter.hyperfleet.openshift.io/";
/// Holds a cluster until its nodepools are gone.
const NODEPOOLS: &str = "hyperfleet.openshift.io/nodepools";
/// What the part of a finalizer behind its prefix may have.
const NAME_MAX: usize = 63;

/// The finalizers that follow from a record. `required` are the adapters without which it is not ready.
pub(crate) fn of(resource: &Resource, status: &Status, required: &[String]) -> Vec<String> {
    let mut finalizers = adapters(resource, status, required);
    // Whether there are nodepools is only known when adapters are done.
    let none_left = resource.deleted.is_some() && is_reconciled_as(status, "ReconciledDeleting");
    if resource.kind == Kind::Cluster && !none_left {
        finalizers.push(NODEPOOLS.to_owned());
    }
    finalizers
}

/// Those of them without which a record that is to be deleted would be gone.
pub(crate) fn holding(resource: &Resource, status: &Status, required: &[String]) -> Vec<String> {
    let mut finalizers = adapters(resource, status, required);
    finalizers.extend(is_reconciled_as(status, "ReconciledWaitingForChildren").then(|| NODEPOOLS.to_owned()));
    finalizers
}

fn adapters(resource: &Resource, status: &Status, required: &[String]) -> Vec<String> {
    let (deleting, generation) = (resource.deleted.is_some(), resource.generation);
    let reported = |name: &str| status.adapters.iter().find(|report| report.adapter == name);
    let adapters: Vec<&str> = match required {
        [] => status.adapters.iter().map(|report| report.adapter.as_str()).collect(),
        required => required.iter().map(String::as_str).collect(),
    };
    let holds = |adapter: &&str| !deleting || !reported(adapter).is_some_and(|report| finalized(report, generation));
    adapters.into_iter().filter(holds).map(adapter).collect()
}

/// Whether a finalizer follows from the record.
pub(crate) fn follows(finalizer: &str) -> bool {
    finalizer == NODEPOOLS || finalizer.starts_with(ADAPTER)
}

fn finalized(report: &AdapterStatus, generation: i64) -> bool {
    let done = |condition: &&hyperfleet_records::ReportedCondition| condition.r#type == "Finalized";
    report.observed_generation == generation
        && report.conditions.iter().find(done).is_some_and(|condition| condition.status == "True")
}

fn is_reconciled_as(status: &Status, reason: &str) -> bool {
    status.conditions.iter().any(|condition| condition.reason.as_deref() == Some(reason))
}

/// An adapter's finalizer. A name that no finalizer may have is changed to one that it may.
fn adapter(adapter: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let cleaned: String =
        adapter.chars().map(|letter| if allowed(letter) { letter } else { '-' }).take(NAME_MAX).collect();
    let trimmed = cleaned.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let name = if trimmed.is_empty() { "unnamed" } else { trimmed };
    let finalizer = format!("{ADAPTER}{name}");
    debug_assert!(name::qualified(&finalizer).is_empty(), "{finalizer}");
    finalizer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_adapter_has_a_finalizer_that_may_be() {
        for (adapter, expected) in [
            ("dns", "dns"),
            ("gcp-provisioner.v2_x", "gcp-provisioner.v2_x"),
            ("my adapter", "my-adapter"),
            ("-Zone/Ä-", "Zone"),
            ("", "unnamed"),
            ("///", "unnamed"),
        ] {
            let finalizer = super::adapter(adapter);
            assert_eq!(finalizer, format!("{ADAPTER}{expected}"));
            assert!(follows(&finalizer) && name::qualified(&finalizer).is_empty(), "{finalizer}");
        }
        let long = super::adapter(&"a-".repeat(100));
        assert!(name::qualified(&long).is_empty(), "{long}");
        assert!(!follows("example.com/backup"));
    }
}
