//! Guards: what speaks against a restart, and how it is lifted. All are on by default.
//!
//! To add one: a row in [`Guard`], its look in [`look`], its flag in [`Limits`].

use std::collections::BTreeSet;

use proto::node::{Instance, State};

use crate::cluster::Node;

/// What an operator allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Restart control-plane nodes too.
    pub control_plane: bool,
    /// Restart the node that the worker runs on too, as the last.
    pub own_node: bool,
    /// The node that the worker runs on, where that is known.
    pub node_name: Option<String>,
    /// The label that keeps a node from being restarted.
    pub exclude_label: String,
    /// How many restarts may be on their way at a time.
    pub max_in_flight: usize,
    /// How many of the other nodes must be Ready.
    pub min_healthy: Share,
    /// The providers whose instances are not compared with the node.
    pub unchecked: BTreeSet<String>,
}

/// A number, or a part of a hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// So many.
    Count(usize),
    /// So many of a hundred.
    Percent(usize),
}

/// What the guards look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// The node.
    pub node: &'a Node,
    /// All nodes.
    pub nodes: &'a [Node],
    /// Whose machine it is.
    pub provider: &'a str,
    /// The machine.
    pub instance: &'a Instance,
    /// The other restarts that have not ended.
    pub others: &'a [Other],
}

/// Another restart that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Other {
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: String,
    /// Whether it has begun.
    pub begun: bool,
    /// Whether it would begin now, if it were let.
    pub due: bool,
}

/// The guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Guard {
    OneAtATime,
    ControlPlane,
    Excluded,
    OwnNode,
    Identity,
    InstanceState,
    MaxInFlight,
    MinHealthy,
}

/// What a guard says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Which guard.
    pub guard: Guard,
    /// Why not and how to lift it; `None` lets the restart pass.
    pub refusal: Option<String>,
    /// Whether waiting helps.
    pub passing: bool,
}

/// What every guard says, in their order.
pub(crate) fn look(facts: &Facts<'_>, limits: &Limits) -> Vec<Verdict> {
    let verdict = |guard, refusal| Verdict { guard, refusal, passing: false };
    let moment = |guard, refusal| Verdict { guard, refusal, passing: true };
    vec![
        verdict(Guard::OneAtATime, one_at_a_time(facts)),
        verdict(Guard::ControlPlane, control_plane(facts, limits)),
        verdict(Guard::Excluded, excluded(facts, limits)),
        Verdict { guard: Guard::OwnNode, passing: limits.own_node, refusal: own_node(facts, limits) },
        verdict(Guard::Identity, identity(facts, limits)),
        instance_state(facts.instance),
        moment(Guard::MaxInFlight, max_in_flight(facts, limits)),
        moment(Guard::MinHealthy, min_healthy(facts, limits)),
    ]
}

fn one_at_a_time(facts: &Facts<'_>) -> Option<String> {
    let other = facts.others.iter().find(|other| other.node == facts.node.name)?;
    Some(format!("it is being restarted by {}: wait for that, or delete it to cancel it", other.name))
}

fn control_plane(facts: &Facts<'_>, limits: &Limits) -> Option<String> {
    let labels = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
    let found =
        labels.iter().find(|label| facts.node.labels.contains_key(**label)).filter(|_| !limits.control_plane)?;
    Some(format!("it is a control-plane node (label {found}): --restart-control-plane allows that"))
}

fn excluded(facts: &Facts<'_>, limits: &Limits) -> Option<String> {
    let label = &limits.exclude_label;
    let value = facts.node.labels.get(label).filter(|value| *value != "false")?;
    Some(format!("it is excluded by its label {label}={value}: take that away (--restart-exclude-label names it)"))
}

fn own_node(facts: &Facts<'_>, limits: &Limits) -> Option<String> {
    limits.node_name.as_ref().filter(|own| **own == facts.node.name)?;
    if !limits.own_node {
        return Some("the restart worker runs on it: --restart-own-node allows that, as the last".to_owned());
    }
    let other = facts.others.iter().find(|other| other.begun || other.due)?;
    Some(format!("the restart worker runs on it, so it comes last: {} has not ended", other.name))
}

/// Whether the instance is this node. Its provider says what addresses and names it has, the node's kubelet what the node
/// has: a providerID that somebody has put on a node leads to another machine.
fn identity(facts: &Facts<'_>, limits: &Limits) -> Option<String> {
    let Facts { node, instance, provider, .. } = facts;
    if limits.unchecked.contains(*provider) {
        return None;
    }
    let is = |mine: &str, theirs: &str| mine.trim_end_matches('.').eq_ignore_ascii_case(theirs.trim_end_matches('.'));
    let common = |mine: &[String], theirs: &[String]| {
        mine.iter().any(|mine| !mine.is_empty() && theirs.iter().any(|theirs| is(mine, theirs)))
    };
    if common(&node.ips, &instance.addresses) || common(&node.hosts, &instance.names) {
        return None;
    }
    let list = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    Some(format!(
        "its providerID leads to instance {}, which is another machine: addresses {} and names {} there, {} and {} here; \
         correct spec.providerID, or allow it with --restart-unchecked-identity {provider}",
        instance.id,
        list(&instance.addresses),
        list(&instance.names),
        list(&node.ips),
        list(&node.hosts),
    ))
}

fn instance_state(instance: &Instance) -> Verdict {
    let (passing, what) = match instance.state {
        State::Running | State::Other => (false, None),
        State::Restarting | State::Starting => (true, Some("is not up yet: wait until it runs")),
        State::Stopping | State::Stopped => (false, Some("is off: start it, a restart does not")),
        State::Gone => (false, Some("is gone")),
    };
    let refusal = what.map(|what| format!("its instance {} ({}) {what}", instance.id, instance.provider_state));
    Verdict { guard: Guard::InstanceState, refusal, passing }
}

fn max_in_flight(facts: &Facts<'_>, limits: &Limits) -> Option<String> {
    let begun: Vec<_> = facts.others.iter().filter(|other| other.begun).map(|other| other.name.as_str()).collect();
    let full = begun.len() >= limits.max_in_flight;
    full.then(|| {
        let (count, max) = (begun.len(), limits.max_in_flight);
        format!("{count} restarts are on their way ({}): --restart-max-in-flight is {max}", begun.join(", "))
    })
}

fn min_healthy(facts: &Facts<'_>, limits: &Limits) -> Option<String> {
    let others: Vec<_> = facts.nodes.iter().filter(|node| node.name != facts.node.name).collect();
    let ready = others.iter().filter(|node| node.ready).count();
    let (least, flag) = match limits.min_healthy {
        Share::Count(count) => (count, count.to_string()),
        Share::Percent(percent) => ((others.len() * percent).div_ceil(100), format!("{percent}%")),
    };
    (ready < least)
        .then(|| format!("{ready} of {} other nodes are Ready: --restart-min-healthy is {flag}", others.len()))
}

// === impl Guard ===

impl Guard {
    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::OneAtATime => "OneAtATime",
            Self::ControlPlane => "ControlPlane",
            Self::Excluded => "Excluded",
            Self::OwnNode => "OwnNode",
            Self::Identity => "Identity",
            Self::InstanceState => "InstanceState",
            Self::MaxInFlight => "MaxInFlight",
            Self::MinHealthy => "MinHealthy",
        }
    }

    /// What a refusal is answered with: 403 for what the configuration says, 409 for what is so now.
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::ControlPlane | Self::Excluded | Self::Identity => 403,
            Self::OneAtATime | Self::OwnNode | Self::InstanceState | Self::MaxInFlight | Self::MinHealthy => 409,
        }
    }
}

// === impl Share ===

impl std::str::FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || "neither a number nor a percentage such as 50%".to_owned();
        let (digits, percent) = text.strip_suffix('%').map_or((text, false), |digits| (digits, true));
        let number = digits.parse().map_err(|_| invalid())?;
        match percent {
            true if number <= 100 => Ok(Self::Percent(number)),
            true => Err(invalid()),
            false => Ok(Self::Count(number)),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            control_plane: false,
            own_node: false,
            node_name: None,
            exclude_label: "infraops.michael.io/no-restart".to_owned(),
            max_in_flight: 1,
            min_healthy: Share::Percent(50),
            unchecked: BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, ready: bool) -> Node {
        Node {
            name: name.into(),
            ready,
            ips: vec!["10.0.0.1".into()],
            hosts: vec!["ip-10-0-0-1.ec2.internal".into()],
            ..Node::default()
        }
    }

    fn instance(address: &str, name: &str) -> Instance {
        let some = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
        Instance {
            id: "i-1".into(),
            region: String::new(),
            state: State::Running,
            provider_state: "running".into(),
            addresses: some(address),
            names: some(name),
        }
    }

    fn labelled(label: &str, value: &str) -> Node {
        Node { labels: [(label.to_owned(), value.to_owned())].into(), ..node("a", true) }
    }

    fn other(name: &str, node: &str, begun: bool) -> Other {
        Other { name: name.into(), node: node.into(), begun, due: true }
    }

    struct Case {
        node: Node,
        nodes: Vec<Node>,
        instance: Instance,
        others: Vec<Other>,
        limits: Limits,
    }

    fn usual() -> Case {
        let nodes = vec![node("a", true), node("b", true), node("c", false)];
        let limits = Limits { node_name: Some("z".into()), ..Limits::default() };
        Case { node: node("a", true), nodes, instance: instance("10.0.0.1", ""), others: Vec::new(), limits }
    }

    /// The guards that refuse, and whether waiting helps.
    fn refusing(case: &Case) -> Vec<(Guard, bool)> {
        let Case { node, nodes, instance, others, limits } = case;
        let facts = Facts { node, nodes, provider: "aws", instance, others };
        let verdicts = look(&facts, limits).into_iter();
        verdicts.filter(|verdict| verdict.refusal.is_some()).map(|verdict| (verdict.guard, verdict.passing)).collect()
    }

    #[test]
    fn an_ordinary_node_may_be_restarted() {
        assert_eq!(refusing(&usual()), []);
    }

    #[test]
    fn each_guard_refuses_alone_and_is_lifted_by_its_flag() {
        let flags = usual().limits;
        let cases = [
            (
                Case { node: labelled("node-role.kubernetes.io/control-plane", ""), ..usual() },
                (Guard::ControlPlane, false),
                Limits { control_plane: true, ..flags.clone() },
            ),
            (
                Case { node: labelled("infraops.michael.io/no-restart", ""), ..usual() },
                (Guard::Excluded, false),
                Limits { exclude_label: "another".into(), ..flags.clone() },
            ),
            (
                Case { limits: Limits { node_name: Some("a".into()), ..flags.clone() }, ..usual() },
                (Guard::OwnNode, false),
                Limits { node_name: Some("a".into()), own_node: true, ..flags.clone() },
            ),
            (
                Case { instance: instance("10.9.9.9", "other"), ..usual() },
                (Guard::Identity, false),
                Limits { unchecked: ["aws".to_owned()].into(), ..flags.clone() },
            ),
            (
                Case { others: vec![other("b-1", "b", true)], ..usual() },
                (Guard::MaxInFlight, true),
                Limits { max_in_flight: 2, ..flags.clone() },
            ),
            (
                Case { nodes: vec![node("a", true), node("b", false)], ..usual() },
                (Guard::MinHealthy, true),
                Limits { min_healthy: Share::Count(0), ..flags },
            ),
        ];
        for (case, expected, lifted) in cases {
            assert_eq!(refusing(&case), [expected]);
            assert_eq!(refusing(&Case { limits: lifted, ..case }), [], "{expected:?}");
        }
    }

    #[test]
    fn the_own_node_comes_last() {
        let limits = Limits { node_name: Some("a".into()), own_node: true, max_in_flight: 5, ..Limits::default() };
        let case = Case { others: vec![other("b-1", "b", false)], limits, ..usual() };
        assert_eq!(refusing(&case), [(Guard::OwnNode, true)]);
        let scheduled = Other { due: false, ..other("b-1", "b", false) };
        assert_eq!(refusing(&Case { others: vec![scheduled], ..case }), []);
    }

    #[test]
    fn a_node_is_restarted_by_one_at_a_time_and_others_may_wait() {
        let case = Case { others: vec![other("a-1", "a", false)], ..usual() };
        assert_eq!(refusing(&case), [(Guard::OneAtATime, false)]);
        assert_eq!(refusing(&Case { others: vec![other("b-1", "b", false)], ..usual() }), []);
    }

    #[test]
    fn an_address_or_a_name_shows_that_it_is_the_node() {
        for (instance, same) in [
            (instance("10.0.0.1", ""), true),
            (instance("", "IP-10-0-0-1.ec2.internal."), true),
            (instance("10.0.0.10", "ip-10-0-0-10.ec2.internal"), false),
            (instance("", ""), false),
        ] {
            let case = Case { instance, ..usual() };
            assert_eq!(refusing(&case).is_empty(), same, "{:?}", case.instance);
        }
        let nameless = Node { ips: vec![String::new()], hosts: Vec::new(), ..node("a", true) };
        let case = Case { node: nameless, instance: instance("", ""), ..usual() };
        assert_eq!(refusing(&case), [(Guard::Identity, false)]);
    }

    #[test]
    fn only_a_machine_that_runs_is_restarted() {
        for (state, expected) in [
            (State::Running, None),
            (State::Other, None),
            (State::Starting, Some(true)),
            (State::Restarting, Some(true)),
            (State::Stopping, Some(false)),
            (State::Stopped, Some(false)),
            (State::Gone, Some(false)),
        ] {
            let case = Case { instance: Instance { state, ..instance("10.0.0.1", "") }, ..usual() };
            let found = refusing(&case);
            assert_eq!(found.first().map(|(_, passing)| *passing), expected, "{state:?}");
        }
    }

    #[test]
    fn health_is_counted_without_the_node_itself() {
        let alone = Case { nodes: vec![node("a", false)], ..usual() };
        assert_eq!(refusing(&alone), []);
        let three =
            Case { nodes: vec![node("a", true), node("b", true), node("c", false), node("d", false)], ..usual() };
        assert_eq!(refusing(&three), [(Guard::MinHealthy, true)]);
        for (text, share) in
            [("50%", Some(Share::Percent(50))), ("2", Some(Share::Count(2))), ("101%", None), ("x", None)]
        {
            assert_eq!(text.parse().ok(), share, "{text}");
        }
    }
}
