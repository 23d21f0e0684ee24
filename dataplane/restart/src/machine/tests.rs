//! The machine alone: each state has an end, and two workers that crash and lag make one call per intent.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proto::node::{Error as NodeError, Mode as How, State, Step};

use super::*;
use crate::{
    cluster::CORDONED_BY,
    node_restart::{Drain, Ending, Metadata, Mode, Outcome, Planned, Record, Spec, Window},
};

const PACE: Pace = Pace {
    soft: Span::from_secs(300),
    cleanup: Span::from_secs(600),
    backoff: (Span::from_secs(5), Span::from_secs(60)),
};

fn node() -> Node {
    Node {
        name: "n".into(),
        uid: "node-1".into(),
        provider_id: "fake:///i-1".into(),
        boot_id: "boot-1".into(),
        ready: true,
        ..Node::default()
    }
}

fn instance(state: State) -> Instance {
    let (id, region) = ("i-1".to_owned(), String::new());
    Instance { id, region, state, provider_state: format!("{state:?}"), addresses: Vec::new(), names: Vec::new() }
}

fn steps(mode: Mode, stop_start: bool) -> Vec<Planned> {
    let hard: &[Step] = if stop_start { &[Step::Stop, Step::Start] } else { &[Step::Reset] };
    let soft = [(Step::Reboot, How::Soft)];
    let hard = hard.iter().map(|&step| (step, How::Hard));
    let steps: Vec<_> = match mode {
        Mode::Soft => soft.to_vec(),
        Mode::Hard => hard.collect(),
        Mode::SoftThenHard => soft.into_iter().chain(hard).collect(),
    };
    steps.into_iter().map(|(step, mode)| Planned { step, mode }).collect()
}

fn opening(plan: Vec<Planned>) -> Gate {
    let Node { uid, provider_id, boot_id, .. } = node();
    let plan = Plan { steps: plan, ..Plan::default() };
    Gate::Open(Box::new(Opening {
        provider: "fake".into(),
        node: Found { uid, provider_id, boot_id },
        instance: instance(State::Running),
        plan,
    }))
}

fn restart(mode: Mode, drain: bool) -> NodeRestart {
    let drain = Drain { enabled: drain, timeout: Span::from_secs(600), ..Drain::default() };
    let timeout = Span::from_secs(1800);
    let spec = Spec { node_name: "n".into(), mode, drain, timeout, ..Spec::default() };
    let mut restart = NodeRestart::new(spec, Time::from_unix(1000));
    restart.metadata = Metadata { name: "n-1".into(), uid: "u-1".into(), ..restart.metadata };
    restart
}

fn seen(now: Time) -> Seen {
    let (node, intent, waited) = (Sight::There(Box::new(node())), Intent::Foreign, false);
    Seen { now, worker: "a".into(), gate: None, node, drain: None, instance: None, intent, waited }
}

// === each state has an end ===

/// A restart in a phase as it can be there.
fn in_phase(phase: Phase, mode: Mode, outcome: Option<Outcome>, ending: Option<Phase>) -> NodeRestart {
    let mut restart = restart(mode, true);
    let now = Time::from_unix(1000);
    restart.status.phase = phase;
    restart.status.history.push(Entered { phase, time: now });
    if phase > Phase::Accepted {
        let Gate::Open(opening) = opening(steps(mode, true)) else { unreachable!("it is open") };
        restart.status.node = Some(opening.node);
        restart.status.plan = Some(opening.plan);
        restart.status.began_at = Some(now);
        restart.status.ending = ending.map(|phase| Ending { phase, time: now });
    }
    if phase >= Phase::IntentRecorded {
        let Planned { step, mode } = steps(mode, true).remove(0);
        restart.status.steps.push(Record {
            step,
            mode,
            token: "u-1-0".into(),
            attempt: 1,
            by: "a".into(),
            time: now,
            outcome,
            request_id: String::new(),
            message: String::new(),
            retry_at: (outcome == Some(Outcome::Refused)).then_some(now),
        });
    }
    restart
}

fn sights() -> Vec<Sight> {
    let there = |node: Node| Sight::There(Box::new(node));
    let signed =
        Node { annotations: [(CORDONED_BY.to_owned(), "n-1/u-1".to_owned())].into(), unschedulable: true, ..node() };
    let rebooted = Node { boot_id: "boot-2".into(), ..signed.clone() };
    vec![
        Sight::Unseen,
        Sight::Gone,
        there(node()),
        there(Node { ready: false, ..node() }),
        there(Node { uid: "node-2".into(), provider_id: "fake:///i-2".into(), ..node() }),
        there(Node { ready: false, ..rebooted.clone() }),
        there(rebooted),
        there(signed),
    ]
}

/// Nothing that is tried works, nobody answers, and still it ends.
#[test]
fn every_state_has_an_end_though_nothing_works() {
    let outcomes = [None, Some(Outcome::Accepted), Some(Outcome::Refused), Some(Outcome::Ambiguous)];
    let endings = [None, Some(Phase::Succeeded), Some(Phase::Failed), Some(Phase::Cancelled), Some(Phase::Unknown)];
    let gates = [
        None,
        Some(Gate::Shut { reason: "MinHealthy".into(), message: "x".into(), passing: true }),
        Some(opening(Vec::new())),
    ];
    let refusal = Intent::Answered(Err(NodeError::Throttled { message: "x".into(), retry_after: 1 }));
    let intents = [Intent::Foreign, refusal, Intent::Answered(Err(NodeError::Ambiguous("x".into())))];
    let mut states = 0;
    for phase in Phase::ALL {
        for mode in [Mode::Soft, Mode::Hard, Mode::SoftThenHard] {
            for (outcome, ending) in outcomes.iter().flat_map(|outcome| endings.map(|ending| (*outcome, ending))) {
                for (sight, gate) in sights().iter().flat_map(|sight| gates.iter().map(move |gate| (sight, gate))) {
                    for intent in &intents {
                        let restart = in_phase(phase, mode, outcome, ending);
                        ends(
                            restart,
                            &Seen {
                                node: sight.clone(),
                                gate: gate.clone(),
                                intent: intent.clone(),
                                ..seen(Time::from_unix(1000))
                            },
                        );
                        states += 1;
                    }
                }
            }
        }
    }
    assert_eq!(states, 13 * 3 * 20 * 24 * 3);
}

/// An hour passes whenever there is nothing to write.
fn ends(mut restart: NodeRestart, seen: &Seen) {
    let (begin, mut seen) = (restart.clone(), seen.clone());
    for _ in 0..60 {
        match next(&restart, &seen, &PACE) {
            Next::Stop => return,
            Next::Write(status) => restart.status = *status,
            Next::Do(_) | Next::Wait => {
                (seen.now, seen.waited) = (seen.now.after(Span::from_secs(3600)), true);
            }
        }
    }
    panic!("{begin:?} with {seen:?} is still {:?}", restart.status);
}

#[test]
fn a_window_and_a_time_are_waited_for_and_not_for_ever() {
    let mut restart = restart(Mode::Soft, false);
    restart.spec.not_before = Some(Time::from_unix(100_000));
    let window = Window { start: "00:00".into(), end: "00:01".into(), days: Vec::new() };
    restart.spec.window = Some(window);
    let shut = Gate::Shut { reason: "MaxInFlight".into(), message: "x".into(), passing: true };
    let reason = |restart: &NodeRestart, now: i64| match next(
        restart,
        &Seen { gate: Some(shut.clone()), ..seen(Time::from_unix(now)) },
        &PACE,
    ) {
        Next::Write(status) => (status.phase, status.reason),
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&restart, 99_999), (Phase::Accepted, "NotBefore".to_owned()));
    assert_eq!(reason(&restart, 100_000), (Phase::Accepted, "Window".to_owned()));
    assert_eq!(reason(&restart, 2 * 86_400), (Phase::Accepted, "MaxInFlight".to_owned()));
    assert_eq!(reason(&restart, 12 * 86_400), (Phase::Failed, "MaxInFlight".to_owned()));
    assert!(!wants(&restart, Time::from_unix(100_000)).gate && wants(&restart, Time::from_unix(2 * 86_400)).gate);
}

#[test]
fn a_window_that_has_closed_is_not_asked_in() {
    let mut restart = in_phase(Phase::Cordoned, Mode::Soft, None, None);
    restart.spec.drain.enabled = false;
    restart.spec.window = Some(Window { start: "12:00".into(), end: "13:00".into(), days: Vec::new() });
    let Next::Write(status) = next(&restart, &seen(Time::from_unix(1000)), &PACE) else { panic!("it ends") };
    assert_eq!((status.reason.as_str(), status.steps.len()), ("WindowClosed", 0));
}

// === two workers, and a world that does what it likes ===

/// What happens.
#[derive(Debug, Clone)]
enum Happening {
    /// A worker looks and decides; a blind one does not see the node.
    Decide {
        worker: usize,
        blind: bool,
    },
    /// It does what it has decided, however long ago.
    Act {
        worker: usize,
        answer: u8,
    },
    /// It forgets everything, as after a crash.
    Crash {
        worker: usize,
    },
    Pass {
        seconds: u64,
    },
    Reboot,
    Ready(bool),
    Gone,
    Replaced,
    Cordon,
    Uncordon,
    Cancel,
    Instance(u8),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let worker = 0..2_usize;
    let one = prop_oneof![
        12 => (worker.clone(), prop::bool::weighted(0.1)).prop_map(|(worker, blind)| Happening::Decide { worker, blind }),
        12 => (worker.clone(), 0..9_u8).prop_map(|(worker, answer)| Happening::Act { worker, answer }),
        1 => worker.prop_map(|worker| Happening::Crash { worker }),
        3 => (1..600_u64).prop_map(|seconds| Happening::Pass { seconds }),
        1 => Just(Happening::Reboot),
        1 => any::<bool>().prop_map(Happening::Ready),
        1 => Just(Happening::Cordon),
        1 => Just(Happening::Uncordon),
        1 => Just(Happening::Cancel),
        1 => (0..3_u8).prop_map(Happening::Instance),
    ];
    let rare = prop_oneof![60 => one, 1 => Just(Happening::Gone), 1 => Just(Happening::Replaced)];
    prop::collection::vec(rare, 0..120)
}

#[derive(Default)]
struct Worker {
    /// At which revision, of which node, what.
    decided: Option<(u64, Option<Node>, Next)>,
    /// As the shell's: the intent that it has written and not asked for, or the answer.
    written: Option<(String, u32)>,
    answered: Option<(String, u32, Result<String, NodeError>)>,
    waited: bool,
}

struct World {
    now: Time,
    revision: u64,
    restart: Option<NodeRestart>,
    plan: Vec<Planned>,
    node: Option<Node>,
    state: State,
    workers: [Worker; 2],
    calls: BTreeMap<(String, u32), usize>,
    /// Whether somebody else has cordoned or uncordoned.
    meddled: bool,
    /// Whether a worker that lagged behind has cordoned the node: the sweep finds that.
    late: bool,
    /// Whether it was said that the node may still be cordoned.
    told: bool,
}

// === impl World ===

impl World {
    fn new(mode: Mode, stop_start: bool, cordoned: bool) -> Self {
        Self {
            now: Time::from_unix(1000),
            revision: 1,
            restart: Some(restart(mode, false)),
            plan: steps(mode, stop_start),
            node: Some(Node { unschedulable: cordoned, ..node() }),
            state: State::Running,
            workers: Default::default(),
            calls: BTreeMap::new(),
            meddled: false,
            late: false,
            told: false,
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Decide { worker, blind } => self.decide(worker, blind),
            Happening::Act { worker, answer } => self.act(worker, answer),
            Happening::Crash { worker } => self.workers[worker] = Worker::default(),
            Happening::Pass { seconds } => self.now = self.now.after(Span::from_secs(seconds)),
            Happening::Reboot => self.with_node(|node| node.boot_id.push('x')),
            Happening::Ready(ready) => self.with_node(|node| node.ready = ready),
            Happening::Gone => self.node = None,
            Happening::Replaced => self.node = Some(Node { uid: "node-2".into(), ..node() }),
            Happening::Cordon => self.meddle(true),
            Happening::Uncordon => self.meddle(false),
            Happening::Cancel => self.cancel(),
            Happening::Instance(state) => {
                self.state = [State::Running, State::Stopped, State::Gone][usize::from(state)]
            }
        }
    }

    fn decide(&mut self, worker: usize, blind: bool) {
        let Some(restart) = &self.restart else { return };
        let memory = &self.workers[worker];
        let intent = match restart.status.steps.last() {
            Some(record) if record.by == worker.to_string() => {
                let key = (record.token.clone(), record.attempt);
                match &memory.answered {
                    _ if memory.written.as_ref() == Some(&key) => Intent::Armed,
                    Some((token, attempt, answer)) if (token, *attempt) == (&key.0, key.1) => {
                        Intent::Answered(answer.clone())
                    }
                    _ => Intent::Foreign,
                }
            }
            _ => Intent::Foreign,
        };
        let node = match &self.node {
            _ if blind => Sight::Unseen,
            Some(node) => Sight::There(Box::new(node.clone())),
            None => Sight::Gone,
        };
        let seen = Seen {
            worker: worker.to_string(),
            gate: Some(opening(self.plan.clone())),
            node,
            instance: Some(instance(self.state)),
            intent,
            waited: memory.waited,
            ..seen(self.now)
        };
        let next = next(restart, &seen, &PACE);
        let waits = next == Next::Wait;
        self.workers[worker].waited |= waits;
        self.workers[worker].decided = Some((self.revision, self.node.clone(), next));
    }

    fn act(&mut self, worker: usize, answer: u8) {
        let Some((revision, of, next)) = self.workers[worker].decided.take() else { return };
        match next {
            Next::Wait | Next::Stop => {}
            Next::Write(status) => self.write(worker, revision, *status),
            // As the cluster does: not on a node that has changed since it was seen.
            Next::Do(Effect::Cordon | Effect::Uncordon) if of != self.node => {}
            Next::Do(Effect::Cordon) => {
                self.late |= self.over() || revision != self.revision;
                self.with_node(|node| {
                    node.unschedulable = true;
                    node.annotations.insert(CORDONED_BY.to_owned(), "n-1/u-1".to_owned());
                });
            }
            Next::Do(Effect::Uncordon) => self.with_node(|node| {
                node.unschedulable = false;
                node.annotations.remove(CORDONED_BY);
            }),
            Next::Do(Effect::Take(take)) => self.take(worker, &take, answer),
            Next::Do(Effect::Remove) if revision == self.revision => self.restart = None,
            Next::Do(Effect::Remove | Effect::Evict(_)) => {}
        }
    }

    fn write(&mut self, worker: usize, revision: u64, status: Status) {
        if let Some(Record { token, attempt, outcome: None, .. }) = status.steps.last() {
            self.workers[worker].written = Some((token.clone(), *attempt));
            self.workers[worker].answered = None;
        }
        let Some(restart) = self.restart.as_mut().filter(|_| revision == self.revision) else { return };
        self.told |= status.message.contains("may still be cordoned");
        restart.status = status;
        self.revision += 1;
    }

    fn take(&mut self, worker: usize, take: &Take, answer: u8) {
        let Some((token, attempt)) = self.workers[worker].written.take() else { return };
        assert_eq!(token, take.token);
        *self.calls.entry((token.clone(), attempt)).or_default() += 1;
        let said = || "x".to_owned();
        let answer = match answer {
            0 => Err(NodeError::Throttled { message: said(), retry_after: 7 }),
            1 => Err(NodeError::Unreachable(said())),
            2 => Err(NodeError::Ambiguous(said())),
            3 => Err(NodeError::Forbidden(said())),
            4 => Err(NodeError::Conflict(said())),
            _ => Ok(said()),
        };
        self.workers[worker].answered = Some((token, attempt, answer));
    }

    fn meddle(&mut self, unschedulable: bool) {
        self.meddled = true;
        self.with_node(|node| node.unschedulable = unschedulable);
    }

    fn cancel(&mut self) {
        if let Some(restart) = self.restart.as_mut().filter(|restart| restart.status.cancellable()) {
            restart.metadata.deletion_timestamp = Some(self.now);
            self.revision += 1;
        }
    }

    /// As the worker does from time to time: the cordon of a restart that has ended or is gone is taken back.
    fn sweep(&mut self) {
        let over = self.over();
        if let Some(node) = self.node.as_mut().filter(|node| over && node.cordoned_by().is_some()) {
            node.unschedulable = false;
            node.annotations.remove(CORDONED_BY);
        }
    }

    fn over(&self) -> bool {
        self.restart.as_ref().is_none_or(NodeRestart::ended)
    }

    fn with_node(&mut self, change: impl FnOnce(&mut Node)) {
        if let Some(node) = &mut self.node {
            change(node);
        }
    }

    /// One worker is left, and does its work.
    fn finish(&mut self) {
        for _ in 0..2000 {
            self.decide(0, false);
            let waits = matches!(self.workers[0].decided, Some((.., Next::Wait)));
            self.act(0, 9);
            match &self.restart {
                Some(restart) if restart.ended() && !restart.deleted() => return,
                None => return,
                _ if waits => self.now = self.now.after(Span::from_secs(60)),
                _ => {}
            }
        }
        panic!("no end: {:?}", self.restart);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_there_is_one_call_per_intent_and_an_end_without_our_cordon(
        mode in prop_oneof![Just(Mode::Soft), Just(Mode::Hard), Just(Mode::SoftThenHard)],
        stop_start: bool,
        cordoned: bool,
        happenings in happenings(),
    ) {
        let mut world = World::new(mode, stop_start, cordoned);
        for happening in happenings {
            world.happen(happening);
        }
        world.finish();
        let kept = world.restart.as_ref().map(|restart| restart.status.clone()).unwrap_or_default();
        let signed = world.node.as_ref().is_some_and(|node| node.cordoned_by().is_some());
        prop_assert!(!signed || world.told || world.late, "{:?} {:?}", world.node, kept);
        // Whoever lags behind acts once more; the sweep finds what that leaves.
        world.act(1, 9);
        world.sweep();
        prop_assert!(world.calls.values().all(|calls| *calls == 1), "{:?}", world.calls);
        if let Some(node) = &world.node {
            prop_assert!(node.cordoned_by().is_none(), "{:?} {:?}", node, kept);
            let alike = world.meddled || node.uid != "node-1" || node.unschedulable == cordoned;
            prop_assert!(alike, "{:?} {:?}", node, kept);
        }
        if kept.phase == Phase::Succeeded {
            prop_assert!(!kept.boot_id.is_empty() && Some(&kept.boot_id) != kept.node.as_ref().map(|found| &found.boot_id));
            prop_assert!(!kept.steps.is_empty());
        }
    }
}
