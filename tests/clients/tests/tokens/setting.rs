//! A control plane that believes our tokens, and us behind it.

use std::{path::PathBuf, sync::OnceLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kit::{ADMIN, Authority, Client, Cluster, Identity, Kubectl, Options, Outrigger, Response, Scratch};
use serde_json::{Value, json};

pub(crate) const GROUP: &str = "tomlebreux.com";
pub(crate) const MERGE: [(&str, &str); 1] = [("content-type", "application/merge-patch+json")];
/// Namespace of the key, and that of ClusterRancherTokens.
const NAMESPACES: [&str; 2] = ["outrigger-system", "outrigger-tokens"];

/// Both, and who asks whom.
pub(crate) struct Setting {
    pub(crate) cluster: Cluster,
    pub(crate) outrigger: Outrigger,
    authority: Authority,
    callers: Authority,
    port: u16,
    pub(crate) scratch: Scratch,
}

/// One for most tests: they keep out of each other's way by namespaces.
pub(crate) fn shared() -> &'static Setting {
    static SHARED: OnceLock<Setting> = OnceLock::new();
    SHARED.get_or_init(|| Setting::start(&[], &[]))
}

// === impl Setting ===

impl Setting {
    /// Starts both, ours with more flags and environment variables.
    pub(crate) fn start(more: &[&str], env: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new("tokens").unwrap();
        let [port] = kit::free_ports().unwrap();
        let (authority, callers) = (Authority::new("outrigger-ca").unwrap(), Authority::new("webhook-ca").unwrap());
        let config = webhook(port, &authority, &callers);
        let config = scratch.write("webhook.kubeconfig", config.to_string()).unwrap();
        let flags = [
            format!("--authentication-token-webhook-config-file={}", config.display()),
            "--authentication-token-webhook-version=v1".to_owned(),
            "--authentication-token-webhook-cache-ttl=1s".to_owned(),
        ];
        let cluster = Cluster::start(&Options { apiserver_flags: flags.to_vec(), ..Options::default() }).unwrap();
        kit::block_on(async {
            for namespace in NAMESPACES {
                cluster.namespace(namespace).await?;
            }
            Ok(())
        })
        .unwrap();
        let ca = scratch.write("callers.crt", callers.cert()).unwrap();
        let flags = [
            "--tokens".to_owned(),
            format!("--token-webhook-listen=127.0.0.1:{port}"),
            format!("--token-webhook-client-ca-file={}", ca.display()),
            "--token-expiry-interval=500ms".to_owned(),
            "--token-last-used-interval=500ms".to_owned(),
        ];
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let outrigger = Outrigger::behind_as(&cluster, &authority, &flags, env).unwrap();
        for version in ["v1alpha2", "v1alpha1"] {
            kit::block_on(outrigger.register(&cluster, GROUP, version)).unwrap();
        }
        Self { cluster, outrigger, authority, callers, port, scratch }
    }

    /// A namespace in which these users may do everything with tokens.
    pub(crate) async fn namespace(&self, name: &str, users: &[&str]) -> String {
        self.cluster.namespace(name).await.unwrap();
        let rules = json!([{ "apiGroups": [GROUP], "resources": ["ranchertokens", "ranchertokens/rotate", "ranchertokens/status"],
            "verbs": ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"] }]);
        self.grant(name, users, rules).await;
        format!("/apis/{GROUP}/v1alpha2/namespaces/{name}/ranchertokens")
    }

    /// Lets users do more in a namespace.
    pub(crate) async fn grant(&self, namespace: &str, users: &[&str], rules: Value) {
        let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
        let metadata = json!({ "generateName": "test-" });
        let role = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules });
        let role = self.cluster.admin().post(&format!("{rbac}/roles"), &role).await.unwrap().success().unwrap();
        let subjects: Vec<Value> = users
            .iter()
            .map(|user| json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }))
            .collect();
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata, "subjects": subjects,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role["metadata"]["name"] },
        });
        self.cluster.admin().post(&format!("{rbac}/rolebindings"), &binding).await.unwrap().success().unwrap();
    }

    /// Raw requests through the aggregator, as somebody with a certificate.
    pub(crate) fn user(&self, name: &str) -> Client {
        let pair = self.cluster.authority().client(name, None).unwrap();
        self.cluster.client_for(&Identity::Certificate(pair))
    }

    /// The same as the owner of a token.
    pub(crate) fn bearer(&self, token: &str) -> Client {
        self.cluster.client_for(&Identity::Token(token.to_owned()))
    }

    /// Who a token makes one to the kube-apiserver; `None` when it is refused.
    pub(crate) async fn who(&self, token: &str) -> Option<Value> {
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        let answer =
            self.bearer(token).post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review).await.unwrap();
        assert!(matches!(answer.status, 201 | 401), "{}: {}", answer.status, answer.text());
        (answer.status == 201).then(|| answer.json().unwrap()["status"]["userInfo"].take())
    }

    /// What we say of a token ourselves, past the memory of the kube-apiserver.
    pub(crate) async fn review(&self, token: &str) -> Value {
        let body =
            json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": { "token": token } });
        self.webhook().post("/tokenreviews", &body).await.unwrap().success().unwrap()["status"].take()
    }

    /// The webhook as the kube-apiserver reaches it.
    pub(crate) fn webhook(&self) -> Client {
        let pair = self.callers.client("kube-apiserver", None).unwrap();
        Client::new("127.0.0.1", self.port, self.authority.cert(), &Identity::Certificate(pair)).unwrap()
    }

    /// The webhook as somebody else reaches it.
    pub(crate) fn webhook_as(&self, identity: &Identity) -> Client {
        Client::new("127.0.0.1", self.port, self.authority.cert(), identity).unwrap()
    }

    /// kubectl as the administrator.
    pub(crate) fn kubectl(&self) -> Kubectl {
        self.cluster.kubectl_as(ADMIN).unwrap()
    }
}

/// The kube-apiserver's way to us.
fn webhook(port: u16, authority: &Authority, callers: &Authority) -> Value {
    let pair = callers.client("kube-apiserver", None).unwrap();
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "webhook",
        "clusters": [{ "name": "outrigger", "cluster": {
            "server": format!("https://127.0.0.1:{port}/tokenreviews"),
            "certificate-authority-data": STANDARD.encode(authority.cert()),
        } }],
        "users": [{ "name": "kube-apiserver", "user": {
            "client-certificate-data": STANDARD.encode(&pair.cert), "client-key-data": STANDARD.encode(&pair.key),
        } }],
        "contexts": [{ "name": "webhook", "context": { "cluster": "outrigger", "user": "kube-apiserver" } }],
    })
}

/// A token to create.
pub(crate) fn token(name: &str, spec: Value) -> Value {
    json!({ "apiVersion": "tomlebreux.com/v1alpha2", "kind": "RancherToken", "metadata": { "name": name }, "spec": spec })
}

/// Creates one, and gives what is to be presented.
pub(crate) async fn create(client: &Client, path: &str, name: &str, spec: Value) -> String {
    plaintext(&client.post(path, &token(name, spec)).await.unwrap())
}

/// What an answer says is to be presented.
pub(crate) fn plaintext(answer: &Response) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json().unwrap()["status"]["plaintextToken"].as_str().unwrap().to_owned()
}

/// The names in a list.
pub(crate) async fn names(client: &Client, path: &str) -> Vec<String> {
    let list = client.get(path).await.unwrap().success().unwrap();
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

/// One of the examples of the repository.
pub(crate) fn example(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../examples", name].iter().collect();
    path.to_str().unwrap().to_owned()
}
