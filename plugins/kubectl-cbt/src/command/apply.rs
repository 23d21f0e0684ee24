//! `kubectl cbt apply`: writes an incremental image onto a copy of its base, reads it back, and compares.

mod target;

use std::{os::unix::fs::FileExt, path::PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::{
    exit::Exit,
    image::{Header, Reader, Record},
    output,
    progress::Progress,
};

/// Flags of `kubectl cbt apply`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The image.
    image: PathBuf,
    /// The file or block device to write to: a copy of the image's base.
    target: PathBuf,
    /// Make the file, all zeros, for an image of all allocated blocks.
    #[arg(long)]
    create: bool,
    /// Let the file grow: the volume has grown since the image's base.
    #[arg(long, conflicts_with = "create")]
    grow: bool,
    /// Write nothing, only compare.
    #[arg(long, conflicts_with_all = ["create", "grow"])]
    verify: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    // Nothing is written before it is known that the image is whole.
    let (records, bytes, end) = whole(args)?;
    let target = target::open(args, end)?;
    let mut progress = Progress::new();
    progress.capacity(2 * bytes);
    let mut done = 0;
    if !args.verify {
        each(args, |record| {
            target.write_all_at(&record.data, record.offset).context("writing to the target")?;
            progress.copied(done, record.data.len() as u64);
            done += record.data.len() as u64;
            Ok(())
        })?;
        target.sync_all().context("making the target durable")?;
    }
    each(args, |record| {
        let mut there = vec![0; record.data.len()];
        target.read_exact_at(&mut there, record.offset).context("reading the target back")?;
        if there != record.data {
            let place = format!("{} differs from the image at byte {}", args.target.display(), record.offset);
            return Err(anyhow::Error::from(Exit::Differs).context(place));
        }
        progress.copied(done, there.len() as u64);
        done += there.len() as u64;
        Ok(())
    })?;
    drop(progress);
    let what = if args.verify { "has" } else { "was given, and has," };
    let (target, image) = (args.target.display(), args.image.display());
    output::line(&format!("{target} {what} all {records} blocks ({bytes} bytes) of {image}"))
}

/// Reads the image to its end: how many blocks and bytes it has, and where the volume ends.
fn whole(args: &Args) -> Result<(u64, u64, u64)> {
    let Header { base, capacity, .. } = Reader::open(&args.image)?.header().clone();
    if args.create && !base.is_empty() {
        bail!(
            "--create is for an image of all allocated blocks: this one has what changed since {base}, so copy that first"
        );
    }
    let (mut records, mut bytes, mut end) = (0, 0, capacity);
    each(args, |record| {
        records += 1;
        bytes += record.data.len() as u64;
        end = end.max(record.offset + record.data.len() as u64);
        Ok(())
    })?;
    Ok((records, bytes, end))
}

fn each(args: &Args, mut take: impl FnMut(Record) -> Result<()>) -> Result<()> {
    let mut reader = Reader::open(&args.image)?;
    while let Some(record) = reader.next()? {
        take(record)?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;
    use crate::image::{Header, Writer};

    fn image(folder: &std::path::Path, base: &str, complete: bool) -> PathBuf {
        let path = folder.join("image");
        let header = Header {
            namespace: "n".into(),
            name: "d".into(),
            uid: "u".into(),
            base: base.into(),
            target: "t".into(),
            capacity: 3000,
        };
        let mut writer = Writer::open(&path, &header).unwrap();
        writer.push(0, &[1; 512]).unwrap();
        writer.push(2560, &[2; 440]).unwrap();
        if complete {
            writer.finish().unwrap();
        }
        path
    }

    fn args(folder: &std::path::Path, image: PathBuf) -> Args {
        Args { image, target: folder.join("target"), create: false, grow: false, verify: false }
    }

    #[test]
    fn the_changed_blocks_are_written_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let args = args(folder.path(), image(folder.path(), "b", true));
        assert!(run(&args).is_err(), "there is no target");
        fs::write(&args.target, [9; 2048]).unwrap();
        assert!(run(&Args { verify: true, ..self::args(folder.path(), args.image.clone()) }).is_err());
        assert_eq!(fs::read(&args.target).unwrap(), [9; 2048], "comparing writes nothing");
        let error = run(&args).unwrap_err().to_string();
        assert!(error.contains("has 2048 bytes, the volume 3000: --grow"), "{error}");
        let args = Args { grow: true, ..args };
        run(&args).unwrap();
        let expected = [&[1; 512][..], &[9; 1536], &[0; 512], &[2; 440]].concat();
        assert_eq!(fs::read(&args.target).unwrap(), expected);
        run(&Args { verify: true, grow: false, ..args }).unwrap();
    }

    #[test]
    fn an_image_that_is_not_complete_is_not_applied() {
        let folder = tempfile::tempdir().unwrap();
        let args = args(folder.path(), image(folder.path(), "b", false));
        fs::write(&args.target, [9; 4096]).unwrap();
        assert!(run(&args).unwrap_err().to_string().contains("not complete"));
        assert_eq!(fs::read(&args.target).unwrap(), [9; 4096]);
    }

    #[test]
    fn a_file_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let args = Args { create: true, ..args(folder.path(), image(folder.path(), "", true)) };
        run(&args).unwrap();
        assert_eq!(fs::metadata(&args.target).unwrap().len(), 3000);
        assert!(run(&args).is_err(), "nothing is overwritten");
    }

    #[test]
    fn what_changed_is_not_put_on_zeros() {
        let folder = tempfile::tempdir().unwrap();
        let args = Args { create: true, ..args(folder.path(), image(folder.path(), "b", true)) };
        assert!(run(&args).unwrap_err().to_string().contains("changed since b"));
        assert!(!args.target.exists());
    }

    #[test]
    fn only_files_and_devices_are_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let image = image(folder.path(), "b", true);
        let before = fs::read(&image).unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        std::os::unix::fs::symlink(&image, folder.path().join("link")).unwrap();
        for (target, said) in [
            (folder.path().join("folder"), "is neither a file nor a block device"),
            (PathBuf::from("/dev/null"), "is neither a file nor a block device"),
            (image.clone(), "is the image itself"),
            (folder.path().join("link"), "is the image itself"),
        ] {
            let error = run(&Args { target, ..args(folder.path(), image.clone()) }).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert_eq!(fs::read(&image).unwrap(), before);
    }
}
