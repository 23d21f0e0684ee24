//! The view over records in SQLite: what REST clients do, Kubernetes clients see, and the other way round.

#[path = "cases/promises.rs"]
mod promises;
#[path = "cases/reads.rs"]
mod reads;
#[path = "cases/verbs.rs"]
mod verbs;
#[path = "cases/world.rs"]
mod world;

use std::path::Path;

use hyperfleet_records::Database;

fn database(folder: &Path) -> Database {
    Database::Sqlite(folder.join("hyperfleet.db"))
}
