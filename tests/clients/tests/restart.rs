//! Node restarts as users have them: kubectl with and without its plugin, and a client certificate, through the
//! aggregator, down to a provider that is a program of the operator's own.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::OnceLock,
};

use kit::{
    BOB, Client, Cluster, Identity, Kubectl, Node, Options, Outrigger, PATIENCE, Process, Report, Scratch, eventually,
};
use serde_json::{Value, json};

const NODES: &str = "/apis/infraops.michael.io/v1/nodes";
const RESTARTS: &str = "/apis/infraops.michael.io/v1/noderestarts";
const ADDRESS: &str = "10.0.0.1";

/// The provider: it knows every machine, and notes each step that it is asked to take in a file of the machine's name.
const PROVIDER: &str = r#"#!/bin/sh
request=$(cat)
machine=$(printf %s "$request" | sed 's/.*"providerID":"demo:\/\/\([^"]*\)".*/\1/')
case "$request" in
*'"call":"describe"'*)
    echo "{\"instance\": {\"id\": \"$machine\", \"state\": \"Running\", \"addresses\": [\"10.0.0.1\"]}}" ;;
*'"call":"plan"'*) echo '{"steps": ["Reboot"], "verdict": "the demo would do it"}' ;;
*'"call":"take"'*) echo taken >>"${0%/*}/$machine.taken"; echo '{"requestID": "r-1"}' ;;
esac
"#;

/// Us behind a cluster whose machines the provider has.
struct Setting<'a> {
    cluster: &'a Cluster,
    outrigger: Outrigger,
    _driver: Process,
    provider: Scratch,
}

/// One for most tests: they keep out of each other's way by the names of nodes.
fn shared() -> &'static Setting<'static> {
    static SHARED: OnceLock<Setting<'_>> = OnceLock::new();
    SHARED.get_or_init(|| Setting::start(Cluster::shared()))
}

// === impl Setting ===

impl<'a> Setting<'a> {
    fn start(cluster: &'a Cluster) -> Self {
        let provider = Scratch::new("provider").unwrap();
        let program = provider.write("provider", PROVIDER).unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let socket = format!("unix://{}", provider.file("driver.sock").display());
        let args =
            [format!("--exec={}", program.display()), "--provider=demo".to_owned(), format!("--listen={socket}")];
        let driver = kit::program("outrigger-node-exec").unwrap();
        let driver = Process::spawn("outrigger-node-exec", &driver, &args, &provider.file("driver.log")).unwrap();
        let flags = [
            &format!("--node-driver=demo={socket}"),
            "--restart-poll=100ms",
            "--restart-max-in-flight=50",
            "--restart-min-healthy=0",
            "--restart-lease=3s",
        ];
        let outrigger = Outrigger::behind(cluster, &[], &flags).unwrap();
        kit::block_on(outrigger.register(cluster, "infraops.michael.io", "v1")).unwrap();
        Self { cluster, outrigger, _driver: driver, provider }
    }

    /// A node that is up, on a machine of its name.
    async fn node(&self, name: &str) -> Node {
        self.node_with(name, &format!("demo://{name}"), &[]).await
    }

    async fn node_with(&self, name: &str, provider_id: &str, labels: &[(&str, &str)]) -> Node {
        let node = Node::create(&self.cluster.admin(), name, provider_id, labels).await.unwrap();
        node.report(&up("boot-1")).await.unwrap();
        node
    }

    /// How often the provider was asked to restart the machine.
    fn taken(&self, machine: &str) -> usize {
        let notes = fs::read_to_string(self.provider.file(&format!("{machine}.taken")));
        notes.map(|notes| notes.lines().count()).unwrap_or_default()
    }

    /// Comes back as a machine does that was restarted, once it is.
    async fn comes_back(&self, node: &Node) {
        eventually!(self.taken(node.name()) == 1, "the provider is asked for {}", node.name());
        node.report(&up("boot-2")).await.unwrap();
    }

    fn kubectl(&self) -> Kubectl {
        self.cluster.kubectl_as(kit::ADMIN).unwrap()
    }

    /// Our plugin, as kubectl starts it: a program on the PATH whose name begins with `kubectl-`.
    fn plugin(&self, line: &str) -> Command {
        let plugins = kit::program("kubectl-restart").unwrap().parent().unwrap().to_owned();
        let usual = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths(std::iter::once(plugins).chain(std::env::split_paths(&usual))).unwrap();
        let mut command = Command::new(self.cluster.peers().kubectl());
        command.arg("restart").args(line.split_whitespace());
        command.env("PATH", path).env("KUBECONFIG", self.cluster.kubeconfig());
        command
    }

    fn run(&self, line: &str) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.plugin(line).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (status.code().unwrap_or(-1), text(stdout), text(stderr))
    }

    /// The plugin, until it is waited for.
    fn spawn(&self, line: &str) -> Process {
        let kubeconfig = self.cluster.kubeconfig();
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let name = args.first().unwrap().clone();
        let log = self.provider.file(&format!("{name}.log"));
        let program = kit::program("kubectl-restart").unwrap();
        let env = [("KUBECONFIG", kubeconfig.to_str().unwrap())];
        Process::spawn_with("kubectl-restart", Path::new(&program), &args, &env, &log).unwrap()
    }

    async fn restarts(&self, node: &str) -> Vec<Value> {
        let path = format!("{RESTARTS}?fieldSelector=spec.nodeName%3D{node}");
        let list = self.cluster.admin().get(&path).await.unwrap().success().unwrap();
        list["items"].as_array().unwrap().clone()
    }
}

fn up(boot_id: &str) -> Report {
    Report { boot_id: boot_id.into(), ready: true, address: ADDRESS.into() }
}

async fn post(client: &Client, node: &str, body: &str) -> (u16, Value) {
    let headers = [("accept", "application/json"), ("content-type", "application/json")];
    let answer = client.send("POST", &format!("{NODES}/{node}/restart"), &headers, body.to_owned()).await.unwrap();
    (answer.status, answer.json().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugin_restarts_a_node_and_sees_it_come_back() {
    let setting = shared();
    let node = setting.node("seen").await;
    let mut plugin = setting.spawn("seen --wait --reason=kernel");
    setting.comes_back(&node).await;
    assert_eq!(plugin.wait(PATIENCE).unwrap().code(), Some(0), "{}", plugin.output());
    let output = plugin.output();
    assert!(output.starts_with("node/seen: ") && output.ends_with("node/seen restarted\n"), "{output}");

    let [restart] = &setting.restarts("seen").await[..] else { panic!("one restart") };
    let said = ["/status/phase", "/spec/mode", "/spec/reason", "/spec/requestedBy/username", "/status/bootID"];
    let said = said.map(|at| restart.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned());
    assert_eq!(said, ["Succeeded", "Soft", "kernel", "admin", "boot-2"]);
    assert_eq!(setting.taken("seen"), 1);
    assert_eq!(node.get().await.unwrap()["spec"].get("unschedulable"), None, "it may be scheduled to as before");
    let table = setting.kubectl().ok(&["get", "nodes.infraops.michael.io", "seen", "-o", "wide"]).unwrap();
    assert!(table.contains("demo") && table.contains("Succeeded"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn selected_nodes_are_restarted_one_after_another() {
    let setting = shared();
    let labels = [("pool", "rolling")];
    let first = setting.node_with("rolling-1", "demo://rolling-1", &labels).await;
    let second = setting.node_with("rolling-2", "demo://rolling-2", &labels).await;
    let listed =
        || setting.kubectl().ok(&["get", "nodes.infraops.michael.io", "-l", "pool=rolling", "-o", "name"]).unwrap();
    eventually!(listed().lines().count() == 2, "both are known: {}", listed());
    let mut plugin = setting.spawn("-l pool=rolling");
    eventually!(setting.taken("rolling-1") == 1, "the provider is asked for the first");
    assert_eq!(setting.restarts("rolling-2").await, [Value::Null; 0], "the second has not begun");
    setting.comes_back(&first).await;
    setting.comes_back(&second).await;
    assert_eq!(plugin.wait(PATIENCE).unwrap().code(), Some(0), "{}", plugin.output());
    assert!(plugin.output().starts_with("-l pool=rolling selects rolling-1, rolling-2\n"), "{}", plugin.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_alone_restarts_a_node() {
    let setting = shared();
    let node = setting.node("raw").await;
    let (kubectl, path) = (setting.kubectl(), format!("{NODES}/raw/restart"));
    let plan = kubectl.ok(&["create", "--raw", &format!("{path}?dryRun=All"), "-f", "/dev/null"]).unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["status"]["plan"]["verdict"], "the demo would do it", "{plan}");
    assert_eq!((setting.taken("raw"), setting.restarts("raw").await.len()), (0, 0), "a plan touches nothing");

    let watch = kubectl.spawn("watch", &["get", "noderestarts", "-w"]).unwrap();
    kubectl.ok(&["create", "--raw", &path, "-f", "/dev/null"]).unwrap();
    kubectl.ok(&["create", "--raw", &path, "-f", "/dev/null"]).unwrap();
    setting.comes_back(&node).await;
    let ended = || watch.output().lines().any(|line| line.starts_with("raw-1 ") && line.contains("Succeeded"));
    eventually!(ended(), "the end is watched: {}", watch.output());
    assert_eq!((setting.taken("raw"), setting.restarts("raw").await.len()), (1, 1), "two requests are one restart");
    let events = || kubectl.ok(&["get", "events", "-A", "--field-selector=involvedObject.name=raw"]).unwrap();
    eventually!(events().contains("RestartSucceeded"), "it is told: {}", events());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_for_one_node_restarts_that_one_only() {
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    let setting = shared();
    let (mine, _yours) = (setting.node("mine").await, setting.node("yours").await);
    let rule = json!({
        "apiGroups": ["infraops.michael.io"], "resources": ["nodes/restart"], "resourceNames": ["mine"], "verbs": ["create"],
    });
    let role = json!({"metadata": {"name": "restart-mine"}, "rules": [rule]});
    let binding = json!({
        "metadata": {"name": "restart-mine"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "restart-mine"},
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"},
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "carol"},
        ],
    });
    let admin = setting.cluster.admin();
    admin.post(&format!("{RBAC}/clusterroles"), &role).await.unwrap().success().unwrap();
    admin.post(&format!("{RBAC}/clusterrolebindings"), &binding).await.unwrap().success().unwrap();

    let as_bob = |node: &str| setting.run(&format!("{node} --token {BOB}"));
    eventually!(as_bob("mine").0 == 0, "bob may restart his node: {:?}", as_bob("mine"));
    let (code, _, said) = as_bob("yours");
    assert!(code == 1 && said.contains("Error from server (Forbidden)"), "{said}");
    // With a client certificate, as curl has it, and the same request once more.
    let carol = Identity::Certificate(setting.cluster.authority().client("carol", None).unwrap());
    let carol = setting.cluster.client_for(&carol);
    setting.comes_back(&mine).await;
    eventually!(setting.restarts("mine").await[0]["status"]["phase"] == "Succeeded", "it has ended");
    let (code, restart) = post(&carol, "mine", r#"{"notBefore": "2999-01-01T00:00:00Z"}"#).await;
    assert_eq!((code, &restart["spec"]["requestedBy"]["username"]), (201, &json!("carol")));
    assert_eq!(post(&carol, "yours", "").await.0, 403);
    assert_eq!((setting.taken("mine"), setting.taken("yours")), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_aggregator_nobody_restarts_anything() {
    let setting = shared();
    setting.node("direct").await;
    let forged = [("x-remote-user", "admin"), ("x-remote-group", "system:masters")];
    let proxy = setting.cluster.front_proxy_authority().client("somebody-else", None).unwrap();
    for identity in [Identity::Anonymous, Identity::Certificate(proxy)] {
        let client = setting.outrigger.client_for(&identity).unwrap();
        let answer = client.send("POST", &format!("{NODES}/direct/restart"), &forged, "").await.unwrap();
        assert_eq!(answer.status, 401);
    }
    assert_eq!((setting.taken("direct"), setting.restarts("direct").await.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_why_and_have_their_exit_codes() {
    let setting = shared();
    setting.node_with("master", "demo://master", &[("node-role.kubernetes.io/control-plane", "")]).await;
    setting.node_with("homeless", "", &[]).await;
    setting.node_with("elsewhere", "hcloud://42", &[]).await;
    setting.node("fine").await;
    for (line, exit, said) in [
        ("master", 3, "(Forbidden)"),
        ("nobody", 1, "(NotFound): nodes"),
        ("homeless", 1, "(Invalid)"),
        ("elsewhere", 1, "(ServiceUnavailable)"),
        ("fine --restart-timeout=25h", 1, "(Invalid)"),
        ("master --dry-run=server", 3, ""),
    ] {
        let (code, stdout, stderr) = setting.run(line);
        assert_eq!(code, exit, "{line}: {stdout}{stderr}");
        assert!(stderr.contains(said), "{line}: {stderr}");
    }
    let (_, plan, _) = setting.run("master --dry-run=server");
    assert!(plan.contains("guard ControlPlane: REFUSES"), "{plan}");
    for (body, field) in [(r#"{"drian": {}}"#, "drian"), (r#"{"mode": "Gently"}"#, "mode")] {
        let (code, status) = post(&setting.cluster.admin(), "fine", body).await;
        assert!(matches!(code, 400 | 422) && status["message"].as_str().unwrap().contains(field), "{status}");
    }
    assert_eq!(setting.taken("master") + setting.taken("fine"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_wait_for_the_end() {
    let setting = shared();
    let node = setting.node("held").await;
    let admin = setting.cluster.admin();
    let answer = std::thread::spawn(move || {
        kit::block_on(async move { Ok(post(&admin, "held", r#"{"wait": "45s"}"#).await) }).unwrap()
    });
    setting.comes_back(&node).await;
    let (code, restart) = answer.join().unwrap();
    assert_eq!((code, &restart["status"]["phase"]), (201, &json!("Succeeded")), "{restart}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_cancelled_before_the_provider_is_asked() {
    let setting = shared();
    setting.node("later").await;
    let (code, restart) = post(&setting.cluster.admin(), "later", r#"{"notBefore": "2999-01-01T00:00:00Z"}"#).await;
    assert_eq!((code, &restart["metadata"]["name"]), (201, &json!("later-1")), "{restart}");
    let kubectl = setting.kubectl();
    assert!(kubectl.ok(&["get", "nr", "later-1"]).unwrap().contains("Accepted"));
    let (code, _, said) = setting.run("later --mode=hard");
    assert!(code == 3 && said.contains("it is being restarted by later-1"), "{said}");
    kubectl.ok(&["delete", "noderestart", "later-1"]).unwrap();
    let gone = kubectl.run(&["get", "noderestart", "later-1"]).unwrap();
    assert!(gone.stderr.contains("(NotFound)"), "{gone:?}");
    assert_eq!(setting.taken("later"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_outlives_the_server() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let mut setting = Setting::start(&cluster);
    let node = setting.node("patient").await;
    let mut plugin = setting.spawn("patient --wait");
    eventually!(setting.taken("patient") == 1, "the provider is asked");
    setting.outrigger.restart().unwrap();
    setting.comes_back(&node).await;
    assert_eq!(plugin.wait(PATIENCE).unwrap().code(), Some(0), "{}", plugin.output());
    assert!(plugin.output().ends_with("node/patient restarted\n"), "{}", plugin.output());
    assert_eq!(setting.taken("patient"), 1);
}
