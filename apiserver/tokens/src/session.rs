//! One request, on behalf of its caller: which tokens there are for it, and the plaintext of the one that it makes.

use std::sync::{Arc, Mutex, PoisonError};

use apiserver::{Access, Call};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use machinery::{GroupResource, json, selector::FieldRequirement, status::Status};
use proto::{
    store::{
        At, Batch, Content, Entry, Error, Key, List, ListOptions, Op, Result, Scope, Status as Standing, Store,
        WatchOptions, Write, Written,
    },
    token::{Credential, Presented, Secret},
};
use serde_json::Value;

use crate::owner;

/// A request's session.
#[derive(Clone)]
pub(crate) struct Session {
    access: Access,
    resource: GroupResource,
    /// The caller's name, if they see their own tokens only.
    only: Option<String>,
    store: Arc<dyn Store>,
    made: Arc<Made>,
}

/// What this request may make, and whether it has.
#[derive(Default)]
struct Made(Mutex<State>);

#[derive(Default)]
struct State {
    /// Whose token was asked for, and may be made.
    approved: Option<String>,
    /// What was made.
    token: Option<Presented>,
    /// Where that is.
    key: Option<Key>,
}

/// The store of tokens as a caller sees it.
struct Seen {
    tokens: Arc<dyn Store>,
    only: Option<String>,
    groups: Vec<String>,
    made: Arc<Made>,
}

// === impl Session ===

impl Session {
    pub(crate) async fn begin(call: &Call<'_>) -> Result<Arc<Self>, Status> {
        let access = call.access();
        let only = if owner::sees_all(call).await? { None } else { Some(access.user().name.clone()) };
        let made = Arc::<Made>::default();
        let seen = Seen {
            tokens: Arc::clone(call.store()),
            only: only.clone(),
            groups: owner::groups(&access),
            made: Arc::clone(&made),
        };
        let resource = call.kind().group_resource();
        Ok(Arc::new(Self { access, resource, only, store: Arc::new(seen), made }))
    }
}

#[async_trait]
impl apiserver::Session for Session {
    fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    fn only(&self) -> Option<FieldRequirement> {
        self.only.as_deref().map(owner::requirement)
    }

    async fn creating(&self, object: &mut Value) -> Result<(), Status> {
        if object["spec"].is_null() {
            object["spec"] = Value::Object(Default::default());
        }
        let user = match object["spec"]["userID"].as_str() {
            None | Some("") => self.access.user().name.clone(),
            Some(user) => user.to_owned(),
        };
        owner::may_make(&self.access, &self.resource, &user).await?;
        object["spec"]["userID"] = Value::from(user.clone());
        self.made.with(|state| state.approved = Some(user));
        Ok(())
    }

    fn answering(&self, object: &mut Value) -> bool {
        let Some(token) = self.made.with(|state| state.token.take()) else { return false };
        object["status"]["plaintextToken"] = Value::from(token.expose());
        true
    }
}

// === impl Made ===

impl Made {
    fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl Seen ===

impl Seen {
    fn shows(&self, entry: &Entry) -> bool {
        let own = |only: &String| entry.content.fields.get(owner::FIELD) == Some(only);
        self.only.as_ref().is_none_or(own)
    }

    /// Whoever made it sees the answer, also if it is another's.
    fn is_made_here(&self, key: &Key) -> bool {
        self.made.with(|state| state.key.as_ref() == Some(key))
    }

    async fn create(&self, key: Key, content: Content) -> Result<Written> {
        let mut object: Value = serde_json::from_slice(&content.value.json)
            .map_err(|_| Error::Internal { reason: "an object is not JSON".to_owned() })?;
        let user = object["spec"]["userID"].as_str();
        // Admission comes between: what it makes of the user is nobody's permission.
        if user.is_none() || user != self.made.with(|state| state.approved.clone()).as_deref() {
            return Err(Error::Invalid {
                reason: "spec.userID was changed by admission: leave it as it is".to_owned(),
            });
        }
        let secret = fresh();
        let (salt, groups) = (random(), self.groups.clone());
        Credential { hash: secret.hash(salt), groups }.attach(&mut object);
        let content = with_json(content, &object);
        let written = self.tokens.write(Write { key: key.clone(), op: Op::Create(content) }).await?;
        let token = Presented { namespace: key.namespace.clone(), name: key.name.clone(), secret };
        self.made.with(|state| (state.token, state.key) = (Some(token), Some(key)));
        Ok(written)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for Seen {
    async fn get(&self, key: &Key, at: At) -> Result<Option<Entry>> {
        let entry = self.tokens.get(key, at).await?;
        Ok(entry.filter(|entry| self.shows(entry) || self.is_made_here(key)))
    }

    async fn list(&self, scope: &Scope, mut options: ListOptions) -> Result<List> {
        options.fields.requirements.extend(self.only.as_deref().map(owner::requirement));
        self.tokens.list(scope, options).await
    }

    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        let only = self.only.clone();
        let shows =
            move |entry: &Entry| only.as_ref().is_none_or(|only| entry.content.fields.get(owner::FIELD) == Some(only));
        let batches = self.tokens.watch(scope, options).await?;
        let seen = batches.map_ok(move |mut batch| {
            batch.events.retain(|event| shows(&event.entry));
            batch
        });
        Ok(seen.boxed())
    }

    async fn write(&self, write: Write) -> Result<Written> {
        match write.op {
            Op::Create(content) => self.create(write.key, content).await,
            op => self.tokens.write(Write { op, ..write }).await,
        }
    }

    async fn status(&self) -> Result<Standing> {
        self.tokens.status().await
    }
}

/// The secret of a new token.
pub(crate) fn fresh() -> Secret {
    Secret::of(random())
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// The same content with another object.
pub(crate) fn with_json(content: Content, object: &Value) -> Content {
    let (json, splice) = json::encode_stored(object);
    Content { value: proto::store::Value { json: json.into(), splice, ..content.value }, ..content }
}
