//! `kubectl cbt pull`: copies the data of changed blocks into an incremental image.

use std::{path::PathBuf, pin::pin};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use futures::{
    StreamExt, TryStreamExt,
    future::{self, Either},
    pin_mut, stream,
};
use plugin::{Connection, Refusal};
use proto::cbt::Error;
use serde_json::Value;

use crate::{
    delta::{self, Delta, Entry},
    exit::Exit,
    image::{Header, Writer},
    output,
    pages::{self, Range},
    patience::{self, Patience},
    progress::{Progress, Speaker},
};

/// Flags of `kubectl cbt pull`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the VolumeSnapshotDelta.
    name: String,
    /// The image. One that broke is gone on with.
    file: PathBuf,
    /// Blocks read at a time.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
}

/// Blocks listed at a time: their tokens are used before they expire.
const PAGE: u64 = 4096;

/// How often a block whose token has expired is listed again in a row.
const RENEWALS: u32 = 3;

pub(crate) async fn run(args: &Args, connection: &Connection) -> Result<()> {
    let interrupt = pin!(tokio::signal::ctrl_c());
    match future::select(pin!(pull(args, connection)), interrupt).await {
        Either::Left((pulled, _)) => pulled,
        // The image is closed with what has come.
        Either::Right(_) => Err(Exit::Interrupted.into()),
    }
}

async fn pull(args: &Args, connection: &Connection) -> Result<()> {
    let delta = Delta::new(connection, &args.name);
    let mut image = Image { args, header: header(&delta.object().await?), writer: None, progress: Progress::new() };
    if args.file.exists() {
        let end = image.open()?.end();
        image.progress.begin(end);
    }
    let mut renewals = 0;
    while !image.is_complete() {
        let before = image.end();
        match copy(&delta, &mut image).await {
            Ok(()) => break,
            Err(error) if expired(&error) && renewals < RENEWALS => renewals += 1,
            Err(error) if image.writer.is_some() && patience::passes(&error) => {
                return Err(error.context(Exit::Incomplete));
            }
            Err(error) => return Err(error),
        }
        if image.end() > before {
            renewals = 0;
        }
    }
    image.finish()
}

/// The image, which is created when it is known what goes into it.
struct Image<'a> {
    args: &'a Args,
    header: Header,
    writer: Option<Writer>,
    progress: Progress,
}

// === impl Image ===

impl Image<'_> {
    fn open(&mut self) -> Result<&mut Writer> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => Writer::open(&self.args.file, &self.header)?,
        };
        Ok(self.writer.insert(writer))
    }

    fn is_complete(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::is_complete)
    }

    /// The end of what is in it, in bytes from the start of the volume.
    fn end(&self) -> u64 {
        self.writer.as_ref().map_or(0, Writer::end)
    }

    fn finish(mut self) -> Result<()> {
        let writer = self.open()?;
        let (records, bytes) = (writer.records(), writer.bytes());
        writer.finish().context(Exit::Incomplete)?;
        drop(self.progress);
        output::line(&format!("{}: {records} blocks, {bytes} bytes of {}", self.args.file.display(), self.args.name))
    }
}

/// Copies what is missing.
async fn copy(delta: &Delta, image: &mut Image<'_>) -> Result<()> {
    let speaker = image.progress.speaker();
    // The size of blocks is known from the first one only.
    let size = if image.end() == 0 { None } else { first(delta, speaker.clone()).await? };
    let start = size.map_or(0, |size| image.end().div_ceil(size));
    let blocks = pages::blocks(delta.clone(), Range { start, limit: u64::MAX, page: PAGE }, speaker.clone());
    pin_mut!(blocks);
    while let Some(blocks) = blocks.try_next().await? {
        image.header.capacity = blocks.capacity();
        image.progress.capacity(blocks.capacity());
        let entries = delta::entries(&blocks);
        let data = stream::iter(entries)
            .map(|entry| read(delta, entry, blocks.capacity(), Patience::new(speaker.clone())))
            .buffered(usize::from(image.args.parallel));
        pin_mut!(data);
        while let Some((offset, data)) = data.try_next().await? {
            image.open()?.push(offset, &data)?;
            image.progress.copied(offset, data.len() as u64);
        }
    }
    Ok(())
}

/// The size of the first block, if there is any.
async fn first(delta: &Delta, speaker: Speaker) -> Result<Option<u64>> {
    let blocks = pages::blocks(delta.clone(), Range { start: 0, limit: 1, page: 1 }, speaker);
    pin_mut!(blocks);
    Ok(blocks.try_next().await?.and_then(|blocks| blocks.iter().next().map(|block| block.size)))
}

/// Reads a block, several times if need be: all of it, or what of it is within the volume.
async fn read(delta: &Delta, entry: Entry, capacity: u64, mut patience: Patience) -> Result<(u64, Bytes)> {
    let Entry { offset, size, token } = entry;
    if token.is_empty() {
        bail!("the driver of this volume lists blocks but cannot read their data");
    }
    let expected = size.min(capacity - offset);
    loop {
        match delta.data(&token, usize::try_from(size)?).await {
            Ok(mut data) if [expected, size].contains(&(data.len() as u64)) => {
                data.truncate(usize::try_from(expected)?);
                return Ok((offset, data));
            }
            Ok(data) => {
                let problem =
                    format!("the driver sent {} of the {expected} bytes of the block at byte {offset}", data.len());
                return Err(Error::Broken(problem).into());
            }
            Err(error) => patience.wait(error).await?,
        }
    }
}

fn expired(error: &anyhow::Error) -> bool {
    let refusal = error.chain().find_map(|cause| cause.downcast_ref::<Refusal>());
    refusal.is_some_and(|refusal| refusal.code.as_u16() == 410)
}

fn header(object: &Value) -> Header {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (meta, spec) = (&object["metadata"], &object["spec"]);
    Header {
        namespace: text(&meta["namespace"]),
        name: text(&meta["name"]),
        uid: text(&meta["uid"]),
        base: text(&spec["baseVolumeSnapshotName"]),
        target: text(&spec["targetVolumeSnapshotName"]),
        capacity: 0,
    }
}
