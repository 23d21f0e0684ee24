//! What is kept of a list of blocks: the columns that people see.
//!
//! Only a list that was sent to its end from the first block on says how many there are, and only that is written to the
//! status. It is written when it differs from what is there, and belongs to nobody else: a failure costs the column.

use apiserver::StatusWriter;
use proto::cbt::{Blocks, Snapshot};
use serde_json::{Value, json};

use super::{delta::Delta, driver::Drivers, page::Page};

/// Who owns the fields.
const MANAGER: &str = "outrigger-cbt";

/// The count of one stream.
#[derive(Debug, Default)]
pub(super) struct Tally {
    blocks: u64,
    bytes: u64,
    capacity: u64,
}

/// Where the count goes.
pub(super) struct Summary {
    drivers: Drivers,
    target: Snapshot,
    writer: StatusWriter,
    uid: String,
    generation: Value,
    page: Page,
}

// === impl Tally ===

impl Tally {
    /// Counts a message of blocks of one size.
    pub(super) fn add(&mut self, blocks: &Blocks) {
        let size = blocks.iter().next().map_or(0, |block| block.size);
        self.blocks += blocks.len() as u64;
        self.bytes = self.bytes.saturating_add(size.saturating_mul(blocks.len() as u64));
        self.capacity = self.capacity.max(blocks.capacity());
    }
}

// === impl Summary ===

impl Summary {
    /// Of a page of the blocks of `object`, which `writer` writes.
    pub(super) fn new(drivers: &Drivers, writer: StatusWriter, object: &Value, page: Page) -> Self {
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let generation = object["metadata"]["generation"].clone();
        Self { drivers: drivers.clone(), target: Delta::of(object).target, writer, uid, generation, page }
    }

    /// Writes it, if the page was all there is.
    pub(super) async fn write(&self, tally: &Tally) {
        if !self.page.is_all(tally.blocks) {
            return;
        }
        let driver = self.drivers.of(&self.target).await.unwrap_or_default();
        let written = self.writer.update(MANAGER, |object| self.status(object, tally, &driver)).await;
        if let Err(status) = written {
            tracing::debug!(status = %status, "the count of blocks is not written");
        }
    }

    /// The new status, if the object is still the one that was asked about.
    fn status(&self, object: &Value, tally: &Tally, driver: &str) -> Option<Value> {
        let meta = &object["metadata"];
        if meta["uid"] != self.uid || meta["generation"] != self.generation {
            return None;
        }
        let mut status = object["status"].as_object().cloned().unwrap_or_default();
        let fields = [
            ("blocks", tally.blocks.into()),
            ("bytes", tally.bytes.into()),
            ("driver", driver.into()),
            ("observedGeneration", self.generation.clone()),
            ("volumeSizeBytes", tally.capacity.into()),
        ];
        for (field, value) in fields {
            // What nobody knows is left out.
            if value == json!("") || (field == "volumeSizeBytes" && value == 0) {
                status.remove(field);
            } else {
                status.insert(field.to_owned(), value);
            }
        }
        Some(status.into())
    }
}
