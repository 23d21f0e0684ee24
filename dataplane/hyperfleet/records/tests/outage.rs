//! The database goes away, comes back, is busy, or is not there: who asks is told so, soon, and it heals by itself.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::Result;
use futures::future::join_all;
use hyperfleet_records::{Database, Error, Key, Kind, New, Options, Query, Records};
use kit::Postgres;
use runtime::Context;

fn cluster(name: &str) -> New {
    let spec = serde_json::from_str("{}").expect("JSON");
    New {
        kind: Kind::Cluster,
        owner: None,
        name: name.to_owned(),
        spec,
        labels: BTreeMap::new(),
        by: "tester".to_owned(),
    }
}

async fn open(database: &Database, connections: u32) -> Result<(Records, Context)> {
    runtime::tls::install_provider();
    Records::migrate(database).await?;
    let context = Context::new();
    let options = Options { connections, ..Options::default() };
    Ok((Records::open(database, options, &context).await?, context))
}

fn page() -> Query {
    Query { limit: 20, ..Query::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_goes_away_and_comes_back() -> Result<()> {
    let mut server = Postgres::start()?;
    let database = Database::Postgres(server.url());
    let (records, _context) = open(&database, 8).await?;
    let made = records.create(cluster("one")).await?;
    let key = Key { kind: Kind::Cluster, owner: None, id: made.id };
    // More than one connection, so that more than one is broken afterwards.
    for got in join_all((0..64).map(|_| records.get(&key))).await {
        got?;
    }

    server.terminate_connections()?;
    for got in join_all((0..32).map(|_| records.get(&key))).await {
        assert_eq!(got?.name, "one", "a broken connection is replaced");
    }
    server.terminate_connections()?;
    records.create(cluster("two")).await?;

    for stop in [Postgres::stop, Postgres::kill] {
        stop(&mut server)?;
        let asked = async {
            assert!(matches!(records.get(&key).await, Err(Error::Unavailable(_))));
            assert!(matches!(records.list(Kind::Cluster, None, &page()).await, Err(Error::Unavailable(_))));
            assert!(matches!(records.create(cluster("three")).await, Err(Error::Unavailable(_))));
            assert!(matches!(records.ping().await, Err(Error::Unavailable(_))));
        };
        tokio::time::timeout(Duration::from_secs(30), asked).await?;
        server.start_again()?;
        kit::eventually!(records.ping().await.is_ok(), "the records are there again");
        assert_eq!(records.get(&key).await?.name, "one");
    }
    let head = records.bounds().await?.head;
    let (woken, made) =
        tokio::join!(tokio::time::timeout(kit::PATIENCE, records.changed(head)), records.create(cluster("three")));
    made?;
    woken??;
    Ok(())
}

/// A transaction that somebody left open holds a row: writers of it are told so, and readers do not notice.
#[tokio::test(flavor = "multi_thread")]
async fn many_more_clients_than_connections_are_served() -> Result<()> {
    let database = Database::Postgres(Postgres::shared().url());
    let (records, _context) = open(&database, 4).await?;
    let made = records.create(cluster("one")).await?;
    let key = Key { kind: Kind::Cluster, owner: None, id: made.id };
    let reads = join_all((0..200).map(|_| records.get(&key)));
    let writes = join_all((0..200).map(|number| records.create(cluster(&format!("c{number}")))));
    let (reads, writes) = tokio::join!(reads, writes);
    for read in reads {
        read?;
    }
    for write in writes {
        write?;
    }
    assert_eq!(records.list(Kind::Cluster, None, &page()).await?.total, 201);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_said_to_be_so_without_its_password() -> Result<()> {
    let [port] = kit::free_ports()?;
    let database: Database = format!("postgres://me:secret@127.0.0.1:{port}/x").parse().map_err(anyhow::Error::msg)?;
    let refused = Records::migrate(&database).await.expect_err("nobody is there");
    assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
    for said in [format!("{refused} {refused:?}"), format!("{database:?}")] {
        assert!(!said.contains("secret"), "{said}");
    }
    let broken: Database = "postgres://me:secret@[/x".parse().map_err(anyhow::Error::msg)?;
    let refused = format!("{:?}", Records::migrate(&broken).await.expect_err("that is no URL"));
    assert!(refused.contains("--db") && !refused.contains("secret"), "{refused}");
    assert!("mysql://x".parse::<Database>().is_err() && "sqlite:".parse::<Database>().is_err());
    Ok(())
}

async fn migrations_meet(database: Database) -> Result<()> {
    runtime::tls::install_provider();
    for migrated in join_all((0..8).map(|_| Records::migrate(&database))).await {
        migrated?;
    }
    let (records, _context) = open(&database, 2).await?;
    records.create(cluster("one")).await?;
    Records::migrate(&database).await?;
    assert_eq!(records.list(Kind::Cluster, None, &page()).await?.total, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_may_meet_in_sqlite() -> Result<()> {
    let folder = tempfile::tempdir()?;
    migrations_meet(Database::Sqlite(folder.path().join("new/folder/records.db"))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_may_meet_in_postgres() -> Result<()> {
    migrations_meet(Database::Postgres(Postgres::shared().url())).await
}

#[tokio::test]
async fn tables_that_are_not_there_are_said_to_be_missing() -> Result<()> {
    runtime::tls::install_provider();
    let folder = tempfile::tempdir()?;
    for database in [Database::Sqlite(folder.path().join("x.db")), Database::Postgres(Postgres::shared().url())] {
        let refused =
            Records::open(&database, Options::default(), &Context::new()).await.err().map(|error| error.to_string());
        assert!(refused.as_ref().is_some_and(|refused| refused.contains("migrate")), "{refused:?}");
    }
    Ok(())
}

/// Somebody else holds SQLite's lock for writing: reads go on, writes are told.
#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_that_is_busy_is_read_all_the_same() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("records.db");
    let (records, _context) = open(&Database::Sqlite(path.clone()), 0).await?;
    records.create(cluster("one")).await?;
    let mut holder = hold(&path)?;
    assert_eq!(records.list(Kind::Cluster, None, &page()).await?.total, 1);
    assert!(matches!(records.create(cluster("two")).await, Err(Error::Unavailable(_))));
    holder.kill()?;
    holder.wait()?;
    kit::eventually!(records.create(cluster("two")).await.is_ok(), "writes go on");
    Ok(())
}

/// A process that holds the lock for writing, until it is killed.
fn hold(path: &Path) -> Result<std::process::Child> {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        process::{Command, Stdio},
    };
    let mut holder = Command::new("sqlite3").arg(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let stdin = holder.stdin.as_mut().expect("it is piped");
    writeln!(stdin, "BEGIN IMMEDIATE;\nSELECT 'held';")?;
    stdin.flush()?;
    let mut line = String::new();
    BufReader::new(holder.stdout.as_mut().expect("it is piped")).read_line(&mut line)?;
    anyhow::ensure!(line.trim() == "held", "{line}");
    Ok(holder)
}
