//! The file or block device that an image is written to.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom},
    os::unix::fs::{FileTypeExt, MetadataExt},
};

use anyhow::{Context as _, Result, bail};

use super::Args;

/// Opens it, made or grown as the flags want it; it has at least `size` bytes.
pub(super) fn open(args: &Args, size: u64) -> Result<File> {
    let shown = args.target.display();
    let large = |file: &File| file.set_len(size).with_context(|| format!("making {shown} as large as the volume"));
    if args.create {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&args.target);
        let file = file.with_context(|| format!("creating {shown}"))?;
        large(&file)?;
        return Ok(file);
    }
    let there = fs::metadata(&args.target);
    let there = there.with_context(|| format!("opening {shown}: --create makes it, for an image without a base"))?;
    if !there.is_file() && !there.file_type().is_block_device() {
        bail!("{shown} is neither a file nor a block device");
    }
    let image = fs::metadata(&args.image).context("looking at the image")?;
    if (there.dev(), there.ino()) == (image.dev(), image.ino()) {
        bail!("{shown} is the image itself");
    }
    let file = OpenOptions::new().read(true).write(!args.verify).open(&args.target);
    let mut file = file.with_context(|| format!("opening {shown}"))?;
    // A device has no length, but an end.
    let has = file.seek(SeekFrom::End(0)).with_context(|| format!("looking at {shown}"))?;
    match () {
        () if has >= size => {}
        () if args.grow && there.is_file() => large(&file)?,
        () if args.verify || !there.is_file() => bail!("{shown} has {has} bytes, the volume {size}"),
        () => bail!("{shown} has {has} bytes, the volume {size}: --grow if it has grown since the image's base"),
    }
    Ok(file)
}
