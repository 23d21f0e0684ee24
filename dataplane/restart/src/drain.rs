//! Which pods a drain evicts, deletes or leaves, and which of them keep it from beginning: as `kubectl drain` decides.

use crate::{
    cluster::{Budget, Pod},
    node_restart::{Blocking, BudgetPlan, Drain, PodPlan},
};

/// What a drain does with a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It goes.
    Go,
    /// It stays where it is.
    Ignore(&'static str),
    /// It may not go, and the drain does not begin.
    Block(&'static str),
}

/// What a drain does with the pods of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sorted {
    /// Those that go and have not been told.
    pub to_go: Vec<Pod>,
    /// Those that are on their way.
    pub going: Vec<Pod>,
    /// Those that may not go.
    pub blocked: Vec<Blocking>,
}

/// A pod, and whether its DaemonSet is there; for pods of others that says nothing.
pub(crate) type Owned = (Pod, bool);

/// What a drain does with a pod. `has_set` is whether the pod's DaemonSet is there.
pub(crate) fn action(pod: &Pod, has_set: bool, drain: &Drain) -> Action {
    let controller = pod.controller.as_ref().map(|(kind, _)| kind.as_str());
    if controller == Some("DaemonSet") && !pod.finished {
        match (has_set, drain.ignore_daemon_sets) {
            (true, true) => return Action::Ignore("it belongs to a DaemonSet"),
            (true, false) => return Action::Block("it belongs to a DaemonSet: ignoreDaemonSets leaves it there"),
            (false, _) if !drain.force => return Action::Block("its DaemonSet is gone: force deletes it"),
            (false, _) => {}
        }
    }
    if pod.mirror {
        return Action::Ignore("it is a static pod");
    }
    if pod.empty_dir && !pod.finished && !drain.delete_empty_dir {
        return Action::Block("it has emptyDir volumes: deleteEmptyDir deletes it and them");
    }
    if controller.is_none() && !pod.finished && !drain.force {
        return Action::Block("no controller makes it again: force deletes it");
    }
    Action::Go
}

/// What a drain does with the pods of a node.
pub(crate) fn sort(pods: Vec<Owned>, drain: &Drain) -> Sorted {
    let mut sorted = Sorted::default();
    for (pod, has_set) in pods {
        match action(&pod, has_set, drain) {
            Action::Go if pod.terminating => sorted.going.push(pod),
            Action::Go => sorted.to_go.push(pod),
            Action::Ignore(_) => {}
            // What goes already is not asked whether it may.
            Action::Block(_) if pod.terminating => sorted.going.push(pod),
            Action::Block(reason) => sorted.blocked.push(blocking(&pod, reason)),
        }
    }
    sorted
}

/// The same for a plan.
pub(crate) fn plan(pods: &[Owned], drain: &Drain) -> Vec<PodPlan> {
    let word = if drain.disable_eviction { "Delete" } else { "Evict" };
    let plan = |(pod, has_set): &Owned| {
        let (action, reason) = match action(pod, *has_set, drain) {
            Action::Go => (word, ""),
            Action::Ignore(reason) => ("Ignore", reason),
            Action::Block(reason) => ("Block", reason),
        };
        let (namespace, name) = (pod.namespace.clone(), pod.name.clone());
        PodPlan { namespace, name, action: action.to_owned(), reason: reason.to_owned() }
    };
    pods.iter().map(plan).collect()
}

/// The budgets that allow no disruption now and cover pods that would be evicted.
pub(crate) fn budgets(pods: &[Owned], drain: &Drain, budgets: Vec<Budget>) -> Vec<BudgetPlan> {
    if drain.disable_eviction {
        return Vec::new();
    }
    let goes = |(pod, has_set): &&Owned| !pod.finished && action(pod, *has_set, drain) == Action::Go;
    let exhausted = budgets.into_iter().filter(|budget| budget.allowed <= 0);
    let covering = exhausted.map(|Budget { namespace, name, selector, .. }| {
        let covers = |(pod, _): &&Owned| {
            pod.namespace == namespace && selector.as_ref().is_some_and(|selector| selector.matches(&pod.labels))
        };
        let pods = pods.iter().filter(goes).filter(covers).count();
        BudgetPlan { namespace, name, pods }
    });
    covering.filter(|budget| budget.pods > 0).collect()
}

/// Why a pod does not go.
pub(crate) fn blocking(pod: &Pod, reason: &str) -> Blocking {
    Blocking { namespace: pod.namespace.clone(), name: pod.name.clone(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use machinery::selector::LabelSelector;

    use super::*;

    fn pod(name: &str) -> Pod {
        let controller = Some(("ReplicaSet".to_owned(), "rs".to_owned()));
        Pod { namespace: "default".into(), name: name.into(), uid: name.into(), controller, ..Pod::default() }
    }

    fn of_daemon_set() -> Pod {
        Pod { controller: Some(("DaemonSet".to_owned(), "ds".to_owned())), ..pod("ds") }
    }

    fn defaults() -> Drain {
        Drain { enabled: true, ignore_daemon_sets: true, ..Drain::default() }
    }

    #[test]
    fn pods_go_as_kubectl_drain_lets_them() {
        let force = Drain { force: true, ..defaults() };
        let strict = Drain { ignore_daemon_sets: false, ..defaults() };
        let lossy = Drain { delete_empty_dir: true, ..defaults() };
        let alone = Pod { controller: None, ..pod("alone") };
        let scratch = Pod { empty_dir: true, ..pod("scratch") };
        let done = Pod { finished: true, empty_dir: true, controller: None, ..pod("done") };
        let mirror = Pod { mirror: true, controller: None, ..pod("static") };
        let daemon_done = Pod { finished: true, ..of_daemon_set() };
        for (pod, has_set, drain, expected) in [
            (pod("plain"), false, defaults(), "go"),
            (of_daemon_set(), true, defaults(), "ignore"),
            (of_daemon_set(), true, strict.clone(), "block"),
            (of_daemon_set(), false, defaults(), "block"),
            (of_daemon_set(), false, force.clone(), "go"),
            (daemon_done, true, strict, "go"),
            (mirror, false, defaults(), "ignore"),
            (scratch.clone(), false, defaults(), "block"),
            (scratch.clone(), false, force.clone(), "block"),
            (scratch, false, lossy, "go"),
            (alone.clone(), false, defaults(), "block"),
            (alone, false, force, "go"),
            (done, false, defaults(), "go"),
        ] {
            let actual = match action(&pod, has_set, &drain) {
                Action::Go => "go",
                Action::Ignore(_) => "ignore",
                Action::Block(_) => "block",
            };
            assert_eq!(actual, expected, "{pod:?} {drain:?}");
        }
    }

    #[test]
    fn what_is_terminating_is_waited_for_and_not_asked_again() {
        let going = Pod { terminating: true, empty_dir: true, ..pod("going") };
        let sorted = sort(vec![(going.clone(), false), (pod("a"), false), (of_daemon_set(), true)], &defaults());
        assert_eq!(sorted, Sorted { to_go: vec![pod("a")], going: vec![going], blocked: Vec::new() });
    }

    #[test]
    fn a_budget_blocks_the_pods_that_it_covers() {
        let labelled = |name: &str| Pod { labels: [("app".to_owned(), name.to_owned())].into(), ..pod(name) };
        let selector = LabelSelector::parse("app=a").ok();
        let budget = |name: &str, allowed| Budget {
            namespace: "default".into(),
            name: name.into(),
            selector: selector.clone(),
            allowed,
        };
        let elsewhere = Budget { namespace: "other".into(), ..budget("elsewhere", 0) };
        let none = Budget { selector: None, ..budget("none", 0) };
        let pods = [(labelled("a"), false), (labelled("b"), false), (of_daemon_set(), true)];
        let given = vec![budget("tight", 0), budget("loose", 1), elsewhere, none];
        let found = budgets(&pods, &defaults(), given.clone());
        assert_eq!(found, [BudgetPlan { namespace: "default".into(), name: "tight".into(), pods: 1 }]);
        assert_eq!(budgets(&pods, &Drain { disable_eviction: true, ..defaults() }, given), []);
    }
}
