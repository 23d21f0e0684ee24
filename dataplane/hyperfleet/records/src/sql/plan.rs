//! How the databases go about statements: a search by name or label, and a page, must not read every record.

use jiff::Timestamp;

use super::{Dialect, list};
use crate::{
    Database, Kind, Order, Query, Records, Search, Status,
    database::{Connection, Statement, Value},
    migrate,
    rows::json,
};

/// Many clusters, of which one in a hundred has a label.
const CLUSTERS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
     INSERT INTO clusters (id, name, object_name, generation, created_time, created_by, updated_time, updated_by, \
     status_phase, status_observed_generation, status_last_transition_time, status_last_updated_time, revision, \
     conditions, labels, status, kubernetes, spec) \
     SELECT 'id-' || i, 'name-' || i, 'object-' || i, 1, $1, 'x', $1, 'x', 'NotReady', 0, $1, $1, 1, $2, $3, $4, \
     $3, $5 FROM n";
const LABELS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
     INSERT INTO labels SELECT 'Cluster', 'id-' || i, 'env', 'value-' || (i % 100) FROM n";

async fn filled(database: &Database) -> Connection {
    Records::migrate(database).await.expect("tables");
    let mut connection =
        migrate::connector(database, true).expect("a connector").connect().await.expect("a connection");
    let empty = Value::Json(Some("{}".to_owned()));
    let values = [
        Value::time(Timestamp::UNIX_EPOCH),
        Value::Jsonb("{}".to_owned()),
        empty,
        Value::Json(Some(json(&Status::new()))),
        Value::Json(Some(format!("{{\"a\":\"{}\"}}", "x".repeat(1500)))),
    ];
    connection.execute(Statement::new(CLUSTERS, values)).await.expect("clusters");
    connection.execute(Statement::new(LABELS, [])).await.expect("labels");
    connection.run("ANALYZE").await.expect("statistics");
    connection
}

/// The plan of a list, as text.
async fn plan(connection: &mut Connection, search: Option<&str>, order: Vec<Order>) -> String {
    let dialect = connection.dialect();
    let search = search.map(|search| Search::parse(search, Kind::Cluster).expect("a search"));
    let query = Query { search, order, limit: 20, offset: 0 };
    let Statement { text, values } = list(dialect, Kind::Cluster, None, &query).expect("a list").rows;
    let (explain, column) = match dialect {
        Dialect::Sqlite => ("EXPLAIN QUERY PLAN ", 3),
        Dialect::Postgres => ("EXPLAIN ", 0),
    };
    let explained = Statement::made(format!("{explain}{}", text.as_str()), values);
    let rows = connection.rows(explained).await.expect("a plan");
    let lines: Vec<_> = rows.iter().map(|row| row.text(column).expect("a line").to_owned()).collect();
    lines.join("\n")
}

async fn check(connection: &mut Connection, indexes: [&str; 3], scans: &[&str]) {
    let by_name = vec![Order { field: "name".to_owned(), descending: false }];
    let [name, label, time] = indexes;
    for (search, order, expected) in [
        (Some("name = 'name-7'"), vec![], name),
        (Some("name in ('name-7', 'name-8')"), vec![], name),
        (Some("labels.env = 'value-7'"), vec![], label),
        (Some("labels.env in ('value-7') and name is not null"), vec![], label),
        (Some("labels.env = 'value-7' and labels.tier = 'x'"), vec![], label),
        (None, vec![], time),
        (None, by_name, name),
    ] {
        let plan = plan(connection, search, order).await;
        assert!(plan.contains(expected), "{search:?} without {expected}:\n{plan}");
        assert!(
            !scans.iter().any(|scan| plan.lines().any(|line| line.trim().starts_with(scan) && !line.contains("INDEX"))),
            "{search:?}:\n{plan}"
        );
    }
}

#[tokio::test]
async fn sqlite_uses_an_index() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::Sqlite(folder.path().join("plan.db"));
    let mut connection = filled(&database).await;
    let indexes = ["sqlite_autoindex_clusters_2", "labels_by_value", "clusters_by_time"];
    check(&mut connection, indexes, &["SCAN r", "SCAN l", "SCAN labels", "SCAN clusters"]).await;
}

#[tokio::test]
async fn postgres_uses_an_index() {
    let database = Database::Postgres(kit::Postgres::shared().url());
    let mut connection = filled(&database).await;
    let indexes = ["clusters_name_key", "labels_by_value", "clusters_by_time"];
    check(&mut connection, indexes, &["Seq Scan on clusters", "->  Seq Scan on clusters", "->  Seq Scan on labels"])
        .await;
}
