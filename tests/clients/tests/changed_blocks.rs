//! Changed blocks as users have them: snapshots in a cluster, the API through the aggregator, kubectl's plugin.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use clients::snapshots::{self, BLOCK, CHANGED, SNAPSHOTS, images, snapshot};
use kit::{Client, Cluster, Outrigger, Process, Scratch, eventually};
use serde_json::{Value, json};

const DELTAS: &str = "/apis/cbt.storage.k8s.io/v1alpha1/namespaces/default/volumesnapshotdeltas";

/// Us behind a cluster that has snapshots `monday` and `tuesday` of one volume.
struct Setting {
    cluster: &'static Cluster,
    outrigger: Outrigger,
    folder: Scratch,
}

fn setting() -> &'static Setting {
    static SHARED: OnceLock<Setting> = OnceLock::new();
    SHARED.get_or_init(|| {
        let (cluster, folder) = (Cluster::shared(), Scratch::new("snapshots").unwrap());
        images(folder.path()).unwrap();
        let outrigger = Outrigger::behind(cluster, &[], &[&format!("--cbt-dir={}", folder.path().display())]).unwrap();
        kit::block_on(async {
            let admin = cluster.admin();
            snapshots::install(&admin).await?;
            snapshot(&admin, "monday").await?;
            snapshot(&admin, "tuesday").await?;
            outrigger.register(cluster, "cbt.storage.k8s.io", "v1alpha1").await?;
            delta(&admin, "week", "monday", "tuesday").await
        })
        .unwrap();
        Setting { cluster, outrigger, folder }
    })
}

async fn delta(admin: &Client, name: &str, base: &str, target: &str) -> anyhow::Result<()> {
    let mut spec = json!({"targetVolumeSnapshotName": target, "mode": "block"});
    if !base.is_empty() {
        spec["baseVolumeSnapshotName"] = base.into();
    }
    let body = json!({
        "apiVersion": "cbt.storage.k8s.io/v1alpha1", "kind": "VolumeSnapshotDelta", "metadata": {"name": name},
        "spec": spec,
    });
    admin.post(DELTAS, &body).await?.success().map(|_| ())
}

fn offsets(body: &Value) -> Vec<u64> {
    let entries = body["status"]["changedBlockDeltas"].as_array().unwrap();
    entries.iter().map(|entry| entry["offset"].as_u64().unwrap()).collect()
}

/// Our plugin, as kubectl starts it: a program on the PATH whose name begins with `kubectl-`.
fn kubectl_cbt(args: &[&str]) -> std::process::Output {
    let plugins = kit::binary().unwrap().parent().unwrap().to_owned();
    assert!(plugins.join("kubectl-cbt").exists(), "`cargo xtask test` builds the plugins");
    let kubeconfig = setting().cluster.kubeconfig();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([plugins].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let kubectl = kit::Peers::locate().unwrap().kubectl();
    let mut command = Command::new(kubectl);
    // kubectl hands everything after the plugin's name to the plugin.
    command.arg("cbt").args(args).args(["--kubeconfig", kubeconfig.to_str().unwrap()]).env("PATH", path);
    command.output().unwrap()
}

fn ok(args: &[&str]) -> String {
    let output = kubectl_cbt(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_through_kubectl_proxy_sees_what_changed() {
    let Setting { cluster, .. } = setting();
    let kubectl = cluster.kubectl_as(kit::ADMIN).unwrap();
    let table = kubectl.ok(&["get", "volumesnapshotdeltas", "week"]).unwrap();
    let heading: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["NAME", "BASE", "TARGET", "MODE", "DRIVER", "BLOCKS", "BYTES", "AGE"]);
    let port = kit::free_ports::<1>().unwrap()[0];
    let _proxy = kubectl.spawn("proxy.log", &["proxy", &format!("--port={port}")]).unwrap();
    let curl = |query: &str| {
        let url = format!("http://127.0.0.1:{port}{DELTAS}/week{query}");
        Command::new("curl").args(["--silent", "--show-error", "--max-time", "20", &url]).output().unwrap()
    };
    eventually!(curl("").status.success(), "the proxy answers");
    let json = |query: &str| serde_json::from_slice::<Value>(&curl(query).stdout).unwrap();
    assert_eq!(json("")["status"].get("changedBlockDeltas"), None);
    let whole = json("?fetchcbd=true");
    assert_eq!(offsets(&whole), CHANGED);
    let entry = &whole["status"]["changedBlockDeltas"][1];
    assert_eq!((&entry["blockSizeBytes"], &entry["dataToken"]["ttl"]), (&json!(BLOCK), &json!("3h0m0s")));
    assert_eq!(offsets(&json("?fetchcbd=true&limit=2&offset=8")), [8, 40]);
    assert_eq!(offsets(&json("?fetchcbd=true&offset=42")), [95]);
    for (query, code) in [("?fetchcbd-true", 400), ("?fetchcbd=yes", 400), ("?fetchcbd=true&limit=-1", 400)] {
        assert_eq!(json(query)["code"], code, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_is_said() {
    let Setting { cluster, .. } = setting();
    let admin = cluster.admin();
    let fetch = async |name: &str| admin.get(&format!("{DELTAS}/{name}?fetchcbd=true")).await.unwrap();
    delta(&admin, "no-target", "monday", "sunday").await.unwrap();
    assert_eq!(fetch("no-target").await.status, 404);
    delta(&admin, "no-base", "sunday", "monday").await.unwrap();
    assert_eq!(fetch("no-base").await.status, 404);
    let body = json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": {"name": "unready"},
        "spec": {"source": {"persistentVolumeClaimName": "data"}},
    });
    let snapshots = format!("{SNAPSHOTS}/namespaces/default/volumesnapshots");
    admin.post(&snapshots, &body).await.unwrap().success().unwrap();
    delta(&admin, "not-ready", "monday", "unready").await.unwrap();
    assert_eq!(fetch("not-ready").await.status, 409);
    let elsewhere =
        admin.get(&format!("{}/week?fetchcbd=true", DELTAS.replace("default", "kube-system"))).await.unwrap();
    assert_eq!(elsewhere.status, 404, "another namespace has its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_read_snapshots_may_not_fetch() {
    let Setting { cluster, .. } = setting();
    let admin = cluster.admin();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "deltas", "namespace": "default"},
        "rules": [{"apiGroups": ["cbt.storage.k8s.io"], "resources": ["volumesnapshotdeltas"], "verbs": ["get"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "deltas"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deltas"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}],
    });
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    admin.post(&format!("{rbac}/roles"), &role).await.unwrap().success().unwrap();
    admin.post(&format!("{rbac}/rolebindings"), &binding).await.unwrap().success().unwrap();
    let bob = cluster.client_for(&kit::Identity::Token(kit::BOB.to_owned()));
    eventually!(bob.get(&format!("{DELTAS}/week")).await.unwrap().status == 200, "the role counts");
    let refused = bob.get(&format!("{DELTAS}/week?fetchcbd=true")).await.unwrap();
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("volumesnapshots"), "{}", refused.text());
}

#[test]
fn the_plugin_lists_draws_copies_and_restores() {
    let Setting { folder, outrigger, .. } = setting();
    let file = |name: &str| outrigger.folder().join(name);
    let path = |path: &PathBuf| path.to_str().unwrap().to_owned();
    assert!(ok(&["list"]).contains("week"));
    let lines = ok(&["get", "week", "-o", "json"]);
    let blocks: Vec<u64> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["block"].as_u64().unwrap()).collect();
    assert_eq!(blocks, CHANGED);
    assert!(ok(&["map", "week"]).contains('█'));
    let picture = path(&file("map.png"));
    ok(&["map", "week", "--picture", &picture]);
    assert!(fs::read(&picture).unwrap().starts_with(b"\x89PNG"));

    let image = path(&file("week.cbt"));
    ok(&["pull", "week", &image]);
    let pulled = fs::read(&image).unwrap();
    // What a break leaves is gone on with.
    fs::write(&image, &pulled[..pulled.len() * 2 / 3]).unwrap();
    ok(&["pull", "week", &image]);
    assert_eq!(fs::read(&image).unwrap(), pulled);
    let restored = path(&file("restored.img"));
    fs::copy(folder.file("monday.img"), &restored).unwrap();
    ok(&["apply", &image, &restored]);
    assert!(fs::read(&restored).unwrap() == fs::read(folder.file("tuesday.img")).unwrap(), "it is tuesday's volume");

    let missing = kubectl_cbt(&["get", "nothing"]);
    assert_eq!(missing.status.code(), Some(1));
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.starts_with("Error from server (NotFound): volumesnapshotdeltas"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_can_be_a_process_of_its_own_and_die() {
    let Setting { cluster, folder, .. } = setting();
    let scratch = Scratch::new("relay").unwrap();
    let socket = format!("unix://{}", scratch.file("relay.sock").display());
    let relay = || {
        let flags = ["cbt".to_owned(), format!("--listen={socket}"), format!("--cbt-dir={}", folder.path().display())];
        let kubeconfig = format!("--kubeconfig={}", cluster.outrigger_kubeconfig().display());
        let flags = [&flags[..], &[kubeconfig]].concat();
        Process::spawn("outrigger cbt", &kit::binary().unwrap(), &flags, &scratch.file("relay.log")).unwrap()
    };
    let mut running = relay();
    let split = Outrigger::split(cluster, &[], &[&format!("--cbt-relay={socket}")]).unwrap();
    let client = split.apiserver.admin().unwrap();
    delta(&client, "week", "monday", "tuesday").await.unwrap();
    let fetch = async || client.get(&format!("{DELTAS}/week?fetchcbd=true")).await.unwrap();
    eventually!(fetch().await.status == 200, "the relay answers");
    assert_eq!(offsets(&fetch().await.json().unwrap()), CHANGED);
    running.kill().unwrap();
    let refused = fetch().await;
    assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true), "{}", refused.text());
    assert_eq!(client.get(&format!("{DELTAS}/week")).await.unwrap().status, 200, "the object is there all the same");
    let _again = relay();
    eventually!(fetch().await.status == 200, "it comes back by itself");
}

/// Entries of the large delta: 900 MB of JSON.
const MANY: u64 = 7_000_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "heavy: seven million entries through the aggregator, twice"]
async fn seven_million_entries_come_by_pages_and_in_one_stream() {
    let Setting { cluster, folder, .. } = setting();
    let admin = cluster.admin();
    pool(folder.path());
    snapshot(&admin, "many").await.unwrap();
    delta(&admin, "all-of-many", "", "many").await.unwrap();
    let (page, mut next, mut pages) = (65_536, 0, 0);
    while next < MANY {
        let answer =
            admin.get(&format!("{DELTAS}/all-of-many?fetchcbd=true&limit={page}&offset={next}")).await.unwrap();
        let offsets = offsets(&answer.success().unwrap());
        assert!(offsets.iter().copied().eq(next..(next + page).min(MANY)), "the page at {next}");
        (next, pages) = (next + offsets.len() as u64, pages + 1);
    }
    assert_eq!(pages, MANY.div_ceil(page));

    let accept = [("accept", "application/x-ndjson")];
    let mut lines = admin.lines(&format!("{DELTAS}/all-of-many?fetchcbd=true&limit=0"), &accept).await.unwrap();
    assert_eq!(lines.status, 200);
    for expected in 0..MANY {
        let line = lines.next(Duration::from_secs(30)).await.unwrap().unwrap();
        assert!(line.starts_with(&format!("{{\"offset\":{expected},")), "{line}");
    }
    assert_eq!(lines.next(Duration::from_secs(30)).await.unwrap(), None);
}

/// Registers `many`: a device of a thin pool in which every block is mapped. There is no data, only metadata.
fn pool(folder: &Path) {
    let xml = format!(
        "<superblock uuid=\"\" time=\"1\" transaction=\"1\" data_block_size=\"128\" nr_data_blocks=\"{MANY}\">\n\
         <device dev_id=\"1\" mapped_blocks=\"{MANY}\" transaction=\"0\" creation_time=\"0\" snap_time=\"1\">\n\
         <range_mapping origin_begin=\"0\" data_begin=\"0\" length=\"{MANY}\" time=\"0\"/>\n</device>\n</superblock>\n"
    );
    let (input, output) = (folder.join("pool.xml"), folder.join("pool.bin"));
    fs::write(&input, xml).unwrap();
    fs::File::create(&output).and_then(|file| file.set_len(1 << 30)).unwrap();
    let made = Command::new("thin_restore").arg("-i").arg(&input).arg("-o").arg(&output).status().unwrap();
    assert!(made.success(), "thin_restore");
    let register = kit::binary().unwrap().with_file_name("outrigger-cbt-file");
    let size = (MANY * (64 << 10)).to_string();
    let registered = Command::new(register)
        .args(["register", "--cbt-dir", folder.to_str().unwrap(), "--volume", "thin", "--name", "many", "thin"])
        .arg(&output)
        .args(["--device", "1", "--size", &size])
        .status()
        .unwrap();
    assert!(registered.success(), "outrigger-cbt-file register");
}
