//! Loads the objects that are listed, and weighs the store before and after.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::load::drive;
use crate::measure::Run;
use crate::measure::writes::Creates;
use crate::namespaces;
use crate::outcome::Outcome;

/// Clients that load side by side.
const CLIENTS: usize = 32;

/// The longest that loading may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Creates `--objects` objects in the namespace that is listed.
pub(crate) async fn fill(run: &Run<'_>) -> Result<Outcome> {
    let namespace = namespaces::of_list(run.settings, run.size);
    let clients = run.connector.clients(CLIENTS, run.settings.per_connection).await?;
    let workers = (0..).zip(clients).map(|(i, client)| {
        let count = share(run.settings.objects, i);
        (client, Creates::new(run, &namespace, &format!("list-{i}"), i as u64, count))
    });
    let (_workers, outcome) = drive(workers.collect(), PATIENCE).await;
    if outcome.requests != run.settings.objects as u64 {
        let why = outcome.errors.first.unwrap_or_else(|| format!("it took longer than {PATIENCE:?}"));
        bail!("loaded {} of {} objects: {why}", outcome.requests, run.settings.objects);
    }
    Ok(outcome)
}

/// What worker `i` of [`CLIENTS`] creates of `total`.
fn share(total: usize, i: usize) -> usize {
    total / CLIENTS + usize::from(i < total % CLIENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        for total in [0, 1, 31, 32, 33, 10_000] {
            assert_eq!((0..CLIENTS).map(|i| share(total, i)).sum::<usize>(), total);
        }
    }
}
