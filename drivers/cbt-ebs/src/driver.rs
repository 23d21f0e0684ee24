//! The driver.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use futures::stream::BoxStream;
use proto::cbt::{Blocks, ChangedBlocks, Data, Error, Info, Query, Read, Result, Shape};
use runtime::{Context, Tasks, clock::Clock};
use tracing::instrument;

use crate::{
    Config,
    api::{Api, Subject},
    credentials,
    handle::SnapshotId,
    listing::Listing,
    messages::{Cut, messages},
    read::Reader,
    token::Token,
};

/// The CSI driver whose handles these are.
const CSI_DRIVER: &str = "ebs.csi.aws.com";

/// Changed blocks of EBS snapshots.
#[derive(Clone)]
pub struct Driver {
    api: Api,
    pages_ahead: usize,
    reads_ahead: usize,
    tasks: Tasks,
    clock: Clock,
}

// === impl Driver ===

impl Driver {
    /// A driver that calls as this process's environment says, as the AWS SDKs read it. Nothing is called yet; fails when
    /// the region is not known.
    pub async fn open(config: &Config, context: &Context) -> anyhow::Result<Self> {
        Ok(Self::new(&config.load().await?, config, context))
    }

    /// A driver that calls as `sdk` says.
    pub fn new(sdk: &SdkConfig, config: &Config, context: &Context) -> Self {
        Self {
            api: Api::new(sdk, config),
            pages_ahead: config.ebs_pages_ahead.into(),
            reads_ahead: config.ebs_reads_ahead.into(),
            tasks: context.tasks.clone(),
            clock: context.clock.clone(),
        }
    }

    /// The calls as whom the secrets of a query say.
    fn api(&self, secrets: &BTreeMap<String, String>) -> Result<Api> {
        let own = credentials::of(secrets)?;
        Ok(own.map_or_else(|| self.api.clone(), |own| self.api.with(own)))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ChangedBlocks for Driver {
    async fn info(&self) -> Result<Info> {
        Ok(Info { driver: CSI_DRIVER.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), reads: true })
    }

    #[instrument(name = "cbt.blocks", skip_all, fields(start = query.start, limit = query.limit), err(level = "debug"))]
    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        let target = SnapshotId::parse(&query.target)?;
        let subject = match query.base.as_ref().map(SnapshotId::parse).transpose()? {
            None => Subject::Allocated(target.clone()),
            Some(base) if base == target => Subject::Nothing(base),
            Some(base) => Subject::Changed(base, target.clone()),
        };
        let opened = Listing::open(self.api(&query.secrets)?, subject, &query).await?;
        let cut = Cut {
            tokens: (query.tokens && query.shape == Shape::Blocks).then_some(target),
            per_message: query.per_message,
            clock: self.clock.clone(),
        };
        Ok(messages(opened, cut, self.pages_ahead, &self.tasks))
    }

    #[instrument(name = "cbt.read", skip_all, fields(blocks = read.tokens.len()), err(level = "debug"))]
    async fn read(&self, read: Read) -> Result<BoxStream<'static, Result<Data>>> {
        let snapshot = SnapshotId::parse(&read.target)?;
        if read.tokens.is_empty() {
            return Err(Error::Invalid("there is no token of a block to read".to_owned()));
        }
        let tokens: Vec<Token> =
            read.tokens.iter().map(|token| Token::read(token, &snapshot)).collect::<Result<_>>()?;
        let reader = Reader { api: self.api(&read.secrets)?, snapshot, clock: self.clock.clone() };
        Ok(reader.stream(tokens, self.reads_ahead))
    }
}
