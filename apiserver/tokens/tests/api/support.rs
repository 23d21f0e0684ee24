//! A server of tokens, and who asks it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use api_testing::{Answer, Server, USER};
use async_trait::async_trait;
use auth::{Attributes, Authorizer, Decision, User};
use proto::store::{At, Content, Entry, Expect, Key, Op, Store, Write};
use revlog::{Log, Memory};
use serde_json::{Value, json};
use tokens::{Tokens, Used, Verdict, Verifier};

/// Where tokens are.
pub(crate) const TOKENS: &str = "/apis/tomlebreux.com/v1alpha2/namespaces/default/ranchertokens";
/// Where those of the cluster are.
pub(crate) const CLUSTER: &str = "/apis/tomlebreux.com/v1alpha2/clusterranchertokens";
/// The second at which the server stands.
const NOW: u64 = 1_700_000_000;

/// Everybody may do everything, but carol alone may see all, and dave alone may be bob.
struct Roles;

#[async_trait]
impl Authorizer for Roles {
    async fn authorize(&self, user: &User, asked: &Attributes) -> auth::Result<Decision> {
        let allowed = match asked.verb.as_str() {
            _ if user.is_master() => true,
            "view-all" => user.name == "carol",
            "impersonate" => user.name == "dave" && asked.name == "bob",
            _ => true,
        };
        Ok(if allowed { Decision::Allow } else { Decision::Deny { reason: String::new() } })
    }
}

/// The server, and what keeps its tokens.
pub(crate) struct World {
    pub(crate) server: Server,
    /// The Secrets, to look at and to meddle with.
    pub(crate) secrets: Arc<dyn Store>,
    pub(crate) verifier: Verifier,
    seconds: Arc<AtomicU64>,
}

// === impl World ===

impl World {
    pub(crate) async fn new() -> Self {
        let context = runtime::Context::new();
        let (log, work) =
            Log::open(Memory::default(), revlog::Options::default(), revlog::Metrics::default()).await.unwrap();
        context.tasks.spawn("log", work);
        let secrets: Arc<dyn Store> = log;
        let seconds = Arc::new(AtomicU64::new(NOW));
        let clock = {
            let seconds = Arc::clone(&seconds);
            Arc::new(move || UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::SeqCst)))
        };
        let key = tokens::Key::new(&[7; 32]).into();
        let tokens = Tokens::new(Arc::clone(&secrets), key, clock, tokens_api::tags());
        let store: Arc<dyn Store> = Arc::new(tokens.clone());
        let server = Server::with(&tokens_api::extensions(&store), Arc::new(Roles)).await;
        let verifier = Verifier::new(tokens, Arc::<Used>::default());
        Self { server, secrets, verifier, seconds }
    }

    /// The server as somebody sees it.
    pub(crate) fn as_user(&self, name: &'static str) -> Server {
        self.server.sending(USER, name)
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// What a review says.
    pub(crate) async fn review(&self, token: &str) -> Verdict {
        self.verifier.verify(token).await.unwrap()
    }

    /// Whether who presents it is this user.
    pub(crate) async fn is(&self, token: &str, name: &str) -> bool {
        matches!(self.review(token).await, Verdict::User(user) if user.name == name)
    }

    /// The Secret of a token.
    pub(crate) async fn secret(&self, name: &str) -> (Entry, Value) {
        let entry = self.secrets.get(&key("default", name), At::Latest).await.unwrap().unwrap();
        let value = serde_json::from_slice(&entry.content.value.json).unwrap();
        (entry, value)
    }

    /// Writes to the Secret of a token as somebody does who may write Secrets.
    pub(crate) async fn meddle(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let (entry, mut secret) = self.secret(name).await;
        change(&mut secret);
        let op = Op::Update(content(&entry.content, &secret), Expect::default());
        self.secrets.write(Write { key: entry.key, op }).await.unwrap();
    }

    /// Creates a Secret as somebody does who may create Secrets.
    pub(crate) async fn plant(&self, place: Key, like: &Content, secret: &Value) {
        self.secrets.write(Write { key: place, op: Op::Create(content(like, secret)) }).await.unwrap();
    }
}

fn content(like: &Content, secret: &Value) -> Content {
    let value = proto::store::Value { json: secret.to_string().into(), splice: 0, ..like.value.clone() };
    Content { uid: secret["metadata"]["uid"].as_str().unwrap_or_default().to_owned(), value, ..like.clone() }
}

/// A token's place.
pub(crate) fn key(namespace: &str, name: &str) -> Key {
    Key {
        group: "tomlebreux.com".to_owned(),
        resource: "ranchertokens".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// A token that says no more than it must.
pub(crate) fn token(name: &str, spec: Value) -> Value {
    json!({ "apiVersion": "tomlebreux.com/v1alpha2", "kind": "RancherToken", "metadata": { "name": name }, "spec": spec })
}

/// Creates one, and gives what is to be presented.
pub(crate) async fn create(server: &Server, name: &str, spec: Value) -> String {
    let answer = server.post(TOKENS, &token(name, spec)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    plaintext(&answer)
}

/// What an answer says is to be presented.
pub(crate) fn plaintext(answer: &Answer) -> String {
    answer.json()["status"]["plaintextToken"].as_str().unwrap().to_owned()
}

/// The names in a list.
pub(crate) fn names(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}
