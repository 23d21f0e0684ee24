//! Which of our crates may use which. The table is the architecture: an edge that is not in it is a decision, not a detail.

use super::metadata::{Metadata, Uses};

/// A crate, what its code may use, and what its tests may use besides.
type Layer = (&'static str, &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
const LAYERS: &[Layer] = &[
    // pure: no process, no clock, no network
    ("machinery",     &[], &[]),
    ("schema",        &["machinery"], &[]),
    ("openapi",       &["machinery", "schema"], &[]),
    // the seams, and what every process does once
    ("proto",         &["machinery"], &[]),
    ("runtime",       &["machinery"], &[]),
    // the two sides, which meet only in proto
    ("auth",          &["machinery", "runtime"], &[]),
    ("admission",     &["auth", "machinery", "runtime", "schema"], &["kit"]),
    ("policies",      &["admission", "auth", "machinery", "runtime", "schema"], &["kit"]),
    ("apiserver",     &["admission", "auth", "machinery", "openapi", "proto", "runtime", "schema"], &["api-testing", "revlog"]),
    ("api-testing",   &["admission", "apiserver", "auth", "machinery", "openapi", "proto", "revlog", "runtime", "schema"], &[]),
    ("restart-api",   &["apiserver", "auth", "machinery", "openapi", "proto", "runtime", "schema"], &["api-testing", "kit"]),
    ("cbt-api",       &["apiserver", "auth", "machinery", "openapi", "proto", "runtime", "schema"], &["api-testing", "kit"]),
    ("revlog",        &["machinery", "proto"], &["runtime"]),
    ("engine-postgres", &["machinery", "proto", "revlog"], &["kit"]),
    ("engine-sqlite", &["machinery", "proto", "revlog"], &[]),
    ("cbt",           &["auth", "machinery", "proto", "runtime"], &["kit", "revlog"]),
    ("hyperfleet-records", &["machinery", "runtime"], &["kit"]),
    ("hyperfleet",    &["hyperfleet-records", "machinery", "runtime"], &["kit"]),
    ("hyperfleet-view", &["apiserver", "hyperfleet-records", "machinery", "proto", "schema"], &["api-testing", "kit", "runtime"]),
    ("tokens-api",    &["apiserver", "auth", "machinery", "openapi", "proto", "schema"], &["api-testing", "revlog", "runtime", "tokens"]),
    ("tokens",        &["machinery", "proto", "runtime"], &["kit", "revlog"]),
    ("storage",       &["engine-postgres", "engine-sqlite", "machinery", "proto", "revlog", "runtime"], &[]),
    ("cbt-csi",       &["proto", "runtime"], &["kit"]),
    ("cbt-rbd",       &["proto", "runtime"], &["kit"]),
    ("cbt-ebs",       &["proto", "runtime"], &["ebs-stub", "kit"]),
    ("ebs-stub",      &[], &[]),
    ("cbt-file",      &["proto", "runtime"], &["kit"]),
    ("power",         &["proto", "runtime"], &["kit"]),
    ("node-aws",      &["power", "proto", "runtime"], &["fakes", "kit"]),
    ("node-tencent",  &["power", "proto", "runtime"], &["fakes", "kit"]),
    ("node-redfish",  &["power", "proto", "runtime"], &["fakes", "kit"]),
    ("node-exec",     &["power", "proto", "runtime"], &["fakes", "kit"]),
    // what people run beside kubectl
    ("plugin",        &[], &[]),
    ("plugin-testing", &["kit"], &[]),
    ("kubectl-restart", &["machinery", "plugin"], &["kit", "plugin-testing"]),
    ("kubectl-cbt",   &["plugin", "proto"], &["kit", "machinery", "plugin-testing"]),
    ("restart",       &["machinery", "proto", "runtime"], &["kit", "revlog", "schema"]),
    // the binary puts them together
    (
        "outrigger",
        &["admission", "apiserver", "auth", "cbt", "cbt-api", "cbt-file", "engine-sqlite", "hyperfleet", "hyperfleet-records", "hyperfleet-view", "machinery", "openapi", "policies", "proto", "restart", "restart-api", "revlog", "runtime", "schema", "storage", "tokens", "tokens-api"],
        &["kit"],
    ),
    // tests from outside know the wire and nothing else
    ("kit",           &[], &[]),
    ("fakes",         &["kit", "proto", "runtime"], &[]),
    ("conformance",   &["kit"], &["kit"]),
    ("clients",       &["kit"], &["kit"]),
    ("hyperfleet-tests", &["kit"], &["kit"]),
    ("bench",         &["kit", "proto", "runtime"], &["kit"]),
    ("xtask",         &[], &[]),
];

/// Every edge that the table does not allow, and every crate it does not know.
pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    let mut found = Vec::new();
    for (name, uses) in &metadata.crates {
        match LAYERS.iter().find(|(layer, ..)| layer == name) {
            Some(layer) => found.extend(forbidden(layer, uses)),
            None => found.push(format!("{name}: not in the table of layers (xtask/src/tidy/layers.rs)")),
        }
    }
    let known = |name: &&str| metadata.crates.contains_key(*name);
    let gone = LAYERS.iter().map(|(name, ..)| *name).filter(|name| !known(name));
    found.extend(gone.map(|name| format!("{name}: in the table of layers, but there is no such crate")));
    found
}

fn forbidden((name, normal, tests): &Layer, uses: &Uses) -> Vec<String> {
    let beyond = |used: &[String], allowed: &dyn Fn(&str) -> bool, what: &str| -> Vec<String> {
        let used = used.iter().filter(|used| *used != name && !allowed(used));
        used.map(|used| format!("{name} must not use {used}{what} (xtask/src/tidy/layers.rs)")).collect()
    };
    let mut found = beyond(&uses.normal, &|used| normal.contains(&used), "");
    found.extend(beyond(&uses.tests, &|used| normal.contains(&used) || tests.contains(&used), " in its tests"));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(normal: &[&str], tests: &[&str]) -> Uses {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Uses { normal: owned(normal), tests: owned(tests) }
    }

    #[test]
    fn an_edge_outside_the_table_is_found() {
        let layer = ("proto", &["machinery"][..], &["kit"][..]);
        assert!(forbidden(&layer, &uses(&["machinery"], &["kit", "machinery", "proto"])).is_empty());
        assert_eq!(forbidden(&layer, &uses(&["apiserver"], &[])).len(), 1);
        assert_eq!(forbidden(&layer, &uses(&["kit"], &[])).len(), 1);
    }

    #[test]
    fn the_table_has_no_cycles() {
        fn depth(name: &str, left: usize) -> bool {
            let layer = LAYERS.iter().find(|(layer, ..)| *layer == name);
            left > 0 && layer.is_some_and(|(_, normal, _)| normal.iter().all(|used| depth(used, left - 1)))
        }
        assert!(LAYERS.iter().all(|(name, ..)| depth(name, LAYERS.len())));
    }
}
