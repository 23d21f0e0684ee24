//! Changed blocks of Ceph RBD snapshots, by what `rbd diff` says.
//!
//! ```text
//! rbd snap ls ──▶ are the snapshots there, which is earlier, how large was the image
//! rbd info ─────▶ how large its objects are  ┐ unless the same list was
//! rbd diff ─────▶ extents ──▶ a file         ┘ asked for a moment ago
//!                 a file ──▶ entries ──▶ messages
//! ```
//!
//! `rbd export-diff` would come as it is computed, and brings the data of every extent along: all that changed would be
//! read in the cluster to be thrown away here. `rbd diff` reads none of it. For the same reason there are no reads: data
//! comes with a whole difference or not at all.
//!
//! Extents are ranges of any size. In a difference, what was discarded or zeroed is changed; without a base, it is not
//! allocated. Blocks of one size are the image's objects, unless `--rbd-block-size` says otherwise.
//!
//! Handles are described in `handle.rs`. A base must be an earlier snapshot of the same image, else the difference
//! cannot be had ([`Error::NoDelta`]).

mod access;
mod command;
mod config;
mod diff;
mod extents;
mod handle;
mod recent;

use std::{fs::File, path::PathBuf, pin::pin, sync::Arc};

use anyhow::anyhow;
use async_trait::async_trait;
use futures::{
    future::{Either, select},
    stream::BoxStream,
};
use proto::cbt::{Blocks, ChangedBlocks, Data, Error, Info, Kind, Packer, Query, Read, Result, Snapshot, Volume, pack};
use tokio::task::{JoinHandle, spawn_blocking};
use tracing::instrument;

use access::Access;
use command::{Listed, Rbd};
use diff::Diff;
use extents::Fault;
use handle::{Snap, Template};
use recent::{Key, Recent};

pub use config::Config;

/// Snapshots in Ceph RBD.
pub struct Driver {
    rbd: Rbd,
    /// For queries without secrets.
    access: Access,
    template: Template,
    name: String,
    block_size: Option<u64>,
    whole_object: bool,
    folder: PathBuf,
    recent: Recent,
}

/// The two ends of a list, found in the cluster.
struct Ends {
    target: Snap,
    listed: Listed,
    base: Option<Listed>,
}

// === impl Driver ===

impl Driver {
    /// The driver that the flags describe; nothing is asked of the cluster yet.
    pub fn new(config: Config) -> anyhow::Result<Self> {
        Ok(Self {
            template: config.template().map_err(|error| anyhow!(error))?,
            rbd: Rbd { program: config.rbd_command, conf: config.rbd_conf, timeout: config.rbd_timeout },
            access: Access::given(config.rbd_id, config.rbd_keyring),
            name: config.rbd_driver,
            block_size: config.rbd_block_size,
            whole_object: config.rbd_whole_object,
            folder: config.rbd_temp_dir.unwrap_or_else(std::env::temp_dir),
            recent: Recent::new(config.rbd_keep),
        })
    }

    fn snap(&self, snapshot: &Snapshot) -> Result<Snap> {
        match snapshot {
            Snapshot::Handle(handle) => Snap::parse(handle, &self.template),
            Snapshot::Named { .. } => Err(Error::Invalid("this driver knows snapshots by their handles".to_owned())),
        }
    }

    /// Finds the snapshots of a query: that they are there, and in which order they were made.
    async fn ends(&self, query: &Query, access: &Access) -> Result<Ends> {
        let target = self.snap(&query.target)?;
        let base = query.base.as_ref().map(|base| self.snap(base)).transpose()?;
        let snapshots = self.rbd.snapshots(&target.image, access).await?;
        let find = |snap: &Snap| {
            let found = snapshots.iter().find(|listed| listed.name == snap.name);
            found.cloned().ok_or_else(|| {
                Error::NotFound(format!("{}/{} has no snapshot {:?}", snap.image.pool, snap.image.name, snap.name))
            })
        };
        let listed = find(&target)?;
        let base = match base {
            Some(base) if base.image != target.image => {
                return Err(Error::NoDelta("the base is a snapshot of another image".to_owned()));
            }
            Some(base) => Some(find(&base)?),
            None => None,
        };
        if base.as_ref().is_some_and(|base| base.id > listed.id) {
            return Err(Error::NoDelta("the base was made after the target".to_owned()));
        }
        Ok(Ends { target, listed, base })
    }

    /// The whole list, from a moment ago or anew.
    async fn list(&self, ends: &Ends, access: &Access) -> Result<Arc<Diff>> {
        let Ends { target, listed, base } = ends;
        let key = Key { image: target.image.clone(), target: listed.id, base: base.as_ref().map(|base| base.id) };
        if let Some(diff) = self.recent.get(&key) {
            return Ok(diff);
        }
        let object_size = self.rbd.object_size(&target.image, access).await?;
        let name = base.as_ref().map(|base| base.name.as_str());
        let mut running = self.rbd.diff(target, name, self.whole_object, access)?;
        let (stdout, folder, zeros) = (File::from(running.stdout()?), self.folder.clone(), base.is_some());
        let taken = spawn_blocking(move || Diff::take(stdout, zeros, object_size, &folder));
        let diff = Arc::new(outcome(taken, running.succeed()).await?);
        self.recent.put(key, diff.clone());
        Ok(diff)
    }
}

/// What became of a list that was taken while rbd ran.
///
/// A list that cannot be one is refused at once. One that is cut off is rbd's failure, if it says that it failed.
async fn outcome(taken: JoinHandle<Result<Diff, Fault>>, succeeded: impl Future<Output = Result<()>>) -> Result<Diff> {
    let (taken, succeeded) = match select(taken, pin!(succeeded)).await {
        Either::Left((Ok(Err(fault @ (Fault::NoList(_) | Fault::Taker(_)))), _)) => return Err(refusal(fault)),
        Either::Left((taken, succeeded)) => (taken, succeeded.await),
        Either::Right((succeeded, taken)) => (taken.await, succeeded),
    };
    let taken = taken.map_err(|error| Error::Internal(format!("taking the list of rbd diff: {error}")))?;
    match taken {
        Err(fault @ (Fault::NoList(_) | Fault::Taker(_))) => Err(refusal(fault)),
        taken => succeeded.and_then(|()| taken.map_err(refusal)),
    }
}

fn refusal(fault: Fault) -> Error {
    match fault {
        Fault::CutOff(what) | Fault::NoList(what) => Error::Broken(format!("the list of rbd diff: {what}")),
        Fault::Taker(error) => Error::Internal(format!("keeping the list of rbd diff in --rbd-temp-dir: {error}")),
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ChangedBlocks for Driver {
    async fn info(&self) -> Result<Info> {
        Ok(Info { driver: self.name.clone(), version: env!("CARGO_PKG_VERSION").to_owned(), reads: false })
    }

    #[instrument(name = "cbt.blocks", skip_all, fields(cbt.target = ?query.target, cbt.base = ?query.base, start = query.start), err(level = "debug"))]
    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        let access = Access::of_secrets(&query.secrets, &self.folder)?.unwrap_or_else(|| self.access.clone());
        let ends = self.ends(&query, &access).await?;
        let diff = self.list(&ends, &access).await?;
        let block_size = self.block_size.unwrap_or(diff.object_size);
        let volume = Volume { capacity: ends.listed.size, block_size, kind: Kind::Variable };
        let packer = Packer::new(&query, volume, None)?;
        Ok(pack(diff.after(packer.from()), packer))
    }

    async fn read(&self, _: Read) -> Result<BoxStream<'static, Result<Data>>> {
        Err(Error::Invalid("this driver gives no tokens, and reads no data".to_owned()))
    }
}
