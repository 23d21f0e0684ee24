//! The API's rules for whoever else writes records: what a request would be refused for.

use std::{collections::BTreeMap, sync::Arc};

use hyperfleet_records::Kind;
use runtime::Tasks;
use serde_json::value::RawValue;

use crate::{
    Rules,
    input::{self, Strictness},
    schemas::Schemas,
};

/// The rules, and the provider's schemas.
pub struct Judge {
    strictness: Strictness,
    schemas: Arc<Schemas>,
}

// === impl Judge ===

impl Judge {
    /// Reads the provider's schemas, and follows them as long as `tasks` run.
    pub fn load(rules: &Rules, tasks: &Tasks) -> Self {
        Self { strictness: Strictness::of(rules), schemas: Schemas::load(&rules.openapi_schema_path, tasks) }
    }

    /// All that is wrong with a record, each with its field.
    pub fn wrong(&self, kind: Kind, name: &str, labels: &BTreeMap<String, String>, spec: &RawValue) -> Vec<String> {
        let mut details = input::details(kind, name, labels, self.strictness);
        details.extend(self.schemas.current().violations(kind, spec.get()));
        details.into_iter().map(|detail| format!("{}: {}", detail.field, detail.message)).collect()
    }
}
