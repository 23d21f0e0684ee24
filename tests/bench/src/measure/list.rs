//! Listing everything in one answer: how long the whole takes, and how long its first byte.

use anyhow::{Result, ensure};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::Instant;

use crate::client::{Call, Client};
use crate::measure::Run;
use crate::namespaces;
use crate::outcome::{Errors, Outcome};
use crate::procstat::Usage;

/// Lists that a round makes at least, however long they take.
const AT_LEAST: u64 = 2;

/// Lists of all loaded objects, one after the other.
pub(crate) async fn list(run: &Run<'_>) -> Result<Outcome> {
    let client = run.connector.connect().await?;
    let call = Call::get(run.target.collection(Some(&namespaces::of_list(run.settings, run.size))));
    complete(&client.call(call.clone()).await?, run.settings.objects)?;

    let mut outcome = Outcome::default();
    let before = Usage::now(run.processes);
    let start = Instant::now();
    while outcome.requests + outcome.errors.count < AT_LEAST || start.elapsed() < run.time() {
        if let Err(error) = one(&client, call.clone(), &mut outcome).await {
            outcome.errors.absorb(Errors::one(&error));
        }
    }
    outcome.elapsed = start.elapsed();
    outcome.usage = Usage::now(run.processes).since(&before);
    Ok(outcome)
}

async fn one(client: &Client, call: Call, outcome: &mut Outcome) -> Result<()> {
    let sent = Instant::now();
    let mut body = client.start(call).await?.into_body();
    let mut first = None;
    let mut bytes = 0;
    while let Some(frame) = body.frame().await.transpose()? {
        first.get_or_insert_with(|| sent.elapsed());
        bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
    outcome.observe("whole", sent.elapsed());
    outcome.observe("first byte", first.unwrap_or_else(|| sent.elapsed()));
    outcome.bytes += bytes;
    outcome.requests += 1;
    Ok(())
}

/// A list that is fast because it is short is no list.
fn complete(body: &[u8], objects: usize) -> Result<()> {
    #[derive(Deserialize)]
    struct List {
        items: Vec<IgnoredAny>,
    }
    let items = serde_json::from_slice::<List>(body)?.items.len();
    ensure!(items == objects, "the list holds {items} objects, not {objects}");
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_short_list_is_an_error() {
        let body = br#"{"kind":"List","items":[{"a":1},{"a":2}]}"#;
        complete(body, 2).unwrap();
        assert_eq!(complete(body, 3).unwrap_err().to_string(), "the list holds 2 objects, not 3");
    }
}
