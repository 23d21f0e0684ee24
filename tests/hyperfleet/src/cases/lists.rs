//! Lists: which part, in which order, which fields.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, encode, id, path};
use crate::shape::keys;

cases![
    a_list_says_its_page_size_and_total,
    pages_are_cut_where_they_are_asked_for,
    page_sizes_that_make_no_sense_are_replaced,
    pages_that_are_no_number_are_the_first,
    both_names_of_the_size_are_known,
    pages_cover_everything_once,
    the_newest_come_first,
    an_order_is_by_fields,
    an_order_that_makes_no_sense_is_refused,
    orders_are_not_sql,
    fields_are_chosen,
    fields_of_one_record_are_chosen,
    fields_of_nothing_are_an_empty_list,
    statuses_are_listed_in_pages,
    parameters_that_nobody_knows_do_no_harm,
];

async fn five(cx: &Cx) -> Result<Vec<Value>> {
    let mut clusters = Vec::new();
    for suffix in ["c", "a", "e", "b", "d"] {
        clusters.push(cx.cluster(suffix).await?);
    }
    Ok(clusters)
}

async fn a_list_says_its_page_size_and_total(cx: &Cx) -> Result<()> {
    five(cx).await?;
    let answer = cx.search("", "").await?;
    assert_eq!(answer.status, 200);
    assert_eq!(keys(&answer.body, "")?, ["items", "kind", "page", "size", "total"]);
    assert_eq!(keys(&answer.body, "items.0")?, super::clusters::KEYS[..12]);
    let list = answer.json()?;
    assert_eq!((&list["kind"], &list["page"], &list["size"], &list["total"]), (&json!("ClusterList"), &json!(1), &json!(5), &json!(5)));
    Ok(())
}

async fn pages_are_cut_where_they_are_asked_for(cx: &Cx) -> Result<()> {
    five(cx).await?;
    for (page, size, expected) in
        [(1, 2, "ab"), (2, 2, "cd"), (3, 2, "e"), (4, 2, ""), (100_000, 100, ""), (1, 5, "abcde"), (1, 6, "abcde"), (2, 3, "de")]
    {
        let list = cx.search("", &format!("&orderBy=name&page={page}&pageSize={size}")).await?.success()?;
        assert_eq!(cx.suffixes(&list), expected, "page {page} of {size}");
        assert_eq!((&list["page"], &list["size"], &list["total"]), (&json!(page), &json!(expected.len()), &json!(5)));
        assert!(list["items"].is_array());
    }
    Ok(())
}

async fn page_sizes_that_make_no_sense_are_replaced(cx: &Cx) -> Result<()> {
    five(cx).await?;
    for (size, expected) in [("0", ""), ("-1", "abcde"), ("65501", "abcde"), ("99999999999999999999", "abcde"), ("many", "abcde"), ("", "abcde"), ("2.5", "abcde")] {
        let list = cx.search("", &format!("&orderBy=name&pageSize={size}")).await?.success()?;
        assert_eq!((cx.suffixes(&list).as_str(), &list["total"]), (expected, &json!(5)), "pageSize={size}");
    }
    Ok(())
}

async fn pages_that_are_no_number_are_the_first(cx: &Cx) -> Result<()> {
    five(cx).await?;
    for (page, echoed) in [("0", json!(0)), ("-3", json!(-3)), ("first", json!(1)), ("", json!(1)), ("1e3", json!(1))] {
        let list = cx.search("", &format!("&orderBy=name&pageSize=2&page={page}")).await?.success()?;
        assert_eq!((cx.suffixes(&list).as_str(), &list["page"]), ("ab", &echoed), "page={page}");
    }
    // Beyond any number there can be: as good as beyond the end.
    let far = cx.search("", "&page=9223372036854775807&pageSize=65500").await?;
    assert_eq!((far.status, far.json()?["items"].clone()), (200, json!([])));
    Ok(())
}

async fn both_names_of_the_size_are_known(cx: &Cx) -> Result<()> {
    five(cx).await?;
    for (more, expected) in [("&size=2", "ab"), ("&size=3&pageSize=1", "a"), ("&pageSize=1&size=3", "a")] {
        let list = cx.search("", &format!("&orderBy=name{more}")).await?.success()?;
        assert_eq!(cx.suffixes(&list), expected, "{more}");
    }
    Ok(())
}

async fn pages_cover_everything_once(cx: &Cx) -> Result<()> {
    let made: BTreeSet<String> = five(cx).await?.iter().map(|cluster| id(cluster).to_owned()).collect();
    for order in ["", "&orderBy=kind", "&orderBy=generation desc"] {
        let mut seen = Vec::new();
        for page in 1..=5 {
            let list = cx.search("", &format!("{}&pageSize=1&page={page}", order.replace(' ', "%20"))).await?.success()?;
            seen.extend(list["items"].as_array().into_iter().flatten().map(|item| id(item).to_owned()));
        }
        assert_eq!(seen.len(), 5, "{order}");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made, "{order}");
    }
    Ok(())
}

async fn the_newest_come_first(cx: &Cx) -> Result<()> {
    five(cx).await?;
    assert_eq!(cx.suffixes(&cx.search("", "").await?.success()?), "dbeac");
    Ok(())
}

async fn an_order_is_by_fields(cx: &Cx) -> Result<()> {
    five(cx).await?;
    for (order, expected) in [
        ("name", "abcde"),
        ("name asc", "abcde"),
        ("name desc", "edcba"),
        ("name DESC", "edcba"),
        ("kind,name", "abcde"),
        ("kind asc,name desc", "edcba"),
        ("generation desc, name", "abcde"),
        ("created_time", "caebd"),
        ("created_time desc", "dbeac"),
    ] {
        let list = cx.search("", &format!("&orderBy={}", encode(order))).await?.success()?;
        assert_eq!(cx.suffixes(&list), expected, "{order}");
    }
    Ok(())
}

async fn an_order_that_makes_no_sense_is_refused(cx: &Cx) -> Result<()> {
    for order in ["name up", "name asc desc", "nope", "nope desc", "a.b.c.d", "desc", "name;"] {
        let answer = cx.search("", &format!("&orderBy={}", encode(order))).await?;
        let error = answer.json()?;
        assert_eq!((answer.status, &error["code"]), (400, &json!("hyperfleet-21")), "{order}: {error}");
    }
    let error = cx.search("", "&orderBy=name%20up").await?.json()?;
    assert!(error["reason"].as_str().is_some_and(|reason| reason.contains("bad order value 'name up'")), "{error}");
    Ok(())
}

async fn orders_are_not_sql(cx: &Cx) -> Result<()> {
    five(cx).await?;
    for order in [
        "(select 1)",
        "name; drop table clusters",
        "name--",
        "name/**/desc",
        "1",
        "clusters.name",
        "\"name\"",
        "name'",
        "(case when (select count(*) from clusters)>0 then name else id end)",
        "name nulls last",
        "pg_sleep(5)",
        "random()",
        "name\0",
    ] {
        let answer = cx.search("", &format!("&orderBy={}", encode(order))).await?;
        assert_eq!(answer.status, 400, "{order}: {}", answer.text());
    }
    assert_eq!(cx.matching("").await?, "abcde");
    Ok(())
}

async fn fields_are_chosen(cx: &Cx) -> Result<()> {
    five(cx).await?;
    let answer = cx.search("", "&orderBy=name&fields=name,status.phase,labels.run").await?;
    assert_eq!(keys(&answer.body, "")?, ["items", "kind", "page", "size", "total"]);
    let list = answer.success()?;
    assert_eq!(cx.suffixes(&list), "abcde");
    let first = &list["items"][0];
    assert_eq!((&first["status"], &first["labels"]), (&json!({"phase": "NotReady"}), &json!({"run": cx.run})));
    assert!(first.get("spec").is_none() && first.get("created_time").is_none(), "{first}");
    for unknown in ["nope", "name,nope", "status.nope", "name.first"] {
        let answer = cx.search("", &format!("&fields={unknown}")).await?;
        assert_eq!(answer.status, 400, "{unknown}: {}", answer.text());
    }
    Ok(())
}

async fn fields_of_one_record_are_chosen(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    cx.report(&cluster, &crate::cx::report("dns", 1, &[("Available", "True")])).await?.success()?;
    let read = cx.get(&format!("{}?fields=name,status.conditions.type", path(&cluster))).await?.success()?;
    assert_eq!(read["name"], cluster["name"]);
    let conditions = read["status"]["conditions"].as_array().cloned().unwrap_or_default();
    assert!(conditions.contains(&json!({"type": "DnsSuccessful"})), "{read}");
    assert_eq!(read["status"].as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(cx.get(&format!("{}?fields=nope", path(&cluster))).await?.status, 400);
    Ok(())
}

async fn fields_of_nothing_are_an_empty_list(cx: &Cx) -> Result<()> {
    let list = cx.search("name = 'nobody'", "&fields=name").await?.success()?;
    assert_eq!((&list["items"], &list["total"]), (&json!([]), &json!(0)));
    Ok(())
}

async fn statuses_are_listed_in_pages(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for adapter in ["dns", "validation", "hypershift"] {
        cx.report(&cluster, &crate::cx::report(adapter, 1, &[("Available", "True")])).await?.success()?;
    }
    let statuses = format!("{}/statuses", path(&cluster));
    let answer = cx.get(&statuses).await?;
    assert_eq!(keys(&answer.body, "")?, ["items", "kind", "page", "size", "total"]);
    let list = answer.success()?;
    assert_eq!((&list["kind"], &list["size"], &list["total"]), (&json!("AdapterStatusList"), &json!(3), &json!(3)));
    let mut seen = BTreeSet::new();
    for page in 1..=2 {
        let list = cx.get(&format!("{statuses}?page={page}&pageSize=2")).await?.success()?;
        assert_eq!(list["total"], json!(3));
        seen.extend(list["items"].as_array().into_iter().flatten().map(|item| item["adapter"].to_string()));
    }
    assert_eq!(seen.len(), 3);
    Ok(())
}

async fn parameters_that_nobody_knows_do_no_harm(cx: &Cx) -> Result<()> {
    five(cx).await?;
    for more in ["&nope=1", "&a=b&a=c", "&", "&=", "&page=1&page=2", "&%00=1"] {
        assert_eq!(cx.search("", more).await?.status, 200, "{more}");
    }
    Ok(())
}
