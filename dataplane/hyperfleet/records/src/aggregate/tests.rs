//! Phases and conditions of what adapters may report.

use proptest::prelude::*;

use super::*;

const GENERATION: i64 = 3;

fn at(second: i64) -> Timestamp {
    Timestamp::constant(second, 0)
}

fn reported(adapter: &str, generation: i64, conditions: &[(&str, &str)]) -> AdapterStatus {
    let condition = |(r#type, status): &(&str, &str)| ReportedCondition {
        last_transition_time: Some(at(generation)),
        message: None,
        reason: None,
        status: (*status).to_owned(),
        r#type: (*r#type).to_owned(),
        others: serde_json::Map::new(),
    };
    AdapterStatus {
        adapter: adapter.to_owned(),
        conditions: conditions.iter().map(condition).collect(),
        created_time: at(1),
        data: serde_json::Map::new(),
        last_report_time: at(generation + 10),
        metadata: None,
        observed_generation: generation,
    }
}

/// Aggregates reports of a record, after `before`.
fn after(before: &Status, required: &[&str], reports: &[AdapterStatus], now: i64) -> Status {
    let required: Vec<String> = required.iter().map(|&name| name.to_owned()).collect();
    let subject = Subject {
        generation: GENERATION,
        deleting: false,
        children: 0,
        required: &required,
        reports,
        before,
        now: at(now),
    };
    subject.aggregate()
}

fn status(required: &[&str], reports: &[AdapterStatus]) -> Status {
    after(&Status::new(), required, reports, 100)
}

fn condition(status: &Status, r#type: &str) -> String {
    status.condition(r#type).map_or_else(|| "none".to_owned(), |condition| condition.status.clone())
}

#[test]
fn an_adapter_succeeds_fails_or_is_at_work() {
    for (generation, conditions, expected) in [
        (3, &[("Available", "True")][..], Phase::Ready),
        (2, &[("Available", "True")], Phase::NotReady),
        (3, &[("Ready", "True")], Phase::Ready),
        (3, &[("Available", "False"), ("Ready", "True")], Phase::Failed),
        (3, &[("Available", "True"), ("Ready", "False")], Phase::Ready),
        (3, &[("Available", "False")], Phase::Failed),
        (3, &[("Ready", "False")], Phase::Failed),
        (2, &[("Available", "False")], Phase::NotReady),
        (3, &[("Available", "Unknown")], Phase::NotReady),
        (3, &[("Available", "False"), ("Progressing", "True")], Phase::NotReady),
        (3, &[("Available", "False"), ("Progressing", "Unknown")], Phase::NotReady),
        (3, &[("Available", "False"), ("Progressing", "False")], Phase::Failed),
        (3, &[("Available", "False"), ("Applied", "Unknown")], Phase::NotReady),
        (3, &[("Available", "False"), ("Applied", "True")], Phase::Failed),
        (3, &[("Available", "False"), ("Applied", "False"), ("Health", "True")], Phase::Failed),
        (3, &[("Health", "True")], Phase::NotReady),
        (3, &[], Phase::NotReady),
    ] {
        let found = status(&[], &[reported("dns", generation, conditions)]).phase;
        assert_eq!(found, expected, "{generation} {conditions:?}");
    }
}

#[test]
fn what_is_required_decides() {
    let (good, bad) = ([("Available", "True")], [("Available", "False")]);
    let (dns, api) = (reported("dns", 3, &good), reported("api", 3, &bad));
    let both = [api, dns];
    assert_eq!(status(&[], &both).phase, Phase::Failed);
    assert_eq!(status(&["dns"], &both).phase, Phase::Ready);
    assert_eq!(status(&["dns", "more"], &both).phase, Phase::NotReady);
    assert_eq!(status(&["more", "api"], &both).phase, Phase::Failed);
    assert_eq!(status(&["more"], &[]).phase, Phase::NotReady);
    assert_eq!(status(&[], &[]), Status::new());
}

#[test]
fn the_numbers_are_the_least_and_none_is_zero() {
    let reports = [reported("a", 2, &[("Available", "True")]), reported("b", 3, &[("Health", "True")])];
    let found = status(&[], &reports);
    assert_eq!((found.observed_generation, found.last_updated_time), (2, at(12)));
    assert_eq!(status(&[], &[reported("b", 3, &[])]).observed_generation, 3);
    let types: Vec<_> = found.conditions.iter().map(|condition| condition.r#type.as_str()).collect();
    assert_eq!(types, ["Reconciled", "LastKnownReconciled", "ASuccessful"]);
}

#[test]
fn times_change_with_what_they_are_of() {
    let bad = [reported("dns", 3, &[("Available", "False")])];
    let good = [reported("dns", 3, &[("Available", "True")])];
    let first = after(&Status::new(), &[], &bad, 100);
    let same = after(&first, &[], &bad, 200);
    let other = after(&same, &[], &good, 300);
    let times = |status: &Status| {
        let reconciled = status.condition("Reconciled").expect("Reconciled");
        (
            status.last_transition_time,
            reconciled.created_time,
            reconciled.last_transition_time,
            reconciled.last_updated_time,
        )
    };
    assert_eq!(times(&first), (at(100), at(100), at(100), at(100)));
    assert_eq!(times(&same), (at(100), at(100), at(100), at(200)));
    assert_eq!(times(&other), (at(300), at(100), at(300), at(300)));
}

#[test]
fn the_last_known_generation_is_remembered() {
    let report = |adapter, generation, verdict| reported(adapter, generation, &[("Available", verdict)]);
    let mut status = Status::new();
    for (reports, reconciled, known, generation) in [
        (vec![report("a", 2, "True")], "False", "True", 2),
        (vec![report("a", 2, "True"), report("b", 2, "False")], "False", "False", 2),
        (vec![report("a", 2, "True"), report("b", 2, "True")], "False", "True", 2),
        // One goes on to the next generation, and fails there: the last one that is known is as it was.
        (vec![report("a", 3, "False"), report("b", 2, "True")], "False", "True", 2),
        // The other takes back what it said of that one.
        (vec![report("a", 3, "False"), report("b", 2, "False")], "False", "False", 2),
        (vec![report("a", 3, "True"), report("b", 3, "True")], "True", "True", 3),
        (vec![report("a", 3, "True"), report("b", 3, "Unknown")], "False", "False", 3),
    ] {
        status = after(&status, &[], &reports, 100);
        assert_eq!(
            (condition(&status, "Reconciled").as_str(), condition(&status, "LastKnownReconciled").as_str()),
            (reconciled, known),
            "{reports:?}"
        );
        assert_eq!(status.condition("LastKnownReconciled").map(|known| known.observed_generation), Some(generation));
    }
}

#[test]
fn a_record_goes_when_nothing_holds_it() {
    let finalized = |generation, status| [reported("dns", generation, &[("Finalized", status)])];
    for (deleting, children, required, reports, goes, reason) in [
        (false, 0, &[][..], vec![], false, "none"),
        (true, 0, &[], vec![], true, "ReconciledDeleting"),
        (true, 1, &[], vec![], false, "ReconciledWaitingForChildren"),
        (true, 0, &["dns".to_owned()], vec![], false, "ReconciledMissingAdapters"),
        (true, 0, &[], finalized(3, "True").to_vec(), true, "ReconciledDeleting"),
        (true, 0, &[], finalized(2, "True").to_vec(), false, "ReconciledMissingAdapters"),
        (true, 0, &[], finalized(3, "False").to_vec(), false, "ReconciledMissingAdapters"),
        (true, 2, &[], finalized(3, "True").to_vec(), false, "ReconciledWaitingForChildren"),
    ] {
        let before = Status::new();
        let subject = Subject {
            generation: GENERATION,
            deleting,
            children,
            required,
            reports: &reports,
            before: &before,
            now: at(1),
        };
        let status = subject.aggregate();
        let found = status.condition("Reconciled").and_then(|condition| condition.reason.clone());
        assert_eq!((subject.may_go(), found.as_deref().unwrap_or("none")), (goes, reason));
        assert_ne!(status.phase, Phase::Ready);
    }
}

#[test]
fn names_are_in_pascal_case() {
    for (name, expected) in
        [("gcp-provisioner", "GcpProvisioner"), ("dns", "Dns"), ("a_b.cD", "ABCD"), ("", ""), ("-", "")]
    {
        assert_eq!(pascal_case(name), expected);
    }
}

fn random_reports() -> impl Strategy<Value = Vec<AdapterStatus>> {
    let types = prop::sample::select(vec!["Available", "Ready", "Progressing", "Applied", "Health", "Finalized"]);
    let conditions = prop::collection::vec((types, prop::sample::select(vec!["True", "False", "Unknown"])), 0..5);
    let report = (1..5_i64, conditions).prop_map(|(generation, conditions)| (generation, conditions));
    prop::collection::btree_map("[a-d]", report, 0..4).prop_map(|reports| {
        reports.into_iter().map(|(name, (generation, conditions))| reported(&name, generation, &conditions)).collect()
    })
}

proptest! {
    #[test]
    fn reconciled_is_ready_and_failed_has_a_culprit(
        reports in random_reports(),
        required in prop::collection::btree_set("[a-d]", 0..3),
    ) {
        let required: Vec<&str> = required.iter().map(String::as_str).collect();
        let status = status(&required, &reports);
        prop_assert_eq!(condition(&status, "Reconciled") == "True", status.phase == Phase::Ready);
        let counts = |report: &&AdapterStatus| required.is_empty() || required.contains(&report.adapter.as_str());
        let current = |report: &&AdapterStatus| report.observed_generation == GENERATION;
        let is_false = |report| verdict(report).is_some_and(|verdict| verdict.status == "False");
        let denied = reports.iter().filter(counts).filter(current).any(is_false);
        prop_assert!(status.phase != Phase::Failed || denied);
        if status.phase == Phase::Ready {
            prop_assert!(reports.iter().filter(counts).all(|report| current(&report) && is_true(report)));
            prop_assert!(required.iter().all(|name| reports.iter().any(|report| report.adapter == *name)));
            prop_assert_eq!(condition(&status, "LastKnownReconciled"), "True");
        }
        let oldest = reports.iter().map(|report| report.observed_generation).min();
        prop_assert_eq!(status.observed_generation, oldest.unwrap_or(0));
        prop_assert_eq!(status.adapters, reports);
    }

    #[test]
    fn aggregating_again_moves_no_transition(reports in random_reports()) {
        let first = after(&Status::new(), &[], &reports, 100);
        let again = after(&first, &[], &reports, 200);
        prop_assert_eq!(first.phase, again.phase);
        prop_assert_eq!(first.last_transition_time, again.last_transition_time);
        let transitions = |status: &Status| -> Vec<_> {
            status.conditions.iter().map(|condition| condition.last_transition_time).collect()
        };
        prop_assert_eq!(transitions(&first), transitions(&again));
    }
}
