//! Running `rbd`: never through a shell, never longer than anybody wants its answer.
//!
//! Names are given as `--image=NAME`, so that none is read as anything else. A child is the head of a process group of
//! its own, which is killed when whoever waits for it goes away. The exit code of `rbd` is an error number.

use std::{
    ffi::OsString,
    fmt,
    os::fd::OwnedFd,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use proto::cbt::{Error, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::{
    access::Access,
    handle::{Image, Snap},
};

/// What a short answer may weigh: an image with a hundred thousand snapshots.
const ANSWER_LIMIT: u64 = 16 << 20;

/// How much of what a failed command says is passed on.
const COMPLAINT_LIMIT: usize = 1000;

/// The command, and what it always gets.
#[derive(Debug)]
pub(crate) struct Rbd {
    pub(crate) program: PathBuf,
    pub(crate) conf: Option<PathBuf>,
    pub(crate) timeout: Duration,
}

/// A snapshot in the list of an image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Listed {
    /// Grows with time, and is used once in a pool.
    pub(crate) id: u64,
    pub(crate) name: String,
    /// The image's size then, in bytes.
    pub(crate) size: u64,
}

/// A running child; killed with all its descendants when dropped.
pub(crate) struct Running {
    child: Child,
    stderr: Option<ChildStderr>,
    /// Its keyring is there for as long as the child is.
    _access: Access,
}

// === impl Rbd ===

impl Rbd {
    /// The snapshots of an image.
    pub(crate) async fn snapshots(&self, image: &Image, access: &Access) -> Result<Vec<Listed>> {
        let args = [vec!["snap".into(), "ls".into()], names(image)].concat();
        self.answer(args, access).await
    }

    /// The size of the objects that an image is made of, in bytes; never 0.
    pub(crate) async fn object_size(&self, image: &Image, access: &Access) -> Result<u64> {
        #[derive(Deserialize)]
        struct Info {
            object_size: u64,
        }
        let args = [vec!["info".into()], names(image)].concat();
        let Info { object_size } = self.answer(args, access).await?;
        if object_size == 0 {
            return Err(Error::Broken("rbd info has an object_size of 0".to_owned()));
        }
        Ok(object_size)
    }

    /// Begins to list what of `target` differs from `base`, or is there at all.
    pub(crate) fn diff(&self, target: &Snap, base: Option<&str>, whole: bool, access: &Access) -> Result<Running> {
        let mut args = vec!["diff".into()];
        args.extend(names(&target.image));
        args.push(option("snap", &target.name));
        args.extend(base.map(|base| option("from-snap", base)));
        args.extend(whole.then(|| "--whole-object".into()));
        self.start(args, access)
    }

    /// Runs a command with a short answer.
    async fn answer<T: DeserializeOwned>(&self, args: Vec<OsString>, access: &Access) -> Result<T> {
        let mut running = self.start(args, access)?;
        let stdout = running.child.stdout.take();
        let printed = async {
            let mut answer = Vec::new();
            let mut stdout = stdout.ok_or_else(|| internal("its output is not piped"))?.take(ANSWER_LIMIT);
            stdout.read_to_end(&mut answer).await.map(|_| answer).map_err(internal)
        };
        let both = async { tokio::join!(printed, running.succeed()) };
        let (printed, succeeded) = timeout(self.timeout, both).await.map_err(|_| {
            Error::Unavailable(format!("rbd has not answered within {:?} (--rbd-timeout)", self.timeout))
        })?;
        succeeded?;
        serde_json::from_slice(&printed?)
            .map_err(|error| Error::Broken(format!("what rbd printed cannot be read: {error}")))
    }

    fn start(&self, args: Vec<OsString>, access: &Access) -> Result<Running> {
        let mut command = Command::new(&self.program);
        command.args(self.conf.as_ref().map(|conf| option("conf", conf)));
        command.args(access.id.as_ref().map(|id| option("id", id)));
        command.args(access.keyring().map(|keyring| option("keyring", keyring)));
        command.args(args).arg("--format=json").env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.process_group(0).kill_on_drop(true).spawn();
        let mut child = child.map_err(|error| {
            Error::Internal(format!("{} cannot be started (--rbd-command): {error}", self.program.display()))
        })?;
        Ok(Running { stderr: child.stderr.take(), child, _access: access.clone() })
    }
}

/// The options that name an image.
fn names(image: &Image) -> Vec<OsString> {
    let namespace = (!image.namespace.is_empty()).then(|| option("namespace", &image.namespace));
    [option("pool", &image.pool), option("image", &image.name)].into_iter().chain(namespace).collect()
}

fn option(name: &str, value: impl Into<OsString>) -> OsString {
    let mut option = OsString::from(format!("--{name}="));
    option.push(value.into());
    option
}

// === impl Running ===

impl Running {
    /// What it prints, to be read by a thread that may block.
    pub(crate) fn stdout(&mut self) -> Result<OwnedFd> {
        let stdout = self.child.stdout.take().ok_or_else(|| internal("its output is not piped"))?;
        stdout.into_owned_fd().map_err(internal)
    }

    /// Waits until it ends; an error says why it failed.
    pub(crate) async fn succeed(&mut self) -> Result<()> {
        let (status, complaint) = tokio::join!(self.child.wait(), complaint(self.stderr.take()));
        let status = status.map_err(internal)?;
        if status.success() { Ok(()) } else { Err(failure(status, &complaint)) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without an id it has ended and was waited for: its number may be another's by now.
        if let Some(group) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The end of what a command says on stderr, in one line.
async fn complaint(stderr: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let (mut kept, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = stderr.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..length]);
        kept.drain(..kept.len().saturating_sub(COMPLAINT_LIMIT));
    }
    let text = String::from_utf8_lossy(&kept);
    text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// What an exit code of `rbd` means to who asked.
fn failure(status: ExitStatus, complaint: &str) -> Error {
    let what = format!("rbd failed ({status}): {complaint}");
    // 1 is EPERM, and also everything that has no number: the text tells.
    let denied = ["(1) Operation not permitted", "(13) Permission denied"].iter().any(|text| complaint.contains(text));
    match status.code() {
        Some(2) => Error::NotFound(what),
        Some(13) => Error::Forbidden(what),
        Some(1) if denied => Error::Forbidden(what),
        Some(22) => Error::Invalid(what),
        _ => Error::Unavailable(what),
    }
}

fn internal(error: impl fmt::Display) -> Error {
    Error::Internal(format!("running rbd: {error}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn names_are_values_of_options() {
        let image = Image { pool: "p".into(), namespace: String::new(), name: "a b".into() };
        assert_eq!(names(&image), ["--pool=p", "--image=a b"]);
        let image = Image { namespace: "n".into(), ..image };
        assert_eq!(names(&image), ["--pool=p", "--image=a b", "--namespace=n"]);
    }

    #[test]
    fn exit_codes_are_error_numbers() {
        let ended = |code: i32, text: &str| failure(ExitStatus::from_raw(code << 8), text);
        assert!(matches!(ended(2, "rbd: error opening image x: (2) No such file or directory"), Error::NotFound(_)));
        assert!(matches!(ended(13, ""), Error::Forbidden(_)));
        assert!(matches!(ended(1, "rbd: couldn't connect: (1) Operation not permitted"), Error::Forbidden(_)));
        assert!(matches!(ended(1, "global_init: unable to open config file"), Error::Unavailable(_)));
        assert!(matches!(ended(22, ""), Error::Invalid(_)));
        assert!(matches!(ended(110, "rbd: couldn't connect to the cluster!"), Error::Unavailable(_)));
        assert!(matches!(failure(ExitStatus::from_raw(9), ""), Error::Unavailable(_)));
    }

    #[tokio::test]
    async fn the_end_of_a_long_complaint_is_kept() {
        let text = format!("{}\n\nrbd: diff error\r", "x".repeat(100_000));
        let complaint = complaint(Some(text.as_bytes())).await;
        assert!(complaint.ends_with("x; rbd: diff error") && complaint.len() <= COMPLAINT_LIMIT, "{complaint}");
    }
}
