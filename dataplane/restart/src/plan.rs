//! What a restart would do, and all that speaks against it. Nothing is touched.

use bytes::Bytes;
use machinery::status::Status;
use proto::restart::Request;

use crate::{
    drain,
    look::pods_of,
    machine::begins,
    node_restart::{NodeRestart, Plan},
    options,
    parts::Parts,
    refusal::Refusal,
    submit::requested_by,
    survey::{Survey, survey},
};

/// Plans, as [`proto::restart::Restarts::plan`] says.
pub(crate) async fn plan(parts: &Parts, request: Request) -> Result<Bytes, Status> {
    let spec = options::parse(&request.options, &request.node, parts.defaults())?.spec;
    let mut restart = NodeRestart::new(spec, parts.now());
    restart.spec.requested_by = requested_by(&request.user);
    restart.status.history.clear();
    let surveyed = survey(parts, &restart.spec, None).await.map_err(|refusal| *refusal.status)?;
    let guards = surveyed.guards();
    let Survey { node, provider, instance, plan, .. } = surveyed;
    let (mut pods, mut budgets) = (Vec::new(), Vec::new());
    if restart.spec.drain.enabled {
        let failed = |error| *Refusal::cluster(&error).status;
        let found = pods_of(parts, &node.name).await.map_err(failed)?;
        pods = drain::plan(&found, &restart.spec.drain);
        budgets = drain::budgets(&found, &restart.spec.drain, parts.cluster.budgets().await.map_err(failed)?);
    }
    restart.status.provider = provider;
    restart.status.instance = Some((&instance).into());
    restart.status.plan = Some(Plan { guards, pods, budgets, begins: Some(begins(&restart, parts.now())), ..plan });
    Ok(serde_json::to_vec(&restart).expect("its maps have string keys").into())
}
