//! An answer of the CSI driver as it comes: every message is read, checked, and has entries.

use proto::{
    MESSAGE_LIMIT,
    cbt::{
        Blocks, Checker, Encoded, Error, Kind, Query, Result, Shape, Snapshot,
        csi::{GetMetadataAllocatedRequest, GetMetadataDeltaRequest, snapshot_metadata_client::SnapshotMetadataClient},
    },
};
use tonic::{Streaming, transport::Channel};

use crate::{layout::Key, status::refusal};

/// Entries in a message: at most, and when nobody says how many. Both are far from what gRPC takes by itself, 4 MiB.
const MAX_RESULTS: (u64, u64) = (16_384, 1024);

/// Messages without entries that a driver may send one after the other, to say that it is still there.
const EMPTY_LIMIT: u32 = 10_000;

/// An answer. Dropped, it tells the driver to stop.
pub(crate) struct Incoming {
    messages: Streaming<Encoded>,
    /// Whether it is about a difference.
    delta: bool,
    /// From which byte on it was asked for.
    from: u64,
    checker: Option<Checker>,
    /// How many messages without entries came one after the other.
    empty: u32,
}

/// How many entries of a message to ask for: never none, which is endless work to some, and never so many that the message
/// cannot be sent.
pub(crate) fn max_results(query: &Query) -> u64 {
    let (most, usual) = MAX_RESULTS;
    let wanted = [u64::from(query.per_message), query.limit].into_iter().filter(|count| *count > 0).min();
    wanted.unwrap_or(usual).min(most)
}

// === impl Incoming ===

impl Incoming {
    /// Asks for what `query` is about, from a byte on.
    ///
    /// No deadline goes along: some drivers end their answer as if it were complete when one passes.
    pub(crate) async fn open(channel: &Channel, key: &Key, query: &Query, from: u64, max_results: u64) -> Result<Self> {
        let mut driver = SnapshotMetadataClient::new(channel.clone()).max_decoding_message_size(MESSAGE_LIMIT);
        let (base, target) = key.clone();
        let secrets = query.secrets.clone();
        let (starting_offset, max_results) = (signed(from)?, signed(max_results)?);
        let opened = match base {
            None => {
                let request =
                    GetMetadataAllocatedRequest { snapshot_id: target, starting_offset, max_results, secrets };
                driver.get_metadata_allocated(request).await
            }
            Some(base_snapshot_id) => {
                let request = GetMetadataDeltaRequest {
                    base_snapshot_id,
                    target_snapshot_id: target,
                    starting_offset,
                    max_results,
                    secrets,
                };
                driver.get_metadata_delta(request).await
            }
        };
        let delta = key.0.is_some();
        let messages = opened.map_err(|status| refusal(&status, delta))?.into_inner();
        Ok(Self { messages, delta, from, checker: None, empty: 0 })
    }

    /// The next message with entries; `None` when the driver said that it was all.
    pub(crate) async fn next(&mut self) -> Result<Option<Blocks>> {
        loop {
            let message = self.messages.message().await.map_err(|status| refusal(&status, self.delta))?;
            let Some(Encoded(encoded)) = message else { return Ok(None) };
            let blocks = Blocks::decode(encoded)?;
            if !blocks.is_empty() {
                let from = self.from;
                self.empty = 0;
                self.checker.get_or_insert_with(|| checker(&blocks, from)).check(&blocks)?;
                return Ok(Some(blocks));
            }
            self.empty += 1;
            if self.empty > EMPTY_LIMIT {
                return Err(Error::Broken("the driver sends one message without entries after the other".to_owned()));
            }
        }
    }
}

/// Blocks of one size are also at multiples of it: that is how the Kubernetes API counts them.
fn checker(first: &Blocks, from: u64) -> Checker {
    let size = first.iter().next().map_or(1, |block| block.size);
    let (shape, start) = match first.kind() {
        Kind::Fixed => (Shape::Blocks, from / size),
        Kind::Variable => (Shape::Ranges, from),
    };
    Checker::new(&Query { shape, start, ..Query::allocated(Snapshot::Handle(String::new())) })
}

fn signed<T: TryFrom<u64>>(value: u64) -> Result<T> {
    T::try_from(value).map_err(|_| Error::Internal(format!("{value} is too large for CSI")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_entries_are_asked_for_as_a_message_takes() {
        let asked = |per_message, limit| {
            max_results(&Query { per_message, limit, ..Query::allocated(Snapshot::Handle("s".into())) })
        };
        assert_eq!([asked(0, 0), asked(1, 0), asked(0, 7), asked(9, 7), asked(7, 9)], [1024, 1, 7, 7, 7]);
        assert_eq!([asked(u32::MAX, 0), asked(0, u64::MAX), asked(256, 1_000_000)], [16_384, 16_384, 256]);
    }
}
