//! The report for programs: every number of the tables, and what they were made of.

use serde_json::{Map, Value, json};

use crate::procstat::Memory;
use crate::report::Machine;
use crate::run::{Cell, Findings, Footprint};
use crate::settings::Settings;
use crate::target::Peers;

/// The report as JSON.
pub(crate) fn json(peers: &Peers, settings: &Settings, machine: &Machine, findings: &Findings) -> Value {
    let targets = peers.targets.iter().zip(&findings.versions).map(|(target, version)| {
        json!({"name": target.name, "baseline": target.baseline, "group": target.group, "store": target.store,
               "version": version})
    });
    let cells: Vec<Value> = findings.cells.iter().map(|found| cell(peers, found)).collect();
    let memory: Vec<Value> = findings.memory.iter().map(footprint).collect();
    json!({
        "machine": {"processor": machine.processor, "cores": machine.cores, "kernel": machine.kernel},
        "settings": {
            "seconds": settings.time.as_secs_f64(), "warmUpSeconds": settings.warm_up.as_secs_f64(),
            "rounds": settings.rounds, "perConnection": settings.per_connection, "objects": settings.objects,
            "quick": settings.quick,
        },
        "notes": peers.notes,
        "targets": targets.collect::<Vec<_>>(),
        "cells": cells,
        "memory": memory,
    })
}

fn cell(peers: &Peers, cell: &Cell) -> Value {
    let outcome = &cell.outcome;
    let metrics: Map<String, Value> =
        cell.metrics.iter().map(|metric| (metric.label.to_owned(), metric.value.into())).collect();
    json!({
        "size": cell.size,
        "measure": cell.what,
        "target": peers.targets[cell.target].name,
        "metrics": metrics,
        "seconds": outcome.elapsed.as_secs_f64(),
        "requests": outcome.requests,
        "bytes": outcome.bytes,
        "errors": outcome.errors.count,
        "firstError": outcome.errors.first,
        "processorSeconds": outcome.usage.0,
    })
}

fn footprint(footprint: &Footprint) -> Value {
    let memory =
        |Memory { resident, anonymous, peak }| json!({"resident": resident, "anonymous": anonymous, "peak": peak});
    json!({"process": footprint.process, "before": memory(footprint.before), "after": memory(footprint.after)})
}
