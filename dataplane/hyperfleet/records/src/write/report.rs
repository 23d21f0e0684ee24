//! `report`: what an adapter says of a record.

use super::{Decided, delete::left};
use crate::{
    Key, Report, Reported, check,
    report::{merge, stale},
    transaction::{Failure, Transaction},
};

pub(super) async fn report(transaction: &mut Transaction<'_>, key: &Key, report: Report) -> Result<Decided, Failure> {
    check::report(&report)?;
    let resource = transaction.lock(key).await?;
    let mut reports = transaction.reports(key.kind, &key.id).await?;
    let place = reports.iter().position(|other| other.status.adapter == report.adapter);
    let before = place.map(|place| &reports[place]);
    if let Some(why) = stale(before, &report, resource.generation, transaction.now) {
        let counting = before.cloned().unwrap_or_else(|| merge(None, report, transaction.now));
        return Ok(Decided::Reported(Box::new(Reported::Stale(why, counting.status))));
    }
    let counted = merge(before, report, transaction.now);
    transaction.put_report(key.kind, &key.id, &counted).await?;
    let stored = Reported::Stored(counted.status.clone());
    match place {
        Some(place) => reports[place] = counted,
        None => {
            reports.push(counted);
            reports.sort_by(|one, other| one.status.adapter.cmp(&other.status.adapter));
        }
    }
    let owner = resource.owner.as_ref().map(|owner| owner.id.clone());
    let place = transaction.settle(resource, &reports, false).await?;
    if transaction.is_gone(place) {
        left(transaction, owner.as_deref()).await?;
    }
    Ok(Decided::Reported(Box::new(stored)))
}
