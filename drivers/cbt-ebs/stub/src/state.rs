//! What the stub knows, and what it has seen.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{Model, Snapshot, Trouble, quota::Quota, stub::Key, token::Mint};

/// How the service behaves where its documentation leaves that open.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Blocks that a page covers at most, whatever was asked for.
    pub page: usize,
    /// What a start beyond the last block gets.
    pub past_the_end: PastTheEnd,
    /// Whether a page that ends with the last block is followed by an empty one.
    pub empty_last_page: bool,
    /// How long page tokens are good.
    pub page_tokens: Duration,
    /// How long block tokens are good.
    pub block_tokens: Duration,
}

/// What a start beyond the last block gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastTheEnd {
    /// A page without blocks.
    Empty,
    /// ValidationException.
    Refused,
}

/// A call that came.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its name, as in the model; empty when it is none.
    pub operation: String,
    /// How many of this name came before it.
    pub number: usize,
    /// Its parameters, by the model's names.
    pub members: BTreeMap<String, String>,
    /// The code of the error that it was answered with.
    pub error: Option<&'static str>,
    /// Whether no official SDK would send it.
    pub foul: bool,
}

pub(crate) type Plan = Box<dyn FnMut(&Call) -> Option<Trouble> + Send>;

/// Everything, behind one lock.
pub(crate) struct State {
    pub(crate) model: Arc<Model>,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// How far tokens' time is ahead of the clock.
    pub(crate) ahead: Duration,
    pub(crate) keys: Vec<Key>,
    pub(crate) region: String,
    pub(crate) snapshots: HashMap<String, Arc<Snapshot>>,
    pub(crate) settings: Settings,
    pub(crate) quotas: HashMap<String, Quota>,
    pub(crate) plan: Option<Plan>,
    pub(crate) calls: Vec<Call>,
    pub(crate) mint: Mint,
    /// Calls that have no answer yet.
    pub(crate) waiting: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            page: usize::MAX,
            past_the_end: PastTheEnd::Empty,
            empty_last_page: false,
            page_tokens: Duration::from_secs(60 * 60),
            block_tokens: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }
}

// === impl State ===

impl State {
    /// Seconds since 1970, as tokens see them.
    pub(crate) fn now(&self) -> u64 {
        let now = (self.clock)() + self.ahead;
        now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}
