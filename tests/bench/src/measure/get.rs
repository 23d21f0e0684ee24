//! Reading single objects: every client walks over the same few, as controllers do with what they work on.

use anyhow::Result;

use crate::client::Call;
use crate::load::Work;
use crate::measure::Run;
use crate::measure::seed::seed;
use crate::outcome::Outcome;

/// How many objects are read in turn.
const OBJECTS: usize = 32;

struct Gets {
    paths: Vec<String>,
    next: usize,
}

/// Gets a second.
pub(crate) async fn get(run: &Run<'_>, clients: usize) -> Result<Outcome> {
    let namespace = run.namespace();
    let names: Vec<String> = (0..OBJECTS).map(|i| format!("{}-{i}", run.prefix("get", clients))).collect();
    let clients = run.connector.clients(clients, run.settings.per_connection).await?;
    seed(run, &clients[0], &namespace, &names).await?;
    let paths: Vec<String> = names.iter().map(|name| run.target.object(&namespace, name)).collect();
    let workers = (0..).zip(clients).map(|(next, client)| (client, Gets { paths: paths.clone(), next })).collect();
    Ok(run.measure(workers).await)
}

// === impl Gets ===

impl Work for Gets {
    fn next(&mut self) -> Option<Call> {
        self.next += 1;
        Some(Call::get(self.paths[self.next % self.paths.len()].clone()))
    }
}
