//! The calls that we make: each in its turn, within its time, and again while that may help.

use std::{future::Future, sync::Arc, time::Duration};

use aws_config::{SdkConfig, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig};
use aws_sdk_ebs::{
    Client,
    config::{Credentials, IdentityCache},
    operation::get_snapshot_block::GetSnapshotBlockOutput,
    types::ChecksumAlgorithm,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use proto::cbt::Error;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use crate::{Config, fault::Fault, handle::SnapshotId, pace::Pace, page::Page, retry::persist, token::Token};

/// One attempt at a call, its answer read to the end.
const ATTEMPT: Duration = Duration::from_secs(30);

/// What is listed.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// The blocks that a snapshot has.
    Allocated(SnapshotId),
    /// Those in which the second differs from the first.
    Changed(SnapshotId, SnapshotId),
    /// None of a snapshot: in what does it differ from itself? It is listed to know that it is there, and how large.
    Nothing(SnapshotId),
}

/// Where a page begins.
#[derive(Debug, Clone)]
pub(crate) enum At {
    /// At this block.
    Block(i32),
    /// Where the page before it ended.
    Token(String),
}

/// The calls, as one identity. Clones share the account's quota.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    allocated: Pace,
    changed: Pace,
    reads: Pace,
    patience: Duration,
}

// === impl Api ===

impl Api {
    /// Calls as `sdk` says where and as whom, and `config` how often.
    pub(crate) fn new(sdk: &SdkConfig, config: &Config) -> Self {
        // Retries and time limits are ours: they know the quota, and reading a body counts as part of a call.
        let settings = aws_sdk_ebs::config::Builder::from(sdk)
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let shared = Shared {
            allocated: Pace::per_second(config.ebs_requests_per_second),
            changed: Pace::per_second(config.ebs_requests_per_second),
            reads: Pace::per_second(config.ebs_reads_per_second),
            patience: config.ebs_retry_timeout,
        };
        Self { client: Client::from_conf(settings.build()), shared: Arc::new(shared) }
    }

    /// The same calls as somebody else.
    pub(crate) fn with(&self, credentials: Credentials) -> Self {
        let settings = self.client.config().to_builder();
        // A cache would keep an entry for each credentials that ever came.
        let settings = settings.credentials_provider(credentials).identity_cache(IdentityCache::no_cache());
        Self { client: Client::from_conf(settings.build()), shared: Arc::clone(&self.shared) }
    }

    /// A page of up to `most` blocks.
    pub(crate) async fn page(&self, subject: &Subject, at: &At, most: i32) -> Result<Page, Fault> {
        let (start, token) = match at {
            At::Block(index) => (Some(*index), None),
            At::Token(token) => (None, Some(token.clone())),
        };
        match subject {
            Subject::Allocated(snapshot) | Subject::Nothing(snapshot) => {
                let call = self.client.list_snapshot_blocks().snapshot_id(snapshot.as_str());
                let call = call.max_results(most).set_starting_block_index(start).set_next_token(token);
                let attempt = || {
                    attempt(async {
                        Page::allocated(call.clone().send().await.map_err(Fault::of)?).map_err(Fault::Final)
                    })
                };
                persist(&self.shared.allocated, self.shared.patience, attempt).await
            }
            Subject::Changed(first, second) => {
                let call = self.client.list_changed_blocks().first_snapshot_id(first.as_str());
                let call = call.second_snapshot_id(second.as_str());
                let call = call.max_results(most).set_starting_block_index(start).set_next_token(token);
                let attempt = || {
                    attempt(async {
                        Page::changed(call.clone().send().await.map_err(Fault::of)?).map_err(Fault::Final)
                    })
                };
                persist(&self.shared.changed, self.shared.patience, attempt).await
            }
        }
    }

    /// The data of a block of `snapshot`, which has the API's token `block`; its checksum is right.
    pub(crate) async fn block(&self, snapshot: &SnapshotId, token: &Token, block: &str) -> Result<Bytes, Fault> {
        let call = self.client.get_snapshot_block().snapshot_id(snapshot.as_str()).block_token(block);
        let call = call.block_index(token.index.cast_signed());
        let attempt = || {
            attempt(async {
                let answer = call.clone().send().await.map_err(Fault::of)?;
                data(answer, token).await
            })
        };
        persist(&self.shared.reads, self.shared.patience, attempt).await
    }
}

async fn attempt<T>(call: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let unanswered = |_| Err(Fault::Unavailable(format!("EBS: no whole answer within {} s", ATTEMPT.as_secs())));
    timeout(ATTEMPT, call).await.unwrap_or_else(unanswered)
}

/// Reads a block, and checks that it is whole.
async fn data(answer: GetSnapshotBlockOutput, token: &Token) -> Result<Bytes, Fault> {
    let (index, size) = (token.index, token.size as usize);
    let checksum = match (&answer.checksum, &answer.checksum_algorithm) {
        (Some(checksum), Some(ChecksumAlgorithm::ChecksumAlgorithmSha256)) => checksum.clone(),
        _ => return Err(Fault::Final(Error::Broken(format!("EBS: block {index} came without a SHA-256 checksum")))),
    };
    let mut body = answer.block_data;
    let mut data = BytesMut::with_capacity(size);
    while let Some(chunk) = body.next().await {
        data.extend_from_slice(&chunk.map_err(|error| {
            Fault::Unavailable(format!("EBS: reading block {index}: {}", runtime::telemetry::chain(&error)))
        })?);
        if data.len() > size {
            break;
        }
    }
    if data.len() != size {
        let text = format!("EBS: block {index} came with {} bytes of {size}, or more", data.len());
        return Err(Fault::Final(Error::Broken(text)));
    }
    if STANDARD.encode(Sha256::digest(&data)) != checksum {
        return Err(Fault::Corrupt(format!("EBS: the data of block {index} do not have their checksum")));
    }
    Ok(data.freeze())
}
