//! One verb per file: what is asked of records, and what is answered.

mod create;
mod delete;
mod force_delete;
mod get;
mod list;
mod meta;
mod patch;
mod statuses;

use hyperfleet_records::Key;

use crate::{
    api::Api,
    error::Result,
    filters::Asked,
    jwt::Caller,
    reply::Answer,
    route::{Target, Verb},
};

/// Answers what is asked of a target.
pub(crate) async fn dispatch(
    api: &Api,
    asked: &Asked,
    verb: Verb,
    target: &Target,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer> {
    match (verb, target) {
        (Verb::Create, Target::Collection(kind, owner)) => {
            create::create(api, *kind, owner.clone(), body, caller).await
        }
        (_, Target::Collection(kind, owner)) => list::list(api, asked, *kind, owner.as_deref()).await,
        (verb, Target::Record(key)) => record(api, asked, verb, key, body, caller).await,
        (Verb::ListStatuses, Target::Statuses(key)) => Box::pin(statuses::list(api, asked, key)).await,
        (_, Target::Statuses(key)) => statuses::report(api, asked, key, body).await,
        (_, Target::ForceDelete(key)) => force_delete::force_delete(api, key, body, caller).await,
        (_, Target::Metadata) => Ok(meta::metadata()),
        (_, Target::Compatibility) => Ok(meta::compatibility()),
        (_, Target::Document) => Ok(meta::document(api)),
        (_, Target::Page) => Ok(meta::page(asked)),
        (_, Target::Asset(name)) => meta::asset(asked, name),
    }
}

async fn record(api: &Api, asked: &Asked, verb: Verb, key: &Key, body: &[u8], caller: &Caller) -> Result<Answer> {
    match verb {
        Verb::Patch => patch::patch(api, key, body, caller).await,
        Verb::Delete => delete::delete(api, key, caller).await,
        _ => get::get(api, asked, key).await,
    }
}
