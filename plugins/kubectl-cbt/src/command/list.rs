//! `kubectl cbt list`: the VolumeSnapshotDeltas of a namespace, in the server's own columns.

use anyhow::{Context as _, Result};
use http::{Request, header};
use http_body_util::BodyExt;
use plugin::{Connection, answer};
use serde_json::Value;

use crate::{delta, output};

/// Flags of `kubectl cbt list`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only those with these labels.
    #[arg(long, short = 'l', value_name = "SELECTOR")]
    selector: Option<String>,
    /// All columns.
    #[arg(long, short = 'o', value_parser = ["wide"])]
    output: Option<String>,
}

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

pub(crate) async fn run(args: &Args, connection: &Connection) -> Result<()> {
    let mut path = delta::collection(&connection.namespace);
    if let Some(selector) = &args.selector {
        let selector = percent_encoding::utf8_percent_encode(selector, percent_encoding::NON_ALPHANUMERIC);
        path = format!("{path}?labelSelector={selector}");
    }
    let request = Request::get(path).header(header::ACCEPT, TABLE).body(Vec::new())?;
    let body = answer(&connection.client, request).await?.into_body().collect().await?.to_bytes();
    let table: Value = serde_json::from_slice(&body).context("reading the list")?;
    let (headings, rows) = columns(&table, args.output.is_some());
    if rows.is_empty() {
        eprintln!("No resources found in {} namespace.", connection.namespace);
        return Ok(());
    }
    output::printed(output::table(&headings, &rows, &mut output::stdout()))
}

/// Headings and cells of a Table; those of priority 0 unless all are wanted.
fn columns(table: &Value, wide: bool) -> (Vec<String>, Vec<Vec<String>>) {
    let definitions = table["columnDefinitions"].as_array().cloned().unwrap_or_default();
    let shown: Vec<usize> =
        (0..definitions.len()).filter(|&at| wide || definitions[at]["priority"].as_i64() == Some(0)).collect();
    let headings =
        shown.iter().map(|&at| definitions[at]["name"].as_str().unwrap_or_default().to_uppercase()).collect();
    let cell = |row: &Value, at: usize| match &row["cells"][at] {
        Value::Null => "<none>".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rows = table["rows"].as_array().into_iter().flatten();
    (headings, rows.map(|row| shown.iter().map(|&at| cell(row, at)).collect()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_of_lower_priority_are_for_wide_tables() {
        let table = json!({
            "columnDefinitions": [{ "name": "Name", "priority": 0 }, { "name": "Mode", "priority": 1 }],
            "rows": [{ "cells": ["a", "block"] }, { "cells": ["b", null] }],
        });
        assert_eq!(columns(&table, false), (vec!["NAME".into()], vec![vec!["a".into()], vec!["b".into()]]));
        let (headings, rows) = columns(&table, true);
        assert_eq!((headings.len(), rows[1][1].as_str()), (2, "<none>"));
    }
}
