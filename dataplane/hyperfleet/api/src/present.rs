//! Records as they are served. What a client sent and what was aggregated is copied, not read.

use std::collections::BTreeMap;

use hyperfleet_records::{AdapterStatus, Kind, Owner, Page, Resource};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{fields::Fields, params::Paging, route::BASE};

/// A cluster or a node pool. The order of keys is the answer's.
#[derive(Serialize)]
struct Shown<'a> {
    created_by: &'a str,
    created_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_time: Option<Timestamp>,
    generation: i64,
    href: String,
    id: &'a str,
    kind: &'static str,
    labels: &'a BTreeMap<String, String>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_references: Option<Reference<'a>>,
    spec: &'a RawValue,
    status: &'a RawValue,
    updated_by: &'a str,
    updated_time: Timestamp,
}

#[derive(Serialize)]
struct Reference<'a> {
    href: String,
    id: &'a str,
    kind: &'static str,
}

#[derive(Serialize)]
struct Statuses<'a> {
    items: &'a [AdapterStatus],
    kind: &'static str,
    page: i64,
    size: usize,
    total: u64,
}

/// The word for a kind.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => "Cluster",
        Kind::NodePool => "NodePool",
    }
}

/// One record, or parts of it.
pub(crate) fn record(resource: &Resource, fields: Option<&Fields>) -> Vec<u8> {
    let mut json = Vec::with_capacity(length(resource));
    write(resource, fields, &mut json);
    json
}

/// A part of a list.
pub(crate) fn list(of: Kind, part: &Page<Resource>, paging: Paging, fields: Option<&Fields>) -> Vec<u8> {
    let (page, size, total) = (paging.page, part.items.len(), part.total);
    let numbers = format!(r#""page":{page},"size":{size},"total":{total}"#);
    let (before, after) = match of {
        Kind::Cluster => (r#"{"items":["#.to_owned(), format!(r#"],"kind":"ClusterList",{numbers}}}"#)),
        Kind::NodePool => (format!(r#"{{"kind":"NodePoolList",{numbers},"items":["#), "]}".to_owned()),
    };
    let mut json = Vec::with_capacity(part.items.iter().map(length).sum::<usize>() + 128);
    json.extend_from_slice(before.as_bytes());
    for (place, resource) in part.items.iter().enumerate() {
        if place > 0 {
            json.push(b',');
        }
        write(resource, fields, &mut json);
    }
    json.extend_from_slice(after.as_bytes());
    json
}

/// A part of what adapters reported.
pub(crate) fn statuses(page: &Page<AdapterStatus>, paging: Paging) -> Vec<u8> {
    let (items, size) = (page.items.as_slice(), page.items.len());
    let list = Statuses { items, kind: "AdapterStatusList", page: paging.page, size, total: page.total };
    serde_json::to_vec(&list).expect(MEMORY)
}

/// One adapter's report.
pub(crate) fn status(status: &AdapterStatus) -> Vec<u8> {
    serde_json::to_vec(status).expect(MEMORY)
}

const MEMORY: &str = "memory takes what is written to it";

/// About how many bytes a record is.
fn length(resource: &Resource) -> usize {
    resource.spec.get().len() + resource.status.get().len() + 1024
}

fn write(resource: &Resource, fields: Option<&Fields>, json: &mut Vec<u8>) {
    let Some(fields) = fields else {
        return serde_json::to_writer(json, &shown(resource)).expect(MEMORY);
    };
    let whole = serde_json::value::to_raw_value(&shown(resource)).expect(MEMORY);
    json.extend_from_slice(fields.project(&whole).as_bytes());
}

fn shown(resource: &Resource) -> Shown<'_> {
    let Resource { id, owner, .. } = resource;
    Shown {
        created_by: &resource.created.1,
        created_time: resource.created.0,
        deleted_by: resource.deleted.as_ref().map(|(_, by)| by.as_str()),
        deleted_time: resource.deleted.as_ref().map(|(time, _)| *time),
        generation: resource.generation,
        href: match owner {
            Some(Owner { id: cluster, .. }) => format!("{BASE}/clusters/{cluster}/nodepools/{id}"),
            None => format!("{BASE}/clusters/{id}"),
        },
        id,
        kind: kind(resource.kind),
        labels: &resource.labels,
        name: &resource.name,
        owner_references: owner.as_ref().map(|owner| Reference {
            href: format!("{BASE}/clusters/{}", owner.id),
            id: &owner.id,
            kind: "Cluster",
        }),
        spec: &resource.spec,
        status: &resource.status,
        updated_by: &resource.updated.1,
        updated_time: resource.updated.0,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn resource(owner: Option<Owner>) -> Resource {
        let json = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let time: Timestamp = "2025-12-08T01:02:03.456789Z".parse().unwrap();
        Resource {
            kind: if owner.is_some() { Kind::NodePool } else { Kind::Cluster },
            id: "i".into(),
            name: "n".into(),
            object_name: "n".into(),
            owner,
            spec: json(r#"{"big":12345678901234567890,"one":1.0}"#),
            labels: BTreeMap::new(),
            generation: 1,
            created: (time, "system".into()),
            updated: (time, "system".into()),
            deleted: None,
            status: json("{}"),
            kubernetes: json("{}"),
            revision: 1,
        }
    }

    #[test]
    fn a_cluster_is_shown_in_the_order_of_the_first_version() {
        assert_eq!(
            String::from_utf8(record(&resource(None), None)).unwrap(),
            concat!(
                r#"{"created_by":"system","created_time":"2025-12-08T01:02:03.456789Z","generation":1,"#,
                r#""href":"/api/hyperfleet/v1/clusters/i","id":"i","kind":"Cluster","labels":{},"name":"n","#,
                r#""spec":{"big":12345678901234567890,"one":1.0},"status":{},"updated_by":"system","#,
                r#""updated_time":"2025-12-08T01:02:03.456789Z"}"#
            )
        );
    }

    #[test]
    fn a_node_pool_names_its_cluster() {
        let shown = String::from_utf8(record(
            &resource(Some(Owner { id: "c".into(), name: "cn".into(), object_name: "cn".into() })),
            None,
        ))
        .unwrap();
        assert!(shown.contains(r#""href":"/api/hyperfleet/v1/clusters/c/nodepools/i""#));
        assert!(shown.contains(
            r#""owner_references":{"href":"/api/hyperfleet/v1/clusters/c","id":"c","kind":"Cluster"},"spec""#
        ));
    }

    #[test]
    fn lists_keep_their_orders() {
        let page = Page { items: vec![resource(None)], total: 7 };
        let paging = Paging { page: 0, size: 1 };
        let fields = Fields::read(Some("id"), Kind::Cluster).unwrap();
        let text = |json: Vec<u8>| String::from_utf8(json).unwrap();
        assert_eq!(
            text(list(Kind::Cluster, &page, paging, fields.as_ref())),
            r#"{"items":[{"id":"i"}],"kind":"ClusterList","page":0,"size":1,"total":7}"#
        );
        assert_eq!(
            text(list(Kind::NodePool, &Page { items: Vec::new(), total: 7 }, paging, None)),
            r#"{"kind":"NodePoolList","page":0,"size":0,"total":7,"items":[]}"#
        );
        assert_eq!(
            text(statuses(&Page { items: Vec::new(), total: 0 }, paging)),
            r#"{"items":[],"kind":"AdapterStatusList","page":0,"size":0,"total":0}"#
        );
    }
}
