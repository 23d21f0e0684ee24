//! What a search finds, and what it refuses.

use anyhow::Result;
use serde_json::json;

use crate::cx::{Cx, encode, path};

cases![
    operators_on_a_column,
    operators_on_numbers,
    logic_binds_as_in_sql,
    keywords_and_names_may_be_written_otherwise,
    labels_are_searched,
    the_status_is_searched,
    the_spec_is_searched,
    conditions_are_searched,
    times_are_searched,
    node_pools_are_searched_within_their_cluster,
    what_is_no_search_is_refused,
    fields_that_do_not_exist_are_refused,
    values_are_not_sql,
    parentheses_do_not_escape,
    long_and_deep_searches_are_refused,
    an_empty_search_is_none,
];

/// Four clusters: a and b of the test environment, c of production, d of none.
async fn four(cx: &Cx) -> Result<()> {
    for (suffix, env, spec) in [
        ("a", Some("test"), json!({"size": 1, "cloud": {"region": "eu"}, "note": "it's"})),
        ("b", Some("test"), json!({"size": 2, "cloud": {"region": "us"}, "note": "50%"})),
        ("c", Some("prod"), json!({"size": 10, "cloud": {"region": "eu"}, "note": "A"})),
        ("d", None, json!({"size": 2.5, "note": "a"})),
    ] {
        let mut body = cx.body(suffix);
        body["spec"] = spec;
        if let Some(env) = env {
            body["labels"]["env"] = json!(env);
            body["labels"]["example.com/tier"] = json!(format!("{env}-tier"));
        }
        cx.post("/clusters", &body).await?.success()?;
    }
    Ok(())
}

/// Each search finds the clusters of these suffixes. `{a}` stands for the name of a.
async fn find(cx: &Cx, table: &[(&str, &str)]) -> Result<()> {
    four(cx).await?;
    for (search, expected) in table {
        let search = ["a", "b", "c", "d"].iter().fold((*search).to_owned(), |search, suffix| {
            search.replace(&format!("{{{suffix}}}"), &cx.name(suffix))
        });
        assert_eq!(cx.matching(&search).await?, *expected, "{search}");
    }
    Ok(())
}

/// Each search is a bad one.
async fn refuse(cx: &Cx, table: &[&str]) -> Result<()> {
    for search in table {
        let answer = cx.get(&format!("/clusters?search={}", encode(search))).await?;
        let error = answer.json()?;
        assert_eq!((answer.status, &error["code"]), (400, &json!("hyperfleet-21")), "{search}: {error}");
        let reason = error["reason"].as_str().unwrap_or_default();
        assert!(!reason.is_empty() && !reason.contains("SELECT") && !reason.contains("syntax to use near"), "{search}: {reason}");
    }
    Ok(())
}

async fn operators_on_a_column(cx: &Cx) -> Result<()> {
    let table = [
        ("name = '{a}'", "a"),
        ("name != '{a}'", "bcd"),
        ("name <> '{a}'", "bcd"),
        ("name < '{b}'", "a"),
        ("name <= '{b}'", "ab"),
        ("name > '{c}'", "d"),
        ("name >= '{c}'", "cd"),
        ("name like '%-a'", "a"),
        ("name like '%-A'", ""),
        ("name like '%-_'", "abcd"),
        ("name not like '%-a'", "bcd"),
        ("name ilike '%-A'", "a"),
        ("name not ilike '%-A'", "bcd"),
        ("name in ('{a}', '{c}')", "ac"),
        ("name in ('{a}')", "a"),
        ("name not in ('{a}', '{c}')", "bd"),
        ("name between '{b}' and '{c}'", "bc"),
        ("name not between '{b}' and '{c}'", "ad"),
        ("name is null", ""),
        ("name is not null", "abcd"),
        ("kind = 'Cluster'", "abcd"),
        ("created_by = 'nobody'", ""),
        ("updated_by is not null", "abcd"),
    ];
    find(cx, &table).await
}

async fn operators_on_numbers(cx: &Cx) -> Result<()> {
    let table = [
        ("generation = 1", "abcd"),
        ("generation != 1", ""),
        ("generation > 0 and generation < 2", "abcd"),
        ("generation between 0 and 1", "abcd"),
        ("generation in (1, 2)", "abcd"),
        ("generation + 1 = 2", "abcd"),
        ("generation - 1 = 0", "abcd"),
        ("generation * 3 = 3", "abcd"),
        ("generation / 1 = 1", "abcd"),
        ("generation % 2 = 1", "abcd"),
        ("generation = 1.0", "abcd"),
        ("generation = 1.5", ""),
    ];
    find(cx, &table).await
}

async fn logic_binds_as_in_sql(cx: &Cx) -> Result<()> {
    let table = [
        ("name = '{a}' or name = '{b}'", "ab"),
        ("name = '{a}' and name = '{b}'", ""),
        ("name = '{a}' or name = '{b}' and name = '{c}'", "a"),
        ("(name = '{a}' or name = '{b}') and labels.env = 'test'", "ab"),
        ("not name = '{a}'", "bcd"),
        ("not (name = '{a}' or name = '{b}')", "cd"),
        ("not name = '{a}' and not name = '{b}'", "cd"),
        ("((((name = '{a}'))))", "a"),
    ];
    find(cx, &table).await
}

async fn keywords_and_names_may_be_written_otherwise(cx: &Cx) -> Result<()> {
    let table = [
        ("name IN ('{a}') OR name LIKE '%-b'", "ab"),
        ("NOT name Not Like '%-a'", "a"),
        ("name Between '{b}' And '{c}'", "bc"),
        ("name Is Not Null", "abcd"),
        ("name='{a}'", "a"),
        ("  name\t=\n'{a}'  ", "a"),
        ("\"name\" = '{a}'", "a"),
        ("`name` = '{a}'", "a"),
        ("[name] = '{a}'", "a"),
    ];
    find(cx, &table).await
}

async fn labels_are_searched(cx: &Cx) -> Result<()> {
    let table = [
        ("labels.env = 'test'", "ab"),
        ("labels.env='test' and labels.run is not null", "ab"),
        ("labels.env in ('test', 'prod')", "abc"),
        ("labels.env like 'te%'", "ab"),
        ("labels.env != 'test'", "c"),
        ("not labels.env = 'test'", "c"),
        ("labels.env not in ('test')", "c"),
        ("labels.env is null", "d"),
        ("labels.env is not null", "abc"),
        ("labels.nobody = 'x'", ""),
        ("labels.non_existing_label='value'", ""),
        ("labels.env = 'test' and name != '{a}'", "b"),
        ("labels.env > 'prod'", "ab"),
    ];
    find(cx, &table).await
}

async fn the_status_is_searched(cx: &Cx) -> Result<()> {
    four(cx).await?;
    let a = cx.search("name like '%-a'", "").await?.success()?["items"][0].clone();
    cx.report(&a, &crate::cx::report("dns", 1, &[("Available", "True")])).await?.success()?;
    for (search, expected) in [
        ("status.phase = 'Ready'", "a"),
        ("status.phase = 'NotReady'", "bcd"),
        ("status.phase != 'Ready'", "bcd"),
        ("status.phase in ('Ready', 'Failed')", "a"),
        ("status_phase = 'Ready'", "a"),
        ("status.phase = 'Nonsense'", ""),
    ] {
        assert_eq!(cx.matching(search).await?, expected, "{search}");
    }
    Ok(())
}

async fn the_spec_is_searched(cx: &Cx) -> Result<()> {
    let table = [
        ("spec.cloud.region = 'eu'", "ac"),
        ("spec.cloud.region != 'eu'", "b"),
        ("spec.size = 2", "b"),
        ("spec.size = 2.5", "d"),
        ("spec.size > 2", "cd"),
        ("spec.size >= 2 and spec.size < 10", "bd"),
        ("spec.size in (1, 10)", "ac"),
        ("spec.size between 1 and 2", "ab"),
        ("spec.note = 'it''s'", "a"),
        ("spec.note = '50%'", "b"),
        ("spec.note ilike 'a'", "cd"),
        ("spec.nothing.there = 'x'", ""),
    ];
    find(cx, &table).await
}

async fn conditions_are_searched(cx: &Cx) -> Result<()> {
    four(cx).await?;
    let list = cx.search("", "&orderBy=name").await?.success()?;
    cx.report(&list["items"][0], &crate::cx::report("dns", 1, &[("Available", "True")])).await?.success()?;
    cx.report(&list["items"][1], &crate::cx::report("dns", 1, &[("Available", "False")])).await?.success()?;
    for (search, expected) in [
        ("status.conditions.DnsSuccessful = 'True'", "a"),
        ("status.conditions.DnsSuccessful = 'False'", "b"),
        ("status.conditions.Reconciled = 'True'", "a"),
        ("status.conditions.DnsSuccessful.observed_generation = 1", "ab"),
        ("status.conditions.DnsSuccessful.last_updated_time > '2020-01-01T00:00:00Z'", "ab"),
        ("status.conditions.DnsSuccessful.last_transition_time < '2020-01-01T00:00:00Z'", ""),
        ("status.conditions.Nobody = 'True'", ""),
    ] {
        assert_eq!(cx.matching(search).await?, expected, "{search}");
    }
    Ok(())
}

async fn times_are_searched(cx: &Cx) -> Result<()> {
    four(cx).await?;
    let list = cx.search("", "&orderBy=name").await?.success()?;
    let second = list["items"][1]["created_time"].as_str().unwrap_or_default();
    for (search, expected) in [
        ("created_time > '2020-01-01T00:00:00Z'".to_owned(), "abcd"),
        ("created_time < '2020-01-01T00:00:00Z'".to_owned(), ""),
        (format!("created_time >= '{second}'"), "bcd"),
        (format!("created_time < '{second}'"), "a"),
        (format!("created_time = '{second}'"), "b"),
    ] {
        assert_eq!(cx.matching(&search).await?, expected, "{search}");
    }
    Ok(())
}

async fn node_pools_are_searched_within_their_cluster(cx: &Cx) -> Result<()> {
    let (one, two) = (cx.cluster("a").await?, cx.cluster("b").await?);
    for (cluster, name) in [(&one, "a"), (&one, "b"), (&two, "a"), (&two, "b")] {
        cx.nodepool(cluster, name).await?;
    }
    for search in ["name='a' or name='b'", "name='a') or (name='b'", "1=1 or name='a'", "owner_id is not null or name='a'"] {
        let answer = cx.get(&format!("{}/nodepools?search={}", path(&one), encode(search))).await?;
        if answer.status == 400 {
            continue;
        }
        let list = answer.success()?;
        for pool in list["items"].as_array().into_iter().flatten() {
            assert_eq!(pool["owner_references"]["id"], one["id"], "{search}");
        }
    }
    let both = cx.get(&format!("{}/nodepools?search={}", path(&one), encode("name='a' or name='b'"))).await?.success()?;
    assert_eq!(both["total"], json!(2));
    let all = cx.get(&format!("/nodepools?search={}", encode(&format!("labels.run='{}' and name='a'", cx.run)))).await?;
    assert_eq!(all.success()?["total"], json!(2));
    Ok(())
}

async fn what_is_no_search_is_refused(cx: &Cx) -> Result<()> {
    let table = [
        "name",
        "name =",
        "= 'x'",
        "name = 'x",
        "name == 'x'",
        "(name = 'x'",
        "name = 'x')",
        "name = 'x' and",
        "and name = 'x'",
        "name = 'x' name = 'y'",
        "name = 'x'; drop table clusters",
        "name ~= 'x'",
        "name ~! 'x'",
        "name in 'x'",
        "name in ('x'",
        "name between 'a'",
        "name is",
        "not",
        "''",
        "()",
        "name = 'x' -- comment",
        "name = 'x' /* comment */",
        "\u{0}",
        "name = 'a\u{0}b'",
        "\u{1f600}",
        "name = \"x",
    ];
    refuse(cx, &table).await
}

async fn fields_that_do_not_exist_are_refused(cx: &Cx) -> Result<()> {
    let table = [
        "nope = 'x'",
        "name = 'x' or nope = 'y'",
        "clusters.name = 'x'",
        "labels = 'x'",
        "spec = 'x'",
        "status = 'x'",
        "status.nope = 'x'",
        "status.conditions = 'True'",
        "properties.x = 'y'",
        "password = 'x'",
        "sqlite_master.name = 'x'",
        "pg_sleep = 'x'",
        "rowid = 1",
        "name = nope",
    ];
    refuse(cx, &table).await
}

async fn values_are_not_sql(cx: &Cx) -> Result<()> {
    let table = [
        ("name = 'x'' or ''1''=''1'", ""),
        ("name = '{a}'' --'", ""),
        ("name in ('x'') or (''1''=''1')", ""),
        ("name like '%'' or 1=1 --'", ""),
        ("labels.env = 'x'' or ''1''=''1'", ""),
        ("spec.note = 'x'' or ''1''=''1'", ""),
        ("name = '$1'", ""),
        ("name = '?'", ""),
        ("name = '\\'", ""),
        ("name = '{a}; drop table clusters'", ""),
        ("name = '{a}'", "a"),
    ];
    find(cx, &table).await?;
    // A quote in a name of a label or of a part of the spec is not SQL either.
    for search in ["labels.\"a' or '1'='1\" = 'x'", "spec.\"a' or '1'='1\" = 'x'", "status.conditions.\"a' or '1'='1\" = 'True'"] {
        let answer = cx.search(search, "").await?;
        assert!(answer.status == 400 || answer.json()?["total"] == json!(0), "{search}: {}", answer.text());
    }
    Ok(())
}

async fn parentheses_do_not_escape(cx: &Cx) -> Result<()> {
    four(cx).await?;
    for search in ["name = 'a') or (name = 'b'", "name = 'a'))--", "1=1) or (1=1"] {
        let answer = cx.get(&format!("/clusters?search={}", encode(search))).await?;
        assert_eq!(answer.status, 400, "{search}: {}", answer.text());
    }
    Ok(())
}

async fn long_and_deep_searches_are_refused(cx: &Cx) -> Result<()> {
    let long = format!("name = '{}'", "x".repeat(4096));
    let many = vec!["name = 'x'"; 2000].join(" or ");
    for search in [long, many, format!("name = '{}'", "\u{e9}".repeat(4096))] {
        let answer = cx.get(&format!("/clusters?search={}", encode(&search))).await?;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    // As deep as the limit on the length lets it be: an answer, whichever.
    let deep = format!("{}name = 'x'{}", "(".repeat(2000), ")".repeat(2000));
    let nots = format!("{}name = 'x'", "not ".repeat(1000));
    let ors = vec!["name='x'"; 300].join(" or ");
    for search in [deep, nots, ors] {
        let answer = cx.get(&format!("/clusters?search={}", encode(&search))).await?;
        assert!([200, 400].contains(&answer.status), "{}: {}", answer.status, answer.text());
    }
    Ok(())
}

async fn an_empty_search_is_none(cx: &Cx) -> Result<()> {
    cx.cluster("a").await?;
    for search in ["", "%20", "%09"] {
        let answer = cx.get(&format!("/clusters?pageSize=1&search={search}")).await?;
        assert!(answer.success()?["total"].as_u64().is_some_and(|total| total > 0), "{search}");
    }
    Ok(())
}
