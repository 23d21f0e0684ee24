//! The view over records in PostgreSQL: the cases of `sqlite.rs`.

#[path = "cases/promises.rs"]
mod promises;
#[path = "cases/reads.rs"]
mod reads;
#[path = "cases/verbs.rs"]
mod verbs;
#[path = "cases/world.rs"]
mod world;

use std::path::Path;

use http::StatusCode;
use hyperfleet_records::{Database, Options};
use proto::store::{Error, Store, WatchOptions};

use world::{World, refusal, scope};

const CLUSTERS: &str = "/apis/hyperfleet.openshift.io/v1alpha1/clusters";

fn database(_: &Path) -> Database {
    Database::Postgres(kit::Postgres::shared().url())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_takes_its_kinds_with_it_and_comes_back() {
    let mut postgres = kit::Postgres::start().expect("PostgreSQL starts");
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::over(Database::Postgres(postgres.url()), folder, Options::default()).await;
    let before = world.cluster("before").await.revision;
    let server = world.server().await;
    assert_eq!(server.get(CLUSTERS).await.status, StatusCode::OK);

    postgres.stop().expect("PostgreSQL stops");
    for path in
        [CLUSTERS.to_owned(), format!("{CLUSTERS}/before"), format!("{CLUSTERS}?watch=1&resourceVersion={before}")]
    {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", answer.text());
    }
    let watch = refusal(world.view.watch(&scope("clusters"), WatchOptions { after: before }).await);
    assert!(matches!(watch, Error::Unavailable { .. }), "{watch:?}");
    let ready = server.get("/readyz").await;
    assert!(ready.text().contains("[-]storage/clusters.hyperfleet.openshift.io failed"), "{}", ready.text());
    assert_eq!((ready.status, ready.text().contains("[+]storage ok")), (StatusCode::OK, true));

    postgres.start_again().expect("PostgreSQL starts again");
    // A list at first, and a watch as soon as the watch cache has tried again.
    for path in [CLUSTERS.to_owned(), format!("{CLUSTERS}?watch=1&resourceVersion={before}&timeoutSeconds=1")] {
        while server.get(&path).await.status != StatusCode::OK {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    let mut watch = server.watch(&format!("{CLUSTERS}?watch=1&resourceVersion={before}")).await;
    let after = world.cluster("after").await;
    assert_eq!(watch.next().await["object"]["metadata"]["uid"], after.id.as_str());
}
