//! The driver: finds the snapshots of a query, and lets their sources answer it.

use std::{sync::Arc, time::UNIX_EPOCH};

use anyhow::Context as _;
use async_trait::async_trait;
use futures::stream::BoxStream;
use proto::cbt::{
    Blocks, ChangedBlocks, Data, Error, Info, Packer, Query, Read, Result, Shape, Snapshot, Tokens, Volume,
};
use runtime::clock::Clock;
use tracing::instrument;

use crate::{
    Config,
    cancel::Cancel,
    map::Maps,
    nbd::server::{IDLE, Servers},
    ranges::{Ask, Nothing, Ranges},
    read::Pieces,
    registry::{Found, Registry},
    source::{self, Base, Context, Opened},
    stream::{Messages, blocking, stream},
    token::{Mint, key::Key},
};

/// The CSI driver's name under which these snapshots are shown.
pub const DRIVER: &str = "file.cbt.outrigger.dev";

/// How fine images are compared when ranges of any size are asked for, in bytes: the blocks of most file systems.
const GRAIN: u64 = 4096;

/// Changed blocks of files. Clones share one driver.
#[derive(Clone)]
pub struct Driver {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) registry: Registry,
    pub(crate) block_size: u64,
    key: Key,
    ttl: u64,
    maps: Arc<Maps>,
    servers: Arc<Servers>,
    clock: Clock,
}

// === impl Driver ===

impl Driver {
    /// Opens the folder of snapshots, which must be there, and the key of tokens.
    pub fn open(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let folder = config.cbt_dir.as_deref().context("--cbt-dir must say where snapshots are")?;
        let shown = folder.display();
        let key = match &config.cbt_token_key_file {
            Some(path) => Key::load(path)?,
            None => Key::keep(folder).with_context(|| format!("the key of tokens in --cbt-dir {shown}"))?,
        };
        let shared = Shared {
            registry: Registry::open(folder).with_context(|| format!("opening --cbt-dir {shown}"))?,
            block_size: config.cbt_block_size,
            key,
            ttl: config.cbt_token_ttl.as_secs(),
            maps: Arc::default(),
            servers: Servers::new(IDLE),
            clock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

#[async_trait]
impl ChangedBlocks for Driver {
    async fn info(&self) -> Result<Info> {
        let shared = Arc::clone(&self.shared);
        let reads = blocking(move || shared.registry.has_data()).await??;
        Ok(Info { driver: DRIVER.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), reads })
    }

    #[instrument(name = "cbt.blocks", skip_all, fields(cbt.target = ?query.target, cbt.base = ?query.base, start = query.start), err(level = "debug"))]
    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        let (shared, cancel) = (Arc::clone(&self.shared), Cancel::default());
        let guard = cancel.guard();
        let messages = blocking(move || shared.messages(&query, &cancel)).await??;
        Ok(stream(messages, guard))
    }

    #[instrument(name = "cbt.read", skip_all, fields(cbt.target = ?read.target, blocks = read.tokens.len()), err(level = "debug"))]
    async fn read(&self, read: Read) -> Result<BoxStream<'static, Result<Data>>> {
        let (shared, cancel) = (Arc::clone(&self.shared), Cancel::default());
        let guard = cancel.guard();
        let pieces = blocking(move || shared.pieces(&read, &cancel)).await??;
        Ok(stream(pieces, guard))
    }
}

// === impl Shared ===

impl Shared {
    /// What sources need, for as long as somebody waits.
    pub(crate) fn context(&self, cancel: &Cancel) -> Context {
        Context { cancel: cancel.clone(), maps: Arc::clone(&self.maps), servers: Arc::clone(&self.servers) }
    }

    fn messages(&self, query: &Query, cancel: &Cancel) -> Result<Messages> {
        let context = self.context(cancel);
        let handle = handle(&query.target)?;
        let found = self.registry.find(handle)?;
        let base = query.base.as_ref().map(|base| self.base(base, &found)).transpose()?;
        let target = Opened::open(found, &context)?;
        let block_size = target.source().block_size().unwrap_or(self.block_size);
        let volume = Volume { capacity: target.source().capacity(), block_size, kind: target.kind() };
        let packer = Packer::new(query, volume, self.tokens(query, handle, &target, block_size)?)?;
        let grain = match query.shape {
            Shape::Ranges => GRAIN.min(block_size),
            Shape::Blocks => block_size,
        };
        let ask = Ask { start: packer.from(), grain };
        let ranges: Box<dyn Ranges> = match base {
            None => target.source().allocated(ask)?,
            Some(_) if query.base.as_ref() == Some(&query.target) => Box::new(Nothing),
            Some(base) => {
                let name = base.name.clone();
                let opened = Opened::open(base, &context)?;
                source::delta(Base { name: &name, opened: &opened }, &target, ask, &context)?
            }
        };
        Ok(Messages::new(packer, ranges))
    }

    /// The base of a delta, which must be a snapshot of the same volume.
    fn base(&self, base: &Snapshot, target: &Found) -> Result<Found> {
        let found = self.registry.find(handle(base)?)?;
        if found.volume == target.volume {
            return Ok(found);
        }
        Err(Error::NoDelta(format!(
            "{} is of volume {:?} and {} of volume {:?}: a delta is between snapshots of one volume",
            found.subject, found.volume, target.subject, target.volume
        )))
    }

    /// The tokens of a snapshot's blocks, if they are asked for and there is data to read.
    fn tokens(&self, query: &Query, handle: &str, target: &Opened, size: u64) -> Result<Option<Tokens>> {
        if !query.tokens || query.shape != Shape::Blocks || target.source().image()?.is_none() {
            return Ok(None);
        }
        let mint = Mint::new(&self.key, handle, &target.source().fingerprint());
        let (issued, ttl) = (self.now(), self.ttl);
        let expires = issued.saturating_add(ttl);
        Ok(Some(Tokens {
            issued: issued.cast_signed(),
            ttl: ttl.cast_signed(),
            make: Box::new(move |offset, token| mint.make(offset, size, expires, token)),
        }))
    }

    fn pieces(&self, read: &Read, cancel: &Cancel) -> Result<Pieces> {
        let handle = handle(&read.target)?;
        let target = Opened::open(self.registry.find(handle)?, &self.context(cancel))?;
        if read.tokens.is_empty() {
            return Err(Error::Invalid("no token says what to read".to_owned()));
        }
        let mint = Mint::new(&self.key, handle, &target.source().fingerprint());
        let now = self.now();
        let blocks = read.tokens.iter().map(|token| mint.read(token, now)).collect::<Result<Vec<_>>>()?;
        match target.source().image()? {
            Some(image) => Ok(Pieces::new(image, blocks)),
            None => Err(Error::Invalid(format!("snapshot {handle} has no data that can be read"))),
        }
    }

    /// Seconds since 1970.
    fn now(&self) -> u64 {
        (self.clock)().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs())
    }
}

fn handle(snapshot: &Snapshot) -> Result<&str> {
    match snapshot {
        Snapshot::Handle(handle) => Ok(handle),
        Snapshot::Named { namespace, name } => {
            Err(Error::Invalid(format!("the driver knows handles, and not VolumeSnapshots such as {namespace}/{name}")))
        }
    }
}
