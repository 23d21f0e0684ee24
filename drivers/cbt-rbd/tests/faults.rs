//! What the driver makes of an `rbd` that fails: the one thing that a real one cannot be asked to do.
#![expect(clippy::unwrap_used, clippy::single_range_in_vec_init, reason = "tests; a list may have one range")]

use std::{collections::BTreeMap, fs, ops::Range, path::PathBuf, time::Duration};

use cbt_rbd::{Config, Driver};
use clap::Parser;
use futures::TryStreamExt;
use kit::Scratch;
use proto::cbt::{Blocks, ChangedBlocks, Error, Query, Result, Shape, Snapshot};

/// An image with two snapshots.
const SNAPSHOTS: &str = r#"[{"id":4,"name":"s1","size":67108864},{"id":5,"name":"s2","size":67108864}]"#;
const INFO: &str = r#"{"name":"i","object_size":4194304}"#;
const LIST: &str = r#"[{"offset":0,"length":4096,"exists":"true"},{"offset":8388608,"length":8192,"exists":"false"}]"#;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    config: Config,
}

/// A driver, and the folder that its `rbd` writes to.
struct Subject {
    driver: Driver,
    scratch: Scratch,
}

// === impl Subject ===

impl Subject {
    /// With an `rbd` that answers well, but for `diff`, where it does what `diff` says.
    fn with_diff(diff: &str) -> Self {
        Self::with(&format!(
            r#"case "$*" in
                *"snap ls"*) echo '{SNAPSHOTS}' ;;
                *info*) echo '{INFO}' ;;
                *) {diff} ;;
            esac"#
        ))
    }

    /// With an `rbd` that does what a script of the shell says, in which `$DIR` is a folder of this test.
    fn with(script: &str) -> Self {
        Self::patient(script, "60s")
    }

    fn patient(script: &str, timeout: &str) -> Self {
        let scratch = Scratch::new("rbd").unwrap();
        let folder = scratch.path().display();
        let script = format!("DIR={folder}\necho \"$*\" >>$DIR/calls\n{script}\n");
        let conf = scratch.write("conf", script).unwrap();
        fs::create_dir(scratch.file("tmp")).unwrap();
        let fake = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fake/rbd");
        let flag = |name: &str, value: PathBuf| format!("--rbd-{name}={}", value.display());
        let flags = [flag("command", fake), flag("conf", conf), flag("temp-dir", scratch.file("tmp"))];
        let flags = Flags::parse_from(["x".to_owned(), format!("--rbd-timeout={timeout}")].into_iter().chain(flags));
        Self { driver: Driver::new(flags.config).unwrap(), scratch }
    }

    async fn list(&self, query: Query) -> Result<Vec<Range<u64>>> {
        let messages: Vec<Blocks> = self.driver.blocks(query).await?.try_collect().await?;
        Ok(messages
            .iter()
            .flat_map(|blocks| blocks.iter())
            .map(|block| block.offset..block.offset + block.size)
            .collect())
    }

    /// What it said instead of a list.
    async fn refusal(&self, query: Query) -> Error {
        self.list(query).await.expect_err("a list")
    }

    /// How often `rbd` was called with this among its arguments.
    fn calls(&self, what: &str) -> usize {
        let calls = fs::read_to_string(self.scratch.file("calls")).unwrap_or_default();
        calls.lines().filter(|call| call.split(' ').any(|word| word == what)).count()
    }

    /// The processes that wrote their ids to the file `pids` and still run.
    fn running(&self) -> usize {
        let pids = fs::read_to_string(self.scratch.file("pids")).unwrap_or_default();
        let alive =
            |pid: &str| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        pids.lines().filter(|pid| alive(pid)).count()
    }
}

fn snap(name: &str) -> Snapshot {
    Snapshot::Handle(format!("pool/image@{name}"))
}

fn delta() -> Query {
    Query::delta(snap("s1"), snap("s2"))
}

#[tokio::test]
async fn zeros_are_changed_and_not_allocated() {
    let subject = Subject::with_diff(&format!("echo '{LIST}'"));
    assert_eq!(subject.list(delta()).await.unwrap(), [0..4096, 8388608..8396800]);
    let allocated = Query::allocated(snap("s2"));
    assert_eq!(subject.list(allocated).await.unwrap(), [0..4096]);
}

#[tokio::test]
async fn a_list_that_ends_with_a_failure_is_none_however_whole_it_looks() {
    for (diff, expected) in [
        (format!("echo '{LIST}'; exit 5"), "unavailable"),
        (format!("echo '{LIST}'; kill -9 $$"), "unavailable"),
        ("echo '[]'; echo 'rbd: diff error: (2) No such file or directory' >&2; exit 2".to_owned(), "not found"),
        ("printf '[{\"offset\":0,\"len'; kill -9 $$".to_owned(), "unavailable"),
        ("printf '[{\"offset\":0,\"length\":4096,\"exists\":\"true\"},'".to_owned(), "broken"),
        ("true".to_owned(), "broken"),
        ("echo 'rbd: hello'".to_owned(), "broken"),
        (format!("echo '{LIST}{LIST}'"), "broken"),
        ("printf oops; exec sleep 600".to_owned(), "broken"),
        ("head -c 1000000 /dev/zero".to_owned(), "broken"),
        (
            "echo '[{\"offset\":9,\"length\":9,\"exists\":\"true\"},{\"offset\":0,\"length\":9,\"exists\":\"true\"}]'"
                .to_owned(),
            "broken",
        ),
    ] {
        let subject = Subject::with_diff(&diff);
        let refused = subject.refusal(delta()).await;
        let kind = match &refused {
            Error::Unavailable(_) => "unavailable",
            Error::NotFound(_) => "not found",
            Error::Broken(_) => "broken",
            other => panic!("{diff}: {other:?}"),
        };
        assert_eq!(kind, expected, "{diff}: {refused:?}");
        assert!(fs::read_dir(subject.scratch.file("tmp")).unwrap().next().is_none(), "{diff} leaves a file behind");
    }
}

#[tokio::test]
async fn what_rbd_says_is_passed_on() {
    let subject = Subject::with_diff("echo 'rbd: the cluster is on fire' >&2; exit 1");
    let refused = subject.refusal(delta()).await.to_string();
    assert!(refused.contains("exit status: 1") && refused.contains("the cluster is on fire"), "{refused}");
}

#[tokio::test]
async fn whoever_goes_away_takes_rbd_with_them() {
    let subject = Subject::with_diff("sleep 600 & printf '%s\\n' $! $$ >>$DIR/pids; printf '['; wait");
    {
        let blocks = subject.driver.blocks(delta());
        tokio::pin!(blocks);
        // The list is never there: what ends this is that rbd and its child run.
        while subject.running() < 2 {
            assert!(tokio::time::timeout(Duration::from_millis(10), &mut blocks).await.is_err(), "a list");
        }
    }
    kit::eventually!(subject.running() == 0, "rbd and its child are gone");
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_unavailable() {
    let subject = Subject::patient("echo $$ >>$DIR/pids; sleep 600", "1s");
    let refused = subject.refusal(delta()).await;
    assert!(matches!(&refused, Error::Unavailable(text) if text.contains("--rbd-timeout")), "{refused:?}");
    kit::eventually!(subject.running() == 0, "rbd is gone");
}

#[tokio::test]
async fn an_answer_without_end_is_not_waited_for() {
    let subject = Subject::with("echo $$ >>$DIR/pids; exec yes");
    assert!(matches!(subject.refusal(delta()).await, Error::Unavailable(_)));
    kit::eventually!(subject.running() == 0, "rbd is gone");
}

#[tokio::test]
async fn a_command_that_is_not_there_names_its_flag() {
    let flags = Flags::parse_from(["x", "--rbd-command", "/no/such/rbd"]);
    let driver = Driver::new(flags.config).unwrap();
    let Err(refused) = driver.blocks(delta()).await else { panic!("a list") };
    assert!(refused.to_string().contains("--rbd-command"), "{refused}");
}

#[tokio::test]
async fn pages_of_a_list_run_rbd_once() {
    let subject = Subject::with_diff(&format!("echo '{LIST}'"));
    let mut pages = Vec::new();
    for start in [0, 1, 2, 3] {
        pages.push(subject.list(Query { shape: Shape::Blocks, start, limit: 1, ..delta() }).await.unwrap());
    }
    let (first, last) = (0..4194304, 8388608..12582912);
    assert_eq!(pages, [vec![first], vec![last.clone()], vec![last], vec![]]);
    assert_eq!((subject.calls("diff"), subject.calls("ls")), (1, 4));
}

#[tokio::test]
async fn a_name_that_was_given_to_another_snapshot_is_another_list() {
    let renamed = SNAPSHOTS.replace(":5", ":9");
    let subject = Subject::with(&format!(
        r#"case "$*" in
            *"snap ls"*) test -e $DIR/again && echo '{renamed}' || echo '{SNAPSHOTS}' ;;
            *info*) echo '{INFO}' ;;
            *) test -e $DIR/again && echo '[]' || echo '{LIST}' ;;
        esac"#
    ));
    assert_eq!(subject.list(delta()).await.unwrap().len(), 2);
    subject.scratch.write("again", "").unwrap();
    assert_eq!(subject.list(delta()).await.unwrap(), []);
}

#[tokio::test]
async fn bases_that_make_no_difference_are_refused() {
    let subject = Subject::with_diff(&format!("echo '{LIST}'"));
    let of =
        |base: &str, target: &str| Query::delta(Snapshot::Handle(base.to_owned()), Snapshot::Handle(target.to_owned()));
    for (base, target, expected) in [
        ("pool/image@s2", "pool/image@s1", "no delta"),
        ("pool/other@s1", "pool/image@s2", "no delta"),
        ("pool/image@no", "pool/image@s2", "not found"),
        ("pool/image@s1", "pool/image@no", "not found"),
        ("--id=x/image@s1", "pool/image@s2", "invalid"),
        ("pool/image@s1", "pool/image@-x", "invalid"),
    ] {
        let kind = match subject.refusal(of(base, target)).await {
            Error::NoDelta(_) => "no delta",
            Error::NotFound(_) => "not found",
            Error::Invalid(_) => "invalid",
            other => panic!("{base} to {target}: {other:?}"),
        };
        assert_eq!(kind, expected, "{base} to {target}");
    }
    assert_eq!(subject.calls("diff"), 0);
}

#[tokio::test]
async fn a_key_of_the_secrets_is_seen_by_rbd_alone() {
    let subject = Subject::with_diff(&format!(
        r#"for word in "$@"; do
            case "$word" in --keyring=*) cp -p "${{word#--keyring=}}" $DIR/seen ;; esac
        done
        echo '{LIST}'"#
    ));
    let pairs = [("userID", "backup"), ("userKey", "AQDhush==")];
    let secrets: BTreeMap<_, _> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    subject.list(Query { secrets, ..delta() }).await.unwrap();
    assert_eq!(fs::read_to_string(subject.scratch.file("seen")).unwrap(), "[client.backup]\n\tkey = AQDhush==\n");
    let calls = fs::read_to_string(subject.scratch.file("calls")).unwrap();
    assert!(calls.lines().all(|call| call.contains("--id=backup") && !call.contains("hush")), "{calls}");
    assert!(fs::read_dir(subject.scratch.file("tmp")).unwrap().next().is_none(), "a file is left behind");
}
