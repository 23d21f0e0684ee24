//! `list`: pages, orders and searches.

mod evaluation;

use anyhow::Result;
use hyperfleet_records::{Error, Kind, New, Order, Query, Resource, Search};

use crate::world::{World, cluster, json, key};

fn names(items: &[Resource]) -> Vec<&str> {
    items.iter().map(|item| item.name.as_str()).collect()
}

fn by(field: &str, descending: bool) -> Order {
    Order { field: field.to_owned(), descending }
}

pub(crate) async fn a_list_is_paged_and_counted(world: &World) -> Result<()> {
    for name in ["a", "b", "c", "d", "e"] {
        world.cluster(name).await?;
    }
    let page = async |offset, limit| {
        let order = vec![by("name", false)];
        world.records.list(Kind::Cluster, None, &Query { search: None, order, offset, limit }).await
    };
    for (offset, limit, expected) in [
        (0, 2, &["a", "b"][..]),
        (4, 2, &["e"]),
        (5, 2, &[]),
        (100, 2, &[]),
        (u64::MAX, u64::MAX, &[]),
        (0, u64::MAX, &["a", "b", "c", "d", "e"]),
        (0, 0, &[]),
    ] {
        let page = page(offset, limit).await?;
        assert_eq!((names(&page.items).as_slice(), page.total), (expected, 5), "{offset} {limit}");
    }
    for number in 0..60 {
        world.records.create(cluster(&format!("n{number:02}"), &[("n", "x")])).await?;
    }
    let last = page(61, 2).await?;
    assert_eq!((names(&last.items).as_slice(), last.total), (&["n56", "n57"][..], 65));
    let search = Some(Search::parse("labels.n = 'x'", Kind::Cluster)?);
    let found =
        world.records.list(Kind::Cluster, None, &Query { search, offset: 55, limit: 9, ..Query::default() }).await?;
    assert_eq!((names(&found.items).as_slice(), found.total), (&["n04", "n03", "n02", "n01", "n00"][..], 60));
    let search = Some(Search::parse("name < 'd'", Kind::Cluster)?);
    let page = world.records.list(Kind::Cluster, None, &Query { search, limit: 2, ..Query::default() }).await?;
    assert_eq!((page.items.len(), page.total), (2, 3));
    Ok(())
}

pub(crate) async fn a_list_is_ordered_and_stable(world: &World) -> Result<()> {
    for (name, labels) in [("b", &[("x", "2")][..]), ("B", &[]), ("a", &[("x", "1")]), ("ä", &[("x", "2")])] {
        world.records.create(New { spec: json(r#"{"n":1}"#), ..cluster(name, labels) }).await?;
    }
    let list = async |order: Vec<Order>| {
        let page = world.records.list(Kind::Cluster, None, &Query { order, limit: 10, ..Query::default() }).await?;
        anyhow::Ok(page.items.into_iter().map(|item| item.name).collect::<Vec<_>>().join(" "))
    };
    for (order, expected) in [
        (vec![], "ä a B b"),
        (vec![by("created_time", false)], "b B a ä"),
        (vec![by("name", false)], "B a b ä"),
        (vec![by("name", true)], "ä b a B"),
        (vec![by("labels.x", false), by("name", true)], "a ä b B"),
        (vec![by("labels.x", true), by("name", false)], "B b ä a"),
        (vec![by("kind", true), by("generation", false), by("status.phase", false), by("spec.n", true)], "b B a ä"),
        (
            vec![by("deleted_time", false), by("status.conditions.X.last_updated_time", true), by("name", false)],
            "B a b ä",
        ),
    ] {
        assert_eq!(list(order.clone()).await?, expected, "{order:?}");
    }
    for field in ["nope", "name; DROP TABLE clusters", "(SELECT 1)", "1", "owner_id"] {
        let query = Query { order: vec![by(field, false)], limit: 10, ..Query::default() };
        assert!(matches!(world.records.list(Kind::Cluster, None, &query).await, Err(Error::BadRequest(_))), "{field}");
    }
    Ok(())
}

pub(crate) async fn a_cluster_has_its_own_node_pools(world: &World) -> Result<()> {
    let (one, two) = (world.cluster("one").await?, world.cluster("two").await?);
    for (owner, name) in [(&one, "a"), (&one, "b"), (&two, "a"), (&two, "c")] {
        world.node_pool(owner, name).await?;
    }
    let list = async |owner: Option<&str>, search: Option<&str>| {
        let search = search.map(|search| Search::parse(search, Kind::NodePool)).transpose()?;
        let order = vec![by("name", false), by("owner_id", false)];
        let page =
            world.records.list(Kind::NodePool, owner, &Query { search, order, limit: 10, ..Query::default() }).await?;
        assert_eq!(page.total, page.items.len() as u64);
        Ok::<_, Error>(page.items.into_iter().map(|item| item.name).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(list(Some(&one.id), None).await?, "a b");
    assert_eq!(list(None, None).await?, "a a b c");
    // What is searched for does not let others in.
    assert_eq!(list(Some(&one.id), Some("name = 'a' or name = 'c'")).await?, "a");
    assert_eq!(list(None, Some(&format!("owner_id = '{}'", two.id))).await?, "a c");
    let missing = Error::NotFound("Cluster with id='none' not found".to_owned());
    assert_eq!(list(Some("none"), None).await.expect_err("it is refused"), missing);
    assert_eq!(list(Some(&world.cluster("empty").await?.id), None).await?, "");
    Ok(())
}

pub(crate) async fn searches_find(world: &World) -> Result<()> {
    let spec = json(r#"{"region":"us","n":10,"deep":{"er":true},"none":null,"list":[1]}"#);
    let one =
        world.records.create(New { spec, ..cluster("one", &[("env", "test"), ("example.com/a-b", "x")]) }).await?;
    world.records.create(New { spec: json(r#"{"n":"10"}"#), ..cluster("two", &[("env", "Prod")]) }).await?;
    world.reports(&one, "dns", 1, &[("Available", "True")]).await?;
    for (search, expected) in [
        ("name = 'one'", "one"),
        ("NAME_ = 'one' or name = 'two'", ""),
        (&*format!("id = '{}'", one.id), "one"),
        ("labels.env = 'test' and labels.non_existing is null", "one"),
        ("labels.example.com/a-b = 'x'", "one"),
        ("\"labels.example.com/a-b\" != 'y'", "one"),
        ("labels.env ilike 'PROD' or labels.env like 'T%'", "two"),
        ("labels.env in ['test', 'x']", "one"),
        ("not labels.env in ('test')", "two"),
        ("spec.region = 'us'", "one"),
        ("spec.n = 10", "one"),
        ("spec.n = '10'", "one two"),
        ("spec.n between 9.5 and 10.5", "one"),
        ("spec.deep.er = true", "one"),
        ("spec.none is null", "one two"),
        ("spec.deep is not null", "one"),
        ("spec.list = '[1]'", "one"),
        ("spec.n + generation * 2 > 11", "one"),
        ("status.phase = 'Ready'", "one"),
        ("status_phase = 'NotReady'", "two"),
        ("status.conditions.Reconciled = 'True'", "one"),
        ("status.conditions.Reconciled.observed_generation = 1", "one"),
        ("status.conditions.Reconciled.last_updated_time > '2026-01-01T00:00:00Z'", "one"),
        ("status.conditions.Reconciled.last_transition_time < '2026-01-01'", ""),
        ("status.conditions.DnsSuccessful != 'False'", "one"),
        ("created_time > '2026-01-01' and updated_at >= created_at", "one two"),
        ("created_by = 'tester' and deleted_at is null", "one two"),
        ("kind = 'Cluster' and name is not 'one'", "two"),
        ("name like 'o\\_e' or name like '_wo'", "two"),
        ("generation % 2 = 1 and 1 / (generation - 1) is null", "one two"),
        ("1 = 1", "one two"),
        ("'a' = 'b'", ""),
        ("name = 'it''s; DROP TABLE clusters; --'", ""),
    ] {
        match search.starts_with("NAME_") {
            true => assert!(world.found(search).await.is_err()),
            false => assert_eq!(world.found(search).await?.join(" "), expected, "{search}"),
        }
    }
    Ok(())
}

/// The searches that are refused, and long ones that are not, whatever the database.
pub(crate) async fn bad_searches_are_refused(world: &World) -> Result<()> {
    for search in [
        "",
        "nope = 1",
        "name",
        "a) or (b",
        "name = 'x' or 1=1) --",
        "name = '\0'",
        "generation = 'x'",
        "name ~= 'x'",
        "spec.a.0 = 1",
    ] {
        assert!(matches!(Search::parse(search, Kind::Cluster), Err(Error::BadRequest(_))), "{search}");
    }
    let one = world.cluster("one").await?;
    let longest = vec!["id='x'"; 400].join(" or ");
    let nested = format!("{}name = 'one'{}", "(".repeat(60), ")".repeat(60));
    let sum = format!("generation{} = 61", " + 1".repeat(60));
    let list = format!("labels.a in ({})", vec!["'x'"; 1000].join(","));
    let pattern = format!("name like '{}'", "_%".repeat(2000));
    let labels = vec!["labels.a='x'"; 200].join(" or ");
    for (search, expected) in [(longest, 0), (nested, 1), (sum, 1), (list, 0), (pattern, 0), (labels, 0)] {
        assert_eq!(world.found(&search).await?.len(), expected, "{search}");
    }
    // Numbers that are too great for the database are the client's.
    match world.found("generation * 1e300 * 1e300 > 0").await {
        Ok(_) => (),
        Err(error) => assert!(matches!(error.downcast_ref(), Some(Error::BadRequest(_))), "{error:#}"),
    }
    assert!(world.records.get(&key(&one)).await.is_ok());
    Ok(())
}

pub(crate) async fn searches_find_what_an_evaluation_finds(world: &World) -> Result<()> {
    evaluation::run(world).await
}
