//! Takes a restart on: durably, once per key, and at most one of a node at a time.
//!
//! The name is `NODE-N`, and the Nth is created only after all before it have ended. Of two requests at the same time one
//! creates it; the other finds it there and looks again.

use machinery::status::Status;
use proto::{
    restart::{Request, Submitted, User},
    store,
};
use runtime::telemetry::parent_headers;
use tracing::{Span, info};

use crate::{
    events,
    machine::begins,
    name,
    node_restart::{NodeRestart, RequestedBy, Spec, TRACEPARENT},
    options::{self, Options},
    parts::Parts,
    records::Kept,
    refusal::{Refusal, being_restarted, conflict},
    survey::survey,
};

/// How often it is looked again when others are faster.
const ATTEMPTS: u32 = 20;

/// Submits, as [`proto::restart::Restarts::submit`] says.
pub(crate) async fn submit(parts: &Parts, request: Request) -> Result<Submitted, Status> {
    let Options { spec, bare } = options::parse(&request.options, &request.node, parts.defaults())?;
    let asked = Options { spec: Spec { requested_by: requested_by(&request.user), ..spec }, bare };
    let stored = |error: store::Error| *Refusal::store(&error).status;
    for _ in 0..ATTEMPTS {
        let of_node = parts.records.of_node(&request.node).await.map_err(stored)?;
        if let Some(name) = joins(&of_node, &asked)? {
            return Ok(Submitted { name, existing: true });
        }
        let (restart, node_uid) = checked(parts, &asked.spec, &of_node).await?;
        match parts.records.create(&restart).await {
            Ok(_) => return Ok(accepted(parts, &restart, &node_uid).await),
            Err(store::Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(stored(error)),
        }
    }
    Err(Status::unavailable("too many requests for this node at the same time", 1))
}

/// Who asked, as it is kept.
pub(crate) fn requested_by(user: &User) -> RequestedBy {
    RequestedBy { username: user.name.clone(), uid: user.uid.clone() }
}

/// The restart that the request is, if there is one.
fn joins(of_node: &[Kept], asked: &Options) -> Result<Option<String>, Status> {
    let key = &asked.spec.idempotency_key;
    let mut restarts = of_node.iter().map(|kept| &kept.restart);
    if !key.is_empty()
        && let Some(same) = restarts.clone().find(|restart| restart.spec.idempotency_key == *key)
    {
        return match alike(&same.spec, &asked.spec) {
            true => Ok(Some(same.metadata.name.clone())),
            false => {
                let why = format!("idempotencyKey {key:?} is used by {} with other options", same.name());
                Err(conflict(&asked.spec.node_name, &why))
            }
        };
    }
    let Some(active) = restarts.find(|restart| !restart.ended()) else { return Ok(None) };
    if key.is_empty() && (asked.bare || alike(&active.spec, &asked.spec)) {
        return Ok(Some(active.metadata.name.clone()));
    }
    let why = format!(
        "it is being restarted by {} with other options: wait for that, or delete it to cancel it",
        active.name()
    );
    Err(being_restarted(&asked.spec.node_name, &why))
}

/// Whether two requests ask for the same, whoever asks.
fn alike(one: &Spec, other: &Spec) -> bool {
    let what =
        |spec: &Spec| Spec { requested_by: RequestedBy::default(), idempotency_key: String::new(), ..spec.clone() };
    what(one) == what(other)
}

/// The restart to create, if nothing speaks against it, and its node's uid.
async fn checked(parts: &Parts, spec: &Spec, of_node: &[Kept]) -> Result<(NodeRestart, String), Status> {
    let refused = |refusal: Refusal| *refusal.status;
    let surveyed = survey(parts, spec, None).await.map_err(refused)?;
    rate(parts, &spec.requested_by).await?;
    let now = parts.now();
    let mut restart = NodeRestart::new(spec.clone(), now);
    // What is only so now says nothing about a restart that begins later.
    let later = begins(&restart, now) > now;
    if let Some(refusal) = surveyed.refusal(true).or_else(|| surveyed.refusal(later)) {
        return Err(refused(refusal));
    }
    let numbers = of_node.iter().filter_map(|kept| name::number(kept.restart.name(), &spec.node_name));
    let number = numbers.max().unwrap_or(0).saturating_add(1);
    restart.metadata.name = name::name(&spec.node_name, number);
    restart.metadata.uid = uuid::Uuid::new_v4().to_string();
    if let Some(parent) = parent_headers(&Span::current()).get("traceparent").and_then(|value| value.to_str().ok()) {
        restart.metadata.annotations.insert(TRACEPARENT.to_owned(), parent.to_owned());
    }
    Ok((restart, surveyed.node.uid))
}

/// Refuses a user who asks too often.
async fn rate(parts: &Parts, user: &RequestedBy) -> Result<(), Status> {
    let (rate, now) = (parts.config.restart_user_rate, parts.now());
    let all = parts.records.all().await.map_err(|error| *Refusal::store(&error).status)?;
    let theirs = all.iter().filter(|kept| kept.restart.spec.requested_by == *user).map(|kept| kept.restart.created());
    let mut recent: Vec<_> = theirs.filter(|created| created.after(rate.per) > now).collect();
    if recent.len() < rate.count {
        return Ok(());
    }
    recent.sort();
    let first = recent.get(recent.len() - rate.count).copied().unwrap_or(now);
    let wait = first.after(rate.per).since(now).as_secs();
    Err(*Refusal::user_rate(&user.username, &rate, u32::try_from(wait).unwrap_or(u32::MAX)).status)
}

async fn accepted(parts: &Parts, restart: &NodeRestart, node_uid: &str) -> Submitted {
    let (name, node, user) = (restart.name(), &restart.spec.node_name, &restart.spec.requested_by.username);
    info!(k8s.name = name, k8s.node = node, user, "accepted the restart {name} of node {node}");
    events::tell(parts, restart, node_uid).await;
    Submitted { name: name.to_owned(), existing: false }
}
