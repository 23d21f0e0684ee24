//! Loop devices, and file systems on them, which go away with the test, however that ends. Needs root.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::tool;

/// Mounts, and unmounts when its standard input ends, which is when the test has gone; whoever has a file open there
/// still, may finish.
const MOUNTED: &str = r#"mount -o loop "$1" "$2" && echo "$2" && read -r _; umount --lazy "$2" && rm -rf "$3""#;
/// The same for a device without a file system.
const ATTACHED: &str =
    r#"device=$(losetup --find --show --read-only "$1") && echo "$device" && read -r _; losetup -d "$device""#;

/// A mounted file system, or a device.
pub(crate) struct Mount {
    path: PathBuf,
    holder: Child,
}

// === impl Mount ===

impl Mount {
    /// A new file system, made by `mkfs`.
    pub(crate) fn new(mkfs: &[&str], megabytes: u64) -> Self {
        let folder = TempDir::with_prefix("outrigger-mount-").expect("there is a temporary folder").keep();
        let (image, path) = (folder.join("image"), folder.join("mounted"));
        File::create(&image).and_then(|file| file.set_len(megabytes << 20)).expect("an image can be made");
        std::fs::create_dir(&path).expect("a folder can be made");
        let args = mkfs[1..].iter().map(AsRef::as_ref).chain([image.as_os_str()]);
        tool::run(mkfs[0], args);
        Self::hold(MOUNTED, &[&image, &path, &folder])
    }

    /// An image as a device.
    pub(crate) fn device(image: &Path) -> Self {
        Self::hold(ATTACHED, &[image])
    }

    fn hold(script: &str, args: &[&Path]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "holder"]).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = shell.spawn().expect("there is a shell");
        let (mut said, stdout) = (String::new(), holder.stdout.take().expect("it is a pipe"));
        BufReader::new(stdout).read_line(&mut said).expect("a pipe can be read");
        assert!(!said.is_empty(), "no loop device can be had for {args:?}: this test needs root");
        Self { path: said.trim_end().into(), holder }
    }

    /// Where it is mounted, or the device.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
